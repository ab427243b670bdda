"""The cache between the engine and a store: nothing is asked twice, and nothing goes wrong."""

from __future__ import annotations

import asyncio
import json
import logging
import pickle
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from cache.doubles import TEXTS, BrokenStore, Counting, Streaming
from rerank_core import Ranking, Reason, Reranker, ScorerError
from rerank_core.engine import cache as policy
from rerank_core.scorers.function import FunctionScorer
from rerank_core.stores import MemoryStore, SqliteStore


def told(ranking: Ranking) -> list[dict[str, Any]]:
    return ranking.to_dicts()


def until(condition: Callable[[], bool]) -> None:
    """Wait for another thread to get there."""
    for _ in range(2000):
        if condition():
            return
        time.sleep(0.005)
    raise AssertionError("it never happened")


class TestASecondRun:
    @pytest.mark.parametrize("independent", [True, False])
    @pytest.mark.parametrize("batch_size", [None, 2])
    def test_asks_nobody_and_ranks_alike(
        self, cache: Any, independent: bool, batch_size: int | None
    ) -> None:
        """Same order, same scores to the last bit, raw ones too; also in another reranker."""
        scorer = Counting(independent=independent, batch_size=batch_size)
        queries = [f"query {number}" for number in range(20)]
        bare = [Reranker(scorer).rank(query, TEXTS) for query in queries]
        if isinstance(cache, str) and cache == "memory":
            cache = MemoryStore()

        with Reranker(scorer, cache=cache) as reranker:
            first = [reranker.rank(query, TEXTS) for query in queries]
        asked = len(scorer.asked)
        with Reranker(scorer, cache=cache) as reranker:
            second = [reranker.rank(query, TEXTS) for query in queries]

        assert len(scorer.asked) == asked
        assert [told(r) for r in bare] == [told(r) for r in first] == [told(r) for r in second]
        assert [r.report.cache_hits for r in first] == [0] * len(queries)
        assert [r.report.cache_hits for r in second] == [len(TEXTS)] * len(queries)
        assert {r.report.calls for r in second} == {0}
        assert not any(r.report.reasons for r in first + second)

    @pytest.mark.slow
    def test_of_many_real_queries(self, cache: Any, shared_data: Path) -> None:
        """SciFact's 300 queries over their BM25 candidates."""
        corpus = _lines(shared_data / "scifact" / "corpus.jsonl")
        texts = {row["id"]: f"{row['title']} {row['text']}" for row in corpus}
        queries = {row["id"]: row["text"] for row in _lines(shared_data / "scifact/queries.jsonl")}
        candidates: dict[str, list[str]] = {}
        for line in (shared_data / "scifact/runs/bm25-top20.trec").read_text().splitlines():
            query, _, document, *_ = line.split()
            candidates.setdefault(query, []).append(texts[document])
        scorer = Counting(batch_size=10)

        with Reranker(scorer, cache=cache, top_n=None) as reranker:
            first = [reranker.rank(queries[query], candidates[query]) for query in candidates]
            asked = len(scorer.asked)
            second = [reranker.rank(queries[query], candidates[query]) for query in candidates]

        assert len(candidates) == 300
        assert asked >= 300
        assert len(scorer.asked) == asked
        assert [told(r) for r in first] == [told(r) for r in second]
        assert sum(r.report.cache_hits for r in second) == sum(map(len, candidates.values()))


def _lines(file: Path) -> Iterator[dict[str, Any]]:
    return map(json.loads, file.read_text(encoding="utf-8").splitlines())


