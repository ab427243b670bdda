"""Inside LangChain: its own retrievers, pipelines, models and traces, over a real server."""

from __future__ import annotations

import asyncio
import json
import pickle
from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from importlib.util import find_spec
from typing import Any
from uuid import UUID

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

pytest.importorskip("langchain_classic" if find_spec("langchain_classic") else "langchain")
pytest.importorskip("langchain_openai")

try:
    from langchain_classic.retrievers import ContextualCompressionRetriever
    from langchain_classic.retrievers.document_compressors import DocumentCompressorPipeline
except ImportError:  # before LangChain 1.0
    from langchain.retrievers import ContextualCompressionRetriever
    from langchain.retrievers.document_compressors import DocumentCompressorPipeline
from langchain_core.callbacks import (
    AsyncCallbackHandler,
    BaseCallbackHandler,
    CallbackManagerForRetrieverRun,
    get_usage_metadata_callback,
)
from langchain_core.documents import Document
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatResult, LLMResult
from langchain_core.retrievers import BaseRetriever
from langchain_core.tracers.context import collect_runs
from langchain_openai import ChatOpenAI
from openai_server import HANG_UP, KEY
from pydantic import PrivateAttr

import langchain_rerank
from langchain_rerank import (
    BM25Reranker,
    HybridReranker,
    LLMReranker,
    RerankAPIReranker,
    RerankCompressor,
)

QUERY = "capital of Italy"
DOCUMENTS = [
    Document(
        f"filler number {n} about nothing",
        id=f"f{n}",
        metadata={"page": n, "tags": ["a", {"b": n}]},
    )
    for n in range(11)
]
DOCUMENTS.insert(7, Document("Rome is the capital of Italy", id="rome", metadata={"page": 99}))

Compress = Callable[..., Sequence[Document]]


class Retrieved(BaseRetriever):
    """A retriever that always finds the same."""

    documents: list[Document]

    def _get_relevant_documents(
        self, query: str, *, run_manager: CallbackManagerForRetrieverRun
    ) -> list[Document]:
        return self.documents


