"""A degraded ranking is seen by someone who has not configured logging."""

from __future__ import annotations

import subprocess
import sys

import pytest

BEGIN = """
import logging
from rerank_core import Reranker
"""
DOWN = """
def down(query, texts):
    raise ConnectionError("nobody is there")

with Reranker(down) as reranker:
    for _ in range(3):
        assert reranker.rank("q", ["one", "two"]).report.degraded
"""


def said(*parts: str) -> str:
    """What a process that runs this leaves on standard error."""
    done = subprocess.run(
        [sys.executable, "-c", "\n".join([BEGIN, *parts])],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return done.stderr


def test_it_is_said_once_and_not_at_every_call() -> None:
    """With what is wrong, and how to see more."""
    told = said(DOWN)

    assert told.count("reranking degraded") == 1
    assert "configure logging" in told


@pytest.mark.parametrize(
    ("configured", "times"),
    [
        ("logging.basicConfig(level=logging.WARNING)", 3),
        ("logging.getLogger('rerank_core').addHandler(logging.NullHandler())", 0),
        ("logging.getLogger('rerank_core').setLevel(logging.ERROR)", 0),
    ],
)
def test_who_configured_logging_has_it_as_configured(configured: str, times: int) -> None:
    """Every time, or never; and nothing beside it."""
    told = said(configured, DOWN)

    assert told.count("reranking degraded") == times
    assert "said once" not in told


def test_another_kind_is_said_too() -> None:
    """A second reason is no repetition of the first."""
    told = said(
        "log = logging.getLogger('rerank_core')",
        "for reason in ('timeout', 'auth', 'timeout'): log.warning('degraded (%s)', reason)",
        "for number in range(100): log.warning(f'flood {number}')",
    )

    assert told.count("degraded (timeout)") == told.count("degraded (auth)") == 1
    assert len(told.splitlines()) == 20
