"""Signals of different scales are put beside each other."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rerank_core.combine.normalize import normalize
from rerank_core.errors import ConfigurationError

ALL = ["min-max", "z-score", "rank", "sigmoid", "none"]
any_value = st.none() | st.floats()


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        ("min-max", [0.0, 0.25, 0.25, 1.0]),
        ("rank", [0.0, 0.5, 0.5, 1.0]),
        ("z-score", [-1.0, -1 / 3, -1 / 3, 5 / 3]),
        ("sigmoid", [1 / (1 + math.e), 0.5, 0.5, 1 / (1 + math.exp(-3))]),
        ("none", [-1.0, 0.0, 0.0, 3.0]),
    ],
)
def test_what_each_does(how: str, expected: list[float]) -> None:
    assert normalize([-1.0, 0.0, 0.0, 3.0], how) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(
    ("how", "middle"), [("min-max", 0.5), ("rank", 0.5), ("z-score", 0.0), ("none", 7.0)]
)
@pytest.mark.parametrize("count", [1, 2, 5])
def test_what_tells_no_document_from_another_stands_in_the_middle(
    how: str, middle: float, count: int
) -> None:
    assert normalize([7.0] * count, how) == [middle] * count


@pytest.mark.parametrize("how", ALL)
def test_missing_values_stay_missing_and_bend_nothing(how: str) -> None:
    holes = normalize([None, 1.0, math.nan, 2.0, math.inf, 4.0, -math.inf], how)

    assert [value for value in holes if value is not None] == normalize([1.0, 2.0, 4.0], how)
    assert [place for place, value in enumerate(holes) if value is None] == [0, 2, 4, 6]


@pytest.mark.parametrize("how", ALL)
def test_nothing_at_all_is_no_error(how: str) -> None:
    assert normalize([], how) == []
    assert normalize([None, math.nan], how) == [None, None]


@pytest.mark.parametrize("how", ALL)
@given(values=st.lists(any_value, max_size=30))
def test_any_values_come_out_finite_and_in_order(how: str, values: list[float | None]) -> None:
    scaled = normalize(values, how)
    pairs = sorted(
        (before, after)
        for before, after in zip(values, scaled, strict=True)
        if before is not None and after is not None
    )

    assert all(math.isfinite(after) for _, after in pairs)
    assert [after for _, after in pairs] == sorted(after for _, after in pairs)


@pytest.mark.parametrize("how", ["min-max", "rank", "sigmoid"])
@given(values=st.lists(any_value, max_size=30))
def test_three_of_them_keep_to_0_and_1(how: str, values: list[float | None]) -> None:
    assert all(0 <= value <= 1 for value in normalize(values, how) if value is not None)


@pytest.mark.parametrize("how", ALL)
@given(values=st.lists(any_value, max_size=12), chance=st.randoms())
def test_the_order_of_the_list_is_of_no_account(
    how: str, values: list[float | None], chance: object
) -> None:
    places = list(range(len(values)))
    chance.shuffle(places)  # type: ignore[attr-defined]
    scaled = normalize(values, how)

    assert normalize([values[place] for place in places], how) == [scaled[p] for p in places]


@pytest.mark.parametrize("how", ["min-max", "z-score"])
def test_the_widest_range_of_a_float_does_not_overflow(how: str) -> None:
    low, middle, high = normalize([-1.7e308, 0.0, 1.7e308], how)

    assert (low, middle, high) == pytest.approx(
        (0, 0.5, 1) if how == "min-max" else (-math.sqrt(1.5), 0, math.sqrt(1.5))
    )


def test_an_unknown_one_is_refused_with_the_names_there_are() -> None:
    with pytest.raises(ConfigurationError, match=r"'min-max', 'rank', 'z-score', .*not 'minmax'"):
        normalize([1.0], "minmax")
