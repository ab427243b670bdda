"""A name whose resolution hangs holds nobody up: not other hosts, nor the end of the process."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from faults.cases import CASES, TEXTS, api, standing
from faults.names import unresolvable
from rerank_core import Reason, Reranker

pytest.importorskip("httpx")


def test_other_hosts_are_found_meanwhile() -> None:
    """More look-ups hang than asyncio's executor has threads."""
    good = CASES["silent, rerank API"]  # its fault never strikes here
    with unresolvable(20) as nowhere, standing(good) as (address, _):
        for number in range(20):
            with Reranker(api(f"{nowhere}/{number}"), timeout=0.05) as lost:
                lost.warm_up()
                report = lost.rank("capital of Italy", TEXTS).report
                assert report.reasons == (Reason.TIMEOUT,)
        named = address.replace("127.0.0.1", "localhost")
        with Reranker(api(named), timeout=15) as reranker:
            ranking = reranker.rank("capital of Italy", TEXTS)

    assert not ranking.report.degraded
    assert ranking[0].text == TEXTS[-1]


_PROGRAM = """
from faults.cases import api
from faults.names import unresolvable
from rerank_core import Reranker
hanging = unresolvable(60)
reranker = Reranker(api(hanging.__enter__()), timeout=0.1)
reranker.warm_up()
print(*reranker.rank("q", ["a", "b"]).report.reasons)
"""


@pytest.mark.slow
def test_the_process_ends_meanwhile() -> None:
    """A look-up of a minute does not keep it."""
    tests = Path(__file__).resolve().parents[1]
    path = os.pathsep.join([str(tests), str(tests.parent / "core"), str(tests.parent)])

    ran = subprocess.run(
        [sys.executable, "-c", _PROGRAM],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": path},
        timeout=40,
    )

    assert (ran.stdout.strip(), ran.returncode) == ("timeout", 0), ran.stderr
