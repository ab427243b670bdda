"""Asks a judge about groups of texts, one at a time or many at once, and trusts no answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterable, Sequence
from operator import index

from ..errors import ScorerError
from ..protocols import Judge
from .order import NoneRelevant, Order


class Inquiry:
    """One query's questions to its judge, and what is known from the answers so far.

    A group whose call raises is unanswered, and the others count: the first error is raised by
    `close` if no call came back at all, and at once if it is fatal (a wrong key) and none has
    come back yet. So a caller who wants to know of every failure wraps the judge. Cancellation
    always propagates, and takes every call under way with it.
    """

    def __init__(self, query: str, texts: Sequence[str], judge: Judge) -> None:
        self._query, self._texts, self._judge = query, texts, judge
        self._judged: set[int] = set()
        self._rounds = 0
        self._came_back = False
        self._error: Exception | None = None

    async def one(self, group: Sequence[int]) -> list[int] | None:
        """The group's positions that the judge named, best first; None if it failed."""
        self._rounds += 1
        return await self._ask(group)

    async def many(
        self, groups: Sequence[Sequence[int]]
    ) -> AsyncGenerator[dict[int, list[int]], None]:
        """All at once: answers by the group's number, as they come.

        The calls begin in the order given. What arrives together is yielded together, so that
        work done after each answer cannot pile up behind a fast judge.
        """
        self._rounds += 1
        done: asyncio.Queue[asyncio.Task[list[int] | None]] = asyncio.Queue()
        numbers = {}
        for number, group in enumerate(groups):
            task = asyncio.create_task(self._ask(group))
            task.add_done_callback(done.put_nowait)
            numbers[task] = number
        waiting = len(numbers)
        try:
            while waiting:
                finished = [await done.get()]
                while not done.empty():
                    finished.append(done.get_nowait())
                waiting -= len(finished)
                answers = {numbers[task]: task.result() for task in finished}
                arrived = {number: named for number, named in answers.items() if named is not None}
                if arrived:
                    yield arrived
        finally:
            for task in numbers:
                task.cancel()
            await asyncio.gather(*numbers, return_exceptions=True)

    def order(self, positions: Iterable[int]) -> Order:
        """The order to yield, with what is known beside it."""
        return Order(positions, self._judged, self._rounds)

    def close(self) -> None:
        """Raise the first error if nothing at all came back."""
        if self._error is not None and not self._came_back:
            raise self._error

    async def _ask(self, group: Sequence[int]) -> list[int] | None:
        try:
            answer = await self._judge.order(self._query, [self._texts[p] for p in group])
        except Exception as error:
            self._error = self._error or error
            if isinstance(error, ScorerError) and error.fatal and not self._came_back:
                raise
            return None
        self._came_back = True
        if isinstance(answer, NoneRelevant):
            self._judged.update(group)
            return answer
        named = [group[position] for position in named_positions(answer, len(group))]
        self._judged.update(named)
        return named


def named_positions(answer: object, count: int) -> list[int]:
    """Of what a judge answered, the whole numbers within 0..count-1, each where it first stands."""
    if not isinstance(answer, Iterable):
        return []
    named: dict[int, None] = {}
    for item in answer:
        try:
            position = index(item)
        except TypeError:
            continue
        if 0 <= position < count and not isinstance(item, bool):
            named[position] = None
    return list(named)


def completed(named: Sequence[int], group: Sequence[int]) -> list[int]:
    """`named`, and beneath it the rest of the group in the order it had."""
    known = set(named)
    return [*named, *(position for position in group if position not in known)]
