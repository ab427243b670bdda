"""Every two systems against each other, not only each against the base."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from .compare import Comparison, compare
from .significance import holm


@dataclass(frozen=True, slots=True)
class Pair:
    """`second` minus `first`, in the measure that decides.

    `comparison.p` is corrected for the number of pairs (Holm).
    """

    first: str
    second: str
    comparison: Comparison

    def to_dict(self) -> dict[str, Any]:
        """As JSON-serialisable values."""
        return {"first": self.first, "second": self.second, **self.comparison.to_dict()}


def every_pair(systems: Mapping[str, Mapping[str, float]]) -> list[Pair]:
    """All pairs of these systems, in their order; each has a value for the same queries."""
    names = list(systems)
    pairs = [
        Pair(first, second, compared)
        for at, first in enumerate(names)
        for second, compared in zip(
            names[at + 1 :],
            compare(systems[first], [systems[name] for name in names[at + 1 :]]),
            strict=True,
        )
    ]
    corrected = holm([pair.comparison.difference.p for pair in pairs])
    return [
        replace(pair, comparison=replace(pair.comparison, p=p))
        for pair, p in zip(pairs, corrected, strict=True)
    ]


def pair_of(pairs: Sequence[Pair], first: str, second: str) -> Pair | None:
    """That pair, in this order."""
    return next((p for p in pairs if p.first == first and p.second == second), None)
