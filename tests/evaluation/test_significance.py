"""Differences, their intervals, and how seldom chance makes them."""

from __future__ import annotations

import random

import pytest

from rerank_core.evaluation.compare import compare
from rerank_core.evaluation.significance import holm, paired


def test_no_difference_is_certain_to_be_chance() -> None:
    """Equal values, also equal but for rounding, have p = 1 and an interval of nothing."""
    found = paired([0.1 + 0.2, 0.5, 1.0], [0.3, 0.5, 1.0])

    assert (found.p, found.low, found.high) == (1.0, 0.0, 0.0)


def test_p_is_that_of_the_exact_test_where_all_signs_can_be_drawn() -> None:
    """Six differences of one sign: 2 of the 64 sign patterns are as extreme."""
    found = paired([0.0] * 6, [0.1, 0.2, 0.3, 0.4, 0.5, 0.6])

    assert found.p == pytest.approx(2 / 64)
    assert found.mean == pytest.approx(0.35)
    assert found.low < found.mean < found.high


def test_the_interval_holds_the_truth_about_as_often_as_it_says() -> None:
    """Of 60 samples with a true difference of 0.1, the 95% interval misses it in a few at most."""
    draw = random.Random(0)
    missed = 0
    for seed in range(60):
        found = paired([0.0] * 50, [draw.gauss(0.1, 0.3) for _ in range(50)], seed=seed)
        missed += not found.low <= 0.1 <= found.high

    assert missed <= 9


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
