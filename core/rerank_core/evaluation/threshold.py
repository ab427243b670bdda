"""Below which score nothing is relevant, fitted on queries with and without a relevant one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from statistics import fmean
from typing import Any

from .collection import Collection
from .packages import package
from .run import Run
from .significance import LEVEL

#: At least so many queries of either kind; with fewer there is nothing to fit.
FEWEST = 10


@dataclass(frozen=True, slots=True)
class Threshold:
    """If a query's best score is below `score`, probably no candidate is relevant.

    `kept`: the share of queries with a relevant candidate whose best score reaches it; `caught`:
    the share of those without one that it gives away. Both are held-out means (each query by a
    threshold fitted on the others), as is chance at 0.5 each. `area`: under the ROC curve.
    """

    score: float
    kept: float
    caught: float
    area: float
    queries: int

    def to_dict(self) -> dict[str, Any]:
        """As JSON-serialisable values."""
        return asdict(self)


def fit_threshold(collection: Collection, run: Run) -> tuple[Threshold | None, str]:
    """The threshold on the run's own scores, and a sentence on it, or on why there is none.

    Youden's J decides (Cancer 3, 1950): the sum of both shares.
    """
    best, answerable = [], []
    for query, grades in collection.qrels.items():
        ranked = run.rankings.get(query)
        scores = [s for s in ranked.scores if s is not None] if ranked else []
        if ranked is None or not scores:
            continue
        best.append(max(scores))
        answerable.append(any(grades.get(doc, 0) > 0 for doc in ranked.ids))
    with_, without = sum(answerable), len(answerable) - sum(answerable)
    if min(with_, without) < FEWEST:
        return None, (
            f"no threshold for “nothing relevant” from {run.name}: {with_} judged queries have a "
            f"relevant candidate, {without} have none; it takes {FEWEST} of each"
        )
    yes = [score for score, relevant in zip(best, answerable, strict=True) if relevant]
    no = [score for score, relevant in zip(best, answerable, strict=True) if not relevant]
    test = package("scipy.stats").mannwhitneyu(yes, no, alternative="greater")
    area = float(test.statistic) / (len(yes) * len(no))
    if test.pvalue >= LEVEL:
        return None, (
            f"no threshold for “nothing relevant” from {run.name}: its best scores are no higher "
            f"where something is relevant (area {area:.2f}, p = {test.pvalue:.2f})"
        )
    kept, caught = _held_out(best, answerable)
    found = Threshold(_fit(best, answerable), kept, caught, area, len(best))
    return found, (
        f"where the best score of {run.name} is below {found.score:.4g}, probably nothing is "
        f"relevant: on held-out queries this leaves {found.kept:.0%} of those with a relevant "
        f"candidate, and catches {found.caught:.0%} of those without"
    )


def _fit(best: Sequence[float], answerable: Sequence[bool]) -> float:
    """Between the two neighbouring scores where Youden's J is largest."""
    np = package("numpy")
    by_score = np.argsort(best, kind="stable")
    scores = np.array(best)[by_score]
    relevant = np.array(answerable)[by_score]
    caught = np.cumsum(~relevant) / max(1, (~relevant).sum())
    lost = np.cumsum(relevant) / max(1, relevant.sum())
    rising = np.append(scores[1:] > scores[:-1], False)  # a cut splits no equal scores
    gain = np.where(rising, caught - lost, -np.inf)
    if not rising.any():
        return float(scores[0])
    at = int(np.argmax(gain))
    return float((scores[at] + scores[at + 1]) / 2)


def _held_out(best: Sequence[float], answerable: Sequence[bool]) -> tuple[float, float]:
    kept, caught = [], []
    for fold in range(FEWEST):
        train = [i for i in range(len(best)) if i % FEWEST != fold]
        cut = _fit([best[i] for i in train], [answerable[i] for i in train])
        for i in range(fold, len(best), FEWEST):
            if answerable[i]:
                kept.append(best[i] >= cut)
            else:
                caught.append(best[i] < cut)
    return fmean(kept), fmean(caught)
