"""What becomes of the ranking afterwards? Stages that sort again or cut on the new scale."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from statistics import fmean

from .evidence import Case, Evidence, key
from .finding import Cause, Finding, Severity

#: The share of queries whose order is not the reranker's.
OFTEN = 0.1
#: Without judgements: a cut that leaves less than this share on average is worth a word.
LEFT = 0.5
#: With judgements: the share of queries that may lose a relevant document to the cut.
LOST = 0.1


def find(evidence: Evidence) -> Iterator[Finding]:
    """What came out at the end against what the reranker gave; and its own threshold."""
    known = [case for case in evidence.cases if case.served is not None and case.hits]
    resorted = [case for case in known if _is_resorted(case)]
    if known and len(resorted) >= max(1, OFTEN * len(known)):
        yield Finding(
            Cause.LATER_STAGE,
            Severity.BROKEN,
            f"in {len(resorted)} of {len(known)} queries what comes out at the end is not in the "
            f"reranker's order{_pattern(resorted)}",
            "a later stage sorts again: fusion of several retrievers by rank, a reordering for "
            "long contexts, a store or a node postprocessor that sorts by another score",
            "make the reranker the last stage that orders; rerank the fused list, not the lists "
            "to be fused",
        )
        return
    cut = [(case, _kept(case)) for case in known]
    threshold = evidence.setup.threshold
    if not known and threshold is not None:
        top = [(case, case.ranking.all[: evidence.setup.top_n]) for case in evidence.cases]
        cut = [(c, {key(hit) for hit in c.ranking} & {key(h) for h in hits}) for c, hits in top]
    yield from _cuts(evidence, cut)


def _cuts(evidence: Evidence, cut: Sequence[tuple[Case, set[str]]]) -> Iterator[Finding]:
    if not cut:
        return
    offered = [_offered(evidence, case) for case, _ in cut]
    shares = [
        len(kept) / len(given) for (_, kept), given in zip(cut, offered, strict=True) if given
    ]
    lengths = {len(kept) for _, kept in cut}
    if not shares or fmean(shares) == 1 or (len(lengths) == 1 and lengths != {0}):
        return  # nothing cut, or the same number kept of every query: no cut by score
    judged = [
        (kept, case.relevant & set(given))
        for (case, kept), given in zip(cut, offered, strict=True)
        if case.relevant & set(given)
    ]
    losing = sum(bool(relevant - kept) for kept, relevant in judged)
    if judged and losing < max(1, LOST * len(judged)):
        return
    if not judged and fmean(shares) >= LEFT:
        return
    empty = sum(not kept for _, kept in cut)
    lost = f"; {losing} of {len(judged)} queries lose a relevant document by it" if judged else ""
    yield Finding(
        Cause.LATER_STAGE,
        Severity.BROKEN,
        f"{fmean(shares):.0%} of what the reranker returns is left at the end, nothing at all in "
        f"{empty} of {len(cut)} queries{lost}{_scale(cut)}",
        "a cut by score was set on another scale than the reranker's",
        "fit the cutoff on the reranker's scores (`rerank tune` does where judgements allow), or "
        "cut by number with top_n",
    )


def _offered(evidence: Evidence, case: Case) -> list[str]:
    if case.served is None:
        return [key(hit) for hit in case.hits[: evidence.setup.top_n]]
    return [key(hit) for hit in case.ranking]


def _kept(case: Case) -> set[str]:
    return set(case.served or ()) & {key(hit) for hit in case.hits}


def _is_resorted(case: Case) -> bool:
    rank = {key(hit): hit.rank for hit in case.hits}
    ranks = [rank[doc] for doc in case.served or () if doc in rank]
    returned = len(case.ranking)
    # what the reranker did not return, though it had better ones, was put there by another
    strange = bool(ranks) and max(ranks) > returned
    return strange or any(a > b for a, b in pairwise(ranks))


def _pattern(cases: Sequence[Case]) -> str:
    """What the order looks like, where all look the same."""
    if all(_ranks(case, "rank") == sorted(_ranks(case, "rank"), reverse=True) for case in cases):
        return ", but the reverse of it: lowest score first"
    if all(_ranks(case, "retrieved") == sorted(_ranks(case, "retrieved")) for case in cases):
        return ", but in the retriever's"
    if all(_is_ends_first(case) for case in cases):
        return ", but the best stand at both ends and the worst in the middle"
    return ""


def _ranks(case: Case, of: str) -> list[int]:
    ranks = {key(hit): getattr(hit, of) for hit in case.hits}
    return [ranks[doc] for doc in case.served or () if doc in ranks]


def _is_ends_first(case: Case) -> bool:
    ranks = _ranks(case, "rank")
    worst = ranks.index(max(ranks))
    falling, rising = ranks[worst:], ranks[: worst + 1]
    return falling == sorted(falling, reverse=True) and rising == sorted(rising)


def _scale(cut: Sequence[tuple[Case, set[str]]]) -> str:
    gone = [h.score for case, kept in cut for h in case.ranking.all if key(h) not in kept]
    left = [h.score for case, kept in cut for h in case.ranking.all if key(h) in kept]
    highest = max((s for s in gone if s is not None), default=None)
    lowest = min((s for s in left if s is not None), default=None)
    if highest is None:
        return ""
    least = "" if lowest is None else f", the lowest kept {lowest:.3g}"
    return f" (the highest score cut is {highest:.3g}{least})"
