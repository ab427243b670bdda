"""The core's reranker as a LangChain `BaseDocumentCompressor`. It only translates."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any, Self, TypedDict, Unpack

from langchain_core.documents import BaseDocumentCompressor, Document
from pydantic import ConfigDict

from rerank_core import Candidate, InvalidInputError, Ranking, Reranker
from rerank_core.options import RerankerChanges

if TYPE_CHECKING:
    from langchain_core.callbacks import Callbacks

SCORE_KEY = "relevance_score"


class OwnOptions(TypedDict, total=False):
    """The options of `RerankCompressor` beside its reranker."""

    metadata_fields: Sequence[str]
    score_field: str | None


class ChangedOptions(RerankerChanges, OwnOptions, total=False):
    """What `from_config` takes in place of what the file says, and beside it."""


class RerankCompressor(BaseDocumentCompressor):
    """Reranks documents: for a `ContextualCompressionRetriever` or a `DocumentCompressorPipeline`.

    Returns the `top_n` best, best first, as new documents, ids and metadata kept, with the score
    as a Python float in `metadata["relevance_score"]` (left out where a document could not be
    scored). What LangChain has no place for, the report above all, goes to the reranker's
    `on_ranking`. The text that is scored is `page_content`.

    `metadata_fields` are shown to the scorer in front of the text, one "name: value" a line, then
    a blank line. `score_field` names the metadata in which the retriever left its own score.

    Raises what `Reranker.rank` raises: `InvalidInputError`, a `ValueError`, for an empty query.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True, extra="forbid", protected_namespaces=())

    reranker: Reranker
    metadata_fields: tuple[str, ...] = ()
    score_field: str | None = None

    @classmethod
    def from_config(cls, path: str | os.PathLike[str], **given: Unpack[ChangedOptions]) -> Self:
        """Around the reranker in a file of `rerank tune`: see `Reranker.from_config`."""
        options: dict[str, Any] = dict(given)
        own = {name: options.pop(name) for name in OwnOptions.__annotations__ if name in options}
        return cls(reranker=Reranker.from_config(path, **options), **own)

    def compress_documents(
        self, documents: Sequence[Document], query: str, callbacks: Callbacks | None = None
    ) -> Sequence[Document]:
        """The best `top_n` documents for the query, best first."""

        from .chat_runs import chat_runs

        def body(_: Any) -> list[Document]:
            with chat_runs():
                ranking = self.reranker.rank(query, self._candidates(documents))
            return _documents(ranking, documents)

        if callbacks is None:
            return body(None)
        run = self._run(body)
        found: list[Document] = run.invoke(_seen(query, documents), {"callbacks": callbacks})
        return found

    async def acompress_documents(
        self, documents: Sequence[Document], query: str, callbacks: Callbacks | None = None
    ) -> Sequence[Document]:
        """Same, awaited."""

        from .chat_runs import achat_runs

        async def body(_: Any) -> list[Document]:
            async with achat_runs():
                ranking = await self.reranker.arank(query, self._candidates(documents))
            return _documents(ranking, documents)

        if callbacks is None:
            return await body(None)
        run = self._run(body)
        found: list[Document] = await run.ainvoke(_seen(query, documents), {"callbacks": callbacks})
        return found

    def _run(
        self, body: Callable[[Any], list[Document]] | Callable[[Any], Awaitable[list[Document]]]
    ) -> Any:
        # compressors get no run of their own from LangChain; this is how it shows in a trace,
        # with the calls of the user's own models as its children
        from langchain_core.runnables import RunnableLambda

        return RunnableLambda(body, name=type(self).__name__)

    def _candidates(self, documents: Sequence[Document]) -> list[Candidate]:
        return [
            Candidate(
                self._text(document),
                id=document.id,
                score=document.metadata.get(self.score_field) if self.score_field else None,
                metadata=document.metadata,
            )
            for document in map(_checked, documents)
        ]

    def _text(self, document: Document) -> str:
        shown = [
            f"{name}: {document.metadata[name]}"
            for name in self.metadata_fields
            if document.metadata.get(name) is not None
        ]
        # a blank line, as LlamaIndex has it: the same text is scored through either framework
        return "\n".join([*shown, "", document.page_content]) if shown else document.page_content


def _checked(document: Any) -> Document:
    if not isinstance(document, Document):
        raise InvalidInputError(f"a document is a LangChain Document, not {document!r:.80}")
    return document


def _documents(ranking: Ranking, documents: Sequence[Document]) -> list[Document]:
    ranked = []
    for hit in ranking:
        document = documents[hit.index]
        metadata = {k: v for k, v in document.metadata.items() if k != SCORE_KEY}
        if hit.score is not None:
            metadata[SCORE_KEY] = hit.score
        ranked.append(document.model_copy(update={"metadata": metadata}))
    return ranked


def _seen(query: str, documents: Sequence[Document]) -> dict[str, Any]:
    return {"query": query, "documents": list(documents)}
