"""Systems that change nothing: a reranker that reranks none, a run in the retriever's order."""

from __future__ import annotations

from ..combine.combination import Combination
from ..ranking.candidate import RETRIEVAL
from ..reranker import Reranker
from .run import Run, called


def why_idle(depth: int | None, combine: Combination | None) -> str | None:
    """Which of a reranker's options keeps it from reranking anything; None where none does.

    `rerank tune` writes such a file where nothing was better than the retriever.
    """
    if depth is not None and depth <= 1:
        return f"depth = {depth}"  # one alone has no order
    weights = getattr(combine, "weights", None) or {}
    if weights and {name for name, weight in weights.items() if weight} == {RETRIEVAL}:
        return f"in combine only {RETRIEVAL!r} has a weight"
    return None


def said_of_idle(run: Run, base: Run, system: object) -> str | None:
    """A sentence where the system cannot be better or worse than the base: it changes nothing."""
    if isinstance(system, Reranker):
        why = why_idle(system.depth, system.combine)
        if why is not None:
            return f"{run.name} reranks nothing ({why}): its order is that of {called(base.name)}."
    if run.orders() == base.orders():
        return f"{run.name} leaves every query in the order of {called(base.name)}."
    return None
