"""Differences, their intervals, and how seldom chance makes them."""

from __future__ import annotations

import json
import random

import pytest

from rerank_core.evaluation.compare import compare
from rerank_core.evaluation.significance import holm, paired


def test_no_difference_is_certain_to_be_chance() -> None:
    """Equal values, also equal but for rounding, have p = 1 and an interval of nothing."""
    found = paired([0.1 + 0.2, 0.5, 1.0], [0.3, 0.5, 1.0])

    assert (found.p, found.low, found.high) == (1.0, 0.0, 0.0)


def test_p_and_interval_by_hand() -> None:
    """Six differences with a mean of 0.35 and a standard error of 0.0764: t = 4.58."""
    found = paired([0.0] * 6, [0.1, 0.2, 0.3, 0.4, 0.5, 0.6])

    assert found.mean == pytest.approx(0.35)
    assert found.p == pytest.approx(0.005934, abs=1e-6)
    assert (found.low, found.high) == pytest.approx((0.1537, 0.5463), abs=1e-4)


def test_the_interval_leaves_out_nothing_exactly_where_p_is_small() -> None:
    """Also where there are several systems, of the corrected ones; and where every query has the
    same difference."""
    draw = random.Random(1)
    for count in range(2, 40):
        base = {str(n): draw.random() for n in range(count)}
        mean = draw.uniform(-0.3, 0.3)
        systems = [{q: v + draw.gauss(mean, 0.2) for q, v in base.items()} for _ in range(3)]
        systems.append({q: v + 0.1 for q, v in base.items()})
        for found in compare(base, systems):
            alone = found.difference

            assert (alone.p < 0.05) == (not alone.low <= 0 <= alone.high)
            assert (found.p < 0.05) == (not found.low <= 0 <= found.high)
            assert found.low <= alone.low <= alone.high <= found.high


def test_one_query_has_no_interval_and_json_no_infinity() -> None:
    """Its p is 1, and what cannot be told is None."""
    (found,) = compare({"a": 0.5}, [{"a": 0.7}])

    assert found.p == 1.0
    assert json.loads(json.dumps(found.to_dict(), allow_nan=False))["low"] is None


@pytest.mark.parametrize("count", [5, 10, 20, 50])
def test_the_interval_holds_the_truth_about_as_often_as_it_says(count: int) -> None:
    """Of 300 samples of skewed differences, many of them none, the 95% interval misses the true
    mean in one in ten at most."""
    draw = random.Random(0)
    whole = [0.0] * 40 + [draw.gauss(0.1, 0.4) for _ in range(60)]
    truth = sum(whole) / len(whole)
    missed = 0
    for _ in range(300):
        found = paired([0.0] * count, draw.choices(whole, k=count))
        missed += not found.low <= truth <= found.high

    assert missed <= 30


def test_more_queries_would_tell() -> None:
    """A difference half as large as what can be detected takes four times the queries."""
    values = [0.3, -0.3, 0.25, -0.2, 0.3, -0.1, 0.2, -0.3]
    found = paired([0.0] * 8, values)

    assert found.queries_to_tell == pytest.approx(8 * (found.detectable / found.mean) ** 2, abs=1)


def test_holm_by_hand() -> None:
    """The least p is multiplied by the number of tests, the next by one fewer, never falling."""
    assert holm([0.04, 0.01, 0.03]) == pytest.approx([0.06, 0.03, 0.06])
    assert holm([0.9, 0.8]) == [1.0, 1.0]


def test_wins_ties_and_losses_are_by_query() -> None:
    """Each query is a win, a tie or a loss, and the mean is of their differences."""
    base = {"a": 0.5, "b": 0.5, "c": 0.5, "d": 1.0}
    (found,) = compare(base, [{"a": 1.0, "b": 0.5, "c": 0.25, "d": 1.0}])

    assert (found.wins, found.ties, found.losses) == (1, 2, 1)
    assert found.difference.mean == pytest.approx(0.0625)
