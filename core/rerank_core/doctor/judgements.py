"""Is there enough judged to tell?"""

from __future__ import annotations

from collections.abc import Iterator
from statistics import fmean, stdev

from ..evaluation.advice import FEW
from ..evaluation.judged import condensed, unjudged
from ..evaluation.measures import parse, per_query
from .chance import surely_positive
from .evidence import Evidence, key
from .finding import Cause, Finding, Severity
from .quality import Order, as_ranked, as_retrieved, differences, gains


def unjudged_finds(evidence: Evidence) -> Iterator[Finding]:
    """Documents on top that nobody judged, which count as irrelevant.

    Not where what is judged says that reranking harms all the same.
    """
    grades = {str(n): case.grades or {} for n, case in enumerate(evidence.judged)}
    before, after = _orders(evidence, as_retrieved), _orders(evidence, as_ranked)
    if (shares := unjudged(before, after, grades)) is None:
        return
    (measure,) = parse(["nDCG@10"])
    first, second = (
        [
            *per_query([measure], grades, condensed(orders, grades))["nDCG@10"].values(),
            *[0.0] * evidence.zeros,
        ]
        for orders in (before, after)
    )
    if surely_positive(differences(first, second), 0.05):
        return
    down_to = f"; below rank {shares.down_to} of the retriever's order nothing is judged" * bool(
        shares.down_to
    )
    yield Finding(
        Cause.UNJUDGED,
        Severity.UNCLEAR,
        f"{shares.run:.0%} of the first ten after reranking are judged, {shares.base:.0%} before"
        f"{down_to}. Leaving out what is unjudged, nDCG@10 is {fmean(first):.3f} before and "
        f"{fmean(second):.3f} after",
        "what is unjudged counts as irrelevant, so that whatever else the reranker finds looks "
        "like a mistake: nothing can be said of its depth or weight",
        "judge the first ten of both orders, then look again; do not rerank less for this. Until "
        "then compare by condensed lists or Bpref: rerank eval -m "
        '"nDCG(judged_only=True)@10 Bpref"',
    )


def _orders(evidence: Evidence, order: Order) -> dict[str, list[str]]:
    found = {}
    for n, case in enumerate(evidence.judged):
        keys = {hit.index: key(hit) for hit in case.hits}
        found[str(n)] = [keys[index] for index in order(case)]
    return found


def find(evidence: Evidence) -> Iterator[Finding]:
    """Judgements, but so few that neither help nor harm shows beyond chance."""
    if len(evidence.judged) + evidence.zeros >= FEW or all(
        case.grades is None for case in evidence.cases
    ):
        return
    gain = gains(evidence)
    # two-sided at 5%
    if surely_positive(gain, 0.025) or surely_positive([-value for value in gain], 0.025):
        return
    seen = evidence.counted
    if gain:
        seen += f"; reranking changes nDCG@10 by {fmean(gain):+.3f} over all of them"
    if len(gain) > 1:
        seen += f", from query to query by {stdev(gain):.2f} up and down"
    yield Finding(
        Cause.TOO_FEW,
        Severity.UNCLEAR,
        seen,
        "a change of this size comes about by chance: whether reranking helps cannot be told",
        f"judge {2 * FEW} queries or more; one relevant document each is a beginning",
    )
