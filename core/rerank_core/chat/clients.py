"""Several clients of one server, each for a few calls at a time.

With every call the connection pool of an HTTP client looks at each of its connections, whether it
has been closed: for twenty calls at once that is more work than the calls.

One client over aiohttp (`openai.DefaultAioHttpClient`) is leaner still: 43 ms of processor for 32
calls at once where these take 86 and a single client 174, and for 100 calls 196, 338 and 674
(`python benchmarks/chat_clients.py`). It needs two more packages, and has not been through the
faults that these have.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Generic, TypeVar

from ..runtime.per_loop import PerLoop

T = TypeVar("T")

#: How many calls one client has under way before the next is asked.
CALLS_A_CLIENT = 4


class Clients(Generic[T]):
    """Makes clients for the loop at hand as they are needed; the first ones are used most."""

    def __init__(self, make: Callable[[], T], close: Callable[[T], Awaitable[None]]) -> None:
        self._make, self._close = make, close
        self._clients = [PerLoop(make, close)]
        #: How many calls each client has under way; what another loop's are at says nothing here.
        self._calls: PerLoop[list[int]] = PerLoop(list)

    @asynccontextmanager
    async def one(self) -> AsyncIterator[T]:
        """A client, for one call."""
        calls = self._calls.get()
        free = (at for at, count in enumerate(calls) if count < CALLS_A_CLIENT)
        chosen = next(free, len(calls))
        if chosen == len(calls):
            calls.append(0)
        if chosen == len(self._clients):
            self._clients.append(PerLoop(self._make, self._close))
        calls[chosen] += 1
        try:
            client = self._clients[chosen]
            await client.warm_up()
            yield client.get()
        finally:
            calls[chosen] -= 1

    async def warm_up(self) -> None:
        """Make the first one now, in a thread."""
        await self._clients[0].warm_up()

    async def aclose(self) -> None:
        """Close them all."""
        for client in self._clients:
            await client.aclose()
