"""Where an unscored candidate belongs among scored ones: pure logic, by its retrieval position.

Some batches came back and some did not. Filling in 0, or anything fixed, would put everything
unscored below or above everything scored. What is known instead is where the retriever had each
candidate, so:

1. The farther ahead of another a candidate was retrieved, the likelier it scores higher: with the
   logistic chance of Bradley and Terry (1952) over their distance. Averaged over the candidates
   that are scored, this is the share of them that it may be expected to beat.
2. How much a distance is worth starts from a fixed trust in the retriever, and rises where the
   scores at hand follow its order: by their correlation r, as r / sqrt(1 - r^2), the slope between
   two normal variables. A scorer that mostly echoes the retriever gives no reason to move what it
   has not seen.
3. What the retriever put first, and the scorer has not seen, has a small start besides: a first
   place is worth more than its distance from the second says.
4. The share picks one of the scores that are in: with m of them, each owns 1/m of the shares. The
   unscored candidate ties with that score, and ties break by retrieval position.

So an estimate is as bold as the scores allow: one score owns everything, and nothing moves; ten
own a tenth each, and within it the retriever decides; equal scores own their parts together. With
everything scored nothing is estimated. Only the order of the scores counts: any increasing
transform of them gives the same ranking.

No order-only rule can know which of the two is right. Where the retriever's first ten are missing
and its head is nearly as good as the scorer's, something scored is put among them that does not
belong there: between two rerankers of like worth the middle of the curve dips below both.

What was tried and left out, on published runs, pairs of them both ways round and noisy oracles:

- less trust where the scores disagree with the retriever: they disagree over the many irrelevant
  candidates, which says little about the few that matter;
- more trust throughout, depths by log odds or log rank, a larger start for the first: far smaller
  dips where the retriever is strong (SciFact, 100 deep), for up to 0.005 where it is not, which
  brings strong scorers on TREC DL 2019 to 0.01 below the best simple way;
- a start that scored candidates have too: worse where the top comes back first;
- the retriever's scores in place of its order: worse on TREC DL 2019.

`benchmarks/anytime.py` has the figures.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from ..runtime.numbers import is_present

# What a distance of one standard deviation in retrieval is worth at least, in log odds of scoring
# higher. Higher trusts the retriever more. Real runs are level from 2 to 2.5; below 1.5,
# candidates retrieved first fell under arbitrary scored ones.
TRUST = 2.0
# The same for the order that a stage of a cascade left: a reranker's, so that it is mostly right.
# At 2, what came back at random put a cascade of RankVicuna and GPT-3.5 0.016 below its stage
# before (TREC DL 2019, 100 deep); from 4 on nothing does that is the better scorer of the two.
STAGE_TRUST = 4.0
# The same by agreement: it counts from a correlation of 0.8. For normal variables it would be 1.2;
# real runs are level from there to 1.7, and at 2 strong scorers lose.
_ECHO = 1.5
_FULL_AGREEMENT = 0.99
# The start of the first, in log odds; the second has a half of it, the third a third.
_START = 0.25
# Of more scores than this, evenly chosen ones stand for all: the share is a mean.
_ENOUGH = 128
_ARCSINE_DEVIATION = math.sqrt(math.pi**2 / 4 - 2)


def order(scores: Sequence[float | None], *, trust: float = TRUST) -> list[int]:
    """Positions, best first: every one once, where `scores` are listed in retrieval order.

    None, NaN and infinities are missing. All missing, or all equal: the retrieval order. None
    missing: the scores' order, ties by retrieval position. Unscored candidates keep the retrieval
    order among themselves.
    """
    estimates = estimate(scores, trust=trust)
    return sorted(range(len(estimates)), key=lambda position: -estimates[position])


def estimate(scores: Sequence[float | None], *, trust: float = TRUST) -> list[float]:
    """One finite number per candidate: its score, or for want of one the score it is placed with.

    `scores` are listed in retrieval order, best retrieved first. Known ones come back unchanged;
    an estimate is always one of them (0.0 where there are none). Sorting by these numbers, ties
    by position, is `order`. `trust`: what a distance in that order is worth at least; see above.
    """
    if None not in scores and all(map(math.isfinite, scores)):  # type: ignore[arg-type]
        return [float(score) for score in scores]  # type: ignore[arg-type]
    known = {position: float(score) for position, score in enumerate(scores) if is_present(score)}
    if not known:
        return [0.0] * len(scores)
    ranked = sorted(known, key=lambda position: -known[position])
    trust = _trust(list(known), ranked, trust)
    rivals = [trust * _depth(position, len(scores)) for position in known]
    rivals = rivals[:: math.ceil(len(rivals) / _ENOUGH)]
    estimates = []
    for position in range(len(scores)):
        if position in known:
            estimates.append(known[position])
        else:
            odds = trust * _depth(position, len(scores)) + _START / (position + 1)
            beaten = int(_share_beaten(odds, rivals) * len(ranked))
            estimates.append(known[ranked[max(0, len(ranked) - 1 - beaten)]])
    return estimates


def _trust(retrieved: Sequence[int], ranked: Sequence[int], least: float) -> float:
    """What a distance in retrieval is worth, by how far the scored candidates kept their order.

    Both list the same positions. Ties count as agreement: the retriever breaks them.
    """
    depths = {position: _depth(at, len(retrieved)) for at, position in enumerate(retrieved)}
    spread = math.fsum(depth**2 for depth in depths.values())
    if not spread:
        return least
    kept = math.fsum(d * depths[p] for d, p in zip(depths.values(), ranked, strict=True))
    agreement = max(0.0, min(kept / spread, _FULL_AGREEMENT))
    return max(least, _ECHO * agreement / math.sqrt(1 - agreement**2))


def _depth(position: int, count: int) -> float:
    """A retrieval position on a scale of mean 0 and deviation 1, the best retrieved highest.

    The arcsine of the quantile spreads the top more than plain ranks do, but within bounds: the
    retriever's first is worth more than its tenth, and not ever more in a longer list.
    """
    return math.asin(1 - (2 * position + 1) / count) / _ARCSINE_DEVIATION


def _share_beaten(odds: float, rivals: Sequence[float]) -> float:
    # the logistic function, as tanh
    beaten = math.fsum(math.tanh((odds - rival) / 2) for rival in rivals)
    return (1 + beaten / len(rivals)) / 2
