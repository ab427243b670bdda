"""The fast combination that tuning uses is the one that the reranker uses."""

from __future__ import annotations

import random

import pytest
from made_up import collection, run

from rerank_core.evaluation import of_candidates
from rerank_core.evaluation.settings import Setting, order, settings
from rerank_core.evaluation.signals import signals_of
from rerank_core.ranking.candidate import RETRIEVAL


def _total(setting: Setting, retrieval: list[float], scores: list[float]) -> list[float]:
    """What the reranker orders by, over the head that the setting reranks."""
    depth = min(setting.depth, len(scores))
    if setting.combination is None:
        return scores[:depth]
    signals = {RETRIEVAL: retrieval[:depth], "mine": scores[:depth]}
    total = setting.combination.combine(signals, estimated=["mine"])
    return [value for value in total if value is not None]


@pytest.mark.parametrize("seed", range(8))
def test_every_setting_orders_as_the_combination_does(seed: int) -> None:
    """For scores spread wide, skewed, tied or all equal, at every depth."""
    draw = random.Random(seed)
    base = collection(queries=6, candidates=9)
    kinds = [
        lambda: draw.gauss(),
        lambda: 10 ** draw.uniform(-9, 0),
        lambda: round(draw.random(), 1),
        lambda: 0.5,
    ]
    scores = {
        query: [draw.choice(kinds[: 1 + place])() for _ in range(9)]
        for place, query in enumerate(("q0", "q1", "q2", "q3"))
    }
    scores |= {"q4": [0.5] * 9, "q5": [draw.random() for _ in range(9)]}
    signals = signals_of(base, {"mine": run("mine", base, scores)})
    retrieval = [float(9 - place) for place in range(9)]

    for setting in settings(["mine"], 9, [1, 4]):
        found = order(setting, signals)
        for row, query in enumerate(signals.queries):
            total = _total(setting, retrieval, scores[query])
            columns = [int(column) for column in found[row]]
            falling = [total[column] for column in columns[: len(total)]]
            # sums that differ by rounding alone may stand in either order
            assert falling == pytest.approx(sorted(total, reverse=True), abs=1e-12), setting.label
            assert columns[len(total) :] == list(range(len(total), 9)), setting.label


def test_queries_may_have_different_numbers_of_candidates() -> None:
    """Columns that a query does not have come last and change nothing."""
    whole = collection(queries=2, candidates=4)
    short = {**whole.candidates, "q1": list(whole.candidates["q1"])[:2]}
    base = of_candidates(whole.queries, short, whole.qrels)
    mine = run("mine", base, {"q0": [1.0, 2.0, 3.0, 4.0], "q1": [1.0, 2.0]})
    signals = signals_of(base, {"mine": mine})
    found = {s.label: order(s, signals) for s in settings(["mine"], 4)}

    assert [list(row[:2]) for row in found["mine alone"][1:]] == [[1, 0]]
    assert [list(row[:2]) for row in found["0.9 mine, z-score"][1:]] == [[1, 0]]
