"""Where scores are kept: in memory, in a file, in Redis, or wherever a store of your own says."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from ..errors import ConfigurationError
from ..protocols import ScoreStore
from ..runtime.on_demand import on_demand

if TYPE_CHECKING:
    from .memory import MemoryStore as MemoryStore
    from .redis import RedisStore as RedisStore
    from .sqlite import SqliteStore as SqliteStore

_HOMES = {"MemoryStore": "memory", "RedisStore": "redis", "SqliteStore": "sqlite"}

__all__ = ["MemoryStore", "RedisStore", "SqliteStore", "score_store"]

_FILE = (".sqlite", ".sqlite3", ".db")


def score_store(cache: Any) -> ScoreStore | None:
    """The store that `cache` stands for; None for none.

    "memory", a file, a Redis URL, a client of redis-py, or a store.

    Raises `ConfigurationError` for what is none of these, `MissingExtraError` for Redis without
    its package.
    """
    if cache is None:
        return None
    from pathlib import Path  # most rerankers have no cache

    from .memory import MemoryStore
    from .redis import RedisStore
    from .redis_clients import is_client
    from .sqlite import SqliteStore

    if isinstance(cache, str):
        if cache == "memory":
            return MemoryStore()
        if cache.startswith("sqlite:///"):
            return SqliteStore(cache.removeprefix("sqlite:///"))
        if "://" in cache:
            return RedisStore(cache)
    if isinstance(cache, str | os.PathLike) and Path(cache).suffix.lower() in _FILE:
        return SqliteStore(cache)
    if isinstance(cache, ScoreStore) and not isinstance(cache, type):
        return cache
    if is_client(cache) and not isinstance(cache, type):
        return RedisStore(cache)
    # without showing it: a mistyped URL may hold a password
    raise ConfigurationError(
        f'cache is "memory", a path ending in {", ".join(_FILE)}, "sqlite:///path", '
        f'"redis://host:port", a client of redis-py, or an object with get_many, set_many and '
        f"aclose; "
        f"this {type(cache).__name__} is none of them"
    )


__getattr__, __dir__ = on_demand(__name__, _HOMES)
