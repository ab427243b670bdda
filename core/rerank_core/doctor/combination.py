"""Do the signals of a sum carry the weight that they should? Scales, and weights."""

from __future__ import annotations

from collections.abc import Iterator
from statistics import fmean, median

from ..combine.normalize import rank_correlation
from ..ranking.candidate import RAW, RETRIEVAL
from .chance import surely_positive
from .evidence import Case, Evidence
from .finding import Cause, Finding, Severity
from .quality import as_ranked, as_retrieved, by_signal, differences, ndcg

#: A signal that was given this share of the weights …
MEANT = 0.2
#: … and has this share of what the sum really spans is drowned.
DROWNED = 0.1
#: Where weights are not known: how many times wider one signal is, and how well the final order
#: follows it and not the other.
WIDER, FOLLOWS, IGNORES = 10.0, 0.97, 0.8
#: nDCG@10 that the sum must lose against one of its parts to be worth a word.
WORTH = 0.03
#: How often by chance alone, over all parts.
LEVEL = 0.05


def scales(evidence: Evidence) -> Iterator[Finding]:
    """A scorer drowned by a signal on a larger scale."""
    if not evidence.setup.combined:
        return
    spans = _spans(evidence)
    weights = getattr(evidence.setup.combine, "weights", None) or dict.fromkeys(spans, 1.0)
    reach = {name: weights.get(name, 0.0) * span for name, span in spans.items()}
    loudest = max(reach, key=reach.__getitem__, default="")
    if not loudest or not reach[loudest]:
        return
    for name in evidence.setup.scorers:
        if name == loudest or not weights.get(name) or name not in reach:
            continue
        meant = weights[name] / sum(weights[other] for other in spans if other in weights)
        share = reach[name] / sum(reach.values())
        drowned = meant >= MEANT and share <= DROWNED
        if evidence.setup.combine is None:
            drowned = reach[loudest] >= WIDER * reach[name] and _ignored(evidence, name, loudest)
        if not drowned:
            continue
        given = f" at {meant:.0%} of the weights" if evidence.setup.combine else ""
        yield Finding(
            Cause.SCALE,
            Severity.BROKEN,
            f"within a query {loudest!r} spans {spans[loudest]:.3g} and {name!r} only "
            f"{spans[name]:.3g}: {name!r} has {share:.0%} of the sum{given}",
            f"the order is that of {loudest!r} whatever {name!r} says",
            "put the signals on one scale before they are added: WeightedSum(…, "
            'normalize="min-max") or "z-score", or ReciprocalRankFusion()',
        )


def _spans(evidence: Evidence) -> dict[str, float]:
    """How far apart the best and the worst of each signal are as they enter the sum; medians."""
    spans: dict[str, list[float]] = {}
    for case in evidence.cases:
        names = {n for hit in case.hits for n in hit.components if not n.endswith(RAW)}
        for name in names:
            told = [v for hit in case.hits if (v := hit.components.get(name)) is not None]
            if len(told) > 1:
                spans.setdefault(name, []).append(max(told) - min(told))
    return {name: median(found) for name, found in spans.items()}


def _ignored(evidence: Evidence, name: str, loudest: str) -> bool:
    follows = [_agreement(case, loudest) for case in evidence.cases]
    ignores = [_agreement(case, name) for case in evidence.cases]
    return fmean(follows) >= FOLLOWS and fmean(ignores) < IGNORES


def _agreement(case: Case, name: str) -> float:
    told = case.signal(name, combined=True)
    pairs = [(-float(hit.rank), told[hit.index]) for hit in case.hits if hit.index in told]
    return rank_correlation(pairs) if len(pairs) > 1 else 1.0


def weights(evidence: Evidence) -> Iterator[Finding]:
    """A result that is worse than one of the parts it is made of."""
    setup = evidence.setup
    if not evidence.judged:
        return
    final = ndcg(evidence, as_ranked)
    parts = {RETRIEVAL: ndcg(evidence, as_retrieved)}
    if setup.combined:
        parts |= {n: ndcg(evidence, by_signal(n, combined=True)) for n in setup.scorers}
    better = {
        name: fmean(values)
        for name, values in parts.items()
        if fmean(values) - fmean(final) >= WORTH
        and surely_positive(differences(values, final), LEVEL / len(parts))
    }
    if not better:
        return
    best = max(better, key=better.__getitem__)
    means = ", ".join(f"{name} alone {fmean(values):.3f}" for name, values in parts.items())
    if not setup.combined:
        what = f"the reranker has nDCG@10 {fmean(final):.3f}, the retriever {better[best]:.3f}"
        why = "this scorer is weaker than the retriever whose order it replaces altogether"
        change = (
            "combine the two, the retriever counting for more (WeightedSum, tuned by `rerank "
            "tune`), or take a stronger scorer"
        )
    else:
        what = f"combined, nDCG@10 is {fmean(final):.3f}; {means}"
        weak = best == RETRIEVAL
        why = (
            "a weak scorer counts for too much beside the retriever"
            if weak
            else f"the others drag {best!r} down, which is better without them"
        )
        change = (
            f"give {best!r} more weight; `rerank tune` finds how much on judged queries, "
            "cross-validated"
        )
    yield Finding(
        Cause.WEIGHTS,
        Severity.HARMS,
        f"over {evidence.counted} {what}",
        why,
        change,
    )
