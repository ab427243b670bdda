"""Repeats in shuffled order, merged, against a model's liking for where a text stands.

Permutation self-consistency (Tang et al. 2023, "Found in the Middle"). For a judge, each group
is shuffled by itself, so that every algorithm works unchanged and keeps the order given.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterable, Sequence
from statistics import fmean

from ..protocols import Judge
from .inquiry import completed, named_positions
from .order import NoneRelevant
from .plan import at_least


class ShuffledJudge:
    """Asks a judge `passes` times at once, each time in another order, and merges the answers.

    Calls are `passes` times as many, rounds stay. A pass that fails or names nothing has no
    vote; where one says that none is relevant, whom the others do not name stands behind, as
    given. The first error is raised if all failed. The same seed shuffles alike.
    """

    def __init__(self, judge: Judge, passes: int, *, seed: int = 0) -> None:
        at_least(1, passes=passes)
        self._judge, self._passes, self._seed = judge, passes, seed

    async def order(self, query: str, texts: Sequence[str]) -> list[int]:
        """Positions by mean rank, best first; those that no pass named are left out."""
        async with asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(self._once(query, texts, shuffle))
                for shuffle in shuffles(len(texts), self._passes, seed=self._seed)
            ]
        answers = [task.result() for task in tasks]
        orders = [answer for answer in answers if not isinstance(answer, Exception)]
        if not orders:
            raise next(answer for answer in answers if isinstance(answer, Exception))
        merged = merge_orders(orders, len(texts))
        if any(isinstance(order, NoneRelevant) for order in orders):
            return completed(merged, range(len(texts))) if merged else NoneRelevant()
        return merged

    async def _once(
        self, query: str, texts: Sequence[str], shuffle: Sequence[int]
    ) -> list[int] | Exception:
        try:
            answer = await self._judge.order(query, [texts[position] for position in shuffle])
        except Exception as error:  # the other passes go on
            return error
        if isinstance(answer, NoneRelevant):
            return answer
        return [shuffle[position] for position in named_positions(answer, len(shuffle))]


def shuffles(count: int, passes: int, *, seed: int = 0) -> list[list[int]]:
    """`passes` orders of `count` positions: as they are, reversed, then shuffled.

    The first two cancel a liking that grows or falls evenly with the position.
    """
    at_least(1, passes=passes)
    chance = random.Random(f"{seed}/{count}")
    straight = list(range(count))
    more = [chance.sample(straight, count) for _ in range(passes - 2)]
    return [straight, straight[::-1], *more][:passes]


def merge_orders(orders: Iterable[Sequence[int]], count: int) -> list[int]:
    """The positions that any order names, by their mean rank (Borda), ties as given.

    What an order leaves out shares the ranks it left, so it stands beneath what it named. An
    order that names nothing has no vote.
    """
    votes = [order for order in orders if order]
    ranks: dict[int, float] = {}
    for order in votes:
        last = (len(order) + count - 1) / 2
        for position in range(count):
            ranks[position] = ranks.get(position, 0.0) + last
        for rank, position in enumerate(order):
            ranks[position] += rank - last
    return sorted({position for order in votes for position in order}, key=lambda p: (ranks[p], p))


def merge_scores(passes: Sequence[Sequence[float | None]]) -> list[float | None]:
    """The mean score of each text over the passes that have one; None where none has.

    All passes are of one length and in one order: see `restored`.
    """
    merged: list[float | None] = []
    for scores in zip(*passes, strict=True):
        known = [score for score in scores if score is not None]
        merged.append(fmean(known) if known else None)
    return merged


def restored(scores: Sequence[float | None], shuffle: Sequence[int]) -> list[float | None]:
    """The scores of texts that were sent in `shuffle`'s order, in their own order."""
    own: list[float | None] = [None] * len(shuffle)
    for position, score in zip(shuffle, scores, strict=True):
        own[position] = score
    return own
