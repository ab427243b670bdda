"""Policies around a scorer: hedging, pace, the circuit breaker, thresholds, shadow mode."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence

import pytest

from rerank_core import ConfigurationError, Ranking, Reason, Reranker, ScorerError
from rerank_core.combine import ReciprocalRankFusion, WeightedSum
from rerank_core.protocols import ScorerBase
from rerank_core.scorers import BM25Scorer

TEXTS = [f"text {n}" for n in range(20)]


class Grades(ScorerBase):
    """Grades by the number in the text, one text a batch, and counts how often it was asked."""

    name = "grades"
    independent = True
    batch_size = 1
    max_concurrency = 20

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def score(self, query: str, texts: Sequence[str]) -> list[float | None]:
        self.asked.extend(texts)
        return [int(text.split()[1]) / 20 for text in texts]


class OneStraggler(Grades):
    """Hangs on the first try of one text."""

    async def score(self, query: str, texts: Sequence[str]) -> list[float | None]:
        first = texts[0] not in self.asked
        scores = await super().score(query, texts)
        if texts[0] == "text 7" and first:
            await asyncio.sleep(30)
        return scores


class Down(ScorerBase):
    """Fails until it is mended."""

    name = "down"
    broken = True
    calls = 0

    async def score(self, query: str, texts: Sequence[str]) -> list[float | None]:
        self.calls += 1
        if self.broken:
            raise ScorerError("HTTP 500", reason=Reason.SERVER)
        return [1.0] * len(texts)


class TestHedging:
    def test_a_straggler_gets_a_second_try(self) -> None:
        """Once its peers are in; the ranking is whole, and the try is counted."""
        scorer = OneStraggler()

        ranking = Reranker(scorer, hedge_after=0.05, timeout=10).rank("q", TEXTS)

        assert ranking.report.coverage == 1.0
        assert ranking.report.hedged == 1
        assert sorted(scorer.asked) == sorted([*TEXTS, "text 7"])

    def test_without_it_the_straggler_is_waited_for(self) -> None:
        """Until the deadline, which keeps the others."""
        ranking = Reranker(OneStraggler(), timeout=0.2).rank("q", TEXTS)

        assert ranking.report.coverage == pytest.approx(19 / 20)
        assert ranking.report.hedged == 0

    def test_a_batch_that_is_not_late_is_asked_once(self) -> None:
        """Hedging costs nothing where nothing is_straggler."""
        scorer = Grades()

        report = Reranker(scorer, hedge_after=5).rank("q", TEXTS).report

        assert (len(scorer.asked), report.hedged) == (20, 0)


class TestTheBreaker:
    def test_a_part_that_keeps_failing_is_not_asked(self) -> None:
        """After five rankings without a score it is left alone, and the report says so."""
        scorer = Down()
        reranker = Reranker(scorer, fallback="bm25")

        reports = [reranker.rank("text", TEXTS).report for _ in range(7)]

        assert scorer.calls == 5
        assert reports[4].reasons == (Reason.SERVER, Reason.FALLBACK)
        assert reports[5].reasons == (Reason.CIRCUIT_OPEN, Reason.FALLBACK)


class TestThreshold:
    def test_no_relevant_document_is_an_answer(self) -> None:
        """What does not reach it is not returned, and not lost."""
        reranker = Reranker(Grades(), threshold=0.9, top_n=None)

        ranking = reranker.rank("q", TEXTS)

        assert [hit.text for hit in ranking] == ["text 19", "text 18"]
        assert len(ranking.all) == 20
        assert list(Reranker(Grades(), threshold=0.99).rank("q", TEXTS)) == []

    def test_it_is_skipped_on_a_degraded_ranking(self) -> None:
        """An unscored document is never dropped in silence."""
        ranking = Reranker(OneStraggler(), timeout=0.2, threshold=0.9, top_n=None).rank("q", TEXTS)

        assert len(ranking) == 20
        assert "threshold 0.9 was skipped" in ranking.report.why

    @pytest.mark.parametrize(
        "options",
        [
            {"scorer": "bm25"},
            {"scorer": "hybrid"},
            {"scorer": Grades(), "combine": ReciprocalRankFusion()},
            {"scorer": Grades(), "combine": WeightedSum({"grades": 1, "retrieval": 1})},
        ],
        ids=["bm25", "hybrid", "fusion", "min-max"],
    )
    def test_it_is_refused_where_scores_only_tell_an_order(
        self, options: dict[str, object]
    ) -> None:
        """At construction."""
        with pytest.raises(ConfigurationError, match="same for every query"):
            Reranker(**options, threshold=0.5)  # type: ignore[arg-type]

    def test_combined_scores_that_are_calibrated_take_it(self) -> None:
        """A weighted sum of calibrated signals, not normalized by the list."""
        combine = WeightedSum({"grades": 1}, normalize="none")

        ranking = Reranker(Grades(), combine=combine, threshold=0.9).rank("q", TEXTS)

        assert len(ranking) == 2


class TestShadow:
    def test_the_retrievers_order_is_returned(self) -> None:
        """And what would have been returned goes to on_ranking."""
        told = threading.Event()
        seen: list[Ranking] = []

        def note(ranking: Ranking) -> None:
            seen.append(ranking)
            told.set()

        with Reranker(Grades(), shadow=1.0, on_ranking=note, top_n=3) as reranker:
            ranking = reranker.rank("q", TEXTS)
            assert told.wait(10)

        assert [hit.text for hit in ranking] == TEXTS[:3]
        assert {hit.score for hit in ranking.all} == {None}
        assert not ranking.report.degraded
        assert [hit.text for hit in seen[0]] == ["text 19", "text 18", "text 17"]
        assert seen[0].shadow
        assert seen[0][0].movement == 19

    def test_a_share_of_none_asks_nobody(self) -> None:
        """Sampling is by call."""
        scorer = Grades()

        with Reranker(scorer, shadow=0.0) as reranker:
            reranker.rank("q", TEXTS)

        assert scorer.asked == []

    def test_a_slow_scorer_costs_the_caller_nothing(self) -> None:
        """It is scored after the answer has gone out."""
        begun = threading.Event()

        class Slow(Grades):
            async def score(self, query: str, texts: Sequence[str]) -> list[float | None]:
                begun.set()
                await asyncio.sleep(0.2)
                return await super().score(query, texts)

        scorer = Slow()
        with Reranker(scorer, shadow=1.0) as reranker:
            ranking = reranker.rank("q", TEXTS)
            in_time = len(scorer.asked)
            assert begun.wait(10)

        assert (len(ranking.all), in_time) == (20, 0)
        assert len(scorer.asked) == 20  # closing waited for it


class TestPace:
    def test_requests_beyond_the_rate_wait(self) -> None:
        """A burst of a minute's requests goes out; the next ones would have to wait."""
        scorer = Grades()

        ranking = Reranker(scorer, requests_per_minute=5, timeout=0.3).rank("q", TEXTS)

        assert len(scorer.asked) == 5
        assert ranking.report.coverage == pytest.approx(5 / 20)
        assert Reason.TIMEOUT in ranking.report.reasons

    def test_tokens_beyond_the_rate_wait(self) -> None:
        """By the texts' estimated tokens."""
        scorer = Grades()

        Reranker(scorer, tokens_per_minute=12, timeout=0.3).rank("q", TEXTS)

        assert 0 < len(scorer.asked) < 20

    @pytest.mark.parametrize("name", ["requests_per_minute", "tokens_per_minute"])
    def test_a_rate_that_lets_nothing_through_is_refused(self, name: str) -> None:
        """At construction."""
        with pytest.raises(ConfigurationError, match=name):
            Reranker(BM25Scorer(), **{name: 0})  # type: ignore[arg-type]
