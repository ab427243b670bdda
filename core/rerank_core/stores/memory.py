"""Scores in the memory of this process."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from cachetools import TTLCache

from ..errors import ConfigurationError
from ..protocols import StoredScore
from ..runtime.deadline import Timeout, seconds


class MemoryStore:
    """Keeps the last `max_scores` scores for `ttl` (seconds or a timedelta; None: for good).

    About 0.4 kB a score. Gone with the process; pickles as empty.
    """

    def __init__(self, *, max_scores: int = 100_000, ttl: Timeout = 24 * 3600.0) -> None:
        if max_scores < 1:
            raise ConfigurationError(f"max_scores is at least 1, not {max_scores}")
        self.max_scores, self.ttl = max_scores, seconds("ttl", ttl)
        self._scores: TTLCache[str, StoredScore] = TTLCache(max_scores, self.ttl or float("inf"))

    async def get_many(self, keys: Sequence[str]) -> Mapping[str, StoredScore]:
        """Those it has."""
        return {key: value for key in keys if (value := self._scores.get(key)) is not None}

    async def set_many(self, scores: Mapping[str, StoredScore]) -> None:
        """Keep them; the least recently used ones go."""
        self._scores.update(scores)

    async def aclose(self) -> None:
        """Nothing to let go of: what is kept stays as long as the store does."""

    def __repr__(self) -> str:
        return f"MemoryStore(max_scores={self.max_scores}, ttl={self.ttl})"

    def __reduce__(self) -> tuple[object, ...]:
        return _empty, (self.max_scores, self.ttl)


def _empty(max_scores: int, ttl: float | None) -> MemoryStore:
    return MemoryStore(max_scores=max_scores, ttl=ttl)
