"""Requests and tokens a minute, for one scorer of one reranker over all simultaneous calls.

By `aiolimiter` (MIT, no dependencies): a leaky bucket that may be filled in one burst and then
leaks evenly.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..runtime.per_loop import PerLoop
from ..text.truncation import estimate_tokens

if TYPE_CHECKING:
    from aiolimiter import AsyncLimiter


class RateLimit:
    """Waits until a request may go out."""

    def __init__(self, requests: float | None = None, tokens: float | None = None) -> None:
        self.requests, self.tokens = requests, tokens
        self._limiters = PerLoop(self._new_limiters)

    async def admit(self, query: str, texts: Sequence[str]) -> None:
        """Wait for room for one request, and for its texts' tokens (estimated).

        A request larger than a minute's tokens waits for an empty bucket, and goes.
        """
        if self.requests is None and self.tokens is None:
            return
        for limiter, by_tokens in self._limiters.get():
            size = float(estimate_tokens(query) + sum(map(estimate_tokens, texts)))
            await limiter.acquire(min(size, limiter.max_rate) if by_tokens else 1.0)

    def _new_limiters(self) -> list[tuple[AsyncLimiter, bool]]:
        from aiolimiter import AsyncLimiter

        rates = [(self.requests, False), (self.tokens, True)]
        return [
            (AsyncLimiter(rate, 60.0), by_tokens) for rate, by_tokens in rates if rate is not None
        ]
