"""What stands around a reranker in LlamaIndex: postprocessors, engines, workflows, storage."""

from __future__ import annotations

import asyncio
import json
import multiprocessing
from collections.abc import Sequence
from copy import deepcopy
from typing import Any

import pytest
from loopback import FAULTS, Server

from rerank_core import Cascade, ConfigurationError, Ranking, Reranker, Stage
from rerank_core.combine import WeightedSum

pytest.importorskip("llama_index.core")

from italy_nodes import QUERY, TEXTS, index, names
from llama_index.core.base.llms.types import ChatMessage, ChatResponse
from llama_index.core.chat_engine import CondensePlusContextChatEngine, CondenseQuestionChatEngine
from llama_index.core.evaluation import RetrieverEvaluator
from llama_index.core.instrumentation import get_dispatcher
from llama_index.core.instrumentation.event_handlers import BaseEventHandler
from llama_index.core.instrumentation.events import BaseEvent
from llama_index.core.instrumentation.events.rerank import ReRankStartEvent
from llama_index.core.llms import MockLLM
from llama_index.core.memory import ChatMemoryBuffer
from llama_index.core.postprocessor import (
    LongContextReorder,
    MetadataReplacementPostProcessor,
    SimilarityPostprocessor,
)
from llama_index.core.query_engine import RetrieverQueryEngine
from llama_index.core.schema import ImageNode, IndexNode, MetadataMode, NodeWithScore, TextNode
from llama_index.core.workflow import Context, StartEvent, StopEvent, Workflow, step
from openai_server import HANG_UP
from pydantic import PrivateAttr

from llamaindex_rerank import BM25Reranker, HybridReranker, LLMReranker, RerankPostprocessor

NODES = [
    NodeWithScore(node=TextNode(text=text, id_=name, metadata={"page": n}), score=0.9 - n / 50)
    for n, (name, text) in enumerate(TEXTS.items())
]


class Says(MockLLM):
    """Answers, and notes what it was shown."""

    _shown: list[str] = PrivateAttr(default_factory=list)

    def _say(self, shown: object) -> ChatResponse:
        self._shown.append(str(shown))
        return ChatResponse(message=ChatMessage(role="assistant", content=QUERY))

    def chat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponse:
        return self._say([message.content for message in messages])

    async def achat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponse:
        return self._say([message.content for message in messages])

    def predict(self, prompt: Any, **kwargs: Any) -> str:
        return str(self._say(prompt.format(**kwargs)).message.content)

    async def apredict(self, prompt: Any, **kwargs: Any) -> str:
        return str(self._say(prompt.format(**kwargs)).message.content)


class TestBehindOurs:
    """What stands behind works in an outage: a node that has no score has an estimate."""

    @pytest.mark.parametrize("degraded", [False, True])
    def test_a_cutoff_on_similarity(self, server: Server, degraded: bool) -> None:
        """It leaves something, the best retrieved first."""
        server.faults = [FAULTS["unavailable"] if degraded else HANG_UP]
        rankings: list[Ranking] = []
        ours = LLMReranker(top_n=None, timeout=20.0, on_ranking=rankings.append)

        found = ours.postprocess_nodes(NODES, query_str=QUERY)
        kept = SimilarityPostprocessor(similarity_cutoff=0.5).postprocess_nodes(found)

        assert rankings[0].report.degraded is degraded
        assert names(kept)[0] == ("f0" if degraded else "rome")
        assert (len(kept) == len(NODES)) is degraded

    def test_a_partial_answer(self) -> None:
        """What was scored is judged by its score, the rest by its estimate."""

        def half(query: str, texts: Sequence[str]) -> list[float | None]:
            return [0.9 if "Italy" in text else 0.1 if "1" in text else None for text in texts]

        ours = RerankPostprocessor(reranker=Reranker(half, top_n=None))
        found = ours.postprocess_nodes(NODES, query_str=QUERY)
        kept = SimilarityPostprocessor(similarity_cutoff=0.2).postprocess_nodes(found)

        assert "rome" in names(kept)
        assert "f1" not in names(kept)
        assert "f2" in names(kept)
        assert all(node.score is not None for node in found)

    @pytest.mark.parametrize("degraded", [False, True])
    def test_a_reorder_for_long_contexts(self, server: Server, degraded: bool) -> None:
        """It sorts by score."""
        server.faults = [FAULTS["unavailable"] if degraded else HANG_UP]
        found = LLMReranker(top_n=5, timeout=20.0).postprocess_nodes(NODES, query_str=QUERY)

        reordered = LongContextReorder().postprocess_nodes(found)

        assert sorted(names(reordered)) == sorted(names(found))
        assert names(found)[0] in (names(reordered)[0], names(reordered)[-1])

    def test_a_replacement_of_the_text(self) -> None:
        """A window around a sentence: the node that comes back is the retriever's own."""
        node = TextNode(text="capital of Italy", metadata={"window": "before. Rome. after."})
        found = BM25Reranker().postprocess_nodes([NodeWithScore(node=node)], query_str=QUERY)

        replaced = MetadataReplacementPostProcessor("window").postprocess_nodes(found)

        assert replaced[0].node.get_content() == "before. Rome. after."


