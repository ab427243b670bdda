"""What a vector store says of how near its documents are, which `as_retriever()` drops."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from langchain_core.documents import Document
from langchain_core.vectorstores import VectorStore, VectorStoreRetriever

from rerank_core.errors import ConfigurationError

from .compressor import SCORE_FIELD

if TYPE_CHECKING:
    from langchain_core.callbacks import (
        AsyncCallbackManagerForRetrieverRun,
        CallbackManagerForRetrieverRun,
    )

#: How many documents a store is asked for: its own four leave a reranker nothing to do.
FETCH_K = 50

_RELEVANCE = "similarity_search_with_relevance_scores"
#: How to ask a store for its scores, by the search that a retriever makes. A store that has not the
#: one may have the other.
_WAYS = {
    "similarity": ("similarity_search_with_score", _RELEVANCE),
    "similarity_score_threshold": (_RELEVANCE,),
}

Found = Sequence[tuple[Document, Any]]


class ScoredRetriever(VectorStoreRetriever):
    """A vector store's retriever that leaves the store's scores in the documents' metadata.

    Under `score_field`, higher is better; see `similarities`. With `raw` they are as the store has
    them. A store that gives none, or a search for diversity (`search_type="mmr"`), leaves none. The
    documents are copies: the store's own stay as they are.
    """

    score_field: str = SCORE_FIELD
    raw: bool = False

    def _get_relevant_documents(
        self, query: str, *, run_manager: CallbackManagerForRetrieverRun, **kwargs: Any
    ) -> list[Document]:
        for way in _WAYS.get(self.search_type, ()):
            try:
                found = getattr(self.vectorstore, way)(query, **{**self.search_kwargs, **kwargs})
            except NotImplementedError:
                continue
            return self._scored(found, way)
        return super()._get_relevant_documents(query, run_manager=run_manager, **kwargs)

    async def _aget_relevant_documents(
        self, query: str, *, run_manager: AsyncCallbackManagerForRetrieverRun, **kwargs: Any
    ) -> list[Document]:
        for way in _WAYS.get(self.search_type, ()):
            ask = getattr(self.vectorstore, f"a{way}")
            try:
                found = await ask(query, **{**self.search_kwargs, **kwargs})
            except NotImplementedError:
                continue
            return self._scored(found, way)
        return await super()._aget_relevant_documents(query, run_manager=run_manager, **kwargs)

    def _scored(self, found: Found, way: str) -> list[Document]:
        scores: Sequence[float | None] = [_number(score) for _, score in found]
        if not self.raw:
            # relevance is what the store's function made of its scores already
            declared = None if way == _RELEVANCE else _declared(self.vectorstore)
            scores = _similarities(declared, scores)
        return [
            document.model_copy(update={"metadata": self._metadata(document, score)})
            for (document, _), score in zip(found, scores, strict=True)
        ]

    def _metadata(self, document: Document, score: Any) -> dict[str, Any]:
        own = document.metadata or {}
        if self.score_field != SCORE_FIELD and own.get(self.score_field) is not None:
            return own  # whoever names a field has it filled, or means what is in it
        return {**own, self.score_field: score}


def scored(
    source: VectorStore | VectorStoreRetriever,
    *,
    k: int | None = None,
    score_field: str = SCORE_FIELD,
    **search_kwargs: Any,
) -> VectorStoreRetriever:
    """A retriever over the store whose documents carry its scores, for what stands behind it.

    `source`: a vector store, or what its `as_retriever()` gave. `k`: how many it fetches (50, or
    what `source` says). The scores are in `metadata[score_field]`, where the compressors of this
    package look for them; higher is better. What else the store's search takes, such as `filter=`,
    goes to it. Raises `ConfigurationError` for what is no store, or has a search of its own making.
    """
    found = with_scores(source, score_field, k, search_kwargs)
    if not isinstance(found, ScoredRetriever):
        raise ConfigurationError(
            f"{type(found).__name__} searches in a way of its own, which says no scores: leave "
            "them in its documents' metadata, and name that by score_field="
        )
    return found


def with_scores(
    source: VectorStore | VectorStoreRetriever,
    score_field: str | None,
    k: int | None,
    search_kwargs: dict[str, Any],
    *,
    raw: bool = False,
) -> VectorStoreRetriever:
    """As `scored` has it; a retriever with a search of its own as it is, without scores, and any
    so without a `score_field`.
    """
    if isinstance(source, VectorStore):
        source = source.as_retriever()
    if not isinstance(source, VectorStoreRetriever):
        raise ConfigurationError(
            "scores are asked of a vector store, or of what its as_retriever() gave, not of "
            f"{source!r:.80}"
        )
    asked = {"k": FETCH_K, **source.search_kwargs, **search_kwargs}
    if k is not None:
        asked["k"] = k
    searches = type(source)._get_relevant_documents
    if score_field is None or searches is not VectorStoreRetriever._get_relevant_documents:
        return source.model_copy(update={"search_kwargs": asked})
    return ScoredRetriever(
        vectorstore=source.vectorstore,
        search_type=source.search_type,
        search_kwargs=asked,
        tags=source.tags,
        metadata=source.metadata,
        name=source.name or VectorStoreRetriever.__name__,
        score_field=score_field,
        raw=raw,
    )


def similarities(store: VectorStore, scores: Sequence[float | None]) -> Sequence[float | None]:
    """The scores of a store's answer, best first, as similarities: higher is better.

    Whether they are distances is told by the order of the answer; where that tells nothing (one
    score, or all alike), or is none, by what the store declares as its relevance function. The
    order comes first, since stores declare things that are not so: FAISS by inner product calls its
    similarities distances. A distance becomes what the store's relevance function makes of it, as
    far as that keeps the order; else it is negated.
    """
    return _similarities(_declared(store), scores)


def _similarities(declared: Any, scores: Sequence[float | None]) -> Sequence[float | None]:
    present = [score for score in scores if score is not None]
    if not _are_distances(present, declared):
        return scores
    told = None if declared is None else [_number(declared(score)) for score in present]
    if told is None or not _turns_round(present, told):
        return [None if score is None else 0.0 - score for score in scores]
    turned = iter(told)
    return [None if score is None else next(turned) for score in scores]


def _are_distances(scores: Sequence[float], declared: Any) -> bool:
    ascends = all(one <= next_ for one, next_ in pairwise(scores))
    descends = all(one >= next_ for one, next_ in pairwise(scores))
    if ascends != descends:
        return ascends
    if declared is None or not scores:
        return False
    near, far = _number(declared(0.0)), _number(declared(1.0))
    return near is not None and far is not None and near > far


def _turns_round(distances: Sequence[float], told: Sequence[float | None]) -> bool:
    """Whether the nearer of any two has the higher number."""
    best_first = sorted(zip(distances, told, strict=True), key=lambda pair: pair[0])
    return all(
        one is not None and other is not None and (one > other if near < far else one == other)
        for (near, one), (far, other) in pairwise(best_first)
    ) and all(number is not None for number in told)


def _declared(store: VectorStore) -> Any:
    """The store's relevance function; None where it has none for its kind of distance."""
    try:
        declared = store._select_relevance_score_fn()
        declared(0.0), declared(1.0)
    except Exception:  # whatever a store raises that does not say
        return None
    return declared


def _number(score: Any) -> float | None:
    """As a float of Python's own, which JSON takes; None for what is no number."""
    try:
        number = float(score)
    except (TypeError, ValueError):
        return None
    return number if number == number else None