@pytest.fixture(params=["sync", "async"])
def face(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def used() -> Iterator[list[Any]]:
    """The compressors that were used; they are closed at the end."""
    used: list[Any] = []
    yield used
    for compressor in used:
        if isinstance(compressor, RerankCompressor):
            compressor.reranker.close()


@pytest.fixture
def compress(face: str, used: list[Any]) -> Compress:
    """Compress by hand, through either face."""

    def call(
        compressor: RerankCompressor, documents: Sequence[Document] = DOCUMENTS, query: str = QUERY
    ) -> Sequence[Document]:
        used.append(compressor)
        if face == "sync":
            return compressor.compress_documents(documents, query)
        return asyncio.run(compressor.acompress_documents(documents, query))

    return call


@pytest.fixture
def retrieve(face: str, used: list[Any]) -> Compress:
    """Ask a compression retriever, through either face."""

    def call(
        compressor: Any, *handlers: BaseCallbackHandler, documents: list[Document] = DOCUMENTS
    ) -> Sequence[Document]:
        used.append(compressor)
        retriever = ContextualCompressionRetriever(
            base_compressor=compressor, base_retriever=Retrieved(documents=documents)
        )
        config: Any = {"callbacks": list(handlers)}
        if face == "sync":
            return retriever.invoke(QUERY, config)
        return asyncio.run(retriever.ainvoke(QUERY, config))

    return call


class TestInARetriever:
    def test_it_needs_no_argument(self, server: Server, retrieve: Compress) -> None:
        """`LLMReranker()` takes key and server from the environment; the best comes first."""
        found = retrieve(LLMReranker())

        assert found[0].id == "rome"
        assert len(found) == 10
        assert server.requests[0].json["model"] == "gpt-4o-mini"

    def test_in_a_pipeline(self, server: Server, retrieve: Compress) -> None:
        """Stage after stage: the LLM sees what BM25 let through."""
        stages = [BM25Reranker(top_n=4), LLMReranker("some-model", top_n=2)]

        found = retrieve(DocumentCompressorPipeline(transformers=stages))

        assert found[0].id == "rome"
        assert len(found) == 2
        assert len(server.requests) == 1
        assert server.requests[0].json["model"] == "some-model"

    def test_the_sync_face_works_inside_a_running_loop(self, server: Server) -> None:
        """As in a notebook."""
        retriever = ContextualCompressionRetriever(
            base_compressor=LLMReranker(), base_retriever=Retrieved(documents=DOCUMENTS)
        )

        async def cell() -> list[Document]:
            return retriever.invoke(QUERY)

        assert asyncio.run(cell())[0].id == "rome"

    def test_one_compressor_serves_many_threads(self, server: Server) -> None:
        """`batch` asks from several threads at once."""
        retriever = ContextualCompressionRetriever(
            base_compressor=LLMReranker(top_n=1), base_retriever=Retrieved(documents=DOCUMENTS)
        )

        found = retriever.batch([QUERY] * 8)

        assert [documents[0].id for documents in found] == ["rome"] * 8


class Recording(BaseChatModel):
    """A chat model that notes where it was called."""

    _where: list[Any] = PrivateAttr(default_factory=list)

    @property
    def _llm_type(self) -> str:
        return "recording"

    def _generate(self, messages: list[BaseMessage], *args: Any, **kwargs: Any) -> ChatResult:
        self._where.append("a thread")
        return self._result()

    async def _agenerate(
        self, messages: list[BaseMessage], *args: Any, **kwargs: Any
    ) -> ChatResult:
        self._where.append(asyncio.get_running_loop())
        return self._result()

    def _result(self) -> ChatResult:
        reply = AIMessage('{"scores": [{"id": 1, "score": 3}, {"id": 2, "score": 9}]}')
        return ChatResult(generations=[ChatGeneration(message=reply)])


class TestTheUsersOwnModel:
    def test_it_is_asked_as_it_was_set_up(self, server: Server, compress: Compress) -> None:
        """`llm=` takes a chat model with its own client, retries and parameters."""
        llm = ChatOpenAI(model="mine", temperature=0.3)

        found = compress(LLMReranker(llm=llm, top_n=3))

        assert found[0].id == "rome"
        assert len(found) == 3
        sent = server.requests[0].json
        assert (sent["model"], sent["temperature"]) == ("mine", 0.3)

    def test_it_is_the_first_positional_argument_too(self, server: Server) -> None:
        """Like a model's name."""
        found = LLMReranker(ChatOpenAI(model="mine")).compress_documents(DOCUMENTS, QUERY)

        assert found[0].id == "rome"

    def test_it_stays_on_the_callers_loop(self, server: Server) -> None:
        """So the user's own next `ainvoke` finds its connections where it left them."""
        llm = ChatOpenAI(model="mine")
        compressor = LLMReranker(llm=llm)

        async def session() -> list[str]:
            before = await llm.ainvoke("one")
            await compressor.acompress_documents(DOCUMENTS, QUERY)
            await asyncio.to_thread(compressor.compress_documents, DOCUMENTS, QUERY)
            after = await llm.ainvoke("two")
            return [str(before.content), str(after.content)]

        assert asyncio.run(session()) == ["{}"] * 2

    def test_each_face_uses_the_models_own(self) -> None:
        """The sync face its `invoke`, in a thread; the async face its `ainvoke`, on this loop."""
        llm = Recording()
        compressor = LLMReranker(llm=llm)

        async def session() -> bool:
            await compressor.acompress_documents(DOCUMENTS[:2], QUERY)
            return llm._where == ["a thread", asyncio.get_running_loop()]

        compressor.compress_documents(DOCUMENTS[:2], QUERY)
        assert asyncio.run(session())


class Runs(BaseCallbackHandler):
    """Notes every run by name, with the name of the run it is under."""

    def __init__(self) -> None:
        self.names: dict[UUID, str] = {}
        self.under: dict[str, str | None] = {}
        self.inputs: dict[str, Any] = {}
        self.outputs: dict[str, Any] = {}
        self.errors: dict[str, BaseException] = {}

    def _start(self, serialized: Any, inputs: Any, **kwargs: Any) -> None:
        name = kwargs.get("name") or serialized["name"]
        parent = kwargs.get("parent_run_id")
        self.names[kwargs["run_id"]] = name
        self.under[name] = self.names[parent] if parent else None
        self.inputs[name] = inputs

    on_chain_start = on_retriever_start = on_chat_model_start = _start

    def on_chain_end(self, outputs: Any, **kwargs: Any) -> None:
        self.outputs[self.names[kwargs["run_id"]]] = outputs

    def on_chain_error(self, error: BaseException, **kwargs: Any) -> None:
        self.errors[self.names[kwargs["run_id"]]] = error


class TestTraces:
    def test_every_run_hangs_where_it_belongs(self, server: Server, retrieve: Compress) -> None:
        """The reranker's run under the retriever's, the chat model's under the reranker's."""
        runs = Runs()

        retrieve(LLMReranker(llm=ChatOpenAI(model="mine")), runs)

        assert runs.under == {
            "ContextualCompressionRetriever": None,
            "Retrieved": "ContextualCompressionRetriever",
            "LLMReranker": "ContextualCompressionRetriever",
            "ChatOpenAI": "LLMReranker",
        }

    def test_the_run_shows_what_went_in_and_out(self, retrieve: Compress) -> None:
        """Query and documents; documents, and the report of how they came about."""
        runs = Runs()
        rankings: list[Ranking] = []

        found = retrieve(BM25Reranker(top_n=2, on_ranking=rankings.append), runs)

        assert runs.inputs["BM25Reranker"] == {"query": QUERY, "documents": DOCUMENTS}
        report = rankings[0].report.to_dict()
        assert runs.outputs["BM25Reranker"] == {"documents": found, "report": report}

    def test_tokens_are_totalled(self, server: Server, retrieve: Compress) -> None:
        """LangChain's own usage callback, and the report, count what the server says."""
        rankings: list[Ranking] = []
        compressor = LLMReranker(llm=ChatOpenAI(model="mine"), on_ranking=rankings.append)

        with get_usage_metadata_callback() as counted:
            retrieve(compressor)

        (report,) = [ranking.report for ranking in rankings]
        (total,) = counted.usage_metadata.values()
        assert total["input_tokens"] == report.prompt_tokens > 0
        assert total["output_tokens"] == report.completion_tokens > 0

    def test_an_error_ends_the_run(self, server: Server, retrieve: Compress) -> None:
        """And reaches the caller as it is."""
        server.faults = [FAULTS["unauthorized"]]
        runs = Runs()

        with pytest.raises(ScorerError, match="401"):
            retrieve(LLMReranker(), runs)

        assert isinstance(runs.errors["LLMReranker"], ScorerError)


class ChatRuns(BaseCallbackHandler):
    """Notes every chat-model run, and how it ended; and the runs of the reranker."""

    def __init__(self) -> None:
        self.rerankers: set[UUID] = set()
        self.started: dict[UUID, Any] = {}
        self.ended: dict[UUID, LLMResult] = {}
        self.failed: dict[UUID, BaseException] = {}
        self.rerankers_ended_before: list[UUID] = []

    def on_chain_start(self, serialized: Any, inputs: Any, **kwargs: Any) -> None:
        if kwargs.get("name") == "LLMReranker":
            self.rerankers.add(kwargs["run_id"])

    def on_chain_end(self, outputs: Any, **kwargs: Any) -> None:
        if kwargs["run_id"] in self.rerankers:
            self.rerankers_ended_before = [run for run in self.started if not self._over(run)]

    def on_chat_model_start(self, serialized: Any, messages: Any, **kwargs: Any) -> None:
        self.started[kwargs["run_id"]] = {"messages": messages, "serialized": serialized, **kwargs}

    def on_llm_end(self, response: LLMResult, **kwargs: Any) -> None:
        self.ended[kwargs["run_id"]] = response

    def on_llm_error(self, error: BaseException, **kwargs: Any) -> None:
        self.failed[kwargs["run_id"]] = error

    def _over(self, run: UUID) -> bool:
        return run in self.ended or run in self.failed


MANY = [*DOCUMENTS, *(Document(f"more filler, {n}", id=f"m{n}") for n in range(88))]


@pytest.mark.slow
@pytest.mark.versions
class TestOurOwnCalls:
    """They are chat-model runs, as those of LangChain's own models are."""

    def test_each_is_a_run_below_the_rerankers(self, server: Server, retrieve: Compress) -> None:
        """Ten groups at once: ten runs, all of them ended before the reranker's own."""
        runs = ChatRuns()

        retrieve(LLMReranker(), runs, documents=MANY)

        assert len(runs.ended) == len(server.requests) == 10
        (reranker,) = runs.rerankers
        assert {run["parent_run_id"] for run in runs.started.values()} == {reranker}
        assert runs.rerankers_ended_before == []
        assert runs.failed == {}

    def test_a_run_shows_what_was_asked_and_answered(
        self, server: Server, retrieve: Compress
    ) -> None:
        """Messages, model and parameters; the reply, and the tokens that it took; no key."""
        runs = ChatRuns()

        retrieve(LLMReranker("some-model"), runs, documents=DOCUMENTS[:3])

        ((run, started),) = runs.started.items()
        sent = server.requests[0].json
        assert [message.type for message in started["messages"][0]] == ["system", "human"]
        assert started["messages"][0][1].content == sent["messages"][1]["content"]
        assert started["name"] == "OpenAIChat"
        assert started["invocation_params"] == {k: v for k, v in sent.items() if k != "messages"}
        assert started["metadata"]["ls_provider"] == "openai"
        assert started["metadata"]["ls_model_name"] == "some-model"
        assert "nostream" in started["tags"]  # grades are nothing that LangGraph should stream
        answer = runs.ended[run].generations[0][0]
        assert isinstance(answer, ChatGeneration)
        assert '"1":' in answer.text
        assert KEY not in f"{runs.started} {runs.ended}"

    def test_tokens_are_totalled(self, server: Server, retrieve: Compress) -> None:
        """LangChain's own usage callback counts what the report says, by model."""
        rankings: list[Ranking] = []
        compressor = LLMReranker("some-model", on_ranking=rankings.append)

        with get_usage_metadata_callback() as counted:
            retrieve(compressor, documents=MANY)

        (report,) = [ranking.report for ranking in rankings]
        assert report.calls == 10
        total = counted.usage_metadata["some-model"]
        assert total["input_tokens"] == report.prompt_tokens > 0
        assert total["output_tokens"] == report.completion_tokens > 0

    def test_tokens_are_totalled_where_nothing_was_passed_on(
        self, server: Server, compress: Compress
    ) -> None:
        """Called by hand, without callbacks, as a user's own model would be."""
        with get_usage_metadata_callback() as counted:
            compress(LLMReranker("some-model"))

        assert counted.usage_metadata["some-model"]["input_tokens"] > 0

    def test_the_users_own_model_is_not_told_twice(
        self, server: Server, retrieve: Compress
    ) -> None:
        """It makes its runs itself."""
        runs = ChatRuns()

        retrieve(LLMReranker(llm=ChatOpenAI(model="mine")), runs, documents=MANY)

        assert {run["serialized"]["name"] for run in runs.started.values()} == {"ChatOpenAI"}
        assert len(runs.started) == len(server.requests) == 10

    def test_a_failure_ends_the_run(self, server: Server, retrieve: Compress) -> None:
        """The second try is a run of its own."""
        server.faults = [FAULTS["server-error"].only(first(1)), HANG_UP]
        runs = ChatRuns()

        retrieve(LLMReranker(), runs, documents=DOCUMENTS[:3])

        assert len(runs.ended) == 1
        (error,) = runs.failed.values()
        assert isinstance(error, ScorerError)
        assert error.status == 500

    @pytest.mark.slow
    def test_the_deadline_ends_the_run(self, server: Server, retrieve: Compress) -> None:
        """With an error, and before the reranker's own ends: none stays open."""
        server.faults = [FAULTS["silent"]]
        runs = ChatRuns()

        compressor = LLMReranker(timeout=1.0)
        compressor.reranker.warm_up()

        retrieve(compressor, runs, documents=MANY)

        assert set(runs.failed) == set(runs.started) != set()
        assert runs.rerankers_ended_before == []

    def test_a_handler_that_raises_harms_nothing(self, server: Server, retrieve: Compress) -> None:
        """Even one that LangChain lets raise."""

        class Raises(BaseCallbackHandler):
            raise_error = True

            def on_chat_model_start(self, *args: Any, **kwargs: Any) -> None:
                raise RuntimeError("no")

            def on_llm_end(self, *args: Any, **kwargs: Any) -> None:
                raise RuntimeError("no")

        found = retrieve(LLMReranker(), Raises())

        assert found[0].id == "rome"
        assert "relevance_score" in found[0].metadata

    def test_an_async_handler_is_called_on_its_loop(self, server: Server) -> None:
        """Where its own clients are."""
        loops: list[Any] = []

        class Handler(AsyncCallbackHandler):
            async def on_chat_model_start(self, *args: Any, **kwargs: Any) -> None:
                loops.append(asyncio.get_running_loop())

        retriever = ContextualCompressionRetriever(
            base_compressor=LLMReranker(), base_retriever=Retrieved(documents=DOCUMENTS)
        )

        async def session() -> bool:
            await retriever.ainvoke(QUERY, {"callbacks": [Handler()]})
            return set(loops) == {asyncio.get_running_loop()}

        assert asyncio.run(session())

    def test_a_tracer_nests_them(self, server: Server, face: str) -> None:
        """LangChain's own: retriever, reranker, chat model."""
        retriever = ContextualCompressionRetriever(
            base_compressor=LLMReranker("some-model"),
            base_retriever=Retrieved(documents=DOCUMENTS),
        )
        with collect_runs() as collected:
            if face == "sync":
                retriever.invoke(QUERY)
            else:
                asyncio.run(retriever.ainvoke(QUERY))

        (root,) = collected.traced_runs
        (reranker,) = [run for run in root.child_runs if run.name == "LLMReranker"]
        chats = reranker.child_runs
        assert {(run.name, run.run_type) for run in chats} == {("OpenAIChat", "llm")}
        assert len(chats) == len(server.requests)
        assert all(run.end_time is not None and run.error is None for run in chats)


class Passage(Document):
    """A user's own kind of document."""

    source: str = ""


class TestDocuments:
    def test_inputs_are_left_as_they_were(self, server: Server, compress: Compress) -> None:
        """New documents come back; the old ones and their metadata are untouched."""
        documents = deepcopy(DOCUMENTS)

        found = compress(LLMReranker(), documents)

        assert documents == DOCUMENTS
        assert not any(document is given for document in found for given in documents)

    def test_ids_metadata_and_kind_are_kept(self, compress: Compress) -> None:
        """Everything but the one key that is added."""
        documents = [
            Passage(page_content=f"Rome {n}", id=f"p{n}", metadata={"n": n}, source=f"s{n}")
            for n in range(3)
        ]

        found = compress(BM25Reranker(), documents)

        assert {type(document) for document in found} == {Passage}
        kept = [
            document.model_copy(update={"metadata": {"n": document.metadata["n"]}})
            for document in found
        ]
        assert sorted(kept, key=lambda document: str(document.id)) == documents

    def test_scores_are_plain_floats(self, server: Server, compress: Compress) -> None:
        """Under `relevance_score`, falling from the first on, fit for JSON."""
        found = compress(LLMReranker(top_n=None))

        scores = [document.metadata["relevance_score"] for document in found]
        assert {type(score) for score in scores} == {float}
        assert scores == sorted(scores, reverse=True)
        assert json.loads(json.dumps([document.metadata for document in found]))

    def test_what_could_not_be_scored_has_an_estimate(
        self, server: Server, compress: Compress, caplog: pytest.LogCaptureFixture
    ) -> None:
        """Marked as such, in place of an earlier stage's score; the retriever's order is kept."""
        server.faults = [FAULTS["closed"]]
        rankings: list[Ranking] = []
        compressor = LLMReranker(timeout=0.3, top_n=None, on_ranking=rankings.append)
        compressor.reranker.warm_up()
        earlier = [
            document.model_copy(update={"metadata": {"relevance_score": 0.5}})
            for document in DOCUMENTS
        ]

        found = compress(compressor, earlier)

        assert [document.id for document in found] == [document.id for document in DOCUMENTS]
        estimates = [document.metadata["relevance_score"] for document in found]
        assert estimates == sorted(set(estimates), reverse=True)
        assert estimates[0] == 1.0
        assert estimates[-1] > 0.5
        assert all(document.metadata["relevance_score_estimated"] is True for document in found)
        assert [hit.score for hit in rankings[0]] == [None] * len(DOCUMENTS)
        assert rankings[0].report.coverage == 0.0
        assert "connection" in caplog.text

    def test_metadata_can_be_shown_to_the_scorer(self, server: Server, compress: Compress) -> None:
        """`metadata_fields` stand in front of the text; a document without one goes without."""
        documents = [
            Document("nothing here", metadata={"title": "Italy", "year": 2001, "secret": "s3"}),
            Document("nor here", metadata={"year": None}),
        ]

        compress(LLMReranker(metadata_fields=["title", "year"]), documents)

        prompt = server.requests[0].json["messages"][1]["content"]
        assert "\ntitle: Italy\nyear: 2001\n\nnothing here\n" in prompt
        assert "\nnor here\n" in prompt
        assert "s3" not in prompt

    def test_the_retrievers_score_can_be_used(self, compress: Compress) -> None:
        """`score_field` says where it is: half of the hybrid's score."""
        documents = [
            Document("Rome", id="weak", metadata={"similarity": 0.1}),
            Document("Rome", id="strong", metadata={"similarity": 0.9}),
        ]

        found = compress(HybridReranker(score_field="similarity"), documents, "Rome")

        assert [document.id for document in found] == ["strong", "weak"]

    def test_no_documents_no_ranking(self, compress: Compress) -> None:
        """An empty list gives an empty list."""
        assert list(compress(BM25Reranker(), [])) == []


class TestBadInput:
    """A clear error, a `ValueError`, before any call."""

    def test_no_query(self, server: Server, compress: Compress) -> None:
        with pytest.raises(InvalidInputError, match="query is a string"):
            compress(LLMReranker(), query=None)  # type: ignore[arg-type]
        assert server.requests == []

    def test_a_document_that_is_none(self, server: Server, compress: Compress) -> None:
        with pytest.raises(InvalidInputError, match="not 'just a string'"):
            compress(LLMReranker(), ["just a string"])
        assert server.requests == []

    @pytest.mark.parametrize(
        ("options", "complaint"),
        [
            ({"top_n": 0}, "top_n is 0: ask for at least 1"),
            ({"timeout": -1}, "timeout"),
            ({"top_k": 5}, r"'top_k': did you mean top_n\?"),
            ({"metadata_field": ["title"]}, r"did you mean metadata_fields\?"),
            ({"on_error": "ignore"}, "on_error"),
        ],
        ids=str,
    )
    def test_options(self, options: dict[str, Any], complaint: str) -> None:
        with pytest.raises(ValueError, match=complaint):
            BM25Reranker(**options)

    def test_the_wrapper_refuses_unknown_options_too(self) -> None:
        with pytest.raises(ValueError, match="top_k"):
            RerankCompressor(reranker=Reranker(), top_k=5)  # type: ignore[call-arg]

    def test_a_missing_key(self) -> None:
        """Said at construction, naming the variable."""
        with pytest.raises(MissingKeyError, match="OPENAI_API_KEY"):
            LLMReranker()
        with pytest.raises(MissingKeyError, match="COHERE_API_KEY"):
            langchain_rerank.CohereReranker()

    def test_a_model_where_none_is_taken(self) -> None:
        with pytest.raises(ConfigurationError, match="takes no model"):
            HybridReranker("gpt-4o-mini")

    def test_an_unknown_model(self, server: Server, compress: Compress) -> None:
        """Only the server can tell; so it is told on the first call."""
        server.api = OpenAIAPI(scoring(), models=["another"])

        with pytest.raises(ScorerError, match="`gpt-4o-mini` does not exist"):
            compress(LLMReranker())


class TestPresets:
    def test_a_rerank_server(self, compress: Compress) -> None:
        """Its URL is the first argument."""
        with Server(RerankAPI(DIALECTS["jina"])) as server:
            found = compress(RerankAPIReranker(f"{server.url}/v1/rerank", model="m", api_key=KEY))

        assert found[0].id == "rome"

    def test_any_reranker_can_be_wrapped(self, compress: Compress) -> None:
        """What the presets cannot say, `Reranker` can."""
        compressor = RerankCompressor(reranker=Reranker(lambda query, texts: [*range(len(texts))]))

        assert compress(compressor)[0].id == DOCUMENTS[-1].id

    @pytest.mark.parametrize("preset", [BM25Reranker, HybridReranker])
    def test_some_need_no_key_and_no_network(self, preset: Any, compress: Compress) -> None:
        found = compress(preset(top_n=3))

        assert found[0].id == "rome"
        assert len(found) == 3


class TestPickle:
    def test_it_carries_no_secret(self, server: Server) -> None:
        """The key is read from the environment again."""
        pickled = pickle.dumps(LLMReranker(api_key="sk-very-secret", top_n=1))

        assert b"sk-very-secret" not in pickled
        assert pickle.loads(pickled).compress_documents(DOCUMENTS, QUERY)[0].id == "rome"

    def test_nor_does_its_repr(self, server: Server) -> None:
        """It names the model."""
        shown = repr(LLMReranker("some-model", api_key="sk-very-secret"))

        assert "some-model" in shown
        assert "sk-very-secret" not in shown