class TestEngines:
    @pytest.mark.parametrize("face", ["sync", "async"])
    @pytest.mark.parametrize("mode", ["context", "condense", "condense+context"])
    def test_chat_engines(self, mode: str, face: str) -> None:
        """The context is the reranked one, in the second turn of a conversation, too."""
        llm = Says()
        retriever = index().as_retriever(similarity_top_k=12)
        ours = [BM25Reranker(top_n=1)]
        memory = ChatMemoryBuffer.from_defaults(llm=llm)
        engine: Any
        if mode == "condense":
            queries = RetrieverQueryEngine.from_args(retriever, llm=llm, node_postprocessors=ours)
            engine = CondenseQuestionChatEngine.from_defaults(queries, llm=llm, memory=memory)
        elif mode == "context":
            engine = index().as_chat_engine(
                chat_mode="context",
                llm=llm,
                memory=memory,
                similarity_top_k=12,
                node_postprocessors=ours,
            )
        else:
            engine = CondensePlusContextChatEngine.from_defaults(
                retriever, llm=llm, memory=memory, node_postprocessors=ours
            )

        for _ in range(2):
            reply = engine.chat(QUERY) if face == "sync" else asyncio.run(engine.achat(QUERY))

        assert names(reply.source_nodes) == ["rome"]
        assert "filler" not in llm._shown[-1]

    @pytest.mark.parametrize("degraded", [False, True])
    def test_nothing_of_ours_is_in_what_the_answering_model_is_shown(
        self, server: Server, degraded: bool
    ) -> None:
        """The nodes' text and metadata, as without a reranker."""
        server.faults = [FAULTS["unavailable"] if degraded else HANG_UP]
        llm, bare = Says(), Says()
        retriever = index().as_retriever(similarity_top_k=1)
        reranked = [LLMReranker(timeout=20.0, keep_retrieval_score=True)]

        RetrieverQueryEngine.from_args(retriever, llm=llm, node_postprocessors=reranked).query("q")
        RetrieverQueryEngine.from_args(retriever, llm=bare).query("q")

        assert llm._shown == bare._shown != []

    def test_the_evaluator(self) -> None:
        """Several queries at once, inside a running loop."""
        evaluator = RetrieverEvaluator.from_metric_names(
            ["mrr", "hit_rate"],
            retriever=index().as_retriever(similarity_top_k=12),
            node_postprocessors=[BM25Reranker(top_n=1)],
        )

        async def several() -> list[Any]:
            judged = {QUERY: ["rome"], "filler number 3": ["f3"]}
            return await asyncio.gather(*(evaluator.aevaluate(*each) for each in judged.items()))

        results = asyncio.run(several())

        assert [result.metric_vals_dict["mrr"] for result in results] == [1.0, 1.0]

    def test_a_workflow(self, server: Server) -> None:
        """A step awaits it; several runs at once each get their own."""
        ours = LLMReranker(top_n=1)

        class Rag(Workflow):
            @step
            async def answer(self, ctx: Context, start: StartEvent) -> StopEvent:
                found = await ours.apostprocess_nodes(NODES, query_str=start.query)
                return StopEvent(result=names(found))

        async def several() -> list[Any]:
            flow = Rag(timeout=30)
            return await asyncio.gather(*(flow.run(query=QUERY) for _ in range(8)))

        assert asyncio.run(several()) == [["rome"]] * 8


class TestNodes:
    @pytest.mark.parametrize("degraded", [False, True])
    def test_nodes_are_the_same_and_their_metadata_equal_in_depth(
        self, server: Server, degraded: bool
    ) -> None:
        """Of every kind, nested metadata and relationships with them; scores are fit for JSON."""
        server.faults = [FAULTS["unavailable"] if degraded else HANG_UP]
        nested = {"a": {"b": [1, {"c": None}]}, "relevance_score": "mine"}
        nodes = [
            NodeWithScore(node=TextNode(text="t", id_="t", metadata=nested), score=0.3),
            NodeWithScore(node=IndexNode(text="i", id_="i", index_id="x", metadata=nested)),
            NodeWithScore(node=ImageNode(text="m", id_="m", image_url="http://x/y.png")),
        ]
        before = deepcopy(nodes)
        ours = LLMReranker(top_n=None, timeout=20.0)

        found = ours.postprocess_nodes(nodes, query_str=QUERY)

        assert nodes == before
        by_id = {node.node.node_id: node.node for node in nodes}
        assert sorted(names(found)) == ["i", "m", "t"]
        assert all(node.node is by_id[node.node.node_id] for node in found)
        assert json.loads(json.dumps([node.score for node in found]))
        assert all(
            node.node.get_content(mode) == by_id[node.node.node_id].get_content(mode)
            for node in found
            for mode in (MetadataMode.LLM, MetadataMode.EMBED)
        )


