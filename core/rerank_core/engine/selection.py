"""Which candidates stand for the others: near-duplicates go unasked, and no source fills the list.

Around the flow: what repeats another candidate is taken out before anything is asked, and comes
back behind all others; what is too much of one source goes there once the order is known.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Hashable, Sequence
from dataclasses import replace
from typing import Literal, NamedTuple

from ..ranking.candidate import Candidate
from ..ranking.given import Given
from ..ranking.ranking import Placed
from ..ranking.report import Report
from ..runtime import threads
from ..runtime.deadline import Deadline

#: What becomes of near-duplicates.
Duplicates = Literal["keep", "drop"]

#: The share of the deadline that looking for them may take.
SHARE = 0.2

#: The flow: what was handed over, and until when.
Flow = Callable[[Given, Deadline], Awaitable[tuple[list[Placed], Report]]]


class Selection(NamedTuple):
    """`duplicates` and `max_per` of `Options`, at work."""

    duplicates: Duplicates = "keep"
    max_per: tuple[str, int] | None = None

    async def run(
        self, flow: Flow, given: Given, deadline: Deadline
    ) -> tuple[list[Placed], Report]:
        """As the flow has it, every candidate once; those that were dropped stand behind, unscored.

        The report counts them. A search for duplicates that takes too long finds none, and says so.
        """
        if self.duplicates == "keep":
            placed, report = await flow(given, deadline)
        else:
            placed, report = await _without_repeats(flow, given, deadline)
        if self.max_per is None:
            return placed, report
        placed, beyond = _limited(placed, given.candidates, *self.max_per)
        told = _told(f"beyond {self.max_per[1]} of one {self.max_per[0]}", beyond)
        return placed, _noted(replace(report, beyond_max_per=beyond), told)


async def _without_repeats(
    flow: Flow, given: Given, deadline: Deadline
) -> tuple[list[Placed], Report]:
    started = time.monotonic()
    order = given.retrieval.order
    # the best retrieved of those that are alike is the one that is asked about
    first_of, note = await _firsts(given, deadline)
    kept = [index for index in order if index not in first_of]
    rank = {index: at for at, index in enumerate(order, start=1)}
    spent = time.monotonic() - started
    placed, report = await flow(_part(given, kept), deadline)
    placed = [
        replace(hit, index=kept[hit.index], retrieved=rank[kept[hit.index]]) for hit in placed
    ]
    placed += [
        Placed(index, rank[index], dropped="duplicate", repeats=first_of[index])
        for index in order
        if index in first_of
    ]
    report = replace(report, duplicates=len(first_of), seconds=report.seconds + spent)
    return placed, _noted(report, note or _told("near-duplicates", len(first_of)))


def _part(given: Given, kept: Sequence[int]) -> Given:
    """These alone, which are in the retriever's order."""
    return given._replace(
        documents=[given.documents[index] for index in kept],
        candidates=[given.candidates[index] for index in kept],
        retrieval=given.retrieval.of(kept),
        unread=frozenset(at for at, index in enumerate(kept) if index in given.unread),
    )


async def _firsts(given: Given, deadline: Deadline) -> tuple[dict[int, int], str | None]:
    """By index the one that it repeats; and a note where there was no time to find out."""
    legible = [index for index in given.retrieval.order if index not in given.unread]
    texts = [given.candidates[index].text for index in legible]
    left = deadline.left()
    within = None if left is None else SHARE * left
    try:
        async with asyncio.timeout(within):
            from ..text.duplicates import repeats  # most rankings keep them

            found = await threads.run(lambda stop: repeats(texts, stop))
    except TimeoutError:
        return {}, f"no near-duplicates were dropped: {within:.2g} s were too few to find them"
    pairs = zip(legible, found, strict=True)
    return {index: legible[first] for index, first in pairs if first is not None}, None


def _limited(
    placed: Sequence[Placed], candidates: Sequence[Candidate], field: str, most: int
) -> tuple[list[Placed], int]:
    """At most so many with one value of the field, in their order; then the others, then what was
    dropped before; and how many others there are.
    """
    within: list[Placed] = []
    beyond: list[Placed] = []
    seen: Counter[Hashable] = Counter()
    for hit in placed:
        value = candidates[hit.index].metadata.get(field)
        if hit.dropped is None and value is not None:
            seen[key := _hashable(value)] += 1
            if seen[key] > most:
                # a score behind lower ones would contradict the order; its signals are still there
                beyond.append(replace(hit, score=None, dropped="max_per"))
                continue
        within.append(hit)
    dropped = [hit for hit in within if hit.dropped is not None]
    return [hit for hit in within if hit.dropped is None] + beyond + dropped, len(beyond)


def _hashable(value: object) -> Hashable:
    try:
        hash(value)
    except TypeError:
        return repr(value)
    return value


def _told(what: str, count: int) -> str | None:
    return f"{what}: {count}, behind the others and unscored" if count else None


def _noted(report: Report, note: str | None) -> Report:
    return report if note is None else replace(report, notes=(*report.notes, note))
