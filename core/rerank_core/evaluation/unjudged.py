"""What can be said without judgements: whether rerankers agree, how much they move, and how
their scores spread. None of it says which is better."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import fmean
from typing import Any

from .packages import package
from .run import Run

#: The persistence of rank-biased overlap: 0.9 puts 86% of the weight on the first ten.
PERSISTENCE = 0.9


@dataclass(frozen=True, slots=True)
class Agreement:
    """Two runs over the same queries, means over the queries.

    `tau`: Kendall's tau-b over the documents that both have, -1..1. `rbo`: rank-biased overlap,
    0..1, the top counting most. `top`: the share of the first ten that both have, 0..1.
    """

    first: str
    second: str
    tau: float
    rbo: float
    top: float

    def to_dict(self) -> dict[str, Any]:
        """As JSON-serialisable values."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Movement:
    """How a run differs from the base, and how its scores spread; means over the queries.

    `moved`: ranks that a document moves, up or down. `new`: how many of the first ten were not
    among the base's first ten. `spread`: the standard deviation of the scores, `distinct` the
    share of them (0..1) that no other document shares: near 0, the scores hardly tell documents
    apart. Both None where nothing was scored.
    """

    system: str
    moved: float
    new: float
    spread: float | None
    distinct: float | None

    def to_dict(self) -> dict[str, Any]:
        """As JSON-serialisable values."""
        return asdict(self)


def agreements(runs: Sequence[Run]) -> list[Agreement]:
    """Every two of the runs, over the queries that both answer."""
    return [
        _agreement(first, second)
        for position, first in enumerate(runs)
        for second in runs[position + 1 :]
        if first.rankings.keys() & second.rankings.keys()
    ]


def movement(base: Run, run: Run) -> Movement:
    """How far the run moved from the base."""
    moved, new, spreads = [], [], []
    for query, ranked in run.rankings.items():
        if query not in base.rankings or not ranked.ids:
            continue
        before = {doc: position for position, doc in enumerate(base.rankings[query].ids)}
        steps = [
            abs(before[doc] - position) for position, doc in enumerate(ranked.ids) if doc in before
        ]
        moved.append(fmean(steps) if steps else 0.0)
        new.append(sum(before.get(doc, 10) >= 10 for doc in ranked.ids[:10]))
        scores = [score for score in ranked.scores if score is not None]
        if scores:
            spreads.append(_deviation(scores))
    return Movement(
        run.name,
        fmean(moved) if moved else 0.0,
        fmean(new) if new else 0.0,
        fmean(spreads) if spreads else None,
        1 - run.tied if spreads else None,
    )


def _deviation(values: Sequence[float]) -> float:
    mean = fmean(values)
    return math.sqrt(fmean((value - mean) ** 2 for value in values))


def overlap(first: Sequence[str], second: Sequence[str], p: float = PERSISTENCE) -> float:
    """Rank-biased overlap of two rankings, extrapolated, 0..1.

    Webber, Moffat and Zobel, TOIS 2010, equation 32 (the equal-length form): 1 for the same
    order, 0 for rankings that share nothing.
    """
    depth = min(len(first), len(second))
    if not depth:
        return 0.0
    seen: tuple[set[str], set[str]] = (set(), set())
    total = common = 0.0
    for at in range(1, depth + 1):
        a, b = first[at - 1], second[at - 1]
        common += (a == b) or (a in seen[1]) + (b in seen[0])
        seen[0].add(a)
        seen[1].add(b)
        total += common / at * p**at
    return total * (1 - p) / p + common / depth * p**depth


def _agreement(first: Run, second: Run) -> Agreement:
    kendalltau = package("scipy.stats").kendalltau
    taus, overlaps, tops = [], [], []
    for query in first.rankings.keys() & second.rankings.keys():
        a, b = first.rankings[query].ids, second.rankings[query].ids
        positions: Mapping[str, int] = {doc: position for position, doc in enumerate(b)}
        both = [positions[doc] for doc in a if doc in positions]
        if len(both) > 1:
            taus.append(float(kendalltau(range(len(both)), both).statistic))
        overlaps.append(overlap(a, b))
        tops.append(len(set(a[:10]) & set(b[:10])) / max(1, min(10, len(a), len(b))))
    return Agreement(
        first.name, second.name, fmean(taus) if taus else 0.0, fmean(overlaps), fmean(tops)
    )