class _Heard(BaseEventHandler):
    events: list[Any]

    def handle(self, event: BaseEvent, **kwargs: Any) -> None:
        self.events.append(event)


@pytest.mark.parametrize(
    ("ours", "model"),
    [
        (HybridReranker(), "hybrid"),
        (BM25Reranker(), "bm25"),
        (RerankPostprocessor(reranker=Reranker("hybrid > bm25@5")), "hybrid > bm25"),
    ],
    ids=["hybrid", "bm25", "cascade"],
)
def test_events_name_it_as_it_is(ours: RerankPostprocessor, model: str) -> None:
    """The model, or what scores; and beside it the class."""
    heard = _Heard(events=[])
    get_dispatcher().add_event_handler(heard)
    try:
        ours.postprocess_nodes(NODES, query_str=QUERY)
    finally:
        get_dispatcher().event_handlers.remove(heard)

    (start,) = (event for event in heard.events if isinstance(event, ReRankStartEvent))
    assert (start.model_name, start.tags["reranker"]) == (model, type(ours).__name__)


class TestStored:
    @pytest.mark.parametrize(
        "reranker",
        [
            Reranker("hybrid", top_n=3, timeout=2.5),
            Reranker(Cascade("hybrid", Stage("bm25", 20)), on_error="raise"),
            Reranker({"words": "bm25"}, combine=WeightedSum({"words": 0.7, "retrieval": 0.3})),
        ],
        ids=["options", "cascade", "combination"],
    )
    def test_the_wrapper(self, reranker: Reranker) -> None:
        """To a dict, to JSON and back: what a config file can hold of its reranker."""
        wrapper = RerankPostprocessor(reranker=reranker, keep_retrieval_score=True)

        stored = wrapper.to_json()
        again = RerankPostprocessor.from_json(stored)

        assert json.loads(again.to_json()) == json.loads(stored)
        assert again.keep_retrieval_score
        assert again.reranker.name == reranker.name
        ours = [wrapper.postprocess_nodes(NODES, query_str=QUERY) for wrapper in (wrapper, again)]
        assert names(ours[0]) == names(ours[1])

    def test_what_no_dict_can_hold_is_asked_for_again(self) -> None:
        """A function, a model object."""
        wrapper = RerankPostprocessor(reranker=Reranker(lambda query, texts: [1.0] * len(texts)))
        stored = json.loads(json.dumps(wrapper.to_dict()))

        with pytest.raises(ConfigurationError, match=r"from_dict\(data, reranker=…\)"):
            RerankPostprocessor.from_dict(stored)
        again = RerankPostprocessor.from_dict(stored, reranker=Reranker("bm25"))
        assert again.reranker.name == "bm25"

    def test_no_password_is_in_it(self) -> None:
        """As in no config file."""
        cached = Reranker("bm25", cache="redis://me:hush@127.0.0.1:1/0")

        assert "hush" not in RerankPostprocessor(reranker=cached).to_json()

    @pytest.mark.parametrize("kind", [RerankPostprocessor, LLMReranker, HybridReranker])
    def test_a_schema(self, kind: Any) -> None:
        """Of the fields that a dict has."""
        schema = kind.model_json_schema()

        assert schema["properties"]["class_name"]["default"] == kind.class_name()
        assert "top_n" in schema["properties"]
        assert "reranker" not in schema["properties"]


def _forked(ours: RerankPostprocessor, answers: Any) -> None:
    answers.put(names(ours.postprocess_nodes(NODES, query_str=QUERY)))


@pytest.mark.slow
@pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="no fork here")
@pytest.mark.parametrize("used", [False, True])
def test_a_fork(server: Server, used: bool) -> None:
    """After import and after use: the child ranks as the parent does."""
    ours = LLMReranker(top_n=1, timeout=30.0)
    if used:
        ours.postprocess_nodes(NODES, query_str=QUERY)
    context = multiprocessing.get_context("fork")
    answers = context.Queue()

    child = context.Process(target=_forked, args=(ours, answers))
    child.start()
    found = answers.get(timeout=60)
    child.join(timeout=60)

    assert found == ["rome"]
    assert child.exitcode == 0
    assert names(ours.postprocess_nodes(NODES, query_str=QUERY)) == ["rome"]
