"""What an evaluation holds, in the shapes that the report draws. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from ..evaluation.evaluation import Evaluation, Result
from ..evaluation.measures import parse, per_query

#: Depths at which the quality is looked at.
DEPTHS = (0, 5, 10, 20, 30, 50, 75, 100)


@dataclass(frozen=True, slots=True)
class Change:
    """One query's value before and after."""

    query: str
    before: float
    after: float

    @property
    def by(self) -> float:
        """After minus before."""
        return self.after - self.before


def order(result: Result, query: str) -> list[str]:
    """The documents of a query, best first, as they are measured."""
    ranked = result.run.rankings.get(query)
    if ranked is None or not result.run.by_score:
        return [] if ranked is None else list(ranked.ids)
    # trec_eval, and so every figure here, breaks ties by document id
    by_score = sorted(zip(ranked.ids, ranked.scores, strict=True), reverse=True)
    return [doc for doc, _ in sorted(by_score, key=lambda pair: -(pair[1] or 0.0))]


def changes(found: Evaluation, result: Result) -> list[Change]:
    """Every judged query in the measure that decides, the greatest gain first."""
    name = found.measures[0]
    before, after = found.base.by_query[name], result.by_query[name]
    values = [Change(query, before[query], after[query]) for query in before]
    return sorted(values, key=lambda change: -change.by)


def moves(found: Evaluation, result: Result) -> list[tuple[int, int]]:
    """Every relevant candidate's rank before and after, from 1."""
    pairs = []
    for query, grades in found.collection.qrels.items():
        before = {doc: rank for rank, doc in enumerate(order(found.base, query), start=1)}
        after = {doc: rank for rank, doc in enumerate(order(result, query), start=1)}
        pairs += [
            (before[doc], after[doc])
            for doc, grade in grades.items()
            if grade > 0 and doc in before and doc in after
        ]
    return pairs


def by_depth(found: Evaluation, result: Result) -> list[tuple[int, float]]:
    """The mean of the measure that decides where only the first so many are reranked."""
    (measure,) = parse([found.measures[0]])
    deepest = found.collection.deepest
    curve = []
    base = {query: order(found.base, query) for query in found.collection.candidates}
    new = {query: order(result, query) for query in found.collection.candidates}
    for depth in sorted({depth for depth in DEPTHS if depth < deepest} | {deepest}):
        run = {}
        for query, ids in base.items():
            first = set(ids[:depth])
            told = [doc for doc in new[query] if doc in first]
            rest = [doc for doc in ids if doc not in set(told)]
            run[query] = {doc: -float(position) for position, doc in enumerate([*told, *rest])}
        values = per_query([measure], found.collection.qrels, run)[str(measure)]
        curve.append((depth, fmean(values.values())))
    return curve


def scores(found: Evaluation, result: Result) -> tuple[list[float], list[float]]:
    """The scores of relevant documents, and of all others."""
    relevant: list[float] = []
    others: list[float] = []
    for query, ranked in result.run.rankings.items():
        grades = found.collection.qrels.get(query, {})
        for doc, score in zip(ranked.ids, ranked.scores, strict=True):
            if score is not None:
                (relevant if grades.get(doc, 0) > 0 else others).append(score)
    return relevant, others


def worst(found: Evaluation, result: Result, count: int) -> Sequence[Change]:
    """The queries that lose most; at most `count`."""
    losing = [change for change in changes(found, result)[::-1] if change.by < 0]
    return losing[:count]
