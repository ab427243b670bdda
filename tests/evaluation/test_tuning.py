"""Tuning: what is chosen, what it is worth, and what is written down."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from made_up import collection, noisy, run

from rerank_core import ConfigurationError, InvalidInputError, Reranker
from rerank_core.evaluation import (
    Collection,
    Run,
    load,
    of_candidates,
    read_run,
    run_reranker,
    tune,
)
from rerank_core.evaluation.pareto import Offer, front
from rerank_core.evaluation.selection import choose, cross_validate
from rerank_core.evaluation.threshold import fit_threshold

BM25_SCIFACT, BM25_DL = "scifact/runs/bm25-top20.trec", "trec-dl-2019/bm25-top100.trec"
PAIRS = [
    (BM25_SCIFACT, "scifact/runs/rerank-qwen2.5-1.5b-pointwise.trec"),
    (BM25_SCIFACT, "scifact/runs/rerank-qwen2.5-3b-gccp.trec"),
    (BM25_SCIFACT, "scifact/runs/rerank-qwen2.5-3b-pointwise.trec"),
    (BM25_DL, "trec-dl-2019/rerank-gpt35turbo-rankgpt-bm25top100.trec"),
    (BM25_DL, "trec-dl-2019/rerank-rankvicuna7b-bm25top100.trec"),
    (BM25_DL, "trec-dl-2019/rerank-vicuna13b-v1.5-zeroshot-bm25top100.trec"),
]


@pytest.mark.slow
def test_tuned_weights_keep_up_with_the_better_end_on_published_runs(shared_data: Path) -> None:
    """Held-out nDCG@10 is within 0.005 of the better of BM25 and reranker on all six pairs, and
    above both on two; what is kept is above chance or one of the ends."""
    gains = []
    for base, reranked in PAIRS:
        judged = load(base=shared_data / base, qrels=shared_data / base.split("/")[0] / "qrels.txt")
        found = tune(judged, {"reranker": read_run(shared_data / reranked)})
        gains.append(found.tuned - max(found.ends.values()))
        assert found.significant or not found.kept.combined

    assert min(gains) >= -0.005
    assert sum(gain > 0.005 for gain in gains) >= 2


def test_two_signals_that_complement_each_other_are_combined() -> None:
    """Retriever and scorer with independent errors: both together are better than either."""
    judged = collection(queries=200, candidates=10, relevant_at=1)
    found = tune(judged, {"mine": noisy("mine", judged, 1.5)}, splits=3)

    assert found.kept.combined
    assert found.significant
    assert found.tuned > max(found.ends.values())


def test_a_scorer_that_only_adds_noise_is_left_out() -> None:
    """Where chance scores cannot help, the retriever alone is kept, and the notes say so."""
    judged = collection(queries=100, candidates=10, relevant_at=0)
    found = tune(judged, {"noise": noisy("noise", judged, 0.0)}, splits=3)

    assert found.kept.label == "the retriever alone"
    assert found.kept.depth == 0
    assert any("nothing else is better than the retriever alone" in note for note in found.notes)


def test_a_perfect_scorer_is_used_alone() -> None:
    """What cannot be improved is not mixed with anything."""
    judged = collection(queries=50, candidates=10, relevant_at=4)
    found = tune(judged, {"mine": noisy("mine", judged, 99.0)}, splits=3)

    assert found.kept.label == "mine alone"
    assert found.tuned == 1.0


def test_the_same_seed_gives_the_same_answer() -> None:
    """All draws are seeded."""
    judged = collection(queries=40, candidates=8, relevant_at=2)
    runs = {"mine": noisy("mine", judged, 1.0)}

    assert tune(judged, runs, splits=2).to_dict() == tune(judged, runs, splits=2).to_dict()


def test_the_choice_on_held_out_queries_does_not_see_them() -> None:
    """A setting that is best on one query alone is never used on that query."""
    values = np.tile([[0.5, 0.4, 0.5]], (20, 1))
    values[7, 2] = 1.0
    held_out, _ = cross_validate(values, 2, splits=5, folds=20, seed=0)

    assert held_out[:, 7] == pytest.approx([0.5] * 5)


def test_luck_among_many_settings_is_not_taken_for_skill() -> None:
    """Of a hundred settings that differ from the end by chance, none is chosen."""
    draw = np.random.default_rng(0)
    end = draw.random((60, 1))
    values = np.hstack([end, end - 0.3, end + draw.normal(0, 0.2, (60, 100))])

    assert choose(values, 2) == 0


def test_limits_leave_out_what_takes_more() -> None:
    """A budget below what the scorer takes leaves the retriever; an unknown price is refused."""
    judged = collection(queries=30, candidates=10, relevant_at=4)
    asked = run_reranker("bm25", Reranker("bm25"), judged)
    found = tune(judged, {"bm25": asked}, max_seconds=0.0, splits=1)

    assert found.kept.depth == 0
    with pytest.raises(ConfigurationError, match="what mine takes is not known"):
        tune(judged, {"mine": noisy("mine", judged, 1.0)}, max_seconds=1.0)


def test_nothing_judged_is_refused() -> None:
    """One query is none: there is nothing to hold out."""
    judged = collection(queries=1)

    with pytest.raises(InvalidInputError, match="two at the least"):
        tune(judged, {"mine": noisy("mine", judged, 1.0)})


def test_the_front_has_no_offer_that_another_beats() -> None:
    """More quality for more, and of equals the first."""
    cheap = Offer(0, "cheap", 0.5, 0, 0.0, 0.0)
    good = Offer(1, "good", 0.7, 20, 0.2, 0.2)
    beaten = Offer(2, "beaten", 0.6, 50, 0.5, 0.5)
    same = Offer(3, "same", 0.7, 20, 0.2, 0.2)

    assert front([beaten, cheap, good, same]) == [cheap, good]


def _scored(answerable: float, other: float) -> tuple[Collection, Run]:
    whole = collection(queries=60, candidates=3)
    qrels = dict(list(whole.qrels.items())[:30])
    qrels |= {query: {"elsewhere": 1} for query in list(whole.qrels)[30:]}
    judged = of_candidates(whole.queries, whole.candidates, qrels)
    scores = {
        query: [0.1, 0.1, (answerable if place < 30 else other) + place % 5 / 100]
        for place, query in enumerate(judged.candidates)
    }
    return judged, run("mine", judged, scores)


def test_a_threshold_stands_between_queries_with_and_without_something_relevant() -> None:
    """Where the best scores differ the threshold is between them, and held-out shares are 1."""
    found, _ = fit_threshold(*_scored(0.8, 0.3))

    assert found is not None
    assert 0.34 < found.score < 0.8
    assert (found.kept, found.caught, found.area) == (1.0, 1.0, 1.0)


def test_no_threshold_where_scores_do_not_tell() -> None:
    """Equal best scores, or too few queries of either kind: none, and a sentence why."""
    none, why = fit_threshold(*_scored(0.5, 0.5))
    too_few = fit_threshold(collection(), noisy("mine", collection(), 1.0))

    assert none is None
    assert "no higher where something is relevant" in why
    assert "it takes 10 of each" in too_few[1]
