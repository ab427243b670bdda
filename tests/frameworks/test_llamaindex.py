"""Inside LlamaIndex: its own indexes, engines, models, events and settings, over a real server."""

from __future__ import annotations

import asyncio
import json
import pickle
import sys
from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from inspect import signature
from typing import Any

import pytest
from loopback import DIALECTS, FAULTS, OpenAIAPI, RerankAPI, Server, first, scoring

from rerank_core import (
    ConfigurationError,
    InvalidInputError,
    MissingKeyError,
    Ranking,
    Reranker,
    ScorerError,
)
from rerank_core.errors import Reason
from rerank_core.protocols import ChatRequest, Reply

pytest.importorskip("llama_index.core")
pytest.importorskip("llama_index.llms.openai_like")

from italy_nodes import QUERY, TEXTS, index, names
from llama_index.core import MockEmbedding, Settings
from llama_index.core.base.llms.types import ChatMessage, ChatResponse
from llama_index.core.callbacks import (
    CallbackManager,
    CBEventType,
    EventPayload,
    TokenCountingHandler,
)
from llama_index.core.callbacks.base_handler import BaseCallbackHandler
from llama_index.core.embeddings import BaseEmbedding
from llama_index.core.evaluation import RetrieverEvaluator
from llama_index.core.instrumentation import get_dispatcher
from llama_index.core.instrumentation.event_handlers import BaseEventHandler
from llama_index.core.instrumentation.events import BaseEvent
from llama_index.core.instrumentation.events.llm import LLMChatEndEvent, LLMChatStartEvent
from llama_index.core.instrumentation.events.rerank import ReRankEndEvent, ReRankStartEvent
from llama_index.core.instrumentation.span_handlers import SimpleSpanHandler
from llama_index.core.llms import MockLLM
from llama_index.core.memory import ChatMemoryBuffer
from llama_index.core.postprocessor.types import BaseNodePostprocessor
from llama_index.core.prompts import ChatPromptTemplate, PromptTemplate
from llama_index.core.query_engine import RetrieverQueryEngine
from llama_index.core.schema import NodeWithScore, QueryBundle, TextNode
from llama_index.core.tools import RetrieverTool
from llama_index.llms.openai_like import OpenAILike
from openai_server import HANG_UP, KEY
from pydantic import PrivateAttr

import llamaindex_rerank
from llamaindex_rerank import (
    BM25Reranker,
    EmbeddingReranker,
    HybridReranker,
    LLMReranker,
    RerankAPIReranker,
    RerankPostprocessor,
)
from llamaindex_rerank.postprocessor import RankedNode

#: As a retriever brings them, best first; what is wanted is the eighth.
NODES = [
    NodeWithScore(node=TextNode(text=TEXTS[name], id_=name, metadata={"page": n}), score=1 - n / 20)
    for n, name in enumerate([*list(TEXTS)[:7], "rome", *list(TEXTS)[7:11]])
]


class Strict:
    """Grades everything 9, or 1 if asked to be strict."""

    model = "strict"

    async def complete(self, request: ChatRequest) -> Reply:
        grade = 1 if "Strictly" in request.user else 9
        scores = [{"id": number, "score": grade} for number in range(1, len(NODES) + 1)]
        return Reply(json.dumps({"scores": scores}))


