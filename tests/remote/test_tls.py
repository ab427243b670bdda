"""The certificates of the system are read once, not by every client."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

pytest.importorskip("httpx")

import certifi

from rerank_core.remote.tls import check_certificates, tls_context


def test_all_clients_share_what_was_read() -> None:
    """As long as nothing has changed."""
    assert tls_context() is tls_context()


def test_another_file_is_read_anew(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """And so is the same one with other certificates in it."""
    copy = tmp_path / "ours.pem"
    copy.write_bytes(Path(certifi.where()).read_bytes())
    before = tls_context()

    monkeypatch.setenv("SSL_CERT_FILE", str(copy))
    first = tls_context()
    os.utime(copy, (1, 1))
    second = tls_context()

    assert len({id(context) for context in (before, first, second)}) == 3


def test_a_file_that_goes_bad_is_found_out(tmp_path: Path) -> None:
    """Though it was read before."""
    copy = tmp_path / "ours.pem"
    copy.write_bytes(Path(certifi.where()).read_bytes())
    check_certificates(str(copy))
    copy.write_text("nothing of the kind")
    os.utime(copy, (1, 1))

    with pytest.raises(OSError, match=r"no certificate|PEM|SSL"):
        check_certificates(str(copy))
    with pytest.raises(FileNotFoundError):
        check_certificates(str(tmp_path))
