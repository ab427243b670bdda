"""The core's reranker as a LangChain `BaseDocumentCompressor`. It only translates."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self, TypedDict, Unpack

from langchain_core.documents import BaseDocumentCompressor, Document
from pydantic import ConfigDict, PrivateAttr, ValidationError, model_validator

from rerank_core import InvalidInputError, Ranking, Reranker, config, wrapping
from rerank_core.options import RerankerChanges, for_call
from rerank_core.ranking.given import Found, Retrieved, as_list
from rerank_core.ranking.ranking import RankedCandidate
from rerank_core.scorers.named import ScorerLike
from rerank_core.telemetry.log import log

from .runs import achat_runs, chat_runs, is_heard

if TYPE_CHECKING:
    from langchain_core.callbacks import Callbacks
    from langchain_core.runnables import Runnable

#: The metadata of a document's score, and of the fact that it is no score but an estimate.
SCORE_KEY, ESTIMATED_KEY = "relevance_score", "relevance_score_estimated"
#: The metadata in which the retriever's score is looked for, unless told otherwise.
SCORE_FIELD = "retrieval_score"
#: How a retriever is told to find more.
MORE = 'as_retriever(search_kwargs={"k": 50})'


class OwnOptions(TypedDict, total=False):
    """The options of `RerankCompressor` beside its reranker."""

    metadata_fields: Sequence[str]
    score_field: str | None


class CompressorOptions(OwnOptions, total=False):
    """The same, and how many are returned."""

    top_n: int | None


class QueryAndDocuments(TypedDict):
    """What a step of a chain is handed: see `RerankCompressor.as_runnable`."""

    query: str
    documents: Sequence[Document]


class ChangedOptions(RerankerChanges, OwnOptions, total=False):
    """What `from_config` takes in place of what the file says, and beside it."""


class RerankCompressor(BaseDocumentCompressor):
    """Reranks documents: for a `ContextualCompressionRetriever` or a `DocumentCompressorPipeline`.

    Returns the `top_n` best, best first, as new documents, ids and metadata kept, with the score
    as a Python float in `metadata["relevance_score"]`. A document that could not be scored has the
    estimate there by which it was placed, and `metadata["relevance_score_estimated"]` is True: so
    what stands behind works during an outage, too. What LangChain has no place for, the report
    above all, goes to the reranker's `on_ranking` and to the run in a trace. The text that is
    scored is `page_content`.

    `metadata_fields` are shown to the scorer in front of the text, one "name: value" a line, then
    a blank line. `score_field` names the metadata in which the retriever left its own score, as
    `scored` does ("retrieval_score"); None for nowhere. One that no document has is in the report's
    notes. A distance is told by the reranker's `retrieval_score`. `max_per` and signals see all
    metadata, by its names. `top_n`, if given, takes the place of the reranker's; it may be set.

    `reranker` is a `Reranker`, or what it takes for a scorer: a name such as "hybrid", a cascade.

    A blank query, or a document that cannot be read, ends no retrieval: the report says so. Raises
    what else `Reranker.rank` raises; `ConfigurationError` here for what it cannot be made of.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True, extra="forbid", protected_namespaces=())

    reranker: Reranker
    metadata_fields: tuple[str, ...] = ()
    score_field: str | None = SCORE_FIELD
    top_n: int | None = None

    _warned: bool = PrivateAttr(default=False)

    def __init__(
        self, reranker: Reranker | ScorerLike = None, **options: Unpack[CompressorOptions]
    ) -> None:
        own = wrapping.fields(RerankCompressor.__name__, type(self).model_fields, reranker, options)
        with wrapping.in_our_words(ValidationError):
            super().__init__(**own)

    @model_validator(mode="after")
    def _check_top_n(self) -> Self:
        if "top_n" in self.model_fields_set:
            for_call("top_n", self.top_n)
        else:
            self.__dict__["top_n"] = self.reranker.top_n
        return self

    @classmethod
    def from_config(cls, path: str | os.PathLike[str], **given: Unpack[ChangedOptions]) -> Self:
        """Around the reranker in a file of `rerank tune`: see `Reranker.from_config`.

        `score_field` and `metadata_fields` may stand in the file, too.
        """
        options: dict[str, Any] = dict(given)
        own = config.langchain_options(config.load(path))
        own |= {name: options.pop(name) for name in OwnOptions.__annotations__ if name in options}
        return cls(reranker=Reranker.from_config(path, **options), **own)

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """A copy with other values of the fields, and of the reranker's options.

        Raises `UnknownOptionError` for what is neither, `ConfigurationError` for a wrong value.
        """
        own, options = wrapping.split(update, type(self).model_fields)
        copied = super().model_copy(update=own, deep=deep)
        if options:
            copied.reranker = copied.reranker.replace(**options)
            if "top_n" in options:
                copied.top_n = copied.reranker.top_n
        return copied

    def with_top_n(self, top_n: int | None) -> Self:
        """A copy that returns so many, around the same reranker, its limits and all."""
        return super().model_copy(update={"top_n": top_n})

    def as_runnable(self) -> Runnable[QueryAndDocuments, list[Document]]:
        """A step of a chain: `{"query": …, "documents": […]}` in, the best documents out.

        Its run carries coverage, reasons and cost in its metadata. It raises `InvalidInputError`
        for what has not both.

        >>> from langchain_rerank import BM25Reranker
        >>> step = BM25Reranker(top_n=1).as_runnable()
        >>> found = [Document("Oslo"), Document("Rome, capital of Italy")]
        >>> step.invoke({"query": "capital of Italy", "documents": found})[0].page_content
        'Rome, capital of Italy'
        """
        from langchain_core.runnables import RunnableLambda

        def rerank(given: QueryAndDocuments, run_manager: Any = None) -> list[Document]:
            query, documents = _parts(given)
            return _found(self._rank(query, documents, run_manager))

        async def arerank(given: QueryAndDocuments, run_manager: Any = None) -> list[Document]:
            query, documents = _parts(given)
            return _found(await self._arank(query, documents, run_manager))

        step = RunnableLambda(rerank, arerank, name=type(self).__name__)
        return step.with_config(metadata={"rerank_scorer": self.reranker.name})

    def compress_documents(
        self, documents: Sequence[Document], query: str, callbacks: Callbacks | None = None
    ) -> Sequence[Document]:
        """The best `top_n` documents for the query, best first."""
        listed = _listed(documents)

        def body(_: Any, run_manager: Any = None) -> dict[str, Any]:
            return self._rank(query, listed, run_manager)

        if callbacks is None and not is_heard():
            return _found(body(None))
        run = self._run(body)
        return _found(run.invoke(_seen(query, listed), self._config(callbacks)))

    async def acompress_documents(
        self, documents: Sequence[Document], query: str, callbacks: Callbacks | None = None
    ) -> Sequence[Document]:
        """Same, awaited."""
        listed = _listed(documents)

        async def body(_: Any, run_manager: Any = None) -> dict[str, Any]:
            return await self._arank(query, listed, run_manager)

        if callbacks is None and not is_heard():
            return _found(await body(None))
        run = self._run(body)
        return _found(await run.ainvoke(_seen(query, listed), self._config(callbacks)))

    def _rank(self, query: str, listed: Sequence[Document], run_manager: Any) -> dict[str, Any]:
        with chat_runs():
            ranking = self.reranker.rank(query, self._retrieved(listed), top_n=self._top_n)
        return _output(ranking, listed, run_manager)

    async def _arank(
        self, query: str, listed: Sequence[Document], run_manager: Any
    ) -> dict[str, Any]:
        retrieved = self._retrieved(listed)
        async with achat_runs():
            ranking = await self.reranker.arank(query, retrieved, top_n=self._top_n)
        return _output(ranking, listed, run_manager)

    @property
    def _top_n(self) -> int | None:
        return self.top_n if "top_n" in self.model_fields_set else self.reranker.top_n

    def _run(
        self, body: Callable[..., dict[str, Any]] | Callable[..., Awaitable[dict[str, Any]]]
    ) -> Any:
        # compressors get no run of their own from LangChain; this is how it shows in a trace,
        # with the calls of the user's own models as its children
        from langchain_core.runnables import RunnableLambda

        return RunnableLambda(body, name=type(self).__name__)

    def _config(self, callbacks: Callbacks | None) -> dict[str, Any]:
        """Without callbacks it is a run under the one at hand, as in a node of LangGraph."""
        config: dict[str, Any] = {"metadata": {"rerank_scorer": self.reranker.name}}
        return config if callbacks is None else {**config, "callbacks": callbacks}

    def _retrieved(self, documents: Sequence[Document]) -> Retrieved:
        told = (self._mistyped(documents), wrapping.few(len(documents), self._top_n, MORE))
        notes = [note for note in told if note is not None]
        return Retrieved.read(documents, self._read, notes, scoreless=self.score_field is None)

    def _mistyped(self, documents: Sequence[Document]) -> str | None:
        """What to say of a `score_field` that was asked for, and is in no document."""
        if self.score_field in (None, SCORE_FIELD):
            return None
        there = [document.metadata or {} for document in documents if _is_document(document)]
        if not there or any(own.get(self.score_field) is not None for own in there):
            return None
        from difflib import get_close_matches  # for this note only

        numbers = {name for own in there for name, value in own.items() if _is_number(value)}
        note = f"no document has the score_field {self.score_field!r} in its metadata"
        if near := get_close_matches(self.score_field, sorted(numbers), n=1, cutoff=0.5):
            note += f": did you mean {near[0]!r}?"
        if not self._warned:
            self._warned = True
            log.warning("%s (said once)", note)
        return note

    def _read(self, document: Document) -> Found:
        if not isinstance(document, Document):
            raise InvalidInputError(f"it is no Document, but {document!r:.80}")
        return Found(
            self._text(document) if self.metadata_fields else document.page_content,
            document.id,
            document.metadata.get(self.score_field) if self.score_field else None,
            document.metadata,
        )

    def _text(self, document: Document) -> str:
        shown = [
            f"{name}: {document.metadata[name]}"
            for name in self.metadata_fields
            if document.metadata.get(name) is not None
        ]
        # a blank line, as LlamaIndex has it: the same text is scored through either framework
        return "\n".join([*shown, "", document.page_content]) if shown else document.page_content