Postprocess = Callable[..., list[NodeWithScore]]


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing was set explicitly, whatever ran before."""
    monkeypatch.setattr(Settings, "_llm", None)


@pytest.fixture(scope="module", autouse=True)
def _loaded() -> None:
    """What a model's client imports on its first use takes seconds of nobody's deadline here."""
    llm = OpenAILike(model="mine", api_base="http://127.0.0.1:9/v1", api_key=KEY)
    reranker = LLMReranker(llm=llm).reranker
    reranker.warm_up()
    reranker.close()


@pytest.fixture(params=["sync", "async"])
def face(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def used() -> Iterator[list[RerankPostprocessor]]:
    """The postprocessors that were used; they are closed at the end."""
    used: list[RerankPostprocessor] = []
    yield used
    for postprocessor in used:
        postprocessor.reranker.close()


@pytest.fixture
def postprocess(face: str, used: list[RerankPostprocessor]) -> Postprocess:
    """Postprocess by hand, through either face."""

    def call(
        postprocessor: RerankPostprocessor,
        nodes: Sequence[NodeWithScore] = NODES,
        query: str | None = QUERY,
    ) -> list[NodeWithScore]:
        used.append(postprocessor)
        if face == "sync":
            return postprocessor.postprocess_nodes(list(nodes), query_str=query)
        return asyncio.run(postprocessor.apostprocess_nodes(list(nodes), query_str=query))

    return call


def own_model(server: Server, **options: Any) -> OpenAILike:
    return OpenAILike(
        model="mine", api_base=f"{server.url}/v1", api_key=KEY, is_chat_model=True, **options
    )


class TestInAnEngine:
    def test_a_query_engine(
        self, server: Server, face: str, used: list[RerankPostprocessor]
    ) -> None:
        """`LLMReranker()` takes key and server from the environment; the best comes first."""
        reranker = LLMReranker(top_n=3)
        used.append(reranker)
        engine = index().as_query_engine(
            llm=MockLLM(), similarity_top_k=12, node_postprocessors=[reranker]
        )

        if face == "sync":
            found = engine.query(QUERY).source_nodes
        else:
            found = asyncio.run(engine.aquery(QUERY)).source_nodes

        assert names(found)[0] == "rome"
        assert len(found) == 3
        assert server.requests[0].json["model"] == "gpt-4o-mini"

    def test_a_chat_engine(self, face: str) -> None:
        """The context that the model is given is the reranked one."""
        engine = index().as_chat_engine(
            chat_mode="context",
            llm=MockLLM(),
            memory=ChatMemoryBuffer.from_defaults(llm=MockLLM()),  # the default leaks a database
            similarity_top_k=12,
            node_postprocessors=[BM25Reranker(top_n=1)],
        )

        reply = engine.chat(QUERY) if face == "sync" else asyncio.run(engine.achat(QUERY))

        assert names(reply.source_nodes) == ["rome"]

    def test_a_retriever_tool(self, face: str) -> None:
        """Calls its postprocessors itself."""
        tool = RetrieverTool.from_defaults(
            index().as_retriever(similarity_top_k=12),
            node_postprocessors=[BM25Reranker(top_n=1)],
        )

        found = tool.call(QUERY) if face == "sync" else asyncio.run(tool.acall(QUERY))

        assert "Rome" in str(found.content)
        assert "filler" not in str(found.content)

    def test_the_sync_face_works_inside_a_running_loop(self) -> None:
        """`RetrieverEvaluator` calls it there."""
        evaluator = RetrieverEvaluator.from_metric_names(
            ["mrr"],
            retriever=index().as_retriever(similarity_top_k=12),
            node_postprocessors=[BM25Reranker()],
        )

        result = asyncio.run(evaluator.aevaluate(QUERY, ["rome"]))

        assert result.metric_vals_dict == {"mrr": 1.0}

    def test_it_is_a_node_postprocessor(self) -> None:
        """The base class is in the MRO of every one, as LlamaIndex' own integrations test."""
        for name in llamaindex_rerank.__all__:
            assert BaseNodePostprocessor in getattr(llamaindex_rerank, name).__mro__


def test_the_test_model_grades_nothing(postprocess: Postprocess) -> None:
    """`MockLLM` says the prompt over again, and goes by its class: it has no name."""
    told: list[Ranking] = []

    found = postprocess(LLMReranker(llm=MockLLM(), on_ranking=told.append))

    assert names(found) == names(NODES)[:10]
    assert told[0].report.reasons == (Reason.UNPARSEABLE,)
    assert "of MockLLM, which is the prompt over again" in told[0].report.why
    assert told[0].report.coverage == 0


class Recording(MockLLM):
    """An LLM that notes where it was called."""

    _where: list[Any] = PrivateAttr(default_factory=list)

    def chat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponse:
        self._where.append("a thread")
        return self._reply()

    async def achat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponse:
        self._where.append(asyncio.get_running_loop())
        return self._reply()

    def _reply(self) -> ChatResponse:
        reply = '{"scores": [{"id": 1, "score": 3}, {"id": 2, "score": 9}]}'
        return ChatResponse(message=ChatMessage(role="assistant", content=reply))


class TestTheUsersOwnModel:
    def test_it_is_asked_as_it_was_set_up(self, server: Server, postprocess: Postprocess) -> None:
        """`llm=` takes an LLM with its own client, retries and parameters."""
        found = postprocess(LLMReranker(llm=own_model(server, temperature=0.3), top_n=3))

        assert names(found)[0] == "rome"
        assert len(found) == 3
        sent = server.requests[0].json
        assert (sent["model"], sent["temperature"]) == ("mine", 0.3)

    def test_it_is_the_first_positional_argument_too(self, server: Server) -> None:
        """Like a model's name."""
        found = LLMReranker(own_model(server)).postprocess_nodes(NODES, query_str=QUERY)

        assert names(found)[0] == "rome"

    def test_it_stays_on_the_callers_loop(self, server: Server) -> None:
        """So the user's own next `achat` finds its connections where it left them."""
        llm = own_model(server)
        reranker = LLMReranker(llm=llm)
        hello = [ChatMessage(role="user", content="hello")]

        async def session() -> list[str | None]:
            before = await llm.achat(hello)
            await reranker.apostprocess_nodes(NODES, query_str=QUERY)
            await asyncio.to_thread(reranker.postprocess_nodes, NODES, query_str=QUERY)
            after = await llm.achat(hello)
            return [before.message.content, after.message.content]

        assert asyncio.run(session()) == ["{}"] * 2

    def test_each_face_uses_the_models_own(self) -> None:
        """The sync face its `chat`, in a thread; the async face its `achat`, on this loop."""
        llm = Recording()
        reranker = LLMReranker(llm=llm)

        async def session() -> bool:
            await reranker.apostprocess_nodes(NODES[:2], query_str=QUERY)
            return llm._where == ["a thread", asyncio.get_running_loop()]

        reranker.postprocess_nodes(NODES[:2], query_str=QUERY)
        assert asyncio.run(session())


