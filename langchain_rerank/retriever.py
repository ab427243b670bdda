"""A retriever with a reranker behind it, over langchain-core alone."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, TypedDict, Unpack, cast

from langchain_core.documents import Document
from langchain_core.retrievers import BaseRetriever, LangSmithRetrieverParams
from langchain_core.runnables import Runnable
from langchain_core.vectorstores import VectorStore, VectorStoreRetriever
from pydantic import ConfigDict, Field, ValidationError, WithJsonSchema

from rerank_core import ConfigurationError, InvalidInputError, Reranker, wrapping
from rerank_core.options import for_call
from rerank_core.runtime.checks import whole_number
from rerank_core.scorers.named import ScorerLike

from .compressor import SCORE_FIELD, RerankCompressor
from .store_scores import FETCH_K, ScoredRetriever, with_scores

if TYPE_CHECKING:
    from langchain_core.callbacks import (
        AsyncCallbackManagerForRetrieverRun,
        CallbackManagerForRetrieverRun,
    )

#: What may be reranked: a store, or what finds documents for a query.
Source = VectorStore | Runnable[str, list[Document]]


class SearchOptions(TypedDict, total=False):
    """The options of `RerankRetriever` but its name."""

    k: int | None
    fetch_k: int | None
    search_kwargs: dict[str, Any]
    keep_retrieval_score: bool
    tags: list[str] | None
    metadata: dict[str, Any] | None


class RetrieverOptions(SearchOptions, total=False):
    """The options of `RerankRetriever`."""

    name: str | None


class RerankRetriever(BaseRetriever):
    """Fetches many documents, and returns the best of them, best first.

    `retriever`: a vector store, which is asked for `fetch_k` documents (50) and for its scores; or
    any retriever. One that a store's `as_retriever()` gave is asked for the scores, too. `reranker`
    is a compressor of this package, a `Reranker`, or what `Reranker` takes for a scorer: a name
    such as "llm:gpt-4o-mini", a cascade. None is the embedded default.

    `k`: how many are returned, here or by call, `invoke(query, k=3)`; left out, the reranker's
    `top_n`. It is no more than `fetch_k`, which grows with it where it is left out.
    `search_kwargs` goes to the store's search, `filter` for one, and so does what else is given by
    call. A store's distances are turned round, as `similarities` has it; the reranker's
    `retrieval_score` says otherwise. With `keep_retrieval_score` the store's score stays in
    `metadata["retrieval_score"]`, beside `metadata["relevance_score"]`.

    Raises `ConfigurationError` for what cannot be asked for documents, for fewer than are to be
    returned, and for an option that there is not.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True, extra="forbid", protected_namespaces=())

    retriever: Annotated[Any, WithJsonSchema({"title": "Retriever"})]
    reranker: Annotated[RerankCompressor, WithJsonSchema({"title": "Reranker"})]
    k: int | None = None
    fetch_k: int | None = None
    search_kwargs: dict[str, Any] = Field(default_factory=dict)
    keep_retrieval_score: bool = False

    def __init__(
        self,
        retriever: Source,
        reranker: RerankCompressor | Reranker | ScorerLike = None,
        **options: Unpack[RetrieverOptions],
    ) -> None:
        refuse_options(type(self).__name__, retriever, reranker, options, type(self).model_fields)
        for name in ("k", "fetch_k"):
            whole_number(name, options.get(name), least=1, none="as many as before")
        fields: dict[str, Any] = {"reranker": as_compressor(reranker), **options}
        fields["retriever"] = retriever
        with wrapping.in_our_words(ValidationError):
            super().__init__(**fields)
        self._source(self.k)  # raises for what it cannot be

    def _source(self, k: int | None = None) -> Any:
        """What is asked for documents: with their scores, where there are any.

        `k`: how many are to be returned, which are no fewer than those that are fetched.
        """
        source = self.retriever
        if isinstance(source, type) or not isinstance(source, VectorStore | Runnable):
            raise ConfigurationError(
                "retriever is a vector store, a retriever, or another Runnable from a query to "
                f"documents, not {source!r:.80}"
            )
        if not isinstance(source, VectorStore | VectorStoreRetriever):
            for name in ("fetch_k", "search_kwargs"):
                if getattr(self, name):
                    raise ConfigurationError(
                        f"{name}= is for a vector store: tell {type(source).__name__} itself"
                    )
            return source
        if "k" in self.search_kwargs:
            raise ConfigurationError('search_kwargs has "k": fetch_k= says how many are fetched')
        said = self.reranker.reranker.retrieval_score
        field = None if said == "none" else self.reranker.score_field
        many = self.fetch_k if k is None else self._fetched(source, k)
        # where it is said what they are, they are handed on as the store has them
        return with_scores(source, field, many, self.search_kwargs, raw=said is not None)

    def _fetched(self, source: Any, k: int) -> int:
        """How many are fetched where `k` are to be returned. Raises `ConfigurationError`."""
        own = source.search_kwargs.get("k") if isinstance(source, VectorStoreRetriever) else None
        said = self.fetch_k or own
        if not isinstance(said, int):
            return max(k, FETCH_K)
        if said < k:
            raise ConfigurationError(
                f"k is {k}, but only {said} are fetched: fetch_k={max(5 * k, FETCH_K)} leaves "
                "something to choose from"
            )
        return said

    def _get_relevant_documents(
        self,
        query: str,
        *,
        run_manager: CallbackManagerForRetrieverRun,
        k: int | None = None,
        **kwargs: Any,
    ) -> list[Document]:
        compressor, source = self._for(k)
        found = source.invoke(query, {"callbacks": run_manager.get_child()}, **kwargs)
        ranked = compressor.compress_documents(found, query, run_manager.get_child())
        return self._returned(ranked, source)

    async def _aget_relevant_documents(
        self,
        query: str,
        *,
        run_manager: AsyncCallbackManagerForRetrieverRun,
        k: int | None = None,
        **kwargs: Any,
    ) -> list[Document]:
        compressor, source = self._for(k)
        found = await source.ainvoke(query, {"callbacks": run_manager.get_child()}, **kwargs)
        ranked = await compressor.acompress_documents(found, query, run_manager.get_child())
        return self._returned(ranked, source)

    def _for(self, k: int | None) -> tuple[RerankCompressor, Any]:
        """The compressor, and what is asked for documents, for a call that asks for so many."""
        if k is None:
            compressor = self.reranker if self.k is None else self.reranker.with_top_n(self.k)
            return compressor, self._source(self.k)
        many = for_call("top_n", k, called="k")
        try:
            return self.reranker.with_top_n(many), self._source(many)
        except ConfigurationError as error:  # it is this call that asks too much
            raise InvalidInputError(str(error)) from None

    def _returned(self, ranked: Sequence[Document], source: Any) -> list[Document]:
        if self.keep_retrieval_score or not isinstance(source, ScoredRetriever):
            return list(ranked)  # what is there is not ours
        return [
            document.model_copy(update={"metadata": _without(document.metadata, SCORE_FIELD)})
            for document in ranked
        ]

    def _get_ls_params(self, **kwargs: Any) -> LangSmithRetrieverParams:
        theirs: Any = {}
        if isinstance(source := self._source(), BaseRetriever):
            theirs = source._get_ls_params(**kwargs)
        own = {"rerank_scorer": self.reranker.reranker.name}
        return cast(
            "LangSmithRetrieverParams", {**theirs, **super()._get_ls_params(**kwargs), **own}
        )


def as_compressor(reranker: RerankCompressor | Reranker | ScorerLike) -> RerankCompressor:
    """The compressor around a reranker, or around what `Reranker` takes for a scorer."""
    if isinstance(reranker, RerankCompressor):
        return reranker
    return RerankCompressor(wrapping.any_reranker(reranker))


def refuse_options(
    face: str, retriever: Any, reranker: Any, given: Collection[str], own: Collection[str]
) -> None:
    """Raise `UnknownOptionError` for what is no option of a `face` over a retriever."""
    source = "store" if isinstance(retriever, VectorStore) else "retriever"
    returned = "k= says how many are returned"
    wrapping.refuse_options(given, own, f"{face}({source}, {{}})", reranker, returned)


def _without(metadata: Mapping[str, Any], field: str) -> dict[str, Any]:
    return {name: value for name, value in metadata.items() if name != field}
