"""The settings that tuning tries: depths, and ways to combine the retriever and a scorer.

Few, and along a line: shares of the weight in tenths, on two scales. Ranks, reciprocal rank
fusion, the sigmoid and raw scores were tried, too; on published runs none of them was better on
queries held out, and a hundred settings follow luck further than twenty do.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ..combine.combination import WeightedSum
from ..combine.normalize import Normalization
from ..ranking.candidate import RETRIEVAL
from .packages import package
from .run import RETRIEVER
from .signals import Array, Signals, normalized

#: The scorer's share of the weight; the rest is the retriever's.
WEIGHTS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
#: The first is that of the default, half and half.
NORMALIZATIONS: tuple[Normalization, ...] = ("min-max", "z-score")
#: Depths tried, beside all candidates.
DEPTHS = (10, 20, 50)


@dataclass(frozen=True, slots=True)
class Setting:
    """How to rank: by `system`'s scores alone (None: the retriever's order), or combined.

    Only the first `depth` candidates are reranked; the others stay beneath, as retrieved.
    """

    system: str | None
    depth: int
    combination: WeightedSum | None = None
    label: str = ""

    @property
    def combined(self) -> bool:
        """Whether it is neither the retriever alone nor a scorer alone."""
        return self.combination is not None

    @property
    def share(self) -> float | None:
        """The scorer's share of the weight, 0..1; None where nothing is combined."""
        if self.combination is None or self.system is None:
            return None
        return self.combination.weights[self.system]

    @property
    def curve(self) -> tuple[object, ...] | None:
        """What settings have in common that differ in the share alone; None for the others."""
        if self.combination is None:
            return None
        return self.system, self.depth, self.combination.normalize


RETRIEVER_ALONE = Setting(None, 0, label=RETRIEVER)


def settings(
    systems: Sequence[str],
    most: int,
    depths: Sequence[int] | None = None,
    fixed: Mapping[str, Sequence[int]] | None = None,
) -> Iterator[Setting]:
    """The retriever first, then each system, alone and combined, the deepest first.

    `most`: how many candidates there are; `depths` (default: 10, 20 and 50) beside that one.
    `fixed`: of some systems, the only lesser depths that can be told.
    """
    yield RETRIEVER_ALONE
    for name in systems:
        lesser = (fixed or {}).get(name, depths or DEPTHS)
        for depth in [most, *sorted({d for d in lesser if d < most}, reverse=True)]:
            where = "" if depth == most else f", depth {depth}"
            yield Setting(name, depth, label=f"{name} alone{where}")
            for how in NORMALIZATIONS:
                for share in WEIGHTS:
                    weights = {RETRIEVAL: round(1 - share, 2), name: share}
                    label = f"{share:.1f} {name}, {how}{where}"
                    yield Setting(name, depth, WeightedSum(weights, normalize=how), label)


def order(setting: Setting, signals: Signals) -> Array:
    """Columns, best first, row by row; columns that a query does not have come last."""
    np = package("numpy")
    total = np.full(signals.retrieval.shape, np.nan)
    depth = min(setting.depth, signals.depth)
    if setting.system is not None and depth:
        total[:, :depth] = _total(setting, signals, depth)
    beneath = np.where(np.isnan(total), np.inf, -total)
    # stable: ties, and what is not reranked, stay as retrieved
    return np.argsort(beneath, axis=1, kind="stable")


def _total(setting: Setting, signals: Signals, depth: int) -> Array:
    assert setting.system is not None
    scorer = signals.scorer(setting.system, depth)
    if setting.combination is None:
        return -scorer.positions[:, :depth]
    how = setting.combination.normalize
    assert isinstance(how, str)
    weights = setting.combination.weights
    return weights[RETRIEVAL] * normalized(signals.retrieval[:, :depth], how) + weights[
        setting.system
    ] * normalized(scorer.scores[:, :depth], how)