class TestWhatIsAsked:
    def test_only_what_is_not_known(self) -> None:
        """Known texts are left out before batches are made, whatever stood beside them."""
        scorer = Counting(batch_size=2)
        reranker = Reranker(scorer, cache="memory")
        reranker.rank("q", TEXTS[:2])
        scorer.asked.clear()

        ranking = reranker.rank("q", TEXTS)

        assert scorer.asked == [("q", TEXTS[2:4]), ("q", TEXTS[4:])]
        assert ranking.report.cache_hits == 2
        assert told(ranking) == told(Reranker(scorer).rank("q", TEXTS))

    def test_a_text_that_stands_there_twice_once(self) -> None:
        """Both documents get its score."""
        scorer = Counting(batch_size=2)

        ranking = Reranker(scorer, cache="memory").rank("q", ["same", "other", "same", "same"])

        assert scorer.texts_asked == 2
        assert ranking.report.cache_hits == 2
        assert ranking.report.coverage == 1.0

    def test_a_group_as_a_whole(self) -> None:
        """Where texts are judged beside each other, another neighbour is another question."""
        scorer = Counting(independent=False, batch_size=2)
        reranker = Reranker(scorer, cache="memory")
        reranker.rank("q", TEXTS[:4])
        scorer.asked.clear()

        ranking = reranker.rank("q", [*TEXTS[:2], TEXTS[3], TEXTS[2]])

        assert scorer.asked == [("q", [TEXTS[3], TEXTS[2]])]
        assert ranking.report.cache_hits == 2

    def test_another_fingerprint_again(self) -> None:
        """A new model or prompt knows nothing of the old one's scores."""
        store = MemoryStore()
        old, new = Counting(), Counting(fingerprint="counting/2")
        Reranker(old, cache=store).rank("q", TEXTS)

        Reranker(new, cache=store).rank("q", TEXTS)

        assert new.texts_asked == len(TEXTS)

    def test_without_a_fingerprint_always(self) -> None:
        """Nobody knows what the scores depend on."""
        scorer = Counting(fingerprint=None)
        reranker = Reranker(scorer, cache="memory")

        reports = [reranker.rank("q", TEXTS).report for _ in range(2)]

        assert scorer.texts_asked == 2 * len(TEXTS)
        assert [report.cache_hits for report in reports] == [0, 0]

    def test_what_could_not_be_told_again(self) -> None:
        """A missing score is not remembered; in a group, none of the group is."""
        alone = Counting(batch_size=2, forgets="beta beta")
        group = Counting(batch_size=2, forgets="beta beta", independent=False)
        for scorer in (alone, group):
            reranker = Reranker(scorer, cache="memory")
            reranker.rank("q", TEXTS)
            scorer.asked.clear()

            ranking = reranker.rank("q", TEXTS)

            assert ranking.report.coverage == 0.8
            assert Reason.INCOMPLETE in ranking.report.reasons
        assert alone.asked == [("q", ["beta beta"])]
        assert group.asked == [("q", ["alpha", "beta beta"])]

    def test_what_came_before_the_deadline_not_again(self) -> None:
        """Batches that were in time are kept, also of a degraded ranking."""
        scorer = Counting(batch_size=2)
        scorer.gate = threading.Event()
        reranker = Reranker(scorer, cache="memory", max_concurrency=1)
        scorer.gate.set()
        reranker.rank("q", TEXTS[:2])
        scorer.gate.clear()

        ranking = reranker.rank("q", TEXTS, timeout=0.5)

        assert ranking.report.coverage == pytest.approx(0.4)
        assert ranking.report.reasons == (Reason.TIMEOUT,)
        assert ranking.report.cache_hits == 2

    def test_a_function_with_a_fingerprint_not_again(self) -> None:
        """A scorer of the user's own may be remembered as well."""
        asked: list[str] = []
        scorer = FunctionScorer(
            lambda q, texts: asked.extend(texts) or [1.0] * len(texts), cache_name="mine/1"
        )
        reranker = Reranker(scorer, cache="memory")

        for _ in range(2):
            reranker.rank("q", TEXTS)

        assert asked == TEXTS

    def test_a_fallback_not_again_either(self) -> None:
        """Its scores are remembered like any other's."""
        failing = FunctionScorer(lambda q, t: [None] * len(t), name="failing", cache_name="f")
        scorer = Counting()
        reranker = Reranker(failing, fallback=scorer, cache="memory")

        reports = [reranker.rank("q", TEXTS).report for _ in range(2)]

        assert scorer.texts_asked == len(TEXTS)
        assert [report.cache_hits for report in reports] == [0, len(TEXTS)]

    @pytest.mark.parametrize("independent", [True, False])
    def test_a_stream_that_broke_off_again(self, independent: bool) -> None:
        """What it said so far counts for this ranking, and for no other."""
        scorer = Streaming(independent=independent, batch_size=None)
        scorer.max_attempts = 1
        scorer.breaks_after = 3
        reranker = Reranker(scorer, cache="memory")
        broken = reranker.rank("q", TEXTS)
        scorer.breaks_after = None

        whole = [reranker.rank("q", TEXTS) for _ in range(2)]

        assert broken.report.coverage == 0.6
        assert len(scorer.asked) == 2
        assert [ranking.report.cache_hits for ranking in whole] == [0, len(TEXTS)]


