"""The order so far: what a stage of a cascade starts from, and what it leaves to the next.

Pure. Candidates are known by their position in the retriever's order.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

from .fuse import Fused, Signal

_NONE: Mapping[int, Any] = MappingProxyType({})


class Standing(NamedTuple):
    """Every candidate, best first; the scores and signals of those that have any."""

    order: Sequence[int]
    scores: Mapping[int, float | None] = _NONE
    components: Mapping[int, Mapping[str, float | None]] = _NONE

    def head(self, depth: int | None) -> Sequence[int]:
        """The best so many; None for all."""
        return self.order[:depth]

    def with_head(self, seen: Sequence[int], fused: Fused, *, combined: bool) -> Standing:
        """This order with its head `seen` in the order of what a stage found.

        What stands beneath has its scores mapped to no more than the lowest in the head. Where
        nothing was found the order and the scores stay. Where the stage `combined` signals, they
        are shown as it did.
        """
        names, signals = tuple(fused.components), zip(*fused.components.values(), strict=True)
        found = [dict(zip(names, values, strict=True)) for values in signals]
        new = dict(zip(seen, found, strict=False))  # there may be no signal
        components = self._with(new, combined=combined) if self.components else new
        told = [score for score in fused.scores if score is not None]
        if not told and list(fused.order) == list(range(len(seen))):
            return self._replace(components=components)
        order = [seen[place] for place in fused.order]
        scores = dict(zip(seen, fused.scores, strict=True))
        if rest := self.order[len(seen) :]:
            under = [self.scores.get(position) for position in rest]
            scores |= zip(rest, _beneath(under, min(told)) if told else under, strict=True)
            order += rest
        return Standing(order, scores, components)

    def _with(
        self, found: Mapping[int, dict[str, float | None]], *, combined: bool
    ) -> Mapping[int, Mapping[str, float | None]]:
        components = dict(self.components)
        for position, new in found.items():
            old = components.get(position, {})
            components[position] = {**old, **new} if combined else {**old, **new, **old}
        return components


def _beneath(scores: Signal, lowest: float) -> Signal:
    """The scores in the same order, and none above `lowest`: scaled, or moved where one is < 0."""
    told = [score for score in scores if score is not None]
    if not told or max(told) <= lowest:
        return scores
    top = max(told)
    if min(told) >= 0 and lowest >= 0:
        factor = lowest / top
        return [None if score is None else min(score * factor, lowest) for score in scores]
    return [None if score is None else min(score - top + lowest, lowest) for score in scores]


def margin(scores: Signal) -> float | None:
    """How far the best stands ahead of the second, 0..1, whatever the scale.

    (best - second) / (best - least), where the least is 0, or the lowest score if that is
    negative; so for scores of 0 or more it is the share that the best has over the second. None
    where a score is missing, or there are fewer than two.

    >>> margin([12.0, 9.0, 1.0]), margin([-1.0, -2.0, -5.0]), margin([0.5, None])
    (0.25, 0.25, None)
    """
    told = [score for score in scores if score is not None]
    if len(told) < 2 or len(told) < len(scores):
        return None
    best, second = sorted(told, reverse=True)[:2]
    span = best - min(0.0, min(told))
    return (best - second) / span if span > 0 else 0.0
