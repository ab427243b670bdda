"""What belongs to one event loop: clients, locks, what is under way."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Generic, TypeVar
from weakref import WeakSet

from .fork import after_fork
from .threads import run

T = TypeVar("T")


class PerLoop(Generic[T]):
    """Makes one for the loop it is asked for on, and a new one on another.

    Async clients bind their connections to a loop, and locks those who wait for them. In a ranking
    that is always the background loop, so there is one; after a fork, or where a scorer is used on
    its own under `asyncio.run`, it is a fresh one. Pickles as not made, if `make` and `close` do.
    """

    def __init__(
        self, make: Callable[[], T], close: Callable[[T], Awaitable[None]] | None = None
    ) -> None:
        self._make, self._close = make, close
        self._made: tuple[asyncio.AbstractEventLoop, T] | None = None
        self._making: tuple[asyncio.AbstractEventLoop, asyncio.Task[T]] | None = None
        _all.add(self)

    def get(self) -> T:
        """The running loop's."""
        loop = asyncio.get_running_loop()
        if self._made is None or self._made[0] is not loop:
            self._made = (loop, self._make())
        return self._made[1]

    async def warm_up(self) -> None:
        """Make it now, in a thread: certificates to load are work that would hold up the loop.

        Once, however many ask at once: each of them waits for the same one.
        """
        loop = asyncio.get_running_loop()
        while self._made is None or self._made[0] is not loop:
            if self._making is None or self._making[0] is not loop:
                self._making = (loop, loop.create_task(run(lambda stop: self._make())))
            making = self._making
            try:
                made = await asyncio.shield(making[1])
            finally:
                if making[1].done() and self._making is making:
                    self._making = None
            if self._made is None or self._made[0] is not loop:
                self._made = (loop, made)

    async def aclose(self) -> None:
        """Close it, if it belongs to the running loop; forget it in any case."""
        made, self._made = self._made, None
        if self._close and made is not None and made[0] is asyncio.get_running_loop():
            await self._close(made[1])

    def __reduce__(self) -> tuple[Any, ...]:
        return PerLoop, (self._make, self._close)


_all: WeakSet[PerLoop[Any]] = WeakSet()
# What a child inherits is neither used nor let go of. A client that tidies up when it goes would
# take its sockets out of the epoll object, which parent and child share, and the parent's own
# would never hear from them again.
_inherited: list[object] = []


@after_fork
def _after_fork() -> None:
    for each in list(_all):
        _inherited.append((each._made, each._making))
        each._made = each._making = None