class TestAtOnce:
    def test_identical_rankings_share_one_call(self, cache: Any) -> None:
        """From threads and from event loops alike."""
        scorer = Counting(batch_size=2)
        scorer.gate = threading.Event()

        with Reranker(scorer, cache=cache) as reranker, ThreadPoolExecutor(8) as pool:

            def each(number: int) -> Ranking:
                if number % 2:
                    return asyncio.run(reranker.arank("q", TEXTS))
                return reranker.rank("q", TEXTS)

            rankings = [pool.submit(each, number) for number in range(8)]
            until(lambda: len(scorer.asked) == 3)
            time.sleep(0.1)
            scorer.gate.set()
            done = [ranking.result() for ranking in rankings]

        assert scorer.texts_asked == len(TEXTS)
        assert len({json.dumps(told(ranking)) for ranking in done}) == 1
        assert sum(ranking.report.calls for ranking in done) == 3
        assert sorted(r.report.cache_hits for r in done) == [0] + [len(TEXTS)] * 7

    def test_overlapping_rankings_share_what_they_have_in_common(self) -> None:
        """Each asks only for what nobody else is asking."""
        scorer = Counting(batch_size=2)
        scorer.gate = threading.Event()
        reranker = Reranker(scorer, cache="memory")

        with ThreadPoolExecutor(2) as pool:
            first = pool.submit(reranker.rank, "q", TEXTS[:4])
            until(lambda: len(scorer.asked) == 2)
            second = pool.submit(reranker.rank, "q", TEXTS[2:])
            until(lambda: len(scorer.asked) == 3)
            scorer.gate.set()

        assert scorer.asked[2] == ("q", TEXTS[4:])
        assert first.result().report.coverage == second.result().report.coverage == 1.0

    @pytest.mark.parametrize("leaves", ["who asked first", "who joined"])
    def test_one_cancelled_does_not_cancel_the_other(self, leaves: str) -> None:
        """The call goes on for as long as somebody waits for it."""
        scorer = Counting(batch_size=None)
        scorer.gate = threading.Event()
        reranker = Reranker(scorer, cache="memory")

        async def main() -> Ranking:
            first = asyncio.create_task(reranker.arank("q", TEXTS))
            await asyncio.to_thread(until, lambda: len(scorer.asked) == 1)
            second = asyncio.create_task(reranker.arank("q", TEXTS))
            await asyncio.sleep(0.1)
            gone, stays = (first, second) if leaves == "who asked first" else (second, first)
            gone.cancel()
            await asyncio.sleep(0.1)
            assert gone.cancelled()
            scorer.gate.set()
            return await stays

        ranking = asyncio.run(main())

        assert len(scorer.asked) == 1
        assert ranking.report.coverage == 1.0
        assert not ranking.report.degraded

    def test_all_cancelled_ends_the_call(self) -> None:
        """Nothing goes on for an answer that nobody awaits, and nobody joins it later."""
        ended = threading.Event()

        class Long(Counting):
            async def score(self, query: str, texts: Any) -> Any:
                self.asked.append((query, list(texts)))
                try:
                    await asyncio.sleep(60 if len(self.asked) == 1 else 0)
                finally:
                    ended.set()
                return [1.0] * len(texts)

        scorer = Long(batch_size=None)
        reranker = Reranker(scorer, cache="memory")

        async def main() -> Ranking:
            waiting = [asyncio.create_task(reranker.arank("q", TEXTS)) for _ in range(3)]
            await asyncio.to_thread(until, lambda: len(scorer.asked) == 1)
            for task in waiting:
                task.cancel()
            assert await asyncio.to_thread(ended.wait, 5)
            return await reranker.arank("q", TEXTS)

        assert asyncio.run(main()).report.coverage == 1.0
        assert len(scorer.asked) == 2

    def test_an_impatient_one_leaves_the_patient_one_waiting(self) -> None:
        """Each has its own deadline, and the call goes on until the later one."""
        scorer = Counting(batch_size=None)
        scorer.gate = threading.Event()
        reranker = Reranker(scorer, cache="memory")

        with ThreadPoolExecutor(2) as pool:
            hurried = pool.submit(reranker.rank, "q", TEXTS, timeout=0.2)
            until(lambda: len(scorer.asked) == 1)
            patient = pool.submit(reranker.rank, "q", TEXTS)
            report = hurried.result().report
            scorer.gate.set()

        assert report.reasons == (Reason.TIMEOUT,)
        assert patient.result().report.coverage == 1.0
        assert len(scorer.asked) == 1

    def test_a_failure_is_shared_too(self) -> None:
        """A server in trouble is not asked again by each who waited."""
        scorer = Counting(batch_size=None)
        scorer.gate = threading.Event()
        scorer.max_attempts = 1
        answer, scorer.score = scorer.score, None  # type: ignore[method-assign,assignment]

        async def fail(query: str, texts: Any) -> Any:
            await answer(query, texts)
            raise ScorerError("HTTP 500", reason=Reason.SERVER, retryable=True)

        scorer.score = fail  # type: ignore[method-assign,assignment]
        reranker = Reranker(scorer, cache="memory")

        with ThreadPoolExecutor(2) as pool:
            both = [pool.submit(reranker.rank, "q", TEXTS) for _ in range(2)]
            until(lambda: len(scorer.asked) == 1)
            time.sleep(0.1)
            scorer.gate.set()

        assert [each.result().report.reasons for each in both] == [(Reason.SERVER,)] * 2
        assert len(scorer.asked) == 1

    def test_a_loop_that_ends_hands_the_call_over(self) -> None:
        """A user's own scorer runs on the loop that asked; when that closes, the next one asks."""
        asked: list[str] = []
        started = threading.Event()

        async def score(query: str, texts: Any) -> list[float]:
            asked.append(query)
            started.set()
            await asyncio.sleep(60 if len(asked) == 1 else 0)
            return [1.0] * len(texts)

        reranker = Reranker(FunctionScorer(score, cache_name="mine"), cache="memory")

        async def impatient() -> None:
            task = asyncio.create_task(reranker.arank("q", TEXTS))
            await asyncio.to_thread(started.wait)
            await asyncio.sleep(0.2)  # the other one joins
            task.cancel()

        with ThreadPoolExecutor(1) as pool:

            def second() -> Ranking:
                started.wait()
                return reranker.rank("q", TEXTS)

            patient = pool.submit(second)
            asyncio.run(impatient())

            assert patient.result(10).report.coverage == 1.0
        assert len(asked) == 2


