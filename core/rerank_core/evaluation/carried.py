"""A threshold on one reranker's scores, carried over to another's.

By isotonic regression of the new scores on the old ones (pool adjacent violators, by SciPy; Barlow
et al. 1972): the new score that documents at the old threshold have on average, where a higher old
score never means a lower new one.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import asdict, dataclass
from typing import Any

from .packages import package
from .run import Run

#: From fewer documents that both scored nothing is fitted.
FEWEST = 30
#: Where the two rank documents less alike than this (Spearman's correlation), no score of the one
#: stands for one of the other.
LEAST_ALIKE = 0.2


@dataclass(frozen=True, slots=True)
class Carried:
    """The old threshold, and the new one that stands for it.

    `kept_before`, `kept_after`: the share of documents (0..1) that reach each. `alike`: the share
    that both keep or both drop. `documents`: how many both scored; `correlation`: Spearman's.
    """

    old: float
    new: float
    kept_before: float
    kept_after: float
    alike: float
    documents: int
    correlation: float

    def to_dict(self) -> dict[str, Any]:
        """As JSON-serialisable values."""
        return asdict(self)

    def __str__(self) -> str:
        return (
            f"threshold {self.old:.4g} becomes {self.new:.4g}: {self.kept_before:.0%} of "
            f"{self.documents} documents reached it, {self.kept_after:.0%} reach the new one, and "
            f"for {self.alike:.0%} both say the same"
        )


def carry(threshold: float, old: Run, new: Run) -> tuple[Carried | None, str | None]:
    """The threshold on the new scale; or None, and why not."""
    pairs = []
    for query, ranked in old.rankings.items():
        if query not in new.rankings:
            continue
        others = dict(zip(new.rankings[query].ids, new.rankings[query].scores, strict=True))
        for doc, score in zip(ranked.ids, ranked.scores, strict=True):
            if score is not None and (other := others.get(doc)) is not None:
                pairs.append((float(score), float(other)))
    if len(pairs) < FEWEST:
        return None, (
            f"the threshold cannot be carried over: {len(pairs)} documents were scored by both, "
            f"and it takes {FEWEST}"
        )
    pairs.sort()
    before, after = [a for a, _ in pairs], [b for _, b in pairs]
    if before[0] == before[-1] or after[0] == after[-1] == max(after) == min(after):
        return None, "the threshold cannot be carried over: all scores of one are the same"
    correlation = float(package("scipy.stats").spearmanr(before, after).statistic)
    if correlation < LEAST_ALIKE:
        return None, (
            f"the threshold cannot be carried over: the two hardly agree on the documents "
            f"(Spearman's correlation {correlation:.2f}). Choose it anew, on judged queries"
        )
    if not before[0] <= threshold <= before[-1]:
        return None, (
            f"the threshold {threshold:g} cannot be carried over: no document is on the other "
            f"side of it (scores run from {before[0]:.4g} to {before[-1]:.4g})"
        )
    at = _fitted(before, after, threshold)
    alike = sum((a >= threshold) == (b >= at) for a, b in pairs)
    return Carried(
        threshold,
        at,
        sum(a >= threshold for a in before) / len(pairs),
        sum(b >= at for b in after) / len(pairs),
        alike / len(pairs),
        len(pairs),
        correlation,
    ), None


def _fitted(before: list[float], after: list[float], at: float) -> float:
    """The regression's value there, between the two nearest old scores in proportion."""
    means: dict[float, list[float]] = {}
    for a, b in zip(before, after, strict=True):
        means.setdefault(a, []).append(b)
    x = list(means)  # one point an old score, weighed by how many documents have it
    weights = [float(len(of)) for of in means.values()]
    y = [sum(of) / len(of) for of in means.values()]
    fitted = package("scipy.optimize").isotonic_regression(y, weights=weights).x
    right = bisect_left(x, at)
    if right == 0 or x[right] == at:
        return float(fitted[right])
    share = (at - x[right - 1]) / (x[right] - x[right - 1])
    return float(fitted[right - 1] + share * (fitted[right] - fitted[right - 1]))
