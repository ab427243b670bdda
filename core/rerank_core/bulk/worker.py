"""Ranks queries for a job: several under way at once, their results in the order of the input."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from typing import Any, Protocol

from ..errors import InvalidInputError, Reason
from ..protocols import traits_of
from ..ranking.candidate import Candidate
from ..ranking.given import Retrieved
from ..ranking.ranking import DegradedError, RankedCandidate, Ranking
from ..reranker import Reranker
from ..runtime import threads
from ..runtime.meter import USAGE
from .forms import Form, as_line, dead_record
from .records import Done, Query, Record, Unreadable
from .sources import Source
from .summary import Counts

#: Queries under way at least, so that no worker of a local model waits for the last of a list; at
#: most; and how many times as many may be done that wait for an earlier one.
AT_LEAST, AT_MOST, AHEAD = 4, 64, 4
#: A scorer that failed too often is asked again after so many seconds, then twice as many, as often
#: as this.
PATIENCE, TRIES = 2.0, 5


class Payment(Protocol):
    """What says whether something may be asked: a `Purse`, or the way to one elsewhere."""

    async def reserve(self, pairs: int) -> int | None:
        """See `Purse`."""
        ...

    async def settle(self, receipt: int, pairs: int, cost: float | None) -> None:
        """See `Purse`."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What an engine is asked to do: rank the queries with this reranker, from where `counts` end.

    `max_cost`: US dollars over all starts of the job; `at_once`: queries under way together.
    """

    reranker: Reranker
    form: Form
    queries: Source
    counts: Counts
    max_cost: float | None
    at_once: int

    @property
    def spending(self) -> tuple[float | None, float, float | None]:
        """What a `Purse` is made of: what the job may cost, did cost, and a document at most."""
        return self.max_cost, self.counts.cost or 0.0, self.counts.dearest

    def worker(self, purse: Payment) -> Worker:
        """One to do it."""
        return Worker(self.reranker, self.form, purse, self.at_once)


def queries_at_once(reranker: Reranker) -> int:
    """So many queries keep every scorer busy."""
    most = max(traits_of(scorer).max_concurrency for scorer in reranker.scorers.values())
    return min(AT_MOST, max(AT_LEAST, most))


class Worker:
    """Ranks with one reranker. On the library's background loop."""

    def __init__(self, reranker: Reranker, form: Form, purse: Payment, at_once: int) -> None:
        self.reranker, self.form, self.purse, self.at_once = reranker, form, purse, at_once
        self._free = asyncio.Semaphore(at_once)

    async def run(self, records: Iterator[Record]) -> AsyncGenerator[Done, None]:
        """What came of each record, in their order. They are read in a thread, a few ahead.

        Raises a `ScorerError` if key or model is refused.
        """
        under_way: deque[asyncio.Task[Done]] = deque()
        ahead = AHEAD * self.at_once
        reading: asyncio.Task[list[Record]] | None = asyncio.create_task(self._read(records))
        try:
            while reading is not None or under_way:
                if reading is not None and len(under_way) < ahead:
                    if read := await reading:
                        under_way += [asyncio.create_task(self._done(one)) for one in read]
                        reading = asyncio.create_task(self._read(records))
                    else:
                        reading = None
                    continue
                yield await under_way.popleft()
        finally:
            left = [*under_way, *([] if reading is None else [reading])]
            for task in left:
                task.cancel()
            await asyncio.gather(*left, return_exceptions=True)

    async def _read(self, records: Iterator[Record]) -> list[Record]:
        return await threads.run(lambda stop: list(islice(records, self.at_once)))

    async def _done(self, record: Record) -> Done:
        if isinstance(record, Unreadable):
            return _unreadable(record)
        async with self._free:
            try:
                self.form.check(record)
                return await self._ranked(record)
            except InvalidInputError as error:
                return _refused(record, str(error))

    async def _ranked(self, query: Query) -> Done:
        receipt = await self.purse.reserve(len(query.candidates))
        if receipt is None:
            return Done(query.after, query.id, stopped=True)
        cost: float | None = 0.0
        priced = 0
        usage: dict[str, Any] = {}
        try:
            ranking = await self._rank(query, usage)
            cost = usage.get("cost", 0.0)
            # what came from a cache, or did not come, says nothing of what the next one may cost
            free = not cost and (usage["cache_hits"] or all(h.score is None for h in ranking.all))
            priced = 0 if free else len(query.candidates)
        finally:
            with suppress(asyncio.CancelledError):
                await self.purse.settle(receipt, priced, cost)
        missing = self._missing(ranking)
        return Done(
            query.after,
            query.id,
            self.form.output(query, ranking),
            _dead(query, ranking, missing) if missing else b"",
            pairs=len(query.candidates),
            priced=priced,
            unscored=len(missing),
            failed=bool(ranking.all) and all(hit.score is None for hit in ranking.all),
            reasons=[str(reason) for reason in ranking.report.reasons],
            why=ranking.report.why,
            usage=usage,
        )

    async def _rank(self, query: Query, usage: dict[str, Any]) -> Ranking:
        """Asked without a deadline; again, after a while, where nobody was asked."""
        documents: Any = list(query.candidates)
        if query.unread:
            documents = _with_unread(query)
        for attempt in range(TRIES + 1):
            try:
                ranking = await self.reranker.arank(query.text, documents, top_n=None, timeout=None)
            except DegradedError as error:  # on_error="raise": it is written, and told of
                ranking = error.ranking
            _add(usage, ranking)
            if ranking.report.coverage or Reason.CIRCUIT_OPEN not in ranking.report.reasons:
                break
            if attempt < TRIES:
                await asyncio.sleep(PATIENCE * 2**attempt)
        return ranking

    def _missing(self, ranking: Ranking) -> list[RankedCandidate]:
        """What was to be scored, and was not."""
        if ranking.report.coverage == 1:
            return []
        depth = self.reranker.depth
        return [
            hit
            for hit in ranking.all
            if hit.score is None
            and hit.dropped is None
            and (depth is None or hit.retrieved <= depth)
        ]


