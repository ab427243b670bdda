"""Tuning: what is chosen, what it is worth, and what is written down."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np
import pytest
from made_up import collection, noisy, run

from rerank_core import Candidate, ConfigurationError, InvalidInputError, Reranker
from rerank_core.config import save
from rerank_core.evaluation import (
    Collection,
    Run,
    load,
    of_candidates,
    read_run,
    run_reranker,
    tune,
)
from rerank_core.evaluation.measures import parse, per_query
from rerank_core.evaluation.pareto import Offer, front
from rerank_core.evaluation.replay import replay, said_of
from rerank_core.evaluation.selection import Columns, choose, cross_validate
from rerank_core.evaluation.settings import Setting, settings
from rerank_core.evaluation.signals import signals_of
from rerank_core.evaluation.threshold import fit_threshold
from rerank_core.evaluation.tuned import tables
from rerank_core.evaluation.tuning import measured

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
def test_what_is_written_keeps_up_with_the_better_end_on_published_runs(shared_data: Path) -> None:
    """On all judged queries of all six pairs: held out within 0.005 of the better of BM25 and
    reranker, above both on two; and what is kept is below neither on the queries it is from."""
    gains = []
    for base, reranked in PAIRS:
        judged = load(base=shared_data / base, qrels=shared_data / base.split("/")[0] / "qrels.txt")
        found = tune(judged, {"reranker": read_run(shared_data / reranked)})
        gains.append(found.tuned - max(found.ends.values()))
        assert found.quality >= max(found.ends.values()) - 0.001

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

    assert found.kept.label == "retriever"
    assert found.kept.depth == 0
    assert any("the retriever is kept: of all that was tried" in note for note in found.notes)


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
    ends = Columns([Setting(None, 0), Setting("a", 9), Setting("b", 9)])
    values = np.tile([[0.5, 0.4, 0.5]], (20, 1))
    values[7, 2] = 1.0
    held_out, _ = cross_validate(values, ends, splits=5, folds=20, seed=0)

    assert held_out[:, 7] == pytest.approx([0.5] * 5)


def _curves() -> Columns:
    """The retriever alone, a scorer alone, and all shares of the two at one depth."""
    return Columns(list(settings(["mine"], 9, [])))


def _values(columns: Columns, *, retriever: float, mine: float, count: int = 60) -> Any:
    """A straight line from one end to the other, the same for every query."""
    shares = [0.0, 1.0, *(one.share or 0.0 for one in columns.settings[2:])]
    return np.tile([retriever + share * (mine - retriever) for share in shares], (count, 1))


def test_a_share_that_is_lucky_and_its_neighbours_are_not_is_left() -> None:
    """A single share better than the better end by 0.02 on the queries at hand, and by nothing
    beside it, is not taken; one whose neighbours are better with it is."""
    columns = _curves()
    values = _values(columns, retriever=0.6, mine=0.4)
    middle = [at for at, one in enumerate(columns.settings) if one.share == 0.5]
    values[:, middle[0]] = 0.62
    lucky = choose(values, columns)
    around = [at for at, one in enumerate(columns.settings) if 0.3 <= (one.share or 0) <= 0.7]
    values[:, around] = 0.64

    assert columns.settings[lucky].system is None
    assert columns.settings[choose(values, columns)].share in (0.4, 0.5, 0.6)


def test_the_default_is_kept_where_it_is_the_better_of_all() -> None:
    """Half and half by min-max better than both ends on most queries: it, or a share near it on
    its own curve, is written, never an end that is worse."""
    columns = _curves()
    draw = np.random.default_rng(3)
    values = _values(columns, retriever=0.55, mine=0.57, count=20)
    values += draw.normal(0, 0.1, (20, 1))
    for at, one in enumerate(columns.settings):
        if one.combination is not None and one.combination.normalize == "min-max":
            values[:, at] += 0.06 * (1 - abs((one.share or 0) - 0.5))
    chosen = columns.settings[choose(values, columns)]

    assert chosen.share is not None
    assert 0.4 <= chosen.share <= 0.6


def test_ends_that_cannot_be_told_apart_are_not_bet_on() -> None:
    """Retriever and scorer each right on other queries: of twenty-five the better half is luck,
    and what is taken is between them."""
    columns = _curves()
    draw = np.random.default_rng(1)
    right = draw.random((25, 1)) < 0.5
    shares = np.array([0.0, 1.0, *(one.share or 0.0 for one in columns.settings[2:])])
    values = np.where(right, 1 - shares**2, 1 - (1 - shares) ** 2)

    assert 0.2 <= (columns.settings[choose(values, columns)].share or 0) <= 0.8


def test_a_lesser_depth_is_taken_where_it_is_surely_better() -> None:
    """By two standard errors; what is better by less is not."""
    tried = [Setting(None, 0), Setting("a", 50), Setting("a", 10)]
    draw = np.random.default_rng(0)
    noise = draw.normal(0, 0.1, 60)
    worse, little, much = np.full(60, 0.3), 0.6 + noise * 0 + 0.01, 0.7 + noise
    best = np.full(60, 0.6) + draw.normal(0, 0.2, 60)

    assert choose(np.stack([worse, best, much + 0.1], axis=1), Columns(tried)) == 2
    assert choose(np.stack([worse, best, little], axis=1), Columns(tried)) == 1


def test_luck_among_many_settings_is_not_taken_for_skill() -> None:
    """Of twenty shares that differ from the end by chance, none is chosen."""
    draw = np.random.default_rng(0)
    columns = _curves()
    end = draw.random((60, 1))
    others = end + draw.normal(0, 0.2, (60, len(columns.settings) - 2))
    values = np.hstack([end, end - 0.3, others - 0.02])

    assert choose(values, columns) == 0


@pytest.mark.parametrize("depths", [None, [4, 8]])
@pytest.mark.parametrize("scores", ["similarity", "distance", "none"])
def test_the_figure_is_that_of_the_reranker_that_is_written(
    tmp_path: Path, scores: str, depths: list[int] | None
) -> None:
    """The written file, read and asked, has the printed figure to 1e-9: for bm25, which looks at
    the whole list, at every depth, whatever the retriever's scores are."""
    judged = _words(scores)
    with Reranker("bm25") as reranker:
        runs = {"bm25": run_reranker("bm25", reranker, judged)}
        shallow = {
            depth: run_reranker("bm25", reranker.replace(depth=depth), judged)
            for depth in depths or ()
        }
    said = said_of(judged)
    signals = signals_of(judged, runs, {"bm25": shallow}, said)
    (measure,) = parse(["nDCG@10"])
    found = tune(judged, runs, shallow={"bm25": shallow}, splits=1)
    for setting in list(settings(["bm25"], 12, [], {"bm25": list(shallow)}))[::4]:
        run = shallow.get(setting.depth, runs["bm25"])
        told = replay(setting, judged, run, said)
        table = tables(replace(found, kept=setting), {"bm25": ("bm25", {"scorer": "bm25"})}, 12)
        save(tmp_path / "tuned.toml", **table)
        with Reranker.from_config(tmp_path / "tuned.toml") as written:
            asked = run_reranker("written", written, judged)
        figures = [
            fmean(per_query([measure], judged.qrels, run.to_measure())["nDCG@10"].values())
            for run in (told, asked)
        ]

        assert figures[0] == pytest.approx(figures[1], abs=1e-9), setting.label
        fast = measured(setting, signals, measure, judged.qrels).mean()
        assert fast == pytest.approx(figures[1], abs=1e-9), setting.label


