"""A client that is never shared between event loops."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class PerLoop(Generic[T]):
    """Makes one client for the loop it is asked for on, and a new one on another.

    Async clients bind their connections to a loop. In a ranking that is always the background
    loop, so there is one client; after a fork, or where a scorer is used on its own under
    `asyncio.run`, it is a fresh one. Pickles as empty.
    """

    def __init__(self, make: Callable[[], T], close: Callable[[T], Awaitable[None]]) -> None:
        self._make, self._close = make, close
        self._made: tuple[asyncio.AbstractEventLoop, T] | None = None

    def get(self) -> T:
        """The client of the running loop."""
        loop = asyncio.get_running_loop()
        if self._made is None or self._made[0] is not loop:
            self._made = (loop, self._make())
        return self._made[1]

    async def aclose(self) -> None:
        """Close it, if it belongs to the running loop; forget it in any case."""
        made, self._made = self._made, None
        if made is not None and made[0] is asyncio.get_running_loop():
            await self._close(made[1])
