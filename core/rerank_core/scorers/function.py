"""A function of the user's own as a scorer."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from ..errors import ConfigurationError
from ..protocols import ScorerBase, Scores
from ..runtime.loop import call_where_it_belongs

ScoringFunction = Callable[
    [str, Sequence[str]], Sequence[float | None] | Awaitable[Sequence[float | None]]
]


class FunctionScorer(ScorerBase):
    """Scores with `fn(query, texts) -> one number per text`, sync or async.

    A sync function runs in a thread; an async one on the caller's loop. Unless `independent` is
    declared it always gets all texts at once. `scale=(low, high)` maps its scores to 0..1;
    without it they stay as they are. Give a `cache_name` that names everything the scores depend
    on, and they may be cached.

    >>> import asyncio
    >>> scorer = FunctionScorer(lambda query, texts: [len(text) for text in texts], scale=(0, 10))
    >>> asyncio.run(scorer.score("q", ["12345", "1"]))
    [0.5, 0.1]
    """

    def __init__(
        self,
        fn: ScoringFunction,
        *,
        name: str | None = None,
        scale: tuple[float, float] | None = None,
        independent: bool = False,
        batch_size: int | None = None,
        max_concurrency: int = 1,
        default_timeout: float | None = None,
        cache_name: str | None = None,
    ) -> None:
        if not callable(fn):
            raise ConfigurationError(f"a scoring function is callable, not {type(fn).__name__}")
        if scale is not None and not scale[0] < scale[1]:
            raise ConfigurationError(f"scale is (low, high) with low < high, not {scale}")
        own_name = getattr(fn, "__name__", type(fn).__name__)
        self.fn = fn
        self.name = name or ("function" if own_name == "<lambda>" else own_name)
        self.scale = scale
        self.independent = independent
        self.batch_size = batch_size
        self.max_concurrency = max_concurrency
        self.default_timeout = default_timeout
        if cache_name is not None:
            from ..remote.identity import checked_cache_name  # most have none

            self.fingerprint = f"function/{checked_cache_name(cache_name)}/{scale}"

    async def score(self, query: str, texts: Sequence[str]) -> list[float | None]:
        """One score per text: what the function returned, mapped to 0..1 where it has a scale."""
        returned = await self._call(query, list(texts))
        try:
            raw = [None if score is None else float(score) for score in returned]
        except TypeError:
            raise TypeError(
                f"{self.name} must return one number or None per text, not {returned!r:.80}"
            ) from None
        if self.scale is None:
            return Scores(raw)
        low, high = self.scale
        return Scores(
            [None if s is None else min(1.0, max(0.0, (s - low) / (high - low))) for s in raw], raw
        )

    async def _call(self, query: str, texts: list[str]) -> Any:
        called = self.fn if inspect.isroutine(self.fn) else type(self.fn).__call__
        if inspect.iscoroutinefunction(called):
            return await self._await(lambda: self.fn(query, texts))
        returned = await call_where_it_belongs(lambda: self.fn(query, texts), None)
        # a function that is not async itself may still hand on what an async one returns
        return await self._await(lambda: returned) if inspect.isawaitable(returned) else returned

    async def _await(self, begin: Callable[[], Any]) -> Any:
        return await call_where_it_belongs(None, begin)
