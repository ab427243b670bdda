"""Whatever goes wrong: no document is lost or doubled, nothing raises, nothing is silent.

The cases run a few at a time, as they mostly wait; each test then looks at one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from faults.cases import CASES, Case, standing
from faults.counted import Outcome, at_once, reranker_for
from faults.faces import FACES
from rerank_core import Ranking

for _package in ("openai", "httpx", "langchain_core", "llama_index.core"):
    pytest.importorskip(_package)

DEADLINE, PATIENT, AT_ONCE, WORKERS = 0.3, 20.0, 2, 6

Outcomes = dict[str, list[Outcome]]


def through_every_face(case: Case) -> Outcomes:
    """What came of the case: by face."""
    with standing(case) as (address, strike):
        told: dict[str, Ranking] = {}
        # what must come back whole, or be refused, may take its time: the machine may be slow
        timeout = PATIENT if case.raises or case.degrades is False else DEADLINE
        with reranker_for(case, address, timeout, told) as reranker:
            if case.primed:
                assert not reranker.rank(
                    "capital of Italy", ["Rome"], timeout=PATIENT
                ).report.degraded
            strike()
            faces = [face for face in FACES if face.awaited or case.caller != "cancels"]
            with ThreadPoolExecutor(len(faces)) as pool:
                found = {
                    str(face): pool.submit(at_once, case, face, reranker, told, AT_ONCE)
                    for face in faces
                }
            return {name: outcomes.result() for name, outcomes in found.items()}


@pytest.fixture(scope="module")
def came_of(request: pytest.FixtureRequest) -> Iterator[Callable[[str], Outcomes]]:
    """What came of a case, by its name. The next few are under way meanwhile."""
    wanted = [
        item.callspec.params["name"]
        for item in request.session.items
        if item.path == request.path and hasattr(item, "callspec")
    ]
    with ThreadPoolExecutor(WORKERS) as pool:
        running: dict[str, Future[Outcomes]] = {}

        def outcomes(name: str) -> Outcomes:
            place = wanted.index(name)  # one process of several runs a stretch of the tests
            for soon in wanted[place : place + WORKERS]:
                if soon not in running:
                    running[soon] = pool.submit(through_every_face, CASES[soon])
            return running[name].result()

        yield outcomes


@pytest.mark.parametrize("name", CASES)
def test_every_face_keeps_the_contract(came_of: Callable[[str], Outcomes], name: str) -> None:
    """Through the core, LangChain and LlamaIndex, sync and async."""
    case = CASES[name]

    for face, outcomes in came_of(name).items():
        for outcome in outcomes:
            assert not outcome.is_unexpected(case), (face, outcome.error)
            assert (outcome.lost, outcome.duplicated) == (0, 0), face
            assert not outcome.is_silent(case), (face, outcome.ranking)
            if case.degrades is False:
                assert outcome.ranking is not None
                assert not outcome.ranking.report.degraded, (face, outcome.ranking.report)
