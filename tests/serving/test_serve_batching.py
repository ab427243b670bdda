"""One pass through a local model for what several rankings ask at the same time."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

pytest.importorskip("starlette")

from rerank_core import Cascade, Reranker, Stage
from rerank_core.protocols import ScorerBase, Scores
from rerank_core.scorers.local.local_model import PairScores
from rerank_core.serving.batching import Batching, SharedPasses, batched

HOW = Batching(most=8, wait=0.02, longest=10.0)


class Pairs(ScorerBase):
    """Scores a pair by a number in it, and remembers its passes."""

    name = "pairs"
    fingerprint = "pairs/1"
    shares_passes = True

    def __init__(self, seconds: float = 0.0) -> None:
        self.passes: list[list[tuple[str, str]]] = []
        self.seconds = seconds  # that a pair takes

    async def score(self, query: str, texts: Sequence[str]) -> list[float | None]:
        return (await self.score_pairs([(query, text) for text in texts])).scores

    async def score_pairs(self, pairs: Sequence[tuple[str, str]]) -> PairScores:
        self.passes.append(list(pairs))
        await asyncio.sleep(0.01 + self.seconds * len(pairs))
        if any("poison" in text for _, text in pairs):
            raise ValueError("poison")
        raw: list[float | None] = [float(text.split()[-1]) for _, text in pairs]
        scores = [None if one is None else one / 100 for one in raw]
        return PairScores(Scores(scores, raw), [len(text) > 50 for _, text in pairs])


def ranked(scorer: Any, *queries: str, texts: Sequence[str], **options: Any) -> list[Any]:
    """All of them at once."""

    async def main(reranker: Reranker) -> list[Any]:
        asked = (reranker.arank(query, texts, **options) for query in queries)
        return await asyncio.gather(*asked)

    with Reranker(scorer, top_n=None) as reranker:
        return asyncio.run(main(reranker))


def test_rankings_share_passes() -> None:
    """Of several questions, no larger than asked for, and each gets its own scores."""
    scorer = Pairs()
    texts = [f"text {number}" for number in range(6)]
    rankings = ranked(batched(scorer, HOW), "one", "two", "three", texts=texts)

    assert [[hit.index for hit in ranking] for ranking in rankings] == [[5, 4, 3, 2, 1, 0]] * 3
    assert max(len(one) for one in scorer.passes) <= HOW.most
    assert any(len({query for query, _ in one}) > 1 for one in scorer.passes)
    assert len(scorer.passes) < 18
    assert sorted(pair for one in scorer.passes for pair in one) == sorted(
        (query, text) for query in ("one", "two", "three") for text in texts
    )


def test_a_pass_is_no_longer_than_is_good_for_a_deadline() -> None:
    """Where each pair takes its time, as on a processor, one by one; a deadline finds some."""
    scorer = Pairs(seconds=0.04)
    texts = [f"text {number}" for number in range(12)]
    ranked(batched(scorer, Batching(most=8, longest=0.06)), "one", "two", texts=texts)

    assert {len(one) for one in scorer.passes} == {1}


def test_a_clock_too_coarse_to_see_a_pass_stops_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """By it a pass takes no time, and is as large as it may be."""
    monkeypatch.setattr("rerank_core.serving.batching.time", SimpleNamespace(monotonic=lambda: 0.0))
    scorer = Pairs()
    (ranking,) = ranked(batched(scorer, HOW), "q", texts=[f"text {n}" for n in range(20)])

    assert ranking.report.coverage == 1
    assert max(map(len, scorer.passes)) <= HOW.most


def test_what_one_asks_does_not_spoil_anothers() -> None:
    """A pass that fails is asked again, each ranking by itself."""

    async def main(wrapped: SharedPasses) -> list[Any]:
        asked = wrapped.score("good", ["text 1"]), wrapped.score("bad", ["poison 2"])
        return await asyncio.gather(*asked, return_exceptions=True)

    good, bad = asyncio.run(main(SharedPasses(Pairs(), HOW)))

    assert good == [0.01]
    assert isinstance(bad, ValueError)


def test_who_asks_again_at_once_is_answered_again() -> None:
    """By a model that computes one pass at a time, and whose worker is just going home."""

    async def main(wrapped: SharedPasses) -> list[Any]:
        async with asyncio.timeout(5):
            return [await wrapped.score("q", [f"text {number}"]) for number in range(3)]

    scorer = Pairs()
    scorer.max_concurrency = 1

    assert asyncio.run(main(SharedPasses(scorer, HOW))) == [[0.0], [0.01], [0.02]]


def test_what_nobody_waits_for_is_not_computed() -> None:
    """A ranking whose deadline has struck leaves the line."""
    scorer = Pairs()
    texts = [f"text {number}" for number in range(100)]
    (ranking,) = ranked(batched(scorer, HOW), "q", texts=texts, timeout=0.08)

    assert 0 < ranking.report.coverage < 1
    assert sum(map(len, scorer.passes)) < 100


def test_texts_of_like_length_go_together_and_the_longest_wait_is_over_first() -> None:
    """Little is padding, and nobody starves."""
    scorer = Pairs()
    texts = [("long " * 30 if number % 2 else "short ") + str(number) for number in range(32)]

    async def main(wrapped: SharedPasses) -> None:
        await wrapped.score("q", texts)

    asyncio.run(main(SharedPasses(scorer, HOW)))

    first, *others = scorer.passes
    assert ("q", texts[0]) in first
    assert all(len({len(text) > 50 for _, text in one}) == 1 for one in (first, *others[:2]))


def test_what_was_cut_is_told_to_the_ranking_it_belongs_to() -> None:
    """As without it."""
    rankings = ranked(batched(Pairs(), HOW), "one", "two", texts=["short 1", "long " * 20 + "2"])

    assert [ranking.report.truncated for ranking in rankings] == [1, 1]


def test_cascades_and_several_scorers_stay_what_they_are() -> None:
    """Each stage's local models alone are shared."""
    scorer = Pairs()
    made = batched(Cascade("hybrid", Stage({"mine": scorer}, 2)), HOW)

    assert isinstance(made, Cascade)
    assert [stage.depth for stage in made.stages] == [None, 2]
    assert made.stages[0].scorer == "hybrid"
    assert isinstance(made.stages[1].scorer["mine"], SharedPasses)
    with Reranker(made) as reranker:
        assert len(reranker.rank("q", ["text 1", "text 2", "text 3"]).report.stages) == 2


