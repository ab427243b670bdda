"""Unscored candidates are placed by their retrieval position and the scores that are in."""

from __future__ import annotations

import math
import random
from itertools import pairwise
from pathlib import Path
from statistics import fmean

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rerank_core.combine.estimate import estimate, order

scores = st.floats(-1e6, 1e6)
some_missing = st.lists(st.none() | scores | st.sampled_from([0.0, 1.0, 2.0]), max_size=60)


def retrieval_order(count: int) -> list[int]:
    return list(range(count))


@given(some_missing)
def test_every_candidate_has_one_place(listed: list[float | None]) -> None:
    assert sorted(order(listed)) == retrieval_order(len(listed))


@given(st.lists(scores, max_size=60))
def test_with_everything_scored_it_is_the_scorers_order(listed: list[float]) -> None:
    assert order(listed) == sorted(range(len(listed)), key=lambda place: -listed[place])


@given(st.lists(st.sampled_from([None, math.nan, math.inf, -math.inf]), max_size=60))
def test_with_nothing_scored_it_is_the_retrievers_order(listed: list[float | None]) -> None:
    assert order(listed) == retrieval_order(len(listed))


@given(st.lists(st.sampled_from([None, 0.7]), max_size=60))
def test_equal_scores_leave_the_retrievers_order(listed: list[float | None]) -> None:
    assert order(listed) == retrieval_order(len(listed))


@given(st.integers(1, 60), st.data())
def test_a_single_score_moves_nothing(count: int, data: st.DataObject) -> None:
    listed: list[float | None] = [None] * count
    listed[data.draw(st.integers(0, count - 1))] = data.draw(scores)

    assert order(listed) == retrieval_order(count)


@given(some_missing)
def test_scored_and_unscored_each_keep_their_own_order(listed: list[float | None]) -> None:
    placed = order(listed)
    told = [listed[place] for place in placed if listed[place] is not None]
    unscored = [place for place in placed if listed[place] is None]

    assert told == sorted(told, key=lambda score: -(score or 0.0))
    assert unscored == sorted(unscored)


@given(st.lists(st.none() | st.integers(-500, 500), max_size=60))
def test_only_the_order_of_the_scores_counts(listed: list[int | None]) -> None:
    stretched = [None if score is None else math.exp(score / 10) for score in listed]

    assert order(stretched) == order(listed)


@given(some_missing)
def test_not_a_number_and_infinity_are_missing(listed: list[float | None]) -> None:
    for nothing in (math.nan, math.inf, -math.inf):
        assert order([nothing if s is None else s for s in listed]) == order(listed)


@given(some_missing)
def test_estimates_keep_what_is_known_and_sort_to_the_same_order(
    listed: list[float | None],
) -> None:
    numbers = estimate(listed)
    told = {score for score in listed if score is not None}

    assert all(n == s for n, s in zip(numbers, listed, strict=True) if s is not None)
    assert all(number in (told or {0.0}) for number in numbers)
    assert sorted(range(len(numbers)), key=lambda place: -numbers[place]) == order(listed)


def test_a_candidate_that_scored_badly_falls_below_unscored_ones() -> None:
    top_ten = [0.9, 0.0, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1]

    placed = order([*top_ten, *[None] * 90])

    assert placed[:3] == [0, 2, 3]
    assert placed.index(10) < placed.index(1)


def test_a_candidate_that_scored_well_rises_above_unscored_ones() -> None:
    last_ten = [0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]

    placed = order([*[None] * 90, *last_ten])

    assert placed.index(99) < 90
    assert placed[:10] == retrieval_order(10)


def test_a_scorer_that_echoes_the_retriever_moves_little() -> None:
    """The first ten are missing: scores in their order leave them there, others do not."""
    echo = order([*[None] * 10, *[-float(place) for place in range(90)]])
    upturned = order([*[None] * 10, *[float(place) for place in range(90)]])

    assert echo[:9] == retrieval_order(9)
    assert upturned[:2] == [99, 98]


def test_thousands_of_scores_are_placed_like_few() -> None:
    half: list[float | None] = [-float(place) if place % 2 else None for place in range(4000)]

    placed = order(half)

    assert max(abs(position - place) for position, place in enumerate(placed)) < 600


# -- on published runs -------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize(
    ("judge", "strong"),
    [
        ("rerank-gpt35turbo-rankgpt-bm25top100.trec", True),
        ("rerank-rankvicuna7b-bm25top100.trec", True),
        ("rerank-vicuna13b-v1.5-zeroshot-bm25top100.trec", False),
    ],
)
@pytest.mark.parametrize("top_first", [True, False])
def test_half_a_reranking_is_worth_having(
    shared_data: Path, judge: str, strong: bool, top_first: bool
) -> None:
    """More scores are no worse, never below the retriever; with a weak judge, never below it."""
    folder = shared_data / "trec-dl-2019"
    curve = _curve(folder, judge, top_first, draws=1 if top_first else 12)

    assert curve[0] == pytest.approx(0.5058, abs=1e-4)
    if strong:
        assert min(curve) == curve[0]
        assert all(after > before - 0.005 for before, after in pairwise(curve))
    else:
        assert min(curve) > curve[-1] - 1e-9


def _curve(folder: Path, judge: str, top_first: bool, draws: int) -> list[float]:
    retrieved, judged = _run(folder / "bm25-top100.trec"), _run(folder / judge)
    qrels: dict[str, dict[str, int]] = {}
    for line in (folder / "qrels.txt").read_text().splitlines():
        query, _, document, grade = line.split()
        qrels.setdefault(query, {})[document] = int(grade)
    chance = random.Random(1)
    at: list[list[float]] = [[] for _ in range(11)]
    for query, documents in retrieved.items():
        gains = [qrels[query].get(document, 0) for document in documents]
        ideal = _dcg(sorted(qrels[query].values(), reverse=True))
        ranks = {document: rank for rank, document in enumerate(judged[query])}
        for _ in range(draws):
            groups = list(range(10))
            if not top_first:
                chance.shuffle(groups)
            for back in range(11):
                listed = [
                    -float(ranks[document]) if place // 10 in groups[:back] else None
                    for place, document in enumerate(documents)
                ]
                at[back].append(_dcg([gains[place] for place in order(listed)]) / ideal)
    return [fmean(values) for values in at]


def _run(path: Path) -> dict[str, list[str]]:
    run: dict[str, list[str]] = {}
    for line in path.read_text().splitlines():
        query, _, document, *_ = line.split()
        run.setdefault(query, []).append(document)
    return run


def _dcg(gains: list[int]) -> float:
    return sum(gain / math.log2(place + 2) for place, gain in enumerate(gains[:10]))
