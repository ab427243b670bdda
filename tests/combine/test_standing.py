"""The order so far, and the margin by which a stage may be skipped."""

from __future__ import annotations

import pytest

from rerank_core.combine.standing import margin


@pytest.mark.parametrize(
    ("scores", "expected"),
    [
        ([10.0, 6.0, 1.0], 0.4),
        ([1.0, 10.0, 6.0], 0.4),  # in any order
        ([100.0, 60.0, 10.0], 0.4),  # on any scale
        ([1.0, 0.0, -1.0], 0.5),  # below zero the least counts
        ([0.0, 0.0], 0.0),
        ([5.0, 5.0], 0.0),
        ([5.0], None),
        ([], None),
        ([5.0, None], None),
    ],
)
def test_the_margin_is_how_far_the_best_stands_ahead(
    scores: list[float | None], expected: float | None
) -> None:
    """As a share, whatever the scale; unknown where a score is missing."""
    assert margin(scores) == expected