@pytest.mark.usefixtures("hurry")
class TestABrokenStore:
    @pytest.mark.parametrize(
        ("way", "how"),
        [(w, h) for w in ("read", "write") for h in ("raise", "hang")] + [("read", "nonsense")],
    )
    def test_harms_no_ranking(self, how: str, way: str, caplog: pytest.LogCaptureFixture) -> None:
        """The ranking is whole, the report names the cache, and one warning is logged."""
        store = BrokenStore(**{way: how})
        reranker = Reranker(Counting(), cache=store, on_error="raise")

        with caplog.at_level(logging.WARNING, "rerank_core"):
            rankings = [reranker.rank("q", TEXTS) for _ in range(5)]

        bare = Reranker(Counting()).rank("q", TEXTS)
        assert all(told(ranking) == told(bare) for ranking in rankings)
        for report in (ranking.report for ranking in rankings):
            assert report.reasons == (Reason.CACHE,)
            assert not report.degraded
            assert "score cache" in report.why
        assert len(caplog.records) == 1
        assert (store.reads if way == "read" else store.writes) == 1
        reranker.close()

    def test_is_tried_again_after_a_rest(self) -> None:
        """And when it works again, the report says no more of it."""
        store = BrokenStore(read="raise")
        reranker = Reranker(Counting(), cache=store)
        reranker.rank("q", TEXTS)
        store.read = "fine"
        time.sleep(policy.COOLDOWN)

        report = reranker.rank("q", TEXTS).report

        assert report.reasons == ()
        assert report.cache_hits == len(TEXTS)

    def test_may_forget(self) -> None:
        """What it lost is asked again; of a group, the whole group."""
        store = BrokenStore()
        scorer = Counting(independent=False, batch_size=None)
        reranker = Reranker(scorer, cache=store)
        whole = reranker.rank("q", TEXTS)
        Reranker(scorer, cache=store).rank("q", TEXTS)
        assert len(scorer.asked) == 1
        store.kept.popitem()

        ranking = Reranker(scorer, cache=store).rank("q", TEXTS)

        assert told(ranking) == told(whole)
        assert len(scorer.asked) == 2
        assert ranking.report.cache_hits == 0

    def test_slow_writes_go_on_unseen(self) -> None:
        """A ranking does not wait for them, and they arrive."""

        class Slow(BrokenStore):
            async def set_many(self, scores: Any) -> None:
                await asyncio.sleep(0.3)
                await super().set_many(scores)

        store = Slow()
        with Reranker(Counting(batch_size=None), cache=store) as reranker:
            report = reranker.rank("q", TEXTS).report

        assert report.reasons == (Reason.CACHE,)
        assert len(store.kept) == len(TEXTS)

    def test_leaves_a_deadline_most_of_its_time(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """It gets a share of it, and no blame where that is next to nothing."""
        monkeypatch.setattr(policy, "STORE_TIMEOUT", 60.0)
        monkeypatch.setattr(policy, "SHARE", 0.01)
        reranker = Reranker(Counting(), cache=BrokenStore(read="hang"))

        short = reranker.rank("q", TEXTS, timeout=4).report
        longer = reranker.rank("another", TEXTS, timeout=20).report

        assert (short.coverage, short.reasons) == (1.0, ())
        assert (longer.coverage, longer.reasons) == (1.0, (Reason.CACHE,))


class TestTheReranker:
    def test_closes_only_a_store_it_opened(self) -> None:
        """One that was handed over may be shared with others."""
        closed: list[str] = []

        class Mine(BrokenStore):
            async def aclose(self) -> None:
                closed.append("mine")

        with Reranker(Counting(), cache=Mine()) as reranker:
            reranker.rank("q", TEXTS)

        assert closed == []

    def test_pickles_with_its_cache(self, tmp_path: Path) -> None:
        """A copy reads and writes the same file."""
        scorer = Counting()
        reranker = Reranker(scorer, cache=tmp_path / "s.db")
        reranker.rank("q", TEXTS)

        with pickle.loads(pickle.dumps(reranker)) as copy:
            report = copy.rank("q", TEXTS).report
        reranker.close()

        assert report.cache_hits == len(TEXTS)

    def test_warms_its_cache_up(self, tmp_path: Path) -> None:
        """A store that cannot be opened is told then, and nothing is raised."""
        with Reranker(Counting(), cache=SqliteStore(tmp_path / "s.db")) as reranker:
            reranker.warm_up()

            assert reranker.rank("q", TEXTS).report.reasons == ()
