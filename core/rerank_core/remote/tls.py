"""One TLS context for all HTTP clients of ours: each would read all certificates of the system by
itself, which takes 20 to 50 ms, of the first ranking's deadline too.
"""

from __future__ import annotations

import os
import ssl
from functools import lru_cache

#: What httpx makes of them is in the context: https://www.python-httpx.org/environment_variables/
_READ = ("SSL_CERT_FILE", "SSL_CERT_DIR", "SSLKEYLOGFILE")


def tls_context() -> ssl.SSLContext:
    """What httpx would make for itself, anew only where the environment or the file has changed."""
    said = tuple(os.environ.get(name) for name in _READ)
    return _made(said, _changed(said[0]))


def check_certificates(path: str) -> None:
    """Raises `OSError` or `ValueError` for a file that holds no certificates."""
    if not os.path.isfile(path):
        raise FileNotFoundError("there is no such file")
    _read(path, _changed(path))


def _changed(path: str | None) -> int | None:
    try:
        return None if path is None else os.stat(path).st_mtime_ns
    except OSError:
        return None


@lru_cache(maxsize=4)
def _made(said: tuple[str | None, ...], changed: int | None) -> ssl.SSLContext:
    import httpx

    return httpx.create_ssl_context()


@lru_cache(maxsize=4)
def _read(path: str, changed: int | None) -> None:
    ssl.create_default_context(cafile=path)
