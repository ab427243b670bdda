"""What of a ranking is returned: the first so many, those that reach a threshold."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from .given import Given
from .ranking import Placed, Ranking, ranked
from .report import Report


def cut(
    asked: Given,
    placed: Sequence[Placed],
    top_n: int | None,
    report: Report,
    *,
    threshold: float | None = None,
    judged_by: Collection[str] = (),
) -> Ranking:
    """The ranking, of which `top_n` and what reaches the threshold is returned; None: no limit.

    `judged_by`: the scorers whose scores the threshold is for. What none of them has judged does
    not reach it; a degraded ranking is not cut by it, and says so.
    """
    if threshold is not None and report.degraded:
        note = f"threshold {threshold:g} was skipped: the ranking is degraded"
        report = replace(report, notes=(*report.notes, note))
    elif threshold is not None:
        reached = sum(
            hit.score is not None
            and hit.score >= threshold
            and all(hit.components.get(name) is not None for name in judged_by)
            for hit in placed
        )
        top_n = reached if top_n is None else min(top_n, reached)
    return Ranking(asked.query, ranked(placed, asked.candidates, asked.documents), top_n, report)
