"""A store whose first answer takes long, as a connection has to be opened first."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence

import pytest

from cache.doubles import TEXTS, Counting
from rerank_core import Reason, Reranker
from rerank_core.engine import cache as policy
from rerank_core.protocols import StoredScore
from rerank_core.stores import MemoryStore


class Connecting(MemoryStore):
    """Opens a connection on the first read: that takes a while, and is lost if it is cancelled."""

    def __init__(self, takes: float, *, always: bool = False) -> None:
        super().__init__()
        self.takes, self.always = takes, always
        self.reads, self.opened = 0, False

    async def get_many(self, keys: Sequence[str]) -> Mapping[str, StoredScore]:
        self.reads += 1
        if not self.opened:
            await asyncio.sleep(self.takes)
            self.opened = not self.always
        return await super().get_many(keys)


@pytest.fixture(autouse=True)
def _short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(policy, "STORE_TIMEOUT", 0.1)
    monkeypatch.setattr(policy, "COOLDOWN", 60.0)


def until_open(store: Connecting) -> None:
    for _ in range(400):
        if store.opened:
            return
        time.sleep(0.01)
    raise AssertionError("it was given up on")


class TestAConnection:
    @pytest.mark.parametrize("takes", [0.2, 0.4, 0.8])
    @pytest.mark.parametrize("timeout", [None, 5.0, 0.3])
    def test_that_takes_longer_than_a_ranking_waits_is_there_for_the_next(
        self, takes: float, timeout: float | None
    ) -> None:
        """It is no failure: the store is not left alone for the rest that one would cost."""
        store = Connecting(takes)
        with Reranker(Counting(), cache=store, timeout=timeout) as reranker:
            first = reranker.rank("q", TEXTS)
            until_open(store)
            monkey = policy.STORE_TIMEOUT
            policy.STORE_TIMEOUT = 20.0  # a busy machine is not what is tested
            second = reranker.rank("q", TEXTS)
            policy.STORE_TIMEOUT = monkey

        assert (first.report.coverage, first.report.cache_hits) == (1.0, 0)
        assert not first.report.degraded
        assert second.report.cache_hits == len(TEXTS)
        assert second.report.reasons == ()

    @pytest.mark.parametrize("at_once", [2, 10, 40])
    def test_is_opened_for_many_at_once(self, at_once: int) -> None:
        """Their being late together is being late once."""
        store = Connecting(0.5)

        async def main(reranker: Reranker) -> float:
            rankings = (reranker.arank(f"q {n}", TEXTS) for n in range(at_once))
            return min(ranking.report.coverage for ranking in await asyncio.gather(*rankings))

        with Reranker(Counting(), cache=store) as reranker:
            assert asyncio.run(main(reranker)) == 1.0
            until_open(store)
            reads = store.reads
            for number in range(200):  # once the last of them is in
                reranker.rank(f"another {number}", TEXTS)
                if store.reads > reads:
                    break

        assert store.reads == reads + 1

    def test_is_waited_for_by_one_read_only(self) -> None:
        """While it is being opened nobody else asks, and each ranking says why it had no cache."""
        store = Connecting(1.5)
        with Reranker(Counting(), cache=store) as reranker:
            reports = [reranker.rank(f"q {n}", TEXTS).report for n in range(4)]

        assert store.reads == 1
        assert {report.reasons for report in reports} == {(Reason.CACHE,)}

    def test_that_is_late_twice_in_a_row_is_a_failure(self) -> None:
        """Then it is the reading that is slow, and no ranking waits for it for a while."""
        store = Connecting(0.2, always=True)
        with Reranker(Counting(), cache=store) as reranker:
            for number in range(5):
                report = reranker.rank(f"q {number}", TEXTS).report
                time.sleep(0.4)

        assert store.reads == 2
        assert report.reasons == (Reason.CACHE,)
