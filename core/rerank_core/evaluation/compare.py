"""A system against the base, query by query."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any

from .significance import LEVEL, Difference, holm, paired

#: Values closer than this are a tie.
SAME = 1e-9


@dataclass(frozen=True, slots=True)
class Comparison:
    """The system's mean minus the base's, in one measure, with wins, ties and losses by query.

    `p` is corrected for the number of systems compared (Holm), and `low` to `high` with it, so
    that it leaves out 0 exactly where p is below 0.05; those of `difference` are not.
    """

    difference: Difference
    p: float
    wins: int
    ties: int
    losses: int

    @property
    def significant(self) -> bool:
        """Whether chance alone would seldom do this."""
        return self.p < LEVEL

    @property
    def low(self) -> float:
        """The lower end of the interval; -inf for one query."""
        return self._interval[0]

    @property
    def high(self) -> float:
        """The upper end; inf for one query."""
        return self._interval[1]

    @property
    def told(self) -> str:
        """Interval and p in words, which belong together; one query tells neither."""
        if self.difference.queries < 2:
            return "one query tells no interval"
        p = f"{self.p:.4f}" if self.p < 0.01 else f"{self.p:.2f}"
        return f"95% interval {self.low:+.3f} to {self.high:+.3f}, p = {p}"

    @property
    def _interval(self) -> tuple[float, float]:
        alone = self.difference.p
        return self.difference.interval(LEVEL * alone / self.p if alone else LEVEL)

    def to_dict(self) -> dict[str, Any]:
        """As JSON-serialisable values."""
        return {
            **self.difference.to_dict(),
            "p_holm": self.p,
            "low_holm": self.low if isfinite(self.low) else None,
            "high_holm": self.high if isfinite(self.high) else None,
            "significant": self.significant,
            "wins": self.wins,
            "ties": self.ties,
            "losses": self.losses,
        }


def compare(base: Mapping[str, float], systems: Sequence[Mapping[str, float]]) -> list[Comparison]:
    """Each system against the base, in one measure. All have a value for the same queries."""
    queries = list(base)
    first = [base[query] for query in queries]
    found = []
    for system in systems:
        second = [system[query] for query in queries]
        changes = [b - a for a, b in zip(first, second, strict=True)]
        wins = sum(change > SAME for change in changes)
        losses = sum(change < -SAME for change in changes)
        found.append((paired(first, second), wins, losses))
    corrected = holm([difference.p for difference, _, _ in found])
    return [
        Comparison(difference, p, wins, len(queries) - wins - losses, losses)
        for (difference, wins, losses), p in zip(found, corrected, strict=True)
    ]
