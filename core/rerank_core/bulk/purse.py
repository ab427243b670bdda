"""What a job may cost: nothing is asked that might not be paid for."""

from __future__ import annotations

import asyncio

from ..errors import ConfigurationError


class Purse:
    """US dollars to spend, `limit` in all; None: as much as it takes.

    Every query under way has so much set aside as its documents would cost at the dearest price of
    a document that was seen (`dearest`); until one was seen they go one by one. Used on one event
    loop.
    """

    def __init__(
        self, limit: float | None = None, spent: float = 0.0, dearest: float | None = None
    ) -> None:
        if limit is not None and not limit > 0:
            raise ConfigurationError(f"max_cost is US dollars above 0, not {limit}")
        self.limit, self.spent = limit, spent
        self._dearest = dearest
        self._under_way: dict[int, int] = {}
        self._next = 0
        self._exhausted = False
        self._turn, self._changed = asyncio.Lock(), asyncio.Condition()

    async def reserve(self, pairs: int) -> int | None:
        """A receipt for asking about so many documents; None: there is too little left.

        In the order of the calls: after the first None there are only such.
        """
        if self.limit is None:
            return 0
        async with self._turn, self._changed:
            while not self._exhausted and not self._suffices(pairs):
                if not self._under_way:
                    self._exhausted = True
                else:
                    await self._changed.wait()
            if self._exhausted:
                return None
            self._next += 1
            self._under_way[self._next] = pairs
            return self._next

    async def settle(self, receipt: int, pairs: int, cost: float | None) -> None:
        """What it did cost; `pairs`: so many documents that is the price of (0: it tells none).

        Raises `ConfigurationError` where that is unknown."""
        if self.limit is None:
            self.spent += cost or 0.0
            return
        async with self._changed:
            self._under_way.pop(receipt, None)
            if cost is not None:
                self.spent += cost
                if pairs:
                    self._dearest = max(self._dearest or 0.0, cost / pairs)
            else:
                self._exhausted = True
            self._changed.notify_all()
        if cost is None:
            raise ConfigurationError(
                "max_cost cannot be kept: nobody knows what this scorer costs; give it a price="
            )

    def _suffices(self, pairs: int) -> bool:
        assert self.limit is not None
        if self._dearest is None:
            return not self._under_way and self.spent < self.limit
        set_aside = self._dearest * (sum(self._under_way.values()) + pairs)
        return self.spent + set_aside <= self.limit if set_aside else self.spent < self.limit
