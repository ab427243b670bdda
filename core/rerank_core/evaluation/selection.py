"""Which setting to take, from the values that each has on the same queries.

Trying a hundred settings on fifty queries, some will look better by luck, and a choice between two
equals will follow it. So the simple ends, the retriever alone and each scorer alone, have the
first word, and two standard errors (of the difference, query by query) the second:

- where one end is that much better than the others, it stays, unless a setting beats it by as much;
- where ends cannot be told apart, neither is followed: the reference is their mean, which a
  combination rarely falls below, and a setting is taken even if it only comes closest to that.

Among settings the one with the largest difference less its two errors is taken (a lower confidence
bound in place of the mean, which favours luck). On SciFact and TREC DL 2019, every run as the
retriever of every other and on small samples of their queries, this was the rule that lost least
against the better end and gained most over it; `benchmarks/evaluation.py` has the plain pairs.
"""

from __future__ import annotations

from typing import Any

from .packages import package
from .significance import paired

#: How many standard errors make a difference.
ERRORS = 2.0
#: The least that a second signal must bring to be worth its while.
LEAST = 0.001

#: One row a query, one column a setting.
Table = Any


def choose(values: Table, ends: int) -> int:
    """The column to take. The first `ends` columns are the simple ends."""
    np = package("numpy")
    end = int(np.argmax(values[:, :ends].mean(0)))
    if len(values) < 2 or values.shape[1] == ends:
        return end
    behind, error = _differences(values[:, :ends], values[:, end])
    equals = behind >= -ERRORS * error  # the better end is one of them
    reference = values[:, :ends][:, equals].mean(1)
    gains, error = _differences(values[:, ends:], reference)
    best = int(np.argmax(gains - ERRORS * error))
    if equals.sum() > 1:
        return ends + best
    return ends + best if gains[best] >= max(LEAST, ERRORS * error[best]) else end


def _differences(values: Table, reference: Table) -> tuple[Table, Table]:
    """By column: the mean difference to the reference, and its standard error."""
    np = package("numpy")
    differences = values - reference[:, None]
    return differences.mean(0), differences.std(0, ddof=1) / np.sqrt(len(values))


def cross_validate(
    values: Table, ends: int, *, splits: int, folds: int, seed: int
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
            column = choose(values[np.setdiff1d(shuffled, test)], ends)
            held_out[split, test] = values[test, column]
            chosen.append(column)
    return held_out, chosen


def chance(better: Table, worse: Table, seed: int) -> float:
    """The two-sided p of the paired randomisation test over queries."""
    return paired([float(v) for v in worse], [float(v) for v in better], seed=seed).p
