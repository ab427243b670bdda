"""Whether a difference between two systems on the same queries is more than chance.

The paired t test and its interval, so that the two say the same: the interval leaves out 0 just
where p is below 0.05. Of the tests in use it is the one with the most power at the level that it
states (Urbano, Lima and Hanjalic, SIGIR 2019), and on five queries its interval still holds the
truth nine times of ten, where the bootstrap's and BCa's do eight
(`benchmarks/coverage_of_intervals.py`). Holm's correction (1979) keeps the chance of any false
alarm among several systems at the level of one.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from statistics import NormalDist, fmean, stdev
from typing import Any

from .packages import package

#: The level below which a difference is called significant; intervals hold 1 - LEVEL.
LEVEL = 0.05
#: How often a true difference of `Difference.detectable` would be found.
POWER = 0.8


@dataclass(frozen=True, slots=True)
class Difference:
    """The mean difference over queries, its interval, and the chance of one as large by luck.

    `p` is two-sided and for this comparison alone; below 0.05 exactly where `low` to `high` leaves
    out 0. Both are infinite for one query, which tells no spread. `detectable`: the true mean
    difference that as many queries, spread as these are, would show 4 times of 5.
    """

    mean: float
    low: float
    high: float
    p: float
    detectable: float
    queries: int
    error: float = 0.0

    @property
    def queries_to_tell(self) -> int | None:
        """How many queries would show this difference, if it is the true one, 4 times of 5."""
        if not self.mean or math.isinf(self.detectable):  # of one query no number can be told
            return None
        return math.ceil(self.queries * (self.detectable / self.mean) ** 2)

    def interval(self, level: float) -> tuple[float, float]:
        """The interval that leaves out 0 exactly where p is below this level (0..1)."""
        if self.queries < 2 or (not self.mean and not self.error):
            return self.low, self.high
        if not self.error:  # the same difference everywhere
            ends = (self.mean, self.mean) if self.p < level else (0.0, 2 * self.mean)
            return min(ends), max(ends)
        reach = float(package("scipy.stats").t.isf(level / 2, self.queries - 1)) * self.error
        return self.mean - reach, self.mean + reach

    def to_dict(self) -> dict[str, Any]:
        """As JSON-serialisable values: None for what is infinite."""
        return {
            name: value if math.isfinite(value) else None
            for name, value in asdict(self).items()
            if name != "error"
        }


def paired(first: Sequence[float], second: Sequence[float]) -> Difference:
    """`second` minus `first`, query by query."""
    # rounding apart: a difference of nothing is nothing
    differences = [round(b - a, 12) for a, b in zip(first, second, strict=True)]
    count = len(differences)
    mean = fmean(differences) if differences else 0.0
    if not any(differences):
        return Difference(mean, mean, mean, 1.0, 0.0 if count > 1 else math.inf, count)
    if count < 2:
        return Difference(mean, -math.inf, math.inf, 1.0, math.inf, count)
    error = stdev(differences) / math.sqrt(count)
    if max(differences) - min(differences) < 1e-12:  # no spread to go by: the sign test
        found = Difference(mean, 0.0, 0.0, max(2.0 ** (1 - count), 1e-4), 0.0, count)
        low, high = found.interval(LEVEL)
        return replace(found, low=low, high=high)
    p = 2 * float(package("scipy.stats").t.sf(abs(mean) / error, count - 1))
    found = Difference(mean, 0.0, 0.0, p, _standard_errors() * error, count, error)
    low, high = found.interval(LEVEL)
    return replace(found, low=low, high=high)


def holm(p_values: Sequence[float]) -> list[float]:
    """The p-values, in the same order, corrected for there being several (Holm's step-down)."""
    corrected = [1.0] * len(p_values)
    largest = 0.0
    for step, position in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        largest = max(largest, min(1.0, p_values[position] * (len(p_values) - step)))
        corrected[position] = largest
    return corrected


def _standard_errors() -> float:
    normal = NormalDist()
    return normal.inv_cdf(1 - LEVEL / 2) + normal.inv_cdf(POWER)
