"""Which setting to take, from the values that each has on the same queries.

On twenty-five queries the best of twenty settings is the best by luck, and a test at 5% finds
hardly anything there is to find: what it then keeps is often the wrong end. So neither decides:

- a setting on a curve, shares of the weight in tenths, is worth what it and its neighbours are
  worth, weighted by a bell: luck is a spike, a better share has better neighbours. The simple
  ends, the retriever alone and a scorer alone, stand for themselves;
- what queries like these would have said is drawn by the Bayesian bootstrap (Rubin, Annals of
  Statistics 9, 1981), and each setting's loss is taken against the better end of every draw,
  half of it against the default, half and half, where that is better still;
- taken is the setting that loses least in the tenth of the draws that are worst for it (expected
  shortfall: Acerbi and Tasche, Journal of Banking and Finance 26, 2002). An end that is surely
  better loses nothing; where ends cannot be told apart, a combination loses less than either;
- a lesser depth is taken instead if it is better by two standard errors of the difference.

`benchmarks/tune.py` has what this is worth on small samples of published runs, beside the rule
that it took the place of. Tried and left out: more scales and fusion by ranks, whose many
settings follow luck; a Gaussian process over the shares, whose prior pulled small samples to the
middle; another share of the draws, from the worst fiftieth to a half, and losses weighted two to
twenty times, which change little.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

from .packages import package
from .settings import Setting
from .significance import paired

#: How many standard errors a lesser depth must be better by.
ERRORS = 2.0
#: The width of the bell over shares of the weight.
WIDTH = 0.12
#: Draws of the bootstrap, and the share of them that is looked at.
DRAWS, WORST = 400, 0.1
#: How much of what the default has over the better end counts as lost.
DEFAULT_COUNTS = 0.5
#: The shipped default: half and half after min-max.
DEFAULT_SHARE, DEFAULT_SCALE = 0.5, "min-max"

#: One row a query, one column a setting.
Table = Any


@dataclass(frozen=True)
class Columns:
    """What a table's columns stand for, by the settings that are measured in them."""

    settings: Sequence[Setting]

    @cached_property
    def _deepest(self) -> dict[str | None, int]:
        deepest: dict[str | None, int] = {}
        for one in self.settings:
            deepest[one.system] = max(one.depth, deepest.get(one.system, 0))
        return deepest

    @cached_property
    def lesser(self) -> list[int]:
        """Those that rerank fewer than another of the same scorer."""
        return [at for at, one in enumerate(self.settings) if one.depth < self._deepest[one.system]]

    @cached_property
    def whole(self) -> list[int]:
        """All others, as deep as is tried."""
        return [at for at in range(len(self.settings)) if at not in set(self.lesser)]

    @cached_property
    def ends(self) -> list[int]:
        """The retriever alone, and each scorer alone."""
        return [at for at in self.whole if not self.settings[at].combined]

    @cached_property
    def defaults(self) -> list[int]:
        """Half and half, as the shipped default combines."""
        return [
            at
            for at in self.whole
            if (made := self.settings[at].combination) is not None
            and self.settings[at].share == DEFAULT_SHARE
            and made.normalize == DEFAULT_SCALE
        ]

    @cached_property
    def smoother(self) -> Table:
        """By column of `whole`: the weights of the columns that it is worth the mean of."""
        np = package("numpy")
        found = np.zeros((len(self.whole), len(self.settings)))
        for row, at in enumerate(self.whole):
            one = self.settings[at]
            if one.share is None:
                found[row, at] = 1.0
                continue
            for other in self.whole:
                share = self.settings[other].share
                if share is not None and self.settings[other].curve == one.curve:
                    found[row, other] = np.exp(-(((share - one.share) / WIDTH) ** 2) / 2)
        return found / found.sum(1, keepdims=True)


def choose(values: Table, columns: Columns) -> int:
    """The column to take. The same values give the same answer."""
    np = package("numpy")
    whole = columns.whole
    smooth = values @ columns.smoother.T
    drawn = _weights(len(values)) @ smooth
    place = {at: row for row, at in enumerate(whole)}
    reference = drawn[:, [place[at] for at in columns.ends]].max(1)
    if columns.defaults:
        best = drawn[:, [place[at] for at in columns.defaults]].max(1)
        reference = reference + DEFAULT_COUNTS * np.maximum(0, best - reference)
    lost = np.sort(drawn - reference[:, None], axis=0)[: max(1, round(WORST * len(drawn)))]
    # of equals the first, and ends come first
    ranked = [*columns.ends, *(at for at in whole if at not in set(columns.ends))]
    worth = lost.mean(0)
    best_at = max(ranked, key=lambda at: round(float(worth[place[at]]), 12))
    if not columns.lesser or len(values) < 2:
        return best_at
    differences = values[:, columns.lesser] - values[:, [best_at]]
    error = differences.std(0, ddof=1) / np.sqrt(len(values))
    surely = differences.mean(0) - ERRORS * error
    return columns.lesser[int(surely.argmax())] if surely.max() > 0 else best_at


@lru_cache(maxsize=4)
def _weights(count: int) -> Table:
    """Dirichlet weights of the queries, a row a draw: always the same ones for as many."""
    np = package("numpy")
    drawn = np.random.default_rng(0).standard_exponential((DRAWS, count))
    return drawn / drawn.sum(1, keepdims=True)


def cross_validate(
    values: Table, columns: Columns, *, splits: int, folds: int, seed: int
) -> tuple[Table, list[int]]:
    """What choosing is worth on queries that it has not seen.

    The queries are split at random into `folds`, `splits` times. On each fold in turn the setting
    is used that was chosen on all others. Returns the values, one row a split and one column a
    query, and the chosen columns. Each split covers every query once, so that its mean compares
    with a setting's mean over all.
    """
    np = package("numpy")
    draw = np.random.default_rng(seed)
    count = len(values)
    folds = max(2, min(folds, count))
    held_out, chosen = np.empty((splits, count)), []
    for split in range(splits):
        shuffled = draw.permutation(count)
        for fold in range(folds):
            test = shuffled[fold::folds]
            column = choose(values[np.setdiff1d(shuffled, test)], columns)
            held_out[split, test] = values[test, column]
            chosen.append(column)
    return held_out, chosen


def chance(better: Table, worse: Table) -> float:
    """The two-sided p of the paired t test over queries."""
    return paired([float(v) for v in worse], [float(v) for v in better]).p
