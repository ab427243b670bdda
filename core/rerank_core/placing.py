"""Where an unscored candidate belongs among scored ones: pure logic, by its retrieval position.

Some batches came back and some did not. Filling in 0, or anything fixed, would put everything
unscored below or above everything scored. What is known instead is where the retriever had each
candidate, and how far the scores that are in agree with the retriever. That is enough for an
estimate, and it should carry as much uncertainty as there is:

1. Only the order of the scores counts, so any monotone transform of them gives the same ranking.
   Both orders become quantiles, and the quantiles of the scores a logit, so that the ends of the
   list count.
2. A ridge regression of the one on the other says how far a step in retrieval position is a step
   in score. It starts from "one to one" with the weight of `_PRIOR` candidates.
3. A predicted quantile picks one of the scores that are in: with m of them, each owns 1/m of the
   quantiles. The unscored candidate ties with that score, and ties break by retrieval position.

The third step is what makes little knowledge careful: one score owns everything, so that nothing
moves; ten scores own a tenth each, and within that tenth the retriever decides; equal scores own
their tenths together. With everything scored nothing is estimated.

Of the retriever only the order is used: with the gaps between its scores the curve was little
better on SciFact and worse on TREC DL 2019. `benchmarks/anytime.py` shows what this is worth.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Sequence

# How many scored candidates the assumption "a step in retrieval is a step in score" weighs.
_PRIOR = 10.0
# A scorer that disagrees with the retriever has not shown the retriever wrong: most of what is
# compared is irrelevant, and its order is noise. Below this slope, retrieved-first candidates fell
# under arbitrary scored ones, and a good scorer's half-done ranking under the retriever's.
_LEAST_SLOPE = 0.8
# Standard deviations of the two scales, to put a slope of one in the middle of both.
_LOGIT_DEVIATION = math.pi / math.sqrt(3)
_ARCSINE_DEVIATION = math.sqrt(math.pi**2 / 4 - 2)


def order(scores: Sequence[float | None], prior: Sequence[float | None] | None = None) -> list[int]:
    """Positions, best first: every one once, where `scores` are listed in retrieval order.

    None, NaN and infinities are missing. All missing, or all equal: the retrieval order. None
    missing: the scores' order, ties by retrieval position. `prior` is as in `estimate`.
    """
    estimates = estimate(scores, prior)
    return sorted(range(len(estimates)), key=lambda position: -estimates[position])


def estimate(
    scores: Sequence[float | None], prior: Sequence[float | None] | None = None
) -> list[float]:
    """One finite number per candidate: its score, or for want of one the score it is placed with.

    `scores` are listed in retrieval order, best retrieved first. Known ones come back unchanged;
    an estimate is always one of them (0.0 where there are none). Sorting by these numbers, ties
    by position, is `order`. `prior`, the retriever's own scores, changes nothing: see above.
    """
    known = [
        (position, float(score))
        for position, score in enumerate(scores)
        if score is not None and math.isfinite(score)
    ]
    if not known:
        return [0.0] * len(scores)
    ascending = sorted(score for _, score in known)
    depth = [_depth(position, len(scores)) for position in range(len(scores))]
    centre = math.fsum(depth[position] for position, _ in known) / len(known)
    slope = _slope(
        [depth[position] - centre for position, _ in known],
        [_standing(score, ascending) for _, score in known],
    )
    estimates = [_at_quantile(ascending, slope * (x - centre)) for x in depth]
    for position, score in known:
        estimates[position] = score
    return estimates


def _depth(position: int, count: int) -> float:
    """A retrieval position on a scale of mean 0 and deviation 1, the best retrieved highest.

    The arcsine of the quantile spreads the top more than plain ranks do, less than a logit: the
    retriever's first is worth more than its tenth, but not without bound in a longer list.
    """
    return math.asin(1 - (2 * position + 1) / count) / _ARCSINE_DEVIATION


def _standing(score: float, ascending: Sequence[float]) -> float:
    """A score's place among the scores, as a logit; equal scores share the middle of theirs."""
    below, up_to = bisect_left(ascending, score), bisect_right(ascending, score)
    quantile = (below + up_to) / 2 / len(ascending)
    return math.log(quantile / (1 - quantile)) / _LOGIT_DEVIATION


def _slope(depths: Sequence[float], standings: Sequence[float]) -> float:
    together = math.fsum(x * y for x, y in zip(depths, standings, strict=True))
    spread = math.fsum(x * x for x in depths)
    return max(_LEAST_SLOPE, (_PRIOR + together) / (_PRIOR + spread))


def _at_quantile(ascending: Sequence[float], standing: float) -> float:
    """The score that owns the quantile: a step function, so that an estimate is a real score."""
    quantile = 1 / (1 + math.exp(-standing * _LOGIT_DEVIATION))
    return ascending[min(len(ascending) - 1, int(quantile * len(ascending)))]
