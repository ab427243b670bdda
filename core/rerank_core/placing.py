"""Where an unscored candidate belongs among scored ones: pure logic, by its retrieval position.

Some batches came back and some did not. Filling in 0, or anything fixed, would put everything
unscored below or above everything scored. What is known instead is where the retriever had each
candidate, so:

1. The farther ahead of another a candidate was retrieved, the likelier it scores higher: with the
   logistic chance of Bradley and Terry (1952) over their distance. Averaged over the candidates
   that are scored, this is the share of them that it may be expected to beat.
2. That share picks one of the scores that are in: with m of them, each owns 1/m of the shares. The
   unscored candidate ties with that score, and ties break by retrieval position.

So an estimate is as bold as the scores allow: one score owns everything, and nothing moves; ten
own a tenth each, and within it the retriever decides; equal scores own their parts together. With
everything scored nothing is estimated. Only the order of the scores counts: any increasing
transform of them gives the same ranking.

What was tried and left out: a slope fitted to the scores at hand, which on real runs was worse
than a fixed one (a scorer that disagrees with the retriever over the many irrelevant candidates
says little about the few that matter), and the retriever's scores in place of its order, which
was worse on TREC DL 2019. `benchmarks/anytime.py` has the figures.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

# What a distance of one standard deviation in retrieval is worth, in log odds of scoring higher.
# Higher trusts the retriever more. Real runs are level from 2 to 2.5; below 1.5, candidates
# retrieved first fell under arbitrary scored ones.
_TRUST = 2.0
# Of more scores than this, evenly chosen ones stand for all: the share is a mean.
_ENOUGH = 128
_ARCSINE_DEVIATION = math.sqrt(math.pi**2 / 4 - 2)


def order(scores: Sequence[float | None]) -> list[int]:
    """Positions, best first: every one once, where `scores` are listed in retrieval order.

    None, NaN and infinities are missing. All missing, or all equal: the retrieval order. None
    missing: the scores' order, ties by retrieval position. Unscored candidates keep the retrieval
    order among themselves.
    """
    estimates = estimate(scores)
    return sorted(range(len(estimates)), key=lambda position: -estimates[position])


def estimate(scores: Sequence[float | None]) -> list[float]:
    """One finite number per candidate: its score, or for want of one the score it is placed with.

    `scores` are listed in retrieval order, best retrieved first. Known ones come back unchanged;
    an estimate is always one of them (0.0 where there are none). Sorting by these numbers, ties
    by position, is `order`.
    """
    known = {
        position: float(score)
        for position, score in enumerate(scores)
        if score is not None and math.isfinite(score)
    }
    if not known:
        return [0.0] * len(scores)
    if len(known) == len(scores):
        return list(known.values())
    ascending = sorted(known.values())
    rivals = [_depth(position, len(scores)) for position in known]
    rivals = rivals[:: math.ceil(len(rivals) / _ENOUGH)]
    estimates = []
    for position in range(len(scores)):
        if position in known:
            estimates.append(known[position])
        else:
            share = _share_beaten(_depth(position, len(scores)), rivals)
            estimates.append(ascending[min(len(ascending) - 1, int(share * len(ascending)))])
    return estimates


def _depth(position: int, count: int) -> float:
    """A retrieval position on a scale of mean 0 and deviation 1, the best retrieved highest.

    The arcsine of the quantile spreads the top more than plain ranks do, but within bounds: the
    retriever's first is worth more than its tenth, and not ever more in a longer list.
    """
    return math.asin(1 - (2 * position + 1) / count) / _ARCSINE_DEVIATION


def _share_beaten(depth: float, rivals: Sequence[float]) -> float:
    # the logistic function, as tanh
    beaten = math.fsum(math.tanh(_TRUST / 2 * (depth - rival)) for rival in rivals)
    return (1 + beaten / len(rivals)) / 2
