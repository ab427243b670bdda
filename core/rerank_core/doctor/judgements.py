"""Is there enough judged to tell?"""

from __future__ import annotations

from collections.abc import Iterator
from statistics import fmean, stdev

from ..evaluation.advice import FEW
from .chance import surely_positive
from .evidence import Evidence
from .finding import Cause, Finding, Severity
from .quality import as_ranked, as_retrieved, differences, ndcg


def find(evidence: Evidence) -> Iterator[Finding]:
    """Judgements, but so few that neither help nor harm shows beyond chance."""
    judged = evidence.judged
    if len(judged) >= FEW or all(case.grades is None for case in evidence.cases):
        return
    gain = differences(ndcg(evidence, as_ranked), ndcg(evidence, as_retrieved)) if judged else []
    # two-sided at 5%
    if surely_positive(gain, 0.025) or surely_positive([-value for value in gain], 0.025):
        return
    seen = f"{len(judged)} of {len(evidence.cases)} queries have a document judged relevant"
    if gain:
        seen += f"; reranking changes nDCG@10 by {fmean(gain):+.3f} on these"
    if len(gain) > 1:
        seen += f", from query to query by {stdev(gain):.2f} up and down"
    yield Finding(
        Cause.TOO_FEW,
        Severity.UNCLEAR,
        seen,
        "a change of this size comes about by chance: whether reranking helps cannot be told",
        f"judge {2 * FEW} queries or more; one relevant document each is a beginning",
    )
