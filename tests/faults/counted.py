"""Rankings asked for at once, and what came of them."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from faults.cases import TEXTS, Case
from faults.faces import Face, Found
from rerank_core import Ranking, Reranker

#: How long the caller's loop is blocked in the cases where it is, and from when on.
BLOCKED, BLOCKED_FROM = 0.5, 0.05


@dataclass(frozen=True)
class Outcome:
    """One ranking as its caller saw it."""

    query: str
    #: Wall seconds; where the caller's own loop was blocked past the deadline, from its end on.
    seconds: float
    found: Found = field(default_factory=list)
    error: BaseException | None = None
    #: What `on_ranking` was told of it.
    ranking: Ranking | None = None

    @property
    def lost(self) -> int:
        """Documents that did not come back; an error is counted as an error."""
        returned = {name for name, _ in self.found}
        return 0 if self.error else sum(str(n) not in returned for n in range(len(TEXTS)))

    @property
    def duplicated(self) -> int:
        """Documents that came back once too often, or were never given."""
        return len(self.found) - sum(
            name in {found for found, _ in self.found} for name in map(str, range(len(TEXTS)))
        )

    def is_silent(self, case: Case) -> bool:
        """Whether something was not scored, or went wrong, and nothing was said of it."""
        if self.error is not None:
            return False
        if self.ranking is None:
            return True
        unscored = any(score is None for _, score in self.found)
        report = self.ranking.report
        return not report.degraded and (
            unscored or report.coverage < 1 or case.degrades is True or bool(report.reasons)
        )

    def is_unexpected(self, case: Case) -> bool:
        """Whether it raised where the contract says degrade, or the other way round."""
        if case.caller == "cancels" and isinstance(self.error, asyncio.CancelledError):
            return False
        return (self.error is not None) != case.raises


@contextmanager
def reranker_for(
    case: Case, address: str, timeout: float, told: dict[str, Ranking]
) -> Iterator[Reranker]:
    """The case's reranker, warm; every ranking that it makes goes into `told`, by its query."""

    def tell(ranking: Ranking) -> None:
        told[ranking.query] = ranking

    with Reranker(
        case.scorer(address), top_n=None, timeout=timeout, on_ranking=tell, **case.options
    ) as reranker:
        reranker.warm_up()
        yield reranker


def at_once(
    case: Case, face: Face, reranker: Reranker, told: dict[str, Ranking], count: int
) -> list[Outcome]:
    """So many rankings at the same time, through one face."""
    ask = face.ask(reranker, TEXTS)
    queries = [f"capital of Italy, asked {face} {n}" for n in range(count)]
    outcomes = (
        asyncio.run(_awaited(case, ask, queries)) if face.awaited else _sync(case, ask, queries)
    )
    return [replace(one, ranking=told.get(one.query)) for one in outcomes]


def _sync(case: Case, ask: Callable[[str], Found], queries: Sequence[str]) -> list[Outcome]:
    outcomes: list[Outcome] = []
    ready = threading.Barrier(len(queries))

    async def within_a_loop(query: str) -> Found:
        return ask(query)

    def one(query: str) -> None:
        ready.wait()
        started = time.perf_counter()
        try:
            # the sync face in a loop's own thread blocks that loop, and must work nevertheless
            found = asyncio.run(within_a_loop(query)) if case.caller == "is busy" else ask(query)
        except Exception as error:
            outcomes.append(Outcome(query, time.perf_counter() - started, error=error))
        else:
            outcomes.append(Outcome(query, time.perf_counter() - started, found))

    threads = [threading.Thread(target=one, args=(query,)) for query in queries]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcomes


async def _awaited(
    case: Case, ask: Callable[[str], Awaitable[Found]], queries: Sequence[str]
) -> list[Outcome]:
    async def one(query: str) -> Outcome:
        started = time.perf_counter()
        try:
            found = await ask(query)
        except (Exception, asyncio.CancelledError) as error:
            return Outcome(query, time.perf_counter() - started, error=error)
        return Outcome(query, time.perf_counter() - started, found)

    tasks = [asyncio.create_task(one(query)) for query in queries]
    if case.caller != "waits":
        await asyncio.sleep(BLOCKED_FROM)
    if case.caller == "is busy":
        time.sleep(BLOCKED)  # noqa: ASYNC251 - this is the fault
    if case.caller == "cancels":
        for task in tasks:
            task.cancel()
    return await asyncio.gather(*tasks)