@pytest.mark.parametrize("scorer", [None, "bm25", lambda query, texts: [1.0] * len(texts)])
def test_what_cannot_share_is_left_as_it_is(scorer: Any) -> None:
    """The very same."""
    assert batched(scorer, HOW) is scorer


@pytest.mark.slow
def test_real_models_give_the_scores_they_give_alone(tmp_path: Path) -> None:
    """In onnxruntime and in torch; int8, whose scores would depend on neighbours, is left alone."""
    pytest.importorskip("sentence_transformers")
    from models import add_onnx, tiny_cross_encoder

    from rerank_core.scorers import CrossEncoderScorer, OnnxCrossEncoderScorer

    folder = tiny_cross_encoder(tmp_path / "tiny")
    add_onnx(folder)
    texts = ["paris", "rome is the capital", "berlin " * 30, "", "yes no"]
    queries = ("what is the capital of france", "yes", "rome")
    for scorer in (OnnxCrossEncoderScorer(folder), CrossEncoderScorer(folder, device="cpu")):
        alone = ranked(scorer, *queries, texts=texts)
        together = ranked(batched(scorer, HOW), *queries, texts=texts)
        for one, other in zip(alone, together, strict=True):
            scores = {hit.index: hit.score for hit in one}
            assert {hit.index: hit.score for hit in other} == pytest.approx(scores, abs=1e-5)
        assert together[0].report.truncated == (alone[0].report.truncated or 0)

    int8 = OnnxCrossEncoderScorer(folder, precision="int8")
    assert batched(int8, HOW) is int8