class TestSettings:
    def test_a_model_that_was_set_is_used(self, server: Server, postprocess: Postprocess) -> None:
        """As everywhere in LlamaIndex; it is looked up at construction."""
        Settings.llm = own_model(server)
        reranker = LLMReranker()
        Settings.llm = own_model(server, temperature=1)

        postprocess(reranker)

        assert server.requests[0].json["model"] == "mine"
        assert server.requests[0].json["temperature"] != 1

    @pytest.mark.parametrize("options", [{"model": "named"}, {"llm": "named"}])
    def test_a_model_that_is_given_goes_first(
        self, server: Server, postprocess: Postprocess, options: dict[str, str]
    ) -> None:
        Settings.llm = own_model(server)

        postprocess(LLMReranker(**options))

        assert server.requests[0].json["model"] == "named"

    def test_no_model_is_no_model(self, server: Server, postprocess: Postprocess) -> None:
        """`Settings.llm = None` leaves a mock there, which grades nothing: the environment says."""
        Settings.llm = None

        found = postprocess(LLMReranker())

        assert names(found)[0] == "rome"

    def test_nothing_is_made_up(self) -> None:
        """Where none was set, LlamaIndex' own default stays unmade."""
        with pytest.raises(MissingKeyError, match="OPENAI_API_KEY"):
            LLMReranker()
        assert Settings._llm is None


class Letters(BaseEmbedding):
    """How often each letter occurs; notes where it was asked."""

    _where: list[Any] = PrivateAttr(default_factory=list)

    def _vector(self, text: str) -> list[float]:
        return [1e-9, *(float(text.count(letter)) for letter in "abcdefghijklmnopqrstuvwxyz")]

    def _get_query_embedding(self, query: str) -> list[float]:
        self._where.append("a thread")
        return self._vector(query)

    async def _aget_query_embedding(self, query: str) -> list[float]:
        self._where.append(asyncio.get_running_loop())
        return self._vector(query)

    def _get_text_embedding(self, text: str) -> list[float]:
        return self._vector(text)

    async def _aget_text_embedding(self, text: str) -> list[float]:
        return self._vector(text)


