"""Whether a difference between two systems on the same queries is more than chance.

The bootstrap interval of the mean difference and the paired randomisation test, both by SciPy:
Smucker, Allan and Carterette, CIKM 2007, on why these two. Holm's correction (1979) keeps the
chance of any false alarm among several systems at the level of one.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist, fmean, stdev

from .packages import package

#: Draws of the bootstrap and of the randomisation test. The least p is 1 / (DRAWS + 1).
DRAWS = 9999
#: The level below which a difference is called significant; intervals hold 1 - LEVEL.
LEVEL = 0.05
#: How often a true difference of `Difference.detectable` would be found.
POWER = 0.8


@dataclass(frozen=True, slots=True)
class Difference:
    """The mean difference over queries, its interval, and the chance of one as large by luck.

    `p` is two-sided and for this comparison alone. `detectable`: the true mean difference that
    as many queries, spread as these are, would show 4 times of 5.
    """

    mean: float
    low: float
    high: float
    p: float
    detectable: float
    queries: int

    @property
    def queries_to_tell(self) -> int | None:
        """How many queries would show this difference, if it is the true one, 4 times of 5."""
        if not self.mean or math.isinf(self.detectable):  # of one query no number can be told
            return None
        return math.ceil(self.queries * (self.detectable / self.mean) ** 2)


def paired(first: Sequence[float], second: Sequence[float], *, seed: int = 0) -> Difference:
    """`second` minus `first`, query by query. The same values and seed give the same answer."""
    # rounding apart: a difference of nothing is nothing on whichever side it is drawn
    differences = [round(b - a, 12) for a, b in zip(first, second, strict=True)]
    count = len(differences)
    mean = fmean(differences) if differences else 0.0
    if count < 2 or not any(differences):
        return Difference(mean, mean, mean, 1.0, 0.0 if count > 1 else math.inf, count)
    detectable = _standard_errors() * stdev(differences) / math.sqrt(count)
    if max(differences) - min(differences) < 1e-12:  # nothing to draw from
        return Difference(mean, mean, mean, max(2.0 ** (1 - count), 1e-4), detectable, count)
    stats, numpy = package("scipy.stats"), package("numpy")

    def average(values: object, axis: int) -> object:
        return numpy.mean(values, axis=axis)

    drawn = numpy.array(differences)
    interval = stats.bootstrap(
        (drawn,),
        average,
        n_resamples=DRAWS,
        confidence_level=1 - LEVEL,
        method="percentile",
        batch=1000,
        rng=numpy.random.default_rng(seed),
    ).confidence_interval
    # a sign flip of each difference: the exchange of the two systems on that query
    test = stats.permutation_test(
        (drawn,),
        average,
        permutation_type="samples",
        n_resamples=DRAWS,
        batch=1000,
        vectorized=True,
        rng=numpy.random.default_rng(seed),
    )
    return Difference(
        mean, float(interval.low), float(interval.high), float(test.pvalue), detectable, count
    )


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
