"""The settings that tuning tries: depths, and ways to combine the retriever and a scorer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ..combine.combination import Combination, ReciprocalRankFusion, WeightedSum
from ..combine.normalize import Normalization
from ..ranking.candidate import RETRIEVAL
from .packages import package
from .signals import Array, Signals, normalized, ranks

#: The scorer's share of the weight; the rest is the retriever's.
WEIGHTS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
NORMALIZATIONS: tuple[Normalization, ...] = ("min-max", "z-score", "rank", "sigmoid", "none")
#: For reciprocal rank fusion: 60 as published, 10 where the top should count for more.
KS = (10, 60)
FUSED_WEIGHTS = (0.3, 0.5, 0.7)
#: Depths tried, beside all candidates.
DEPTHS = (10, 20, 50)


@dataclass(frozen=True, slots=True)
class Setting:
    """How to rank: by `system`'s scores alone (None: the retriever's order), or combined.

    Only the first `depth` candidates are reranked; the others stay beneath, as retrieved.
    """

    system: str | None
    depth: int
    combination: Combination | None = None
    label: str = ""

    @property
    def combined(self) -> bool:
        """Whether it is neither the retriever alone nor a scorer alone."""
        return self.combination is not None


RETRIEVER_ALONE = Setting(None, 0, label="the retriever alone")


def settings(
    systems: Sequence[str], most: int, depths: Sequence[int] | None = None
) -> Iterator[Setting]:
    """The simple ends first (the retriever, each system alone at full depth), then all others.

    `most`: how many candidates there are; `depths` (default: 10, 20 and 50) beside that one.
    """
    yield RETRIEVER_ALONE
    for name in systems:
        yield Setting(name, most, label=f"{name} alone")
    tried = [most, *sorted({d for d in depths or DEPTHS if d < most}, reverse=True)]
    for name in systems:
        for depth in tried:
            where = "" if depth == most else f", depth {depth}"
            if depth != most:
                yield Setting(name, depth, label=f"{name} alone{where}")
            for how in NORMALIZATIONS:
                for share in WEIGHTS:
                    weights = {RETRIEVAL: round(1 - share, 2), name: share}
                    label = f"{share:.1f} {name}, {how}{where}"
                    yield Setting(name, depth, WeightedSum(weights, normalize=how), label)
            for k in KS:
                for share in FUSED_WEIGHTS:
                    weights = {RETRIEVAL: round(1 - share, 2), name: share}
                    label = f"{share:.1f} {name}, RRF k={k}{where}"
                    yield Setting(name, depth, ReciprocalRankFusion(k, weights), label)


def order(setting: Setting, signals: Signals) -> Array:
    """Columns, best first, row by row; columns that a query does not have come last."""
    np = package("numpy")
    total = np.full(signals.retrieval.scores.shape, np.nan)
    depth = min(setting.depth, signals.depth)
    if setting.system is not None and depth:
        total[:, :depth] = _total(setting, signals, depth)
    beneath = np.where(np.isnan(total), np.inf, -total)
    # stable: ties, and what is not reranked, stay as retrieved
    return np.argsort(beneath, axis=1, kind="stable")


def _total(setting: Setting, signals: Signals, depth: int) -> Array:
    assert setting.system is not None
    combination, scorer = setting.combination, signals.scorers[setting.system]
    if combination is None:
        return -signals.positions[setting.system][:, :depth]
    assert combination.weights is not None
    both = ((RETRIEVAL, signals.retrieval), (setting.system, scorer))
    if isinstance(combination, ReciprocalRankFusion):
        return sum(
            combination.weights[name] / (combination.k + ranks(signal, depth))
            for name, signal in both
        )
    assert isinstance(combination, WeightedSum)
    assert isinstance(combination.normalize, str)
    return sum(
        combination.weights[name] * normalized(signal, combination.normalize, depth)
        for name, signal in both
    )
