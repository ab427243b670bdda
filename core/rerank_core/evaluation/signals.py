"""The retriever's and a scorer's signals of all queries as arrays, to combine them many ways fast.

A row is a query, a column a candidate in retrieval order; rows end in NaN where a query has fewer
candidates than another. `tests/evaluation/test_signals.py` holds this to `rerank_core.combine`,
whose results it must equal: the reranker will use those, not these.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..combine.estimate import estimate
from .collection import Collection
from .packages import package
from .run import Run

Array = Any  # numpy.ndarray: NumPy is an extra


@dataclass(frozen=True, slots=True)
class Signal:
    """One signal: its `scores`, and `standing`, which orders where scores tie.

    They differ only for a run from a file, whose scores are often rounded until most are the
    same, while its ranks still tell; a reranker's own scores tie where they tie.
    """

    scores: Array
    standing: Array


@dataclass(frozen=True, slots=True)
class Signals:
    """The queries and document ids behind rows and columns, and the signals, by name.

    `positions`: of every candidate in the order that a system gave by itself, from 0, by name.
    """

    queries: list[str]
    ids: list[list[str]]
    retrieval: Signal
    scorers: Mapping[str, Signal]
    positions: Mapping[str, Array]

    @property
    def depth(self) -> int:
        """The most candidates that any query has."""
        return int(self.retrieval.scores.shape[1])


def signals_of(collection: Collection, runs: Mapping[str, Run]) -> Signals:
    """The judged queries' signals. A candidate that a run leaves out stays beneath those it has."""
    np = package("numpy")
    queries = [query for query in collection.judged if query in collection.candidates]
    ids = [[str(candidate.id) for candidate in collection.candidates[query]] for query in queries]
    shape = (len(queries), max(map(len, ids), default=0))

    def empty() -> Array:
        return np.full(shape, np.nan)

    retrieval = Signal(empty(), empty())
    for row, query in enumerate(queries):
        told = [candidate.score for candidate in collection.candidates[query]]
        count = len(told)
        falling = np.arange(count, 0, -1, dtype=float)
        known = falling if None in told else np.array(told, dtype=float)
        retrieval.scores[row, :count] = known
        retrieval.standing[row, :count] = falling if collection.base.by_score else known
    scorers, positions = {}, {}
    for name, run in runs.items():
        scorers[name], positions[name] = Signal(empty(), empty()), empty()
        for row, query in enumerate(queries):
            scores, standing, order = _row(run, query, ids[row])
            count = len(ids[row])
            scorers[name].scores[row, :count] = scores
            scorers[name].standing[row, :count] = standing
            positions[name][row, :count] = order
    return Signals(queries, ids, retrieval, scorers, positions)


def _row(
    run: Run, query: str, ids: Sequence[str]
) -> tuple[Sequence[float], Sequence[float], Sequence[float]]:
    """A query's scores, standings and positions in the run, by candidate."""
    ranked = run.rankings.get(query)
    at = {} if ranked is None else {doc: position for position, doc in enumerate(ranked.ids)}
    known = [] if ranked is None else list(ranked.scores)
    scores = [known[at[doc]] if doc in at else None for doc in ids]
    order = [float(at.get(doc, len(at) + position)) for position, doc in enumerate(ids)]
    if not run.by_score:
        filled = estimate(scores)
        return filled, filled, order
    present = [score for score in scores if score is not None]
    lowest = min(present, default=0.0)
    return [lowest if s is None else s for s in scores], [-position for position in order], order


def normalized(signal: Signal, how: str, depth: int) -> Array:
    """The first `depth` columns on another scale, row by row, as `combine.normalize` does."""
    np = package("numpy")
    values = signal.scores[:, :depth]
    if how == "rank":
        rank = ranks(signal, depth)
        return np.where(counts(values) > 1, 1 - (rank - 1) / np.maximum(counts(values) - 1, 1), 0.5)
    if how == "none":
        return values
    if how == "sigmoid":
        return 1 / (1 + np.exp(-np.clip(values, -700, 700)))
    low, high = np.nanmin(values, 1, keepdims=True), np.nanmax(values, 1, keepdims=True)
    same = high == low
    if how == "min-max":
        scaled = np.where(same, 0.5, (values - low) / np.where(same, 1, high - low))
    else:
        scale = np.nanmax(np.abs(values), 1, keepdims=True)
        small = values / np.where(scale > 0, scale, 1)
        mean, deviation = np.nanmean(small, 1, keepdims=True), np.nanstd(small, 1, keepdims=True)
        scaled = np.where(same, 0.0, (small - mean) / np.where(same, 1, deviation))
    return np.where(np.isnan(values), np.nan, scaled)


def ranks(signal: Signal, depth: int) -> Array:
    """Ranks from 1 within the first `depth` columns, equal values sharing their mean."""
    return package("scipy.stats").rankdata(
        -signal.standing[:, :depth], method="average", axis=1, nan_policy="omit"
    )


def counts(values: Array) -> Array:
    """How many values each row has, as a column."""
    np = package("numpy")
    return (~np.isnan(values)).sum(1, keepdims=True)