def _listed(documents: Sequence[Document]) -> Sequence[Document]:
    """As a list. Raises `InvalidInputError` where not one of them is a document."""
    listed = as_list(documents)
    if listed and not any(isinstance(document, Document) for document in listed):
        raise InvalidInputError(f"a document is a LangChain Document, not {listed[0]!r:.80}")
    return listed


def _output(ranking: Ranking, documents: Sequence[Document], run_manager: Any) -> dict[str, Any]:
    """What the run shows: the documents, and how they came about, that in its metadata, too."""
    report = ranking.report.to_dict()
    if run_manager is not None and run_manager.metadata is not None:
        told = ("coverage", "degraded", "reasons", "cost")
        run_manager.metadata.update({f"rerank_{name}": report[name] for name in told})
    return {"documents": _documents(ranking, documents), "report": report}


def _found(output: dict[str, Any]) -> list[Document]:
    found: list[Document] = output["documents"]
    return found


def _documents(ranking: Ranking, documents: Sequence[Document]) -> list[Document]:
    ranked = []
    for hit in ranking:
        document = documents[hit.index]
        if isinstance(document, Document):
            document = document.model_copy(update={"metadata": _metadata(document, hit)})
        ranked.append(document)
    return ranked


def _metadata(document: Document, hit: RankedCandidate) -> dict[str, Any]:
    own = document.metadata or {}
    kept = {name: own[name] for name in own if name not in (SCORE_KEY, ESTIMATED_KEY)}
    if hit.scored:
        return {**kept, SCORE_KEY: hit.score}
    return {**kept, SCORE_KEY: hit.estimate, ESTIMATED_KEY: True}


def _parts(given: Any) -> tuple[str, Sequence[Document]]:
    if not isinstance(given, Mapping) or not {"query", "documents"} <= given.keys():
        raise InvalidInputError(
            f'the step takes {{"query": …, "documents": […]}}, not {given!r:.80}'
        )
    return given["query"], _listed(given["documents"])


def _is_document(document: object) -> bool:
    return isinstance(document, Document)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _seen(query: str, documents: Sequence[Document]) -> dict[str, Any]:
    return {"query": query, "documents": documents}
