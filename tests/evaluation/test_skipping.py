"""A margin to skip a cascade's last stage by: learned, and only where it is never worse."""

from __future__ import annotations

import random

import pytest

from rerank_core.evaluation.skipping import fit_unless


def queries(count: int, gain: float) -> tuple[list[float | None], list[float], list[float]]:
    """The stage helps by 0.2 where the margin is below a half, and costs `gain` elsewhere."""
    draw = random.Random(1)
    margins: list[float | None] = [draw.random() for _ in range(count)]
    before = [0.5 + draw.gauss(0, 0.05) for _ in range(count)]
    whole = [
        value + (0.2 if (ahead or 0) < 0.5 else -gain) + draw.gauss(0, 0.02)
        for ahead, value in zip(margins, before, strict=True)
    ]
    return margins, before, whole


def test_where_the_order_so_far_is_sure_the_stage_is_skipped() -> None:
    """About half of the queries, for a better result than with all of them."""
    found, told = fit_unless(*queries(200, gain=0.2))

    assert found is not None, told
    assert found.unless == pytest.approx(0.5, abs=0.1)
    assert found.skipped == pytest.approx(0.5, abs=0.1)
    assert found.held_out > found.whole > found.before
    assert found.worst >= found.whole


def test_where_the_stage_always_helps_nothing_is_learned() -> None:
    """And that is said."""
    found, told = fit_unless(*queries(200, gain=-0.2))

    assert found is None
    assert "better asked about every query" in told


def test_a_margin_that_is_worse_held_out_is_none() -> None:
    """A margin that tells nothing of where the stage helps."""
    draw = random.Random(3)
    margins: list[float | None] = [draw.random() for _ in range(60)]
    before = [draw.random() for _ in margins]
    whole = [min(1.0, value + draw.gauss(0.03, 0.3)) for value in before]
    found, _ = fit_unless(margins, before, whole)

    assert found is None


def test_a_stage_that_is_worse_than_none_is_said_to_be() -> None:
    """No margin mends that."""
    margins, before, _ = queries(100, gain=0.0)
    found, told = fit_unless(margins, before, [value - 0.2 for value in before])

    assert found is None
    assert "not worth asking" in told


def test_few_queries_tell_nothing() -> None:
    """Nor do those whose margin is unknown: they are never skipped."""
    assert fit_unless(*queries(10, gain=0.2))[0] is None
    assert fit_unless([None] * 50, [1.0] * 50, [0.0] * 50)[0] is None
