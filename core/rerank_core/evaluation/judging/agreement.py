"""How far two judges of the same pairs agree, beyond chance."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from .rubric import RELEVANT


@dataclass(frozen=True, slots=True)
class Agreement:
    """Of two judges over the same pairs.

    `exact`: the share (0..1) of pairs with the same grade. `kappa`: Cohen's (1960), -1..1, 0 for
    chance. `weighted_kappa`: with squared distances (Cohen 1968), so that 0 for 3 counts more than
    2 for 3. `relevant_kappa`: of the question whether a document is relevant (grade 2 and above).
    Each kappa is None where both judges gave one and the same grade throughout.
    """

    pairs: int
    exact: float
    kappa: float | None
    weighted_kappa: float | None
    relevant_kappa: float | None

    def to_dict(self) -> dict[str, Any]:
        """As JSON-serialisable values."""
        return asdict(self)

    def __str__(self) -> str:
        return (
            f"{self.exact:.0%} the same, kappa {told(self.kappa)}, weighted "
            f"{told(self.weighted_kappa)}, relevant or not {told(self.relevant_kappa)} "
            f"({self.pairs} pairs)"
        )


def told(kappa: float | None) -> str:
    """A kappa for a reader."""
    return "unknown" if kappa is None else f"{kappa:.2f}"


def agreement(first: Sequence[int], second: Sequence[int]) -> Agreement | None:
    """Of two judges' grades for the same pairs, in the same order. None for no pairs.

    >>> print(agreement([0, 0, 2, 3], [0, 1, 2, 3]))
    75% the same, kappa 0.67, weighted 0.92, relevant or not 1.00 (4 pairs)
    """
    if not first:
        return None
    same = sum(a == b for a, b in zip(first, second, strict=True))
    return Agreement(
        len(first),
        same / len(first),
        _kappa(first, second, lambda a, b: float(a != b)),
        _kappa(first, second, lambda a, b: float((a - b) ** 2)),
        _kappa(
            [int(a >= RELEVANT) for a in first],
            [int(b >= RELEVANT) for b in second],
            lambda a, b: float(a != b),
        ),
    )


def _kappa(
    first: Sequence[int], second: Sequence[int], distance: Callable[[int, int], float]
) -> float | None:
    count = len(first)
    seen = sum(distance(a, b) for a, b in zip(first, second, strict=True)) / count
    by_first, by_second = Counter(first), Counter(second)
    chance = sum(
        distance(a, b) * by_first[a] * by_second[b] for a in by_first for b in by_second
    ) / (count * count)
    return None if chance == 0 else 1 - seen / chance
