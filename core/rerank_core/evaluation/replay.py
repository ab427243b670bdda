"""A setting's run from scores that are known: by the engine's own arithmetic, nothing asked."""

from __future__ import annotations

from collections.abc import Sequence

from ..combine.fuse import Scoring, fuse
from ..ranking.candidate import RETRIEVAL, Candidate
from ..ranking.retrieval import Retrieval, RetrievalScore, retrieval_of
from .collection import Collection
from .run import Ranked, Run
from .settings import Setting


def said_of(collection: Collection) -> RetrievalScore | None:
    """What the retriever's scores are, over all queries; None where there are not everywhere any.

    A reranker guesses it for each query; a file that was tuned says it once.
    """
    found = [retrieval_of(candidates) for candidates in collection.candidates.values()]
    if any(score is None for one in found for score in one.scores):
        return None
    distances = sum(one.guessed for one in found)
    return "distance" if 2 * distances > len(found) else "similarity"


def replay(
    setting: Setting, collection: Collection, run: Run | None, said: RetrievalScore | None
) -> Run:
    """What a reranker of this setting gives, if its scorer says what is in `run`."""
    rankings = {}
    for query, candidates in collection.candidates.items():
        retrieval = retrieval_of(candidates, said)
        retrieved = [str(candidates[index].id) for index in retrieval.order]
        head = retrieval.of(list(retrieval.order)[: setting.depth])
        ids = retrieved[: len(head.scores)]
        if setting.system is not None and run is not None and query in run.rankings and ids:
            ids = _reranked(setting, run, query, ids, head)
        rankings[query] = Ranked([*ids, *retrieved[len(ids) :]], [None] * len(retrieved))
    return Run(setting.label, rankings)


def _reranked(
    setting: Setting, run: Run, query: str, ids: Sequence[str], retrieval: Retrieval
) -> list[str]:
    assert setting.system is not None
    ranked = run.rankings[query]
    if setting.combination is None:
        at = {doc: position for position, doc in enumerate(ranked.ids)}
        return sorted(ids, key=lambda doc: at.get(doc, len(at)))
    told = dict(zip(ranked.ids, ranked.scores, strict=True))
    # what a file leaves out stays beneath; what a scorer did not score is estimated
    lowest = min((score for score in ranked.scores if score is not None), default=None)
    scores = [told.get(doc, lowest if run.by_score else None) for doc in ids]
    unknown = [None] * len(ids)
    fused = fuse(
        query,
        [Candidate("", id=doc) for doc in ids],
        Scoring(RETRIEVAL, retrieval.scores, unknown),
        [Scoring(setting.system, scores, unknown)],
        None,
        setting.combination,
        ranks=retrieval.ranks,
        ordered=retrieval.ordered,
    )
    return [ids[position] for position in fused.order]
