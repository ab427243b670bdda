"""The core's reranker as a LlamaIndex `BaseNodePostprocessor`. It only translates."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from typing import Any, Self, TypedDict, Unpack

from llama_index.core.bridge.pydantic import ConfigDict, Field, model_validator
from llama_index.core.callbacks import CallbackManager, CBEventType, EventPayload
from llama_index.core.instrumentation import get_dispatcher  # type: ignore[attr-defined]
from llama_index.core.instrumentation.events.rerank import ReRankEndEvent, ReRankStartEvent
from llama_index.core.postprocessor.types import BaseNodePostprocessor
from llama_index.core.prompts.mixin import PromptDictType, PromptMixin
from llama_index.core.schema import (
    BaseComponent,
    BaseNode,
    MetadataMode,
    NodeWithScore,
    QueryBundle,
)
from pydantic import ValidationError
from pydantic.json_schema import SkipJsonSchema

from rerank_core import ConfigurationError, InvalidInputError, Ranking, Reranker, config, wrapping
from rerank_core.options import RerankerChanges, for_call
from rerank_core.ranking.given import Found, Retrieved, as_list
from rerank_core.ranking.ranking import RankedCandidate
from rerank_core.scorers.named import ScorerLike
from rerank_core.telemetry.openinference import traces
from rerank_core.telemetry.tracing import told_by_framework

dispatcher = get_dispatcher(__name__)


class RankedNode(NodeWithScore):
    """A node with its score, and what LlamaIndex' own has no place for.

    `estimated`: the node could not be scored, and `score` is the estimate by which it was placed.
    `retrieval_score`: the retriever's, if it is to be kept. Neither is in the node, where it would
    change its hash and stand in prompts.
    """

    estimated: bool = False
    retrieval_score: float | None = None


class OwnOptions(TypedDict, total=False):
    """The options of `RerankPostprocessor` beside its reranker."""

    callback_manager: CallbackManager
    metadata_mode: MetadataMode
    keep_retrieval_score: bool


class PostprocessorOptions(OwnOptions, total=False):
    """The same, and how many are returned."""

    top_n: int | None


class ChangedOptions(RerankerChanges, OwnOptions, total=False):
    """What `from_config` takes in place of what the file says, and beside it."""


class RerankPostprocessor(BaseNodePostprocessor, PromptMixin):
    """Reranks nodes: one of the `node_postprocessors` of a query engine, chat engine or tool.

    Returns the `top_n` best, best first, as new `NodeWithScore` objects around the same nodes,
    with the score as a Python float. A node that could not be scored comes as a `RankedNode` with
    the estimate by which it was placed, marked as `estimated`: so a `SimilarityPostprocessor`
    behind this one does not drop everything during an outage. Nothing is written into nodes. What
    LlamaIndex has no place for, the report above all, goes to the reranker's `on_ranking`, and is
    in the tags of `ReRankEndEvent`.

    The text that is scored is `get_content(metadata_mode)`, by default as an embedding model sees
    it. With `keep_retrieval_score` every node comes as a `RankedNode` that has the retriever's
    score beside the new one. `max_per` and signals see `node.metadata`, and the document that a
    node was cut from as "ref_doc_id". `top_n`, if given, takes the place of the reranker's; it may
    be set.

    `reranker` is a `Reranker`, or what it takes for a scorer: a name such as "hybrid", a cascade.

    A blank query, or a node that cannot be read, ends no retrieval: the report says so. Raises
    what else `Reranker.rank` raises, and `InvalidInputError`, a `ValueError`, for no query at all;
    `ConfigurationError` here for what it cannot be made of.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True, extra="forbid", protected_namespaces=())

    reranker: SkipJsonSchema[Reranker] = Field(exclude=True)
    metadata_mode: MetadataMode = MetadataMode.EMBED
    keep_retrieval_score: bool = False
    top_n: int | None = None

    def __init__(
        self, reranker: Reranker | ScorerLike = None, **options: Unpack[PostprocessorOptions]
    ) -> None:
        own = wrapping.fields(
            RerankPostprocessor.__name__, type(self).model_fields, reranker, options
        )
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
        """Around the reranker in a file of `rerank tune`: see `Reranker.from_config`."""
        options: dict[str, Any] = dict(given)
        own = {name: options.pop(name) for name in OwnOptions.__annotations__ if name in options}
        return cls(reranker=Reranker.from_config(path, **options), **own)

    @classmethod
    def class_name(cls) -> str:
        """The name LlamaIndex serialises it under."""
        return cls.__name__

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

    def to_dict(self, **kwargs: Any) -> dict[str, Any]:
        """As JSON can hold it, with the reranker as a config file has it; no key is in it."""
        stored: dict[str, Any] = super().to_dict(**kwargs)
        return {**stored, **self._stored()}

    @classmethod
    def from_dict(cls, data: dict[str, Any], **kwargs: Any) -> Self:
        """One like that which `to_dict` told of.

        Raises `ConfigurationError` where the reranker could not be stored: give `reranker=` again.
        """
        data = {**data, **kwargs}
        stored = data.pop("config", None)
        if "reranker" not in data and stored is None:
            raise ConfigurationError(
                f"the reranker could not be stored: {cls.__name__}.from_dict(data, reranker=…) "
                "takes it again"
            )
        if "reranker" not in data:
            data["reranker"] = Reranker.from_config(stored)
        return super().from_dict(data)

    def _stored(self) -> dict[str, Any]:
        try:
            return {"config": json.loads(json.dumps(config.of(self.reranker)))}
        except (ConfigurationError, TypeError):
            return {"config": None}

    def _get_prompts(self) -> PromptDictType:
        from .prompts import prompts_of  # few ask for prompts

        return prompts_of(self.reranker)

    def _update_prompts(self, prompts: PromptDictType) -> None:
        from .prompts import with_prompts

        self.reranker = with_prompts(self.reranker, prompts)

    def _postprocess_nodes(
        self, nodes: list[NodeWithScore], query_bundle: QueryBundle | None = None
    ) -> list[NodeWithScore]:
        from .chat_events import chat_events  # with the first call, not with the class

        query, listed = _query(query_bundle), _listed(nodes)
        with self._traced(query, listed) as told:
            with chat_events(self.callback_manager):
                ranking = self.reranker.rank(query, self._retrieved(listed), top_n=self._top_n)
            return told(ranking)

    @dispatcher.span  # LlamaIndex itself only wraps the sync method
    async def _apostprocess_nodes(
        self, nodes: list[NodeWithScore], query_bundle: QueryBundle | None = None
    ) -> list[NodeWithScore]:
        from .chat_events import achat_events

        query, listed = _query(query_bundle), _listed(nodes)
        with self._traced(query, listed) as told:
            retrieved = self._retrieved(listed)
            async with achat_events(self.callback_manager):
                ranking = await self.reranker.arank(query, retrieved, top_n=self._top_n)
            return told(ranking)

    def __getstate__(self) -> dict[str, Any]:
        # pydantic's way, not LlamaIndex', which takes what does not pickle out of the living
        # object. Callbacks are an engine's: the one on the other side sets its own.
        state: dict[str, Any] = super(BaseComponent, self).__getstate__()
        return {**state, "__dict__": {**self.__dict__, "callback_manager": CallbackManager()}}

    @property
    def _top_n(self) -> int | None:
        return self.top_n if "top_n" in self.model_fields_set else self.reranker.top_n

    def _retrieved(self, nodes: Sequence[NodeWithScore]) -> Retrieved:
        note = wrapping.few(len(nodes), self._top_n, "similarity_top_k=50")
        return Retrieved.read(nodes, self._read, () if note is None else (note,))

    def _read(self, node: NodeWithScore) -> Found:
        if not isinstance(node, NodeWithScore):
            raise InvalidInputError(f"it is no NodeWithScore, but {node!r:.80}")
        inner = node.node
        text = inner.get_content(metadata_mode=self.metadata_mode)
        return Found(text, inner.node_id, node.score, _metadata(inner))

    @contextmanager
    def _traced(
        self, query: str, nodes: Sequence[NodeWithScore]
    ) -> Iterator[Callable[[Ranking], list[NodeWithScore]]]:
        """Tell LlamaIndex's instrumentation and callbacks of what is told in between."""
        result: list[NodeWithScore] = []
        report: dict[str, Any] = {}

        def told(ranking: Ranking) -> list[NodeWithScore]:
            report.update(ranking.report.to_dict())
            result.extend(self._node(nodes[hit.index], hit) for hit in ranking)
            return result

        seen = _shown(nodes)
        top_n, name = self._top_n or len(nodes), self.reranker.name
        dispatcher.event(
            ReRankStartEvent(
                query=query,
                nodes=seen,
                top_n=top_n,
                model_name=name,
                tags={"reranker": type(self).__name__},
            )
        )
        with self.callback_manager.event(
            CBEventType.RERANKING,
            payload={
                EventPayload.NODES: seen,
                EventPayload.MODEL_NAME: name,
                EventPayload.QUERY_STR: query,
                EventPayload.TOP_K: top_n,
            },
        ) as event:
            # OpenInference makes of the event above what our own span would be
            with told_by_framework() if traces("llama_index") else nullcontext():
                yield told
            event.on_end(payload={EventPayload.NODES: _shown(result)})
        dispatcher.event(ReRankEndEvent(nodes=_shown(result), tags=report))

    def _node(self, node: Any, hit: RankedCandidate) -> Any:
        """The node in its place; what is none comes back as it is."""
        score = hit.score if hit.scored else hit.estimate
        if isinstance(node, BaseNode):
            return RankedNode(node=node, score=score, estimated=True)
        if not isinstance(node, NodeWithScore):
            return node
        if not self.keep_retrieval_score and hit.scored:
            return NodeWithScore(node=node.node, score=score)
        retrieved = node.score if self.keep_retrieval_score else None
        return RankedNode(
            node=node.node, score=score, estimated=not hit.scored, retrieval_score=retrieved
        )


def _query(bundle: QueryBundle | str | None) -> str:
    if bundle is None:
        raise InvalidInputError("reranking needs a query: pass query_bundle or query_str")
    if isinstance(bundle, str):
        return bundle
    return bundle.query_str


def _metadata(node: BaseNode) -> dict[str, Any]:
    """The node's own, and under "ref_doc_id" the document that it was cut from, for `max_per`."""
    source = node.ref_doc_id
    return node.metadata if source is None else {"ref_doc_id": source, **node.metadata}


def _listed(nodes: Sequence[NodeWithScore]) -> Sequence[NodeWithScore]:
    """As a list. Raises `InvalidInputError` where not one of them is a node."""
    listed = as_list(nodes)
    if listed and not any(isinstance(node, NodeWithScore) for node in listed):
        raise InvalidInputError(f"a node is a LlamaIndex NodeWithScore, not {listed[0]!r:.80}")
    return listed


def _shown(nodes: Sequence[NodeWithScore]) -> list[NodeWithScore]:
    """Those that an event takes."""
    return [node for node in nodes if isinstance(node, NodeWithScore)]