def _words(scores: str) -> Collection:
    """Queries and documents of few words, each of which is in many."""
    draw = random.Random(5)
    words = [f"w{n}" for n in range(12)]
    found, qrels, texts = {}, {}, {}
    for q in range(15):
        texts[f"q{q}"] = " ".join(draw.sample(words, 3))
        told = sorted((draw.random() for _ in range(12)), reverse=True)
        found[f"q{q}"] = [
            Candidate(
                " ".join(draw.choices(words, k=draw.randint(3, 9))),
                id=f"q{q}d{d}",
                score={"similarity": told[d], "distance": 1 - told[d], "none": None}[scores],
            )
            for d in range(12)
        ]
        qrels[f"q{q}"] = {f"q{q}d{d}": draw.randint(0, 2) for d in range(12)}
    return of_candidates(texts, found, qrels)


def test_a_scorer_that_looks_at_the_whole_list_is_tried_at_the_depths_that_it_was_asked_at() -> (
    None
):
    """What bm25 says of twelve says nothing of four: without a run there, there is no setting."""
    judged = _words("similarity")
    with Reranker("bm25") as reranker:
        run = run_reranker("bm25", reranker, judged)
        four = run_reranker("bm25", reranker.replace(depth=4), judged)
    without = tune(judged, {"bm25": run}, depths=[4], splits=1)
    with_four = tune(judged, {"bm25": run}, shallow={"bm25": {4: four}}, depths=[4], splits=1)

    assert run.whole_list
    assert not any("depth 4" in one.label for one in without.front)
    assert any("looks at the whole list" in note for note in without.notes)
    assert not any("looks at the whole list" in note for note in with_four.notes)


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
