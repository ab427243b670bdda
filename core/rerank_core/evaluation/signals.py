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
from ..ranking.retrieval import RetrievalScore, retrieval_of
from .collection import Collection
from .packages import package
from .run import Run

Array = Any  # numpy.ndarray: NumPy is an extra


@dataclass(frozen=True, slots=True)
class Signal:
    """A scorer's `scores`, and `positions`: where it put each candidate by itself, from 0.

    They differ for a run from a file, whose scores are often rounded until most are the same,
    while its ranks still tell.
    """

    scores: Array
    positions: Array


@dataclass(frozen=True, slots=True)
class Signals:
    """The queries and document ids behind rows and columns, and the signals.

    `scorers`: by name and depth. A scorer that looks at the whole list says other things of its
    first ten alone, which is why a depth may have signals of its own; `scorer` finds them.
    """

    queries: list[str]
    ids: list[list[str]]
    retrieval: Array
    scorers: Mapping[tuple[str, int], Signal]

    @property
    def depth(self) -> int:
        """The most candidates that any query has."""
        return int(self.retrieval.shape[1])

    def scorer(self, name: str, depth: int) -> Signal:
        """The scorer's signal over the first `depth` candidates."""
        return self.scorers.get((name, depth)) or self.scorers[name, self.depth]


def signals_of(
    collection: Collection,
    runs: Mapping[str, Run],
    shallow: Mapping[str, Mapping[int, Run]] | None = None,
    said: RetrievalScore | None = None,
) -> Signals:
    """The judged queries' signals. A candidate that a run leaves out stays beneath those it has.

    `shallow`: runs over the first so many candidates, by scorer and depth. `said`: what the
    retriever's scores are, as in `Reranker`.
    """
    np = package("numpy")
    queries = [query for query in collection.judged if query in collection.candidates]
    ids: list[list[str]] = []
    told: list[Sequence[float]] = []
    for query in queries:
        candidates = collection.candidates[query]
        retrieval = retrieval_of(candidates, said)
        ids.append([str(candidates[index].id) for index in retrieval.order])
        scores = [retrieval.scores[index] for index in retrieval.order]
        known = [score for score in scores if score is not None]
        # as the engine has it: where some lack a score, the order stands in
        told.append(known if len(known) == len(scores) else range(len(scores), 0, -1))
    shape = (len(queries), max(map(len, ids), default=0))
    rows = np.full(shape, np.nan)
    for row, numbers in enumerate(told):
        rows[row, : len(numbers)] = numbers
    named = {(name, shape[1]): run for name, run in runs.items()}
    for name, by_depth in (shallow or {}).items():
        named |= {(name, depth): run for depth, run in by_depth.items()}
    return Signals(
        queries, ids, rows, {at: _signal(run, queries, ids, shape) for at, run in named.items()}
    )


def _signal(
    run: Run, queries: Sequence[str], ids: Sequence[Sequence[str]], shape: tuple[int, int]
) -> Signal:
    np = package("numpy")
    found = Signal(np.full(shape, np.nan), np.full(shape, np.nan))
    for row, query in enumerate(queries):
        scores, order = _row(run, query, ids[row])
        found.scores[row, : len(scores)] = scores
        found.positions[row, : len(order)] = order
    return found


def _row(run: Run, query: str, ids: Sequence[str]) -> tuple[Sequence[float], Sequence[float]]:
    """A query's scores and positions in the run, by candidate."""
    ranked = run.rankings.get(query)
    at = {} if ranked is None else {doc: position for position, doc in enumerate(ranked.ids)}
    known = [] if ranked is None else list(ranked.scores)
    scores = [known[at[doc]] if doc in at else None for doc in ids]
    order = [float(at.get(doc, len(at) + position)) for position, doc in enumerate(ids)]
    if not run.by_score:
        return estimate(scores), order
    present = [score for score in scores if score is not None]
    lowest = min(present, default=0.0)
    return [lowest if score is None else score for score in scores], order


def normalized(values: Array, how: str) -> Array:
    """The rows on another scale, "min-max" or "z-score", as `combine.normalize` does."""
    np = package("numpy")
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
