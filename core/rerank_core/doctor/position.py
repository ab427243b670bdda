"""Does a score depend on where in the list its document stood?

The same candidates are scored in several orders. Each document is compared with itself alone, so
that it does not matter that better documents usually stand higher.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from statistics import fmean, pstdev

from ..ranking.ranking import Ranking
from .chance import surely_positive
from .evidence import Case, Evidence
from .finding import Cause, Finding, Severity

#: From the front of the list to its back (or from an end to the middle) the score must change by
#: this share of the deviation between documents.
WORTH = 0.25
#: The level for each shape of bias that is looked for, in either direction.
LEVEL = 0.001

_Shape = Callable[[int, int], float]


def _front_to_back(position: int, count: int) -> float:
    return position / max(1, count - 1)


def _ends_to_middle(position: int, count: int) -> float:
    return 1 - (2 * _front_to_back(position, count) - 1) ** 2


_SHAPES: Mapping[str, _Shape] = {
    "from first to last": _front_to_back,
    "from the ends to the middle": _ends_to_middle,
}


def find(evidence: Evidence) -> Iterator[Finding]:
    """A score that changes with the position, beyond chance and by enough to matter."""
    for name in evidence.setup.scorers:
        found = [
            (abs(fmean(slopes)), f"{where} {shape}", slopes)
            for where, size in _lists(evidence, name)
            for shape, feature in _SHAPES.items()
            if (slopes := _slopes(evidence, name, size, feature))
        ]
        sure = [
            one
            for one in found
            if one[0] >= WORTH
            and (surely_positive(one[2], LEVEL) or surely_positive([-v for v in one[2]], LEVEL))
        ]
        if not sure:
            continue
        _, where, slopes = max(sure)
        tried = len(evidence.shuffled)
        yield Finding(
            Cause.POSITION,
            Severity.HARMS,
            f"{name}: the same documents in other orders, over {tried} queries: {where} a "
            f"document's score changes by {fmean(slopes):+.2f} of the deviation between documents",
            "the scorer repeats the order that it is shown instead of judging it",
            "ask in shuffled order several times (passes=3), one document a call (strategy="
            '"pointwise"), or in smaller groups',
        )


def _lists(evidence: Evidence, name: str) -> Iterator[tuple[str, int | None]]:
    yield "of the list", None
    if (size := evidence.setup.group_sizes.get(name)) is not None and size > 2:
        yield f"of groups of {size}", size


def _slopes(evidence: Evidence, name: str, size: int | None, feature: _Shape) -> list[float]:
    """One for each repeat: deviations of score for a whole way of the feature."""
    return [
        slope
        for case in evidence.shuffled
        for repeat in case.repeats
        if (slope := _slope(evidence, case, repeat, name, size, feature)) is not None
    ]


def _slope(
    evidence: Evidence, case: Case, repeat: Ranking, name: str, size: int | None, feature: _Shape
) -> float | None:
    combined = evidence.setup.combined
    first = _by_text(case, name, combined)
    second = _by_text(Case(repeat), name, combined)
    both = [text for text in first if text in second]
    deviation = pstdev([first[text][0] for text in both]) if len(both) > 2 else 0.0
    if not deviation:
        return None

    def at(position: int, count: int) -> float:
        if size is None or count <= size:
            return feature(position, count)
        last = count % size or size
        return feature(position % size, size if position < count - last else last)

    count = len(case.hits)
    steps: Sequence[tuple[float, float]] = [
        (
            at(second[text][1], count) - at(first[text][1], count),
            (second[text][0] - first[text][0]) / deviation,
        )
        for text in both
    ]
    way = sum(step * step for step, _ in steps)
    return sum(step * change for step, change in steps) / way if way else None


def _by_text(case: Case, name: str, combined: bool) -> dict[str, tuple[float, int]]:
    """Score and position (in the order that the scorer saw, which is retrieval order) by text."""
    told = case.signal(name, combined=combined)
    return {
        hit.text: (told[hit.index], hit.retrieved - 1) for hit in case.hits if hit.index in told
    }