def _with_unread(query: Query) -> Retrieved:
    def read(index: int) -> Candidate:
        if index in query.unread:
            raise InvalidInputError(query.unread[index])
        return query.candidates[index]

    return Retrieved.read(range(len(query.candidates)), read)


def _add(usage: dict[str, Any], ranking: Ranking) -> None:
    for name in (*USAGE, "cache_hits"):
        one, more = usage.get(name, 0), getattr(ranking.report, name)
        usage[name] = None if one is None or more is None else one + more


def _dead(query: Query, ranking: Ranking, missing: list[RankedCandidate]) -> bytes:
    """A record that can be the input of another job, and says why it is here."""
    documents = []
    for hit in sorted(missing, key=lambda hit: hit.retrieved):
        candidate = query.candidates[hit.index]
        document: dict[str, Any] = {"id": query.ids[hit.index], "text": candidate.text}
        if candidate.score is not None:
            document["score"] = candidate.score
        if hit.index in query.unread:
            document["why"] = query.unread[hit.index]
        documents.append({**dict(candidate.metadata), **document})
    return as_line(
        {
            "query_id": query.id,
            "query": query.text,
            "documents": documents,
            "reasons": [str(reason) for reason in ranking.report.reasons],
            "why": ranking.report.why,
        }
    )


def _refused(query: Query, why: str) -> Done:
    documents = [
        {"id": name, "text": candidate.text, "score": candidate.score}
        for name, candidate in zip(query.ids, query.candidates, strict=True)
    ]
    told = {"query_id": query.id, "query": query.text, "documents": documents}
    dead = as_line({**told, "reasons": ["input"], "why": why})
    count = len(documents)
    return Done(
        query.after, query.id, dead=dead, pairs=count, unscored=count, reasons=["input"], why=why
    )


def _unreadable(record: Unreadable) -> Done:
    dead = dead_record(record.after.number, record.why, record.id, record.shown)
    return Done(record.after, record.id, dead=dead, reasons=["input"], why=record.why)


async def gathered(
    calls: Sequence[Callable[[], Awaitable[Ranking]]], at_once: int
) -> list[Ranking]:
    """What the calls return, so many of them under way at once."""
    free = asyncio.Semaphore(at_once)

    async def one(call: Callable[[], Awaitable[Ranking]]) -> Ranking:
        async with free:
            return await call()

    return await asyncio.gather(*map(one, calls))
