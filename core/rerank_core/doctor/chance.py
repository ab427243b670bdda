"""How sure a mean over few queries is. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import NormalDist, fmean, stdev

#: From fewer values than this nothing is concluded.
LEAST = 5
#: How often a cause may be named by chance alone, for each test.
LEVEL = 0.01


def surely_positive(values: Sequence[float], level: float = LEVEL) -> bool:
    """Whether the mean is above 0 beyond chance: the one-sided t test, of `LEAST` values or more.

    A t test and not a randomisation test, since that can conclude nothing from five queries.
    """
    if len(values) < LEAST or fmean(values) <= 0:
        return False
    error = stdev(values) / math.sqrt(len(values))
    return fmean(values) > _quantile(1 - level, len(values) - 1) * error


def _quantile(share: float, freedom: int) -> float:
    """Student's t, by Abramowitz and Stegun 26.7.5: within 1% from 4 degrees of freedom on."""
    z = NormalDist().inv_cdf(share)
    return (
        z
        + (z**3 + z) / (4 * freedom)
        + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * freedom**2)
        + (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * freedom**3)
    )
