"""nDCG@10 of an order of the candidates, query by query."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from ..evaluation.measures import parse, per_query
from .chance import surely_positive
from .evidence import Case, Evidence, key

#: An order of a case's candidates, by input position.
Order = Callable[[Case], Iterable[int]]


def as_ranked(case: Case) -> Iterable[int]:
    """The ranking's own order."""
    return [hit.index for hit in case.hits]


def as_retrieved(case: Case) -> Iterable[int]:
    """The retriever's order."""
    return [hit.index for hit in case.retrieved]


def at_best(case: Case) -> Iterable[int]:
    """The best order that the judgements allow."""
    grades = case.grades or {}
    return [h.index for h in sorted(case.retrieved, key=lambda hit: -grades.get(key(hit), 0))]


def by_signal(name: str, *, combined: bool) -> Order:
    """By one scorer alone; ties, and what it did not score, in retrieval order beneath."""

    def order(case: Case) -> Iterable[int]:
        told = case.signal(name, combined=combined)
        return sorted(as_retrieved(case), key=lambda index: -told.get(index, -float("inf")))

    return order


def down_to(depth: int) -> Order:
    """Only the first `depth` retrieved reranked, the others left as they were."""

    def order(case: Case) -> Iterable[int]:
        deep = [hit.index for hit in case.retrieved[depth:]]
        return [h.index for h in case.hits if h.retrieved <= depth] + deep

    return order


def ndcg(evidence: Evidence, order: Order) -> list[float]:
    """nDCG@10 (0..1) of every judged case, in their order, then 0 for each judged query that has
    nothing relevant or no candidates: what `rerank eval` takes the mean of."""
    (measure,) = parse(["nDCG@10"])
    qrels = {str(n): dict(case.grades or {}) for n, case in enumerate(evidence.judged)}
    run = {
        str(n): _scores(case, order(case)) for n, case in enumerate(evidence.judged) if case.hits
    }
    found = per_query([measure], qrels, run)["nDCG@10"]
    return [*(found[query] for query in qrels), *[0.0] * evidence.zeros]


def _scores(case: Case, order: Iterable[int]) -> dict[str, float]:
    keys = {hit.index: key(hit) for hit in case.hits}
    return {keys[index]: -float(position) for position, index in enumerate(order)}


def differences(better: Sequence[float], worse: Sequence[float]) -> list[float]:
    """Query by query."""
    return [a - b for a, b in zip(better, worse, strict=True)]


def gains(evidence: Evidence) -> list[float]:
    """What reranking adds to the nDCG@10 of every judged query; none unjudged."""
    if not evidence.judged:
        return []
    return differences(ndcg(evidence, as_ranked), ndcg(evidence, as_retrieved))


def helps(evidence: Evidence, level: float = 0.05) -> bool:
    """Whether reranking is better than the retriever's order beyond chance; False unjudged."""
    return surely_positive(gains(evidence), level)
