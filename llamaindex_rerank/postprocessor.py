"""The core's reranker as a LlamaIndex `BaseNodePostprocessor`. It only translates."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Self, TypedDict, Unpack

from llama_index.core.bridge.pydantic import ConfigDict, Field
from llama_index.core.callbacks import CallbackManager, CBEventType, EventPayload
from llama_index.core.instrumentation import get_dispatcher  # type: ignore[attr-defined]
from llama_index.core.instrumentation.events.rerank import ReRankEndEvent, ReRankStartEvent
from llama_index.core.postprocessor.types import BaseNodePostprocessor
from llama_index.core.prompts.mixin import PromptMixin
from llama_index.core.schema import BaseComponent, MetadataMode, NodeWithScore, QueryBundle

from rerank_core import Candidate, InvalidInputError, Ranking, Reranker
from rerank_core.options import RerankerChanges
from rerank_core.telemetry.chat_callbacks import aobserving, observing

from .chat_events import ChatEvents

dispatcher = get_dispatcher(__name__)


class OwnOptions(TypedDict, total=False):
    """The options of `RerankPostprocessor` beside its reranker."""

    callback_manager: CallbackManager


class ChangedOptions(RerankerChanges, OwnOptions, total=False):
    """What `from_config` takes in place of what the file says, and beside it."""


class RerankPostprocessor(BaseNodePostprocessor, PromptMixin):
    """Reranks nodes: one of the `node_postprocessors` of a query engine, chat engine or tool.

    Returns the `top_n` best, best first, as new `NodeWithScore` objects around the same nodes,
    with the score as a Python float (None where a node could not be scored). Nothing is written
    into nodes. What LlamaIndex has no place for, the report above all, goes to the reranker's
    `on_ranking`. The text that is scored is `get_content(MetadataMode.EMBED)`.

    Raises what `Reranker.rank` raises: `InvalidInputError`, a `ValueError`, for an empty query.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True, extra="forbid", protected_namespaces=())

    reranker: Reranker = Field(exclude=True)

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

    def _postprocess_nodes(
        self, nodes: list[NodeWithScore], query_bundle: QueryBundle | None = None
    ) -> list[NodeWithScore]:
        query, candidates = _query(query_bundle), _candidates(nodes)
        with self._traced(query, nodes) as result:
            with observing(ChatEvents(self.callback_manager)):
                ranking = self.reranker.rank(query, candidates)
            result.extend(_nodes(ranking, nodes))
        return result

    @dispatcher.span  # LlamaIndex itself only wraps the sync method
    async def _apostprocess_nodes(
        self, nodes: list[NodeWithScore], query_bundle: QueryBundle | None = None
    ) -> list[NodeWithScore]:
        query, candidates = _query(query_bundle), _candidates(nodes)
        with self._traced(query, nodes) as result:
            async with aobserving(ChatEvents(self.callback_manager)):
                ranking = await self.reranker.arank(query, candidates)
            result.extend(_nodes(ranking, nodes))
        return result

    def __getstate__(self) -> dict[str, Any]:
        # pydantic's way, not LlamaIndex', which takes what does not pickle out of the living
        # object. Callbacks are an engine's: the one on the other side sets its own.
        state: dict[str, Any] = super(BaseComponent, self).__getstate__()
        return {**state, "__dict__": {**self.__dict__, "callback_manager": CallbackManager()}}

    @contextmanager
    def _traced(self, query: str, nodes: Sequence[NodeWithScore]) -> Iterator[list[NodeWithScore]]:
        """Tell LlamaIndex's instrumentation and callbacks; the list is filled in between."""
        result: list[NodeWithScore] = []
        model = ", ".join(map(_model, self.reranker.scorers.values()))
        top_n = self.reranker.top_n or len(nodes)
        dispatcher.event(
            ReRankStartEvent(query=query, nodes=list(nodes), top_n=top_n, model_name=model)
        )
        with self.callback_manager.event(
            CBEventType.RERANKING,
            payload={
                EventPayload.NODES: list(nodes),
                EventPayload.MODEL_NAME: model,
                EventPayload.QUERY_STR: query,
                EventPayload.TOP_K: top_n,
            },
        ) as event:
            yield result
            event.on_end(payload={EventPayload.NODES: result})
        dispatcher.event(ReRankEndEvent(nodes=result))


def _query(bundle: QueryBundle | None) -> str:
    if bundle is None:
        raise InvalidInputError("reranking needs a query: pass query_bundle or query_str")
    return bundle.query_str


def _model(scorer: Any) -> str:
    """What events and callbacks call the model: its own name, else that of the scorer."""
    return str(getattr(scorer, "model", None) or getattr(scorer, "name", type(scorer).__name__))


def _checked(node: Any) -> NodeWithScore:
    if not isinstance(node, NodeWithScore):
        raise InvalidInputError(f"a node is a LlamaIndex NodeWithScore, not {node!r:.80}")
    return node


def _candidates(nodes: Sequence[NodeWithScore]) -> list[Candidate]:
    return [
        Candidate(
            node.node.get_content(metadata_mode=MetadataMode.EMBED),
            id=node.node.node_id,
            score=node.score,
            metadata=node.node.metadata,
        )
        for node in map(_checked, nodes)
    ]


def _nodes(ranking: Ranking, nodes: Sequence[NodeWithScore]) -> list[NodeWithScore]:
    return [NodeWithScore(node=nodes[hit.index].node, score=hit.score) for hit in ranking]
