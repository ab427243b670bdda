"""Is there anything to choose from? Too few candidates, and relevant documents not among them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from statistics import fmean

from ..evaluation.idle import why_idle
from ..evaluation.verdict import no_room
from .chance import surely_positive
from .evidence import Evidence, key
from .finding import Cause, Finding, Severity
from .quality import as_retrieved, at_best, ndcg

#: Below this mean of the best possible nDCG@10 the candidates are what holds it back …
LOW = 0.72
#: … if it is also beyond chance that it is below this.
FAIR = 0.8
#: How many candidates a framework's retriever brings where nobody said how many.
_DEFAULTS = {
    2: "LlamaIndex's default is similarity_top_k=2",
    4: 'LangChain\'s default is search_kwargs={"k": 4}',
}


def find(evidence: Evidence) -> Iterator[Finding]:
    """Fewer candidates than a choice takes, apart from the wrong ones."""
    yield from _few(evidence)
    yield from _ceiling(evidence)
    yield from _no_room(evidence)


def idle(evidence: Evidence) -> Iterator[Finding]:
    """A reranker whose own options keep it from reranking."""
    if (why := why_idle(evidence.setup.depth, evidence.setup.combine)) is None:
        return
    yield Finding(
        Cause.IDLE,
        Severity.LIMITS,
        f"{why}: every list stays in the retriever's order",
        "this is no fault of the scorer's: the options ask for it; `rerank tune` writes such a "
        "file where nothing was better than the retriever",
        "where that is what tuning found, leave the reranker out; else set depth to 50 or leave it "
        "out, and give the scorer a weight",
    )


def _few(evidence: Evidence) -> Iterator[Finding]:
    depth = evidence.setup.depth
    counts = Counter(min(len(case.hits), depth or len(case.hits)) for case in evidence.cases)
    if not counts:
        return
    top_n, total = evidence.setup.top_n, counts.total()
    usual, often = counts.most_common(1)[0]
    default = _DEFAULTS.get(usual, "") if often >= 0.8 * total else ""
    all_returned = 0 if top_n is None else sum(m for count, m in counts.items() if count <= top_n)
    if not default and all_returned < 0.5 * total:
        return
    returned = "" if top_n is None else f", of which top_n={top_n} are returned"
    yield Finding(
        Cause.NO_CHOICE,
        Severity.LIMITS,
        f"most queries have {usual} candidates{returned}{'; ' * bool(default)}{default}",
        "a reranker can only bring up what the retriever brought: here it at most reorders what "
        "would have been returned anyway",
        "let the retriever bring 50 to 100 candidates, and have the reranker return fewer",
    )


def _ceiling(evidence: Evidence) -> Iterator[Finding]:
    judged = evidence.judged
    if not judged:
        return
    of_all = ndcg(evidence, at_best)
    best = of_all[: len(judged)]  # what has nothing relevant is not the retriever's fault
    if fmean(best) >= LOW or not surely_positive([FAIR - value for value in best], 0.05):
        return
    there = [len(case.relevant & {key(hit) for hit in case.hits}) for case in judged]
    without, found = there.count(0), sum(there)
    relevant = sum(len(case.relevant) for case in judged)
    yield Finding(
        Cause.RECALL,
        Severity.LIMITS,
        f"{without} of {len(judged)} queries with a relevant document have none among their "
        f"candidates, which hold {found} of {relevant} relevant documents; over "
        f"{evidence.counted} the best order of these candidates has an nDCG@10 of "
        f"{fmean(of_all):.3f}",
        "no reranker can do better than that",
        "retrieve more candidates, or others: a second retriever beside the first (words and "
        "vectors), smaller chunks, queries expanded. If the ids of judgements and candidates do "
        "not match, that looks the same",
    )


def _no_room(evidence: Evidence) -> Iterator[Finding]:
    """The retriever's order is the best there is."""
    if not evidence.judged:
        return
    best, retrieved = fmean(ndcg(evidence, at_best)), fmean(ndcg(evidence, as_retrieved))
    if not no_room(retrieved, best):
        return
    yield Finding(
        Cause.NO_ROOM,
        Severity.LIMITS,
        f"over {evidence.counted} the retriever has an nDCG@10 of {retrieved:.3f}, the best order "
        f"of these candidates {best:.3f}",
        "there is nothing to gain on these queries: a reranker can only keep the order or spoil it",
        "judge queries where users did not find what they looked for; if these are what is asked, "
        "no reranker is needed",
    )
