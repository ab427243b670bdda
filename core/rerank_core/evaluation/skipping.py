"""When the last stage of a cascade need not be asked, learned on judged queries.

Where the order so far is sure of its best, a stage after it changes little, or for the worse. How
sure is enough is the margin that `Stage(unless=…)` takes. It is only handed out if on queries held
out, in every random split of them, it was never worse than asking about all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from ..combine.standing import margin
from ..errors import InvalidInputError
from .collection import Collection
from .measures import parse, per_query
from .packages import package
from .run import Run

ROUNDING = 1e-9
#: Fewer judged queries than that tell nothing of a margin.
FEWEST = 20


@dataclass(frozen=True, slots=True)
class Skipping:
    """A margin from which on the stage is skipped, and what it is worth.

    `skipped`: the share of the queries where it is. `before`, `whole`: the mean of the measure
    without the stage, and with it for every query. `held_out`: with the margin, each query by one
    that was learned without it; the mean over random splits, and `worst` the least of them.
    """

    unless: float
    skipped: float
    before: float
    whole: float
    held_out: float
    worst: float
    queries: int

    def to_dict(self) -> dict[str, Any]:
        """As JSON-serialisable values."""
        return asdict(self)


def learn_unless(
    collection: Collection,
    before: Run,
    whole: Run,
    *,
    depth: int | None = None,
    measure: str = "nDCG@10",
    splits: int = 20,
    folds: int = 10,
    seed: int = 0,
) -> tuple[Skipping | None, str]:
    """The margin for a cascade's last stage, and a sentence on it, or on why there is none.

    `before`: the run without that stage, whose scores have the margins; `whole`: the run with it,
    asked about every query. `depth`: how many it is shown.
    """
    (parsed,) = parse([measure])
    queries = [q for q in collection.qrels if q in before.rankings and q in whole.rankings]
    qrels = {query: collection.qrels[query] for query in queries}
    without, with_ = (
        per_query([parsed], qrels, run.to_measure())[str(parsed)] for run in (before, whole)
    )
    return fit_unless(
        [margin(before.rankings[query].scores[:depth]) for query in queries],
        [without[query] for query in queries],
        [with_[query] for query in queries],
        splits=splits,
        folds=folds,
        seed=seed,
    )


def fit_unless(
    margins: Sequence[float | None],
    before: Sequence[float],
    whole: Sequence[float],
    *,
    splits: int = 20,
    folds: int = 10,
    seed: int = 0,
) -> tuple[Skipping | None, str]:
    """The same from each query's margin, and its measure without the stage and with it."""
    if splits < 1:
        raise InvalidInputError(f"splits is {splits}: draw at least 1")
    np = package("numpy")
    count = len(margins)
    if count < FEWEST:
        return None, f"no margin to skip the last stage by: {count} judged queries, {FEWEST} needed"
    # one that is unknown is never skipped
    ahead = np.array([-np.inf if one is None else one for one in margins])
    lost, kept = np.array(before), np.array(whole)
    gains = lost - kept
    held_out = np.array(
        [
            np.where(skips, lost, kept).mean()
            for skips in _held_out(ahead, gains, splits, folds, seed)
        ]
    )
    unless = _fit(ahead, gains)
    found = Skipping(
        unless=float(unless),
        skipped=float((ahead >= unless).mean()),
        before=float(lost.mean()),
        whole=float(kept.mean()),
        held_out=float(held_out.mean()),
        worst=float(held_out.min()),
        queries=count,
    )
    if not found.skipped:
        return None, "no margin to skip the last stage by: it is better asked about every query"
    if found.unless <= 0 or found.before >= max(found.held_out, found.whole):
        return None, (
            f"the last stage is not worth asking: without it the measure is {found.before:.4f}, "
            f"with it {found.whole:.4f}, where it is skipped by a margin {found.held_out:.4f}"
        )
    if found.worst < found.whole - ROUNDING:
        return None, (
            f"no margin to skip the last stage by: held out, {found.worst:.4f} to "
            f"{held_out.max():.4f} where asking about every query gives {found.whole:.4f}"
        )
    return found, (
        f"the last stage is skipped for {found.skipped:.0%} of the queries, where the best stands "
        f"{found.unless:.3g} ahead: held out {found.held_out:.4f}, and {found.whole:.4f} where it "
        "is asked about all"
    )


def _fit(ahead: Any, gains: Any) -> float:
    """The margin from which on skipping is expected to gain: by a line over the margins' ranks.

    Two numbers, so that it hardly follows luck. The cut that gains most on the queries at hand,
    on any margin or on tenths of them, with errors taken off or without, was less steady on
    queries held out (SciFact and TREC DL 2019, published runs over BM25).
    """
    np = package("numpy")
    known = np.isfinite(ahead)
    margins, gains = ahead[known], gains[known]
    if len(margins) < 2:
        return float("inf")
    ranks = np.argsort(np.argsort(margins, kind="stable"), kind="stable") / len(margins)
    start, slope = np.linalg.lstsq(np.stack([np.ones_like(ranks), ranks], 1), gains, rcond=None)[0]
    worth = margins[start + slope * ranks >= 0]
    return float(worth.min()) if slope > 0 and len(worth) else float("inf")


def _held_out(ahead: Any, gains: Any, splits: int, folds: int, seed: int) -> list[Any]:
    """By split: which queries are skipped, each by the margin that was learned without it."""
    np = package("numpy")
    draw = np.random.default_rng(seed)
    found = []
    for _ in range(splits):
        shuffled, skips = draw.permutation(len(ahead)), np.zeros(len(ahead), dtype=bool)
        for fold in range(folds):
            test = shuffled[fold::folds]
            train = np.setdiff1d(shuffled, test)
            skips[test] = ahead[test] >= _fit(ahead[train], gains[train])
        found.append(skips)
    return found
