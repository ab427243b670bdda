"""What every store promises, whichever it is."""

from __future__ import annotations

import asyncio
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rerank_core import ConfigurationError, Reranker
from rerank_core.engine.cache_keys import group_keys, text_keys
from rerank_core.protocols import ScoreStore, StoredScore
from rerank_core.stores import MemoryStore, RedisStore, SqliteStore, score_store
from rerank_core.stores.packing import pack, unpack

KEYS = text_keys("f", "q", [str(number) for number in range(1200)])
VALUES: dict[str, StoredScore] = {key: (0.1 * n / 3, None) for n, key in enumerate(KEYS)}

Make = Callable[..., ScoreStore]


class TestAStore:
    def test_gives_back_what_it_was_given(self, make_store: Make) -> None:
        """Every bit of score and raw score, for many at once, and only what was asked for."""
        values = {KEYS[0]: (1 / 3, -7.25), KEYS[1]: (0.0, None), KEYS[2]: (1.0, 1e-300)}

        async def main() -> tuple[Any, Any]:
            store = make_store()
            await store.set_many(VALUES | values)
            found = await store.get_many([*KEYS[:3], "ab" * 20]), await store.get_many(KEYS)
            await store.aclose()
            return found

        few, all_of_them = asyncio.run(main())

        assert few == values
        assert all_of_them == VALUES | values

    def test_knows_nothing_at_first(self, make_store: Make) -> None:
        """An empty store, and an empty question, are no trouble."""

        async def main() -> tuple[Any, Any]:
            store = make_store()
            await store.set_many({})
            found = await store.get_many(KEYS[:2]), await store.get_many([])
            await store.aclose()
            return found

        assert asyncio.run(main()) == ({}, {})

    def test_a_later_score_replaces_an_earlier(self, make_store: Make) -> None:
        """There is one score under a key."""

        async def main() -> Any:
            store = make_store()
            await store.set_many({KEYS[0]: (0.1, None)})
            await store.set_many({KEYS[0]: (0.2, 2.0)})
            found = await store.get_many(KEYS[:1])
            await store.aclose()
            return found

        assert asyncio.run(main()) == {KEYS[0]: (0.2, 2.0)}

    def test_forgets_after_a_while(self, make_store: Make) -> None:
        """A score is kept for `ttl` seconds."""

        async def main() -> Any:
            store = make_store(ttl=0.05)
            await store.set_many(VALUES)
            await asyncio.sleep(0.1)
            found = await store.get_many(KEYS)
            await store.set_many({KEYS[0]: (0.5, None)})
            await store.aclose()
            return found

        assert asyncio.run(main()) == {}

    def test_works_after_closing(self, make_store: Make) -> None:
        """`aclose` lets go of files and connections; the next call takes them up again."""

        async def main() -> Any:
            store = make_store()
            await store.aclose()
            await store.set_many({KEYS[0]: (0.5, None)})
            await store.aclose()
            await store.aclose()
            await store.get_many(KEYS)
            await store.aclose()

        asyncio.run(main())

    def test_pickles(self, make_store: Make, monkeypatch: pytest.MonkeyPatch) -> None:
        """A copy has the same settings."""
        monkeypatch.setenv("REDIS_PASSWORD", "from the environment")
        store = make_store(ttl=60)

        copy = pickle.loads(pickle.dumps(store))

        assert repr(copy) == repr(store)


class TestBounds:
    @pytest.mark.parametrize("kind", ["memory", "sqlite"])
    def test_the_oldest_go(self, kind: str, tmp_path: Path) -> None:
        """Never more than `max_scores`."""
        store = (
            MemoryStore(max_scores=100)
            if kind == "memory"
            else SqliteStore(tmp_path / "s.db", max_scores=100)
        )

        async def main() -> Any:
            for at in range(0, 600, 60):
                await store.set_many({key: VALUES[key] for key in KEYS[at : at + 60]})
            found = await store.get_many(KEYS)
            await store.aclose()
            return found

        assert set(asyncio.run(main())) == set(KEYS[500:600])


class TestKeys:
    def test_one_for_each_thing_that_a_score_depends_on(self) -> None:
        """Scorer, query and text; for a group also its other texts and their order."""
        keys = [
            *text_keys("f", "q", ["a", "b"]),
            *text_keys("f", "r", ["a"]),
            *text_keys("g", "q", ["a"]),
            *group_keys("f", "q", ["a", "b"]),
            *group_keys("f", "q", ["b", "a"]),
            *group_keys("f", "q", ["a"]),
        ]

        assert len(set(keys)) == len(keys)
        assert text_keys("f", "q", ["b"]) == keys[1:2]

    def test_parts_do_not_run_together(self) -> None:
        """Moving a character from one part into the next makes another key."""
        splits = [("ab", "c", "d"), ("a", "bc", "d"), ("a", "b", "cd"), ("a1:", "b", "c")]
        keys = [key for f, q, t in splits for key in text_keys(f, q, [t])]
        groups = [group_keys("f", "q", texts) for texts in (["ab", "c"], ["a", "bc"], ["abc"])]

        assert len(set(keys)) == len(splits)
        assert len({group[0] for group in groups}) == 3

    def test_any_text_has_one(self) -> None:
        """Also half a surrogate pair, which UTF-8 has no place for."""
        assert len(set(text_keys("f", "q", ["\ud800", "\udfff", "", "\0"]))) == 4


class TestPacking:
    def test_bytes_are_good_for_one_key(self) -> None:
        """What was damaged, or lies under another key, is no score."""
        packed = pack(b"key", (0.25, None))

        assert unpack(b"key", packed) == (0.25, None)
        assert unpack(b"another", packed) is None
        for bit in range(8 * len(packed)):
            damaged = bytearray(packed)
            damaged[bit // 8] ^= 1 << bit % 8
            assert unpack(b"key", bytes(damaged)) is None
        for foreign in (b"", packed[:-1], packed + b"\0", None, "text", 0.5):
            assert unpack(b"key", foreign) is None


class TestWhatStandsForAStore:
    def test_names_paths_and_urls(self, tmp_path: Path) -> None:
        """As `Reranker(cache=…)` takes them."""
        pytest.importorskip("redis")
        asked = {
            "memory": MemoryStore,
            "a.sqlite": SqliteStore,
            "a.db": SqliteStore,
            tmp_path / "a.sqlite3": SqliteStore,
            f"sqlite:///{tmp_path}/scores": SqliteStore,
            "redis://localhost": RedisStore,
            "rediss://localhost:1": RedisStore,
            "unix:///run/redis.sock": RedisStore,
        }

        assert [type(score_store(cache)) for cache in asked] == list(asked.values())
        assert score_store(None) is None
        store = MemoryStore()
        assert score_store(store) is store

    @pytest.mark.parametrize("wrong", ["", "memroy", "scores", 7, {}, MemoryStore, True])
    def test_nothing_else_does(self, wrong: Any) -> None:
        """It is said at construction."""
        with pytest.raises(ConfigurationError, match='cache is "memory", a path'):
            Reranker("bm25", cache=wrong)

    def test_bounds_that_cannot_be(self, tmp_path: Path) -> None:
        """A store that keeps nothing is no store."""
        with pytest.raises(ConfigurationError, match="at least 1"):
            MemoryStore(max_scores=0)
        with pytest.raises(ConfigurationError, match="at least 1"):
            SqliteStore(tmp_path / "a.db", max_scores=0)
        with pytest.raises(ValueError, match="ttl is -1"):
            MemoryStore(ttl=-1)
