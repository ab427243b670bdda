"""Judges of known temper, over texts that are their own true rank."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncGenerator, Callable, Sequence

from rerank_core.listwise import Order

#: What a judge answers: given the group's true ranks, positions in it, best first.
Temper = Callable[[list[int]], object]


class FakeJudge:
    """Answers by its temper, after a few turns of the loop; counts calls and those under way."""

    def __init__(self, temper: Temper, *, pause: Callable[[], float] = lambda: 0.0) -> None:
        self.temper, self.pause = temper, pause
        self.groups: list[list[int]] = []
        self.under_way = self.most_under_way = 0

    @property
    def calls(self) -> int:
        return len(self.groups)

    async def order(self, query: str, texts: Sequence[str]) -> list[int]:
        group = [int(text) for text in texts]
        self.groups.append(group)
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        try:
            await asyncio.sleep(self.pause())
            return self.temper(group)  # type: ignore[return-value]
        finally:
            self.under_way -= 1


def perfect(group: list[int]) -> list[int]:
    return sorted(range(len(group)), key=group.__getitem__)


def noisy(places: float, seed: int = 0) -> Temper:
    chance = random.Random(seed)

    def answer(group: list[int]) -> list[int]:
        seen = [rank + chance.gauss(0, places) for rank in group]
        return sorted(range(len(group)), key=seen.__getitem__)

    return answer


def retrievers_own(group: list[int]) -> list[int]:
    return list(range(len(group)))


def raising(group: list[int]) -> object:
    raise ConnectionError("no answer")


def failing_at(calls: set[int], temper: Temper = perfect) -> Temper:
    """Raises on these calls, counted from 0 as they come back."""
    count = 0

    def answer(group: list[int]) -> object:
        nonlocal count
        count += 1
        if count - 1 in calls:
            raise ConnectionError("no answer")
        return temper(group)

    return answer


#: Nothing that these answer is of use as it stands.
ADVERSARIAL: dict[str, Temper] = {
    "repeats": lambda group: [0, 0, *perfect(group), *perfect(group)],
    "names the best only": lambda group: perfect(group)[:1],
    "omits the pivot": lambda group: [p for p in perfect(group) if p],
    "invents": lambda group: [-1, len(group), 10**30, *perfect(group)],
    "answers nothing": lambda group: [],
    "answers None": lambda group: None,
    "answers other things": lambda group: ["0", None, 1.0, True, [2], 0],
    "reverses": lambda group: perfect(group)[::-1],
    "last is best": lambda group: retrievers_own(group)[::-1],
}


def shuffled_texts(count: int, seed: int = 0) -> list[str]:
    return [str(rank) for rank in random.Random(seed).sample(range(count), count)]


def run(orders: AsyncGenerator[Order, None]) -> list[Order]:
    """Every order yielded."""

    async def collect() -> list[Order]:
        return [order async for order in orders]

    return asyncio.run(collect())


def ranks(order: Sequence[int], texts: Sequence[str]) -> list[int]:
    return [int(texts[position]) for position in order]
