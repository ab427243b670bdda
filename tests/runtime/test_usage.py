"""What is spent, and on whose bill."""

from __future__ import annotations

import dataclasses
import pickle
import threading
from collections.abc import Sequence

from rerank_core import Reranker
from rerank_core.protocols import ScorerBase
from rerank_core.ranking.report import Report
from rerank_core.runtime.meter import Meter, Spent, Usage
from rerank_core.runtime.per_loop import PerLoop
from rerank_core.runtime.usage import metered, record


def test_whoever_notes_some_of_it_has_the_names_of_all() -> None:
    """`record(...)` takes the fields of `Usage`, with their types."""
    assert Spent.__annotations__.keys() == {field.name for field in dataclasses.fields(Usage)}


def test_reports_add_up_to_a_bill() -> None:
    """What a report tells beside what was spent does not count."""
    reports = [Report(calls=1, cost=0.5, coverage=0.1), Report(calls=2, cost=0.25, seconds=3.0)]

    assert sum(reports, Usage()) == Usage(calls=3, cost=0.75)


def test_a_meter_counts_what_several_threads_add() -> None:
    """Nothing is lost between reading the total and writing it."""
    meter = Meter()
    threads = [
        threading.Thread(target=lambda: [meter.add(calls=1) for _ in range(200)]) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert meter.usage.calls == 1600


def test_outside_a_block_nothing_is_counted() -> None:
    """And noting it there does no harm."""
    with metered() as meter:
        record(calls=1)
    record(calls=10)

    assert meter.usage.calls == 1


class _Outer(ScorerBase):
    """Has another ranking made in the middle of its own work."""

    name = "outer"

    def __init__(self, inner: Reranker) -> None:
        self.inner = inner

    async def score(self, query: str, texts: Sequence[str]) -> list[float | None]:
        record(calls=1)
        await self.inner.arank(query, texts)
        record(calls=1)
        return [1.0] * len(texts)


class _Inner(ScorerBase):
    name = "inner"

    async def score(self, query: str, texts: Sequence[str]) -> list[float | None]:
        record(calls=5)
        return [1.0] * len(texts)


def test_a_ranking_within_a_ranking_has_a_bill_of_its_own() -> None:
    """And when it is over the outer one is the one at hand again."""
    report = Reranker(_Outer(Reranker(_Inner()))).rank("q", ["a", "b"]).report

    assert report.calls == 2


def test_what_belongs_to_a_loop_pickles_as_not_made() -> None:
    """A lock goes to another process as the promise of one."""
    again = pickle.loads(pickle.dumps(PerLoop(threading.Lock)))

    assert again._make is threading.Lock
    assert again._made is None