class TestEmbeddings:
    def test_a_model_that_was_set_is_used(
        self, postprocess: Postprocess, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """As `LLMReranker()` takes `Settings.llm`: no text goes to OpenAI."""
        monkeypatch.setattr(Settings, "_embed_model", None)
        Settings.embed_model = Letters()

        found = postprocess(EmbeddingReranker(top_n=2))

        assert names(found)[0] == "rome"
        assert len(found) == 2

    @pytest.mark.parametrize("name", ["embedder", "model"])
    def test_a_model_that_is_given_goes_first(
        self, postprocess: Postprocess, monkeypatch: pytest.MonkeyPatch, name: str
    ) -> None:
        """By either name, or as the first argument."""
        set_before, given = Letters(), Letters()
        monkeypatch.setattr(Settings, "_embed_model", set_before)

        postprocess(EmbeddingReranker(**{name: given}))
        postprocess(EmbeddingReranker(given))

        assert len(given._where) == 2
        assert set_before._where == []

    def test_each_face_uses_the_models_own(self) -> None:
        """The sync one in a thread, the async one on the caller's loop."""
        model = Letters()

        async def session() -> bool:
            await EmbeddingReranker(model).apostprocess_nodes(NODES, query_str=QUERY)
            return model._where == ["a thread", asyncio.get_running_loop()]

        EmbeddingReranker(model).postprocess_nodes(NODES, query_str=QUERY)
        assert asyncio.run(session())

    def test_a_model_is_a_scorer_in_a_reranker(self, server: Server) -> None:
        """It is callable, and not called: what it returns would be no scores."""
        assert Reranker(Letters()).rank(QUERY, list(TEXTS.values()))[0].text == TEXTS["rome"]
        assert Reranker(own_model(server)).rank(QUERY, list(TEXTS.values()))[0].score is not None

    def test_switched_off_is_an_error(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """`Settings.embed_model = None` leaves a mock: nothing is asked in its place."""
        monkeypatch.setattr(Settings, "_embed_model", MockEmbedding(embed_dim=1))

        with pytest.raises(ConfigurationError, match="vectors say nothing"):
            EmbeddingReranker()

    def test_nothing_is_made_up(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Where none was set, the environment says, and LlamaIndex' own default stays unmade."""
        monkeypatch.setattr(Settings, "_embed_model", None)

        with pytest.raises(MissingKeyError, match="OPENAI_API_KEY"):
            EmbeddingReranker()
        assert Settings._embed_model is None


class TestWarmUp:
    def test_a_model_of_the_users_makes_its_clients(self, server: Server) -> None:
        """The longest part of a first call; and nothing is sent."""
        llm = own_model(server)
        reranker = LLMReranker(llm=llm)

        reranker.reranker.warm_up()

        assert (llm._client is None, llm._aclient is None) == (False, False)
        assert "openai.resources.chat.completions" in sys.modules
        assert server.requests == []

    def test_what_fails_in_it_is_told_by_the_call(self) -> None:
        """A model of any make may have attributes that raise."""

        class Awkward(Recording):
            @property
            def client(self) -> Any:
                raise RuntimeError("not yet")

            async def _get_client(self) -> None:
                raise AssertionError("nobody waits for this")

        reranker = LLMReranker(Awkward())
        reranker.reranker.warm_up()

        assert len(reranker.postprocess_nodes(NODES[:2], query_str=QUERY)) == 2


class Noted(BaseEventHandler):
    """Notes every instrumentation event."""

    events: list[Any]

    def handle(self, event: BaseEvent, **kwargs: Any) -> None:
        self.events.append(event)


@pytest.fixture
def instrumented() -> Iterator[tuple[list[Any], SimpleSpanHandler]]:
    """The events and spans of LlamaIndex' instrumentation."""
    root, handler, spans = get_dispatcher(), Noted(events=[]), SimpleSpanHandler()
    root.add_event_handler(handler)
    root.add_span_handler(spans)
    yield handler.events, spans
    root.event_handlers.remove(handler)
    root.span_handlers.remove(spans)


class Callbacks(BaseCallbackHandler):
    """Notes the callbacks of one type, and what they are under."""

    def __init__(self, kind: CBEventType = CBEventType.RERANKING) -> None:
        super().__init__([], [])
        self.kind = kind
        self.started: list[dict[str, Any]] = []
        self.ended: list[dict[str, Any]] = []
        self.kinds: dict[str, CBEventType] = {}
        self.under: list[CBEventType | None] = []

    def on_event_start(
        self,
        event_type: CBEventType,
        payload: dict[str, Any] | None = None,
        event_id: str = "",
        parent_id: str = "",
        **kwargs: Any,
    ) -> str:
        self.kinds[event_id] = event_type
        if event_type is self.kind:
            self.started.append(payload or {})
            self.under.append(self.kinds.get(parent_id))
        return event_id

    def on_event_end(
        self, event_type: CBEventType, payload: dict[str, Any] | None = None, **kwargs: Any
    ) -> None:
        if event_type is self.kind:
            self.ended.append(payload or {})

    def start_trace(self, trace_id: str | None = None) -> None: ...
    def end_trace(self, *args: Any, **kwargs: Any) -> None: ...


class TestTraces:
    def test_events_say_what_went_in_and_out(
        self, server: Server, postprocess: Postprocess, instrumented: tuple[list[Any], Any]
    ) -> None:
        """One at the start, one at the end, with the model's own name."""
        found = postprocess(LLMReranker("some-model", top_n=2))

        start, end = [
            e for e in instrumented[0] if isinstance(e, ReRankStartEvent | ReRankEndEvent)
        ]
        assert (start.query, start.nodes, start.top_n) == (QUERY, NODES, 2)
        assert start.model_name == "some-model"
        assert end.nodes == found

    def test_a_reranker_that_returns_all_says_how_many(
        self, postprocess: Postprocess, instrumented: tuple[list[Any], Any]
    ) -> None:
        """`top_n=None` is none of LlamaIndex' numbers."""
        postprocess(BM25Reranker(top_n=None))

        start = next(e for e in instrumented[0] if isinstance(e, ReRankStartEvent))
        assert (start.top_n, start.model_name) == (len(NODES), "bm25")

    def test_the_models_span_is_under_the_rerankers(
        self, server: Server, postprocess: Postprocess, instrumented: tuple[Any, SimpleSpanHandler]
    ) -> None:
        """Through whichever face."""
        postprocess(LLMReranker(llm=own_model(server)))

        spans = instrumented[1].completed_spans
        outermost = [s for s in spans if s.id_.startswith("OpenAILike.")][-1]
        assert str(outermost.parent_id).startswith("LLMReranker.")

    def test_callbacks(self, postprocess: Postprocess) -> None:
        """RERANKING, with what LlamaIndex' own rerankers say."""
        callbacks = Callbacks()
        reranker = BM25Reranker(top_n=2, callback_manager=CallbackManager([callbacks]))

        found = postprocess(reranker)

        assert callbacks.started == [
            {
                EventPayload.NODES: NODES,
                EventPayload.MODEL_NAME: "bm25",
                EventPayload.QUERY_STR: QUERY,
                EventPayload.TOP_K: 2,
            }
        ]
        assert callbacks.ended == [{EventPayload.NODES: found}]

    def test_an_engine_sets_its_own_callbacks(self) -> None:
        """`callback_manager` stays settable."""
        reranker = BM25Reranker()
        callbacks = Callbacks()

        engine = RetrieverQueryEngine.from_args(
            index().as_retriever(),
            llm=MockLLM(),
            node_postprocessors=[reranker],
            callback_manager=CallbackManager([callbacks]),
        )
        engine.query(QUERY)

        assert reranker.callback_manager is engine.callback_manager
        assert len(callbacks.ended) == 1

    def test_an_error_ends_them(self, server: Server, postprocess: Postprocess) -> None:
        """And reaches the caller as it is."""
        server.faults = [FAULTS["unauthorized"]]
        callbacks = Callbacks()

        with pytest.raises(ScorerError, match="401"):
            postprocess(LLMReranker(callback_manager=CallbackManager([callbacks])))

        assert isinstance(callbacks.ended[0][EventPayload.EXCEPTION], ScorerError)


MANY = [
    *NODES,
    *(NodeWithScore(node=TextNode(text=f"more filler, {n}", id_=f"m{n}")) for n in range(88)),
]


@pytest.mark.slow
@pytest.mark.versions
class TestOurOwnCalls:
    """They are told of as those of LlamaIndex' own LLMs are."""

    def test_each_is_an_llm_event_below_the_reranking(
        self, server: Server, postprocess: Postprocess
    ) -> None:
        """Ten groups at once: ten events, with messages and response; no key."""
        callbacks = Callbacks(CBEventType.LLM)
        reranker = LLMReranker("some-model", callback_manager=CallbackManager([callbacks]))

        postprocess(reranker, MANY)

        assert len(callbacks.started) == len(callbacks.ended) == len(server.requests) == 10
        assert set(callbacks.under) == {CBEventType.RERANKING}
        started, ended = callbacks.started[0], callbacks.ended[0]
        assert started[EventPayload.SERIALIZED]["model_name"] == "some-model"
        assert started[EventPayload.ADDITIONAL_KWARGS]["temperature"] == 0.0
        assert [message.role for message in ended[EventPayload.MESSAGES]] == ["system", "user"]
        assert '"1":' in str(ended[EventPayload.RESPONSE].message.content)
        assert KEY not in f"{callbacks.started} {callbacks.ended}"

    def test_tokens_are_counted(self, server: Server, postprocess: Postprocess) -> None:
        """LlamaIndex' own counter says what the report says."""
        counter = TokenCountingHandler(tokenizer=str.split)
        rankings: list[Ranking] = []
        reranker = LLMReranker(
            callback_manager=CallbackManager([counter]), on_ranking=rankings.append
        )

        postprocess(reranker, MANY)

        (report,) = [ranking.report for ranking in rankings]
        assert counter.prompt_llm_token_count == report.prompt_tokens > 0
        assert counter.completion_llm_token_count == report.completion_tokens > 0

    def test_instrumentation(
        self,
        server: Server,
        postprocess: Postprocess,
        instrumented: tuple[list[Any], SimpleSpanHandler],
    ) -> None:
        """A start and an end for each, in a span of its own below the reranker's."""
        postprocess(LLMReranker("some-model"), MANY)

        events, spans = instrumented
        starts = [event for event in events if isinstance(event, LLMChatStartEvent)]
        ends = [event for event in events if isinstance(event, LLMChatEndEvent)]
        below = [s for s in spans.completed_spans if s.id_.startswith("OpenAIChat.chat-")]
        assert len(starts) == len(ends) == len(below) == len(server.requests) == 10
        assert {event.span_id for event in starts} == {span.id_ for span in below}
        assert {event.span_id for event in ends} == {span.id_ for span in below}
        assert all(str(span.parent_id).startswith("LLMReranker.") for span in below)
        assert starts[0].model_dict["model_name"] == "some-model"
        assert '"1":' in str(ends[0].response)
        assert KEY not in f"{events}"

    def test_the_users_own_model_is_not_told_twice(
        self,
        server: Server,
        postprocess: Postprocess,
        instrumented: tuple[list[Any], SimpleSpanHandler],
    ) -> None:
        """It tells of its calls itself."""
        postprocess(LLMReranker(llm=own_model(server)), MANY)

        starts = [event for event in instrumented[0] if isinstance(event, LLMChatStartEvent)]
        assert len(starts) == len(server.requests) == 10

    def test_a_failure_ends_it(
        self,
        server: Server,
        postprocess: Postprocess,
        instrumented: tuple[list[Any], SimpleSpanHandler],
    ) -> None:
        """The second try is a call of its own."""
        server.faults = [FAULTS["server-error"].only(first(1)), HANG_UP]
        callbacks = Callbacks(CBEventType.LLM)

        postprocess(LLMReranker(callback_manager=CallbackManager([callbacks])), NODES[:3])

        failed, answered = callbacks.ended
        assert isinstance(failed[EventPayload.EXCEPTION], ScorerError)
        assert EventPayload.RESPONSE in answered
        (dropped,) = instrumented[1].dropped_spans
        assert "500" in dropped.metadata["error"]

    @pytest.mark.slow
    def test_the_deadline_ends_it(
        self,
        server: Server,
        postprocess: Postprocess,
        instrumented: tuple[list[Any], SimpleSpanHandler],
    ) -> None:
        """With an error: no event and no span stays open."""
        server.faults = [FAULTS["silent"]]
        callbacks = Callbacks(CBEventType.LLM)

        reranker = LLMReranker(timeout=1.0, callback_manager=CallbackManager([callbacks]))
        reranker.reranker.warm_up()

        postprocess(reranker, MANY)

        assert len(callbacks.ended) == len(callbacks.started) > 0
        assert all(EventPayload.EXCEPTION in payload for payload in callbacks.ended)
        assert instrumented[1].open_spans == {}

    def test_a_handler_that_raises_harms_nothing(
        self,
        server: Server,
        postprocess: Postprocess,
        instrumented: tuple[list[Any], SimpleSpanHandler],
    ) -> None:
        """Such as a counter whose budget is spent; and no span stays open."""
        if "token_budget" not in signature(TokenCountingHandler).parameters:
            pytest.skip("no budgets before llama-index-core 0.14")
        counter = TokenCountingHandler(tokenizer=str.split, token_budget=10)
        reranker = LLMReranker(callback_manager=CallbackManager([counter]))

        found = postprocess(reranker, NODES[:3] + NODES[7:8])

        assert names(found)[0] == "rome"
        assert counter.total_llm_token_count > 10
        assert instrumented[1].open_spans == {}


class TestNodes:
    def test_inputs_are_left_as_they_were(self, server: Server, postprocess: Postprocess) -> None:
        """New `NodeWithScore` objects come back, around the same nodes; nothing is written."""
        nodes = deepcopy(NODES)
        hashes = [node.node.hash for node in nodes]

        found = postprocess(LLMReranker(), nodes)

        assert nodes == NODES
        assert [node.node.hash for node in nodes] == hashes
        assert not any(node is given for node in found for given in nodes)
        assert all(any(node.node is given.node for given in nodes) for node in found)

    def test_scores_are_plain_floats(self, server: Server, postprocess: Postprocess) -> None:
        """Falling from the first on, fit for JSON."""
        found = postprocess(LLMReranker(top_n=None))

        scores = [node.score for node in found]
        assert {type(score) for score in scores} == {float}
        assert scores == sorted(scores, key=lambda score: -(score or 0.0))
        assert json.loads(json.dumps([node.to_dict() for node in found]))

    def test_what_could_not_be_scored_has_an_estimate(
        self, server: Server, postprocess: Postprocess, caplog: pytest.LogCaptureFixture
    ) -> None:
        """Marked as such, and not the retriever's score; its order is kept, and the reason told."""
        server.faults = [FAULTS["closed"]]
        rankings: list[Ranking] = []
        reranker = LLMReranker(timeout=1.0, top_n=None, on_ranking=rankings.append)
        reranker.reranker.warm_up()

        found = postprocess(reranker)

        assert names(found) == names(NODES)
        estimates = [node.score or 0.0 for node in found]
        assert estimates == sorted(set(estimates), reverse=True)
        assert estimates[0] == 1.0
        assert estimates[-1] > 0.5
        assert all(isinstance(node, RankedNode) and node.estimated for node in found)
        assert [hit.score for hit in rankings[0]] == [None] * len(NODES)
        assert rankings[0].report.coverage == 0.0
        assert "connection" in caplog.text

    def test_metadata_is_shown_as_it_is_to_an_embedding_model(
        self, server: Server, postprocess: Postprocess
    ) -> None:
        """`MetadataMode.EMBED`, which the user's own exclusions shape."""
        node = TextNode(
            text="nothing here",
            metadata={"title": "Italy", "secret": "s3"},
            excluded_embed_metadata_keys=["secret"],
        )

        postprocess(LLMReranker(), [NodeWithScore(node=node)])

        prompt = server.requests[0].json["messages"][1]["content"]
        assert "\ntitle: Italy\n\nnothing here\n" in prompt
        assert "s3" not in prompt

    def test_the_retrievers_scores_are_used(self, postprocess: Postprocess) -> None:
        """Half of the hybrid's score."""
        nodes = [
            NodeWithScore(node=TextNode(text="Rome", id_="weak"), score=0.1),
            NodeWithScore(node=TextNode(text="Rome", id_="strong"), score=0.9),
        ]

        assert names(postprocess(HybridReranker(), nodes, "Rome")) == ["strong", "weak"]

    def test_no_nodes_no_ranking(self, postprocess: Postprocess) -> None:
        """An empty list gives an empty list."""
        assert postprocess(BM25Reranker(), []) == []


class TestBadInput:
    """A clear error, a `ValueError`, before any call."""

    def test_no_query(self, server: Server, postprocess: Postprocess) -> None:
        with pytest.raises(ValueError, match="needs a query"):
            postprocess(LLMReranker(), query=None)
        assert server.requests == []

    def test_a_node_that_is_none(self, server: Server, postprocess: Postprocess) -> None:
        wrong: Any = [TextNode(text="without its score")]
        with pytest.raises(InvalidInputError, match="is a LlamaIndex NodeWithScore"):
            postprocess(LLMReranker(), wrong)
        assert server.requests == []

    @pytest.mark.parametrize(
        ("options", "complaint"),
        [
            ({"top_n": 0}, "top_n is 0: ask for at least 1"),
            ({"timeout": -1}, "timeout"),
            ({"top_k": 5}, r"'top_k': did you mean top_n\?"),
            ({"callback_manger": None}, r"did you mean callback_manager\?"),
            ({"on_error": "ignore"}, "on_error"),
        ],
        ids=str,
    )
    def test_options(self, options: dict[str, Any], complaint: str) -> None:
        with pytest.raises(ValueError, match=complaint):
            BM25Reranker(**options)

    def test_the_wrapper_refuses_unknown_options_too(self) -> None:
        with pytest.raises(ValueError, match="top_k"):
            RerankPostprocessor(reranker=Reranker(), top_k=5)  # type: ignore[call-arg]

    def test_a_missing_key(self) -> None:
        """Said at construction, naming the variable."""
        with pytest.raises(MissingKeyError, match="OPENAI_API_KEY"):
            LLMReranker()
        with pytest.raises(MissingKeyError, match="COHERE_API_KEY"):
            llamaindex_rerank.CohereReranker()

    def test_a_model_where_none_is_taken(self) -> None:
        with pytest.raises(ConfigurationError, match="takes no model"):
            HybridReranker("gpt-4o-mini")

    def test_an_unknown_model(self, server: Server, postprocess: Postprocess) -> None:
        """Only the server can tell; so it is told on the first call."""
        server.api = OpenAIAPI(scoring(), models=["another"])

        with pytest.raises(ScorerError, match="`gpt-4o-mini` does not exist"):
            postprocess(LLMReranker())


class TestPresets:
    def test_a_rerank_server(self, postprocess: Postprocess) -> None:
        """Its URL is the first argument."""
        with Server(RerankAPI(DIALECTS["jina"]), faults=[HANG_UP]) as server:
            reranker = RerankAPIReranker(f"{server.url}/v1/rerank", model="m", api_key=KEY)

            assert names(postprocess(reranker))[0] == "rome"

    def test_any_reranker_can_be_wrapped(self, postprocess: Postprocess) -> None:
        """What the presets cannot say, `Reranker` can."""
        reranker = Reranker(lambda query, texts: [*range(len(texts))])

        assert names(postprocess(RerankPostprocessor(reranker=reranker)))[0] == names(NODES)[-1]

    @pytest.mark.parametrize("preset", [BM25Reranker, HybridReranker])
    def test_some_need_no_key_and_no_network(self, preset: Any, postprocess: Postprocess) -> None:
        found = postprocess(preset(top_n=3))

        assert names(found)[0] == "rome"
        assert len(found) == 3


class TestPrompts:
    def test_the_llms_prompt_can_be_read(self, server: Server) -> None:
        """Under one key, as messages for system and user, with their fields."""
        (template,) = LLMReranker().get_prompts().values()

        assert isinstance(template, ChatPromptTemplate)
        system, user = template.message_templates
        assert "{instruction}" in str(system.content)
        assert {"query", "documents"} <= set(template.template_vars)
        assert "{documents}" in str(user.content)

    def test_updating_it_changes_what_is_sent(
        self, server: Server, postprocess: Postprocess
    ) -> None:
        """A template without roles stands for the user's message."""
        reranker = LLMReranker()
        text = 'Grade for {query}, {low} to {high}, as {{"scores": …}}:\n{documents}\nDanke.'

        reranker.update_prompts({"rerank_prompt": PromptTemplate(text)})
        postprocess(reranker)

        system, user = server.requests[0].json["messages"]
        assert user["content"].startswith(
            'Grade for capital of Italy, 0 to 10, as {"scores": …}:\n[1] <<<'
        )
        assert user["content"].endswith("\nDanke.")
        assert "You grade how well" in system["content"]

    def test_what_was_read_can_be_written(self, server: Server, postprocess: Postprocess) -> None:
        """Unchanged there and back; and other keys are left alone."""
        reranker = LLMReranker()
        before = reranker.get_prompts()

        reranker.update_prompts({**before, "other": PromptTemplate("{x}")})

        assert reranker.get_prompts() == before
        assert names(postprocess(reranker))[0] == "rome"

    def test_scores_of_another_prompt_are_not_remembered_for_it(
        self, server: Server, postprocess: Postprocess
    ) -> None:
        """The prompt is part of the cache's key."""
        reranker = LLMReranker(cache="memory")
        postprocess(reranker)
        asked = len(server.requests)

        reranker.update_prompts({"rerank_prompt": PromptTemplate("{query}: {documents}")})
        postprocess(reranker)

        assert len(server.requests) == 2 * asked

    def test_grades_of_another_prompt_are_new_ones(self, postprocess: Postprocess) -> None:
        """The cache has those of the old one, and they stay what they were."""
        reranker = LLMReranker(Strict(), cache="memory")
        made_with = reranker.reranker
        assert {node.score for node in postprocess(reranker)} == {0.9}

        reranker.update_prompts({"rerank_prompt": PromptTemplate("Strictly: {query} {documents}")})

        assert {node.score for node in postprocess(reranker)} == {0.1}
        assert {hit.score for hit in made_with.rank(QUERY, list(TEXTS.values()))} == {0.9}

    def test_one_that_shows_no_documents_is_refused(self, server: Server) -> None:
        """At once, with what is missing."""
        with pytest.raises(ConfigurationError, match=r"\{documents\}"):
            LLMReranker().update_prompts({"rerank_prompt": PromptTemplate("Grade {query}.")})

    def test_the_others_have_none(self) -> None:
        assert BM25Reranker().get_prompts() == {}


class TestStored:
    def test_a_dict_and_back(self, server: Server, postprocess: Postprocess) -> None:
        """`to_dict` holds what it was made with; keys are read from the environment again."""
        reranker = LLMReranker("some-model", top_n=2, group_size=4, api_key="sk-very-secret")

        stored = json.dumps(reranker.to_dict())
        found = postprocess(LLMReranker.from_dict(json.loads(stored)))

        assert "sk-very-secret" not in stored
        assert json.loads(stored)["class_name"] == "LLMReranker"
        assert names(found)[0] == "rome"
        assert len(found) == 2
        assert len(server.requests) == 3
        assert server.requests[0].json["model"] == "some-model"

    def test_what_no_dict_can_hold_is_asked_for_again(self, server: Server) -> None:
        """Rather than forgotten."""
        stored = LLMReranker(llm=own_model(server)).to_dict()

        with pytest.raises(ConfigurationError, match=r"from_dict\(data, llm=…\)"):
            LLMReranker.from_dict(stored)
        again = LLMReranker.from_dict(stored, llm=own_model(server))
        assert names(again.postprocess_nodes(NODES, query_str=QUERY))[0] == "rome"

    def test_a_password_in_a_url_is_a_secret(self) -> None:
        """Also where its name does not say so."""
        stored = BM25Reranker(cache="redis://me:hush@127.0.0.1:1/0").to_dict()

        assert "hush" not in json.dumps(stored)
        with pytest.raises(ConfigurationError, match="cache could not be stored"):
            BM25Reranker.from_dict(stored)

    def test_a_pickle_and_back(self, server: Server, postprocess: Postprocess) -> None:
        """Without the key too."""
        pickled = pickle.dumps(LLMReranker("some-model", top_n=2, api_key="sk-very-secret"))

        found = postprocess(pickle.loads(pickled))

        assert b"sk-very-secret" not in pickled
        assert names(found)[0] == "rome"
        assert len(found) == 2

    def test_a_pickle_of_the_wrapper(self, postprocess: Postprocess) -> None:
        again = pickle.loads(pickle.dumps(RerankPostprocessor(reranker=Reranker("bm25"))))

        assert names(postprocess(again))[0] == "rome"

    def test_what_does_not_pickle_says_so(self) -> None:
        """Here, rather than be missing on the other side; and nothing is lost on this one."""
        reranker = BM25Reranker(on_ranking=lambda ranking: None)

        with pytest.raises((AttributeError, pickle.PicklingError), match="lambda"):
            pickle.dumps(reranker)

        assert len(reranker.postprocess_nodes(NODES, query_str=QUERY)) == 10

    def test_its_repr_carries_no_secret(self, server: Server) -> None:
        """It names the model."""
        shown = repr(LLMReranker("some-model", api_key="sk-very-secret"))

        assert "some-model" in shown
        assert "sk-very-secret" not in shown


def test_a_query_bundle_will_do() -> None:
    """Postprocessors take either."""
    found = BM25Reranker(top_n=1).postprocess_nodes(NODES, QueryBundle(QUERY))

    assert names(found) == ["rome"]
