"""OpenInference: a reranking and its LLM calls as Phoenix and its like show them, in every face.

https://arize-ai.github.io/openinference/spec/semantic_conventions.html
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
from loopback import FAULTS, Fault, OpenAIAPI, Server, scoring

from rerank_core import Reason, Reranker, ScorerError
from rerank_core.protocols import ScorerBase
from rerank_core.scorers import LLMScorer
from rerank_core.telemetry import tracing

pytest.importorskip("opentelemetry.sdk")
pytest.importorskip("langchain_openai")
pytest.importorskip("llama_index.llms.openai_like")

from langchain_core.documents import Document
from langchain_openai import ChatOpenAI
from llama_index.core.schema import NodeWithScore, TextNode
from llama_index.llms.openai_like import OpenAILike
from opentelemetry import metrics, trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.trace import ReadableSpan, SpanLimits, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

import langchain_rerank
import llamaindex_rerank

KEY = "sk-loopback-0123456789abcdef"
QUERY = "capital of Italy"
TEXTS = ["a private filler", "Rome is the capital of Italy", "a private aside"]
#: The user's own models keep connections open for good: their server closes them.
HANG_UP = Fault("hang-up", headers={"connection": "close"})

pytestmark = [
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning"),
]


class Half(ScorerBase):
    """Scores all but the first."""

    name, model = "half", "half-1"

    async def score(self, query: str, texts: Sequence[str]) -> list[float | None]:
        return [None, *(0.5 + at / 8 for at in range(1, len(texts)))]


class Fails(ScorerBase):
    name = "fails"

    async def score(self, query: str, texts: Sequence[str]) -> list[float | None]:
        raise ScorerError("HTTP 500", reason=Reason.SERVER)


class Spans:
    """What was exported."""

    def __init__(self, limits: SpanLimits | None = None) -> None:
        self.exporter = InMemorySpanExporter()
        self.provider = TracerProvider(span_limits=limits)
        self.provider.add_span_processor(SimpleSpanProcessor(self.exporter))

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [
            dict(span.attributes or {})
            for span in self.exporter.get_finished_spans()
            if (span.attributes or {}).get("openinference.span.kind") == kind
        ]

    def named(self, name: str) -> ReadableSpan:
        (span,) = (span for span in self.exporter.get_finished_spans() if span.name == name)
        return span

    def above(self, span: ReadableSpan) -> list[str]:
        """The names of the spans over it, nearest first."""
        by_id = {one.context.span_id: one for one in self.exporter.get_finished_spans()}
        names = []
        while span.parent is not None:
            span = by_id[span.parent.span_id]
            names.append(span.name)
        return names

    def everything(self) -> str:
        return "\n".join(
            f"{span.name} {span.status.description} "
            + "".join(f"{event.name} {dict(event.attributes or {})}" for event in span.events)
            + "".join(f"\n{name}: {value}" for name, value in (span.attributes or {}).items())
            for span in self.exporter.get_finished_spans()
        )


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> Iterator[Spans]:
    """A provider that keeps what it is given, in place of the process's own."""
    kept = Spans()
    meters = MeterProvider()
    monkeypatch.setattr(trace, "get_tracer_provider", lambda: kept.provider)
    monkeypatch.setattr(metrics._internal, "get_meter_provider", lambda: meters)
    tracing._instruments.cache_clear()
    yield kept
    tracing._instruments.cache_clear()
    kept.provider.shutdown()
    meters.shutdown()


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(OpenAIAPI(scoring()), faults=[HANG_UP]) as server:
        yield server


def ours(server: Server) -> LLMScorer:
    return LLMScorer(model="gpt-4o-mini", base_url=f"{server.url}/v1", api_key=KEY)


def langchains(server: Server) -> LLMScorer:
    return LLMScorer(ChatOpenAI(model="gpt-4o-mini", base_url=f"{server.url}/v1", api_key=KEY))


def llama_indexs(server: Server) -> LLMScorer:
    where = f"{server.url}/v1"
    return LLMScorer(
        OpenAILike(model="gpt-4o-mini", api_base=where, api_key=KEY, is_chat_model=True)
    )


MODELS = pytest.mark.parametrize("model", [ours, langchains, llama_indexs])

Use = Callable[..., None]


def plain(reranker: Reranker, face: str) -> None:
    documents = [{"text": text, "id": f"d{at}"} for at, text in enumerate(TEXTS)]
    if face == "sync":
        reranker.rank(QUERY, documents)
    else:
        asyncio.run(reranker.arank(QUERY, documents))


def in_langchain(reranker: Reranker, face: str) -> None:
    compressor = langchain_rerank.RerankCompressor(reranker=reranker)
    documents = [Document(text, id=f"d{at}") for at, text in enumerate(TEXTS)]
    if face == "sync":
        compressor.compress_documents(documents, QUERY)
    else:
        asyncio.run(compressor.acompress_documents(documents, QUERY))


def in_llama_index(reranker: Reranker, face: str) -> None:
    postprocessor = llamaindex_rerank.RerankPostprocessor(reranker=reranker)
    nodes = [NodeWithScore(node=TextNode(text=text, id_=f"d{at}")) for at, text in enumerate(TEXTS)]
    if face == "sync":
        postprocessor.postprocess_nodes(nodes, query_str=QUERY)
    else:
        asyncio.run(postprocessor.apostprocess_nodes(nodes, query_str=QUERY))


USES = {"plain": plain, "langchain": in_langchain, "llama_index": in_llama_index}


@pytest.fixture(params=USES)
def use(request: pytest.FixtureRequest) -> Use:
    return USES[request.param]


@pytest.fixture(params=["sync", "async"])
def face(request: pytest.FixtureRequest) -> str:
    return str(request.param)


class TestByOurselves:
    """Without any instrumentation but a tracer provider: the same in every framework."""

    def test_a_ranking_is_a_reranker_span(
        self, spans: Spans, server: Server, use: Use, face: str
    ) -> None:
        """Its query, its model, how many were wanted, and the documents before and after."""
        with Reranker(ours(server), top_n=2) as reranker:
            use(reranker, face)

        (span,) = spans.of("RERANKER")
        assert span["reranker.query"] == span["input.value"] == QUERY
        assert (span["reranker.model_name"], span["reranker.top_k"]) == ("gpt-4o-mini", 2)
        assert [span[f"reranker.input_documents.{at}.document.id"] for at in range(3)] == [
            "d0",
            "d1",
            "d2",
        ]
        assert span["reranker.input_documents.2.document.content"] == TEXTS[2]
        best = "reranker.output_documents.0.document"
        assert (span[f"{best}.id"], span[f"{best}.content"]) == ("d1", TEXTS[1])
        assert span[f"{best}.score"] > 0.5
        assert "reranker.output_documents.2.document.id" not in span
        assert span["rerank.degraded"] is False

    @MODELS
    def test_a_call_of_the_model_is_an_llm_span_below_it(
        self, spans: Spans, server: Server, use: Use, face: str, model: Any
    ) -> None:
        """Whoever makes it: its model, provider, messages and tokens."""
        with Reranker(model(server)) as reranker:
            use(reranker, face)

        (call,) = spans.of("LLM")
        assert (call["llm.model_name"], call["llm.provider"]) == ("gpt-4o-mini", "openai")
        assert call["llm.input_messages.0.message.role"] == "system"
        assert TEXTS[1] in call["llm.input_messages.1.message.content"]
        assert '"2":' in call["llm.output_messages.0.message.content"]
        (ranking,) = spans.of("RERANKER")
        assert call["llm.token_count.prompt"] == ranking["gen_ai.usage.input_tokens"] > 0
        assert call["llm.token_count.completion"] == ranking["gen_ai.usage.output_tokens"] > 0
        assert spans.above(spans.named("chat gpt-4o-mini"))[0] == "rerank"

    def test_a_degraded_ranking_says_so(self, spans: Spans, use: Use, face: str) -> None:
        """In the span; what could not be scored has no score, and its estimate is marked."""
        with Reranker(Half()) as reranker:
            use(reranker, face)

        (span,) = spans.of("RERANKER")
        assert span["rerank.degraded"] is True
        assert span["rerank.reasons"] == ("incomplete",)
        assert span["rerank.coverage"] == pytest.approx(2 / 3)
        (at,) = (
            at for at in range(3) if f"reranker.output_documents.{at}.document.metadata" in span
        )
        assert f"reranker.output_documents.{at}.document.score" not in span
        said = json.loads(span[f"reranker.output_documents.{at}.document.metadata"])
        assert said["estimated"] is True
        assert 0.0 <= said["estimate"] <= 1.0

    def test_an_outage_says_so(self, spans: Spans, use: Use, face: str) -> None:
        """Every document is there, in the retriever's order, and not one has a score."""
        with Reranker(Fails()) as reranker:
            use(reranker, face)

        (span,) = spans.of("RERANKER")
        assert (span["rerank.degraded"], span["rerank.reasons"]) == (True, ("server",))
        found = [span[f"reranker.output_documents.{at}.document.id"] for at in range(3)]
        assert found == ["d0", "d1", "d2"]
        assert "reranker.output_documents.0.document.score" not in span

    @MODELS
    def test_a_failed_call_says_why_and_not_by_what_cause(
        self, spans: Spans, server: Server, model: Any
    ) -> None:
        """A cause of somebody else's may hold a request with its key."""
        server.faults = [FAULTS["server-error"], HANG_UP]
        with Reranker(model(server), timeout=30.0) as reranker:
            plain(reranker, "sync")

        call = spans.named("chat gpt-4o-mini") if model is not ours else None
        calls = [one for one in spans.exporter.get_finished_spans() if one.name.startswith("chat ")]
        assert {one.status.status_code for one in calls} == {trace.StatusCode.ERROR}
        assert all("500" in str(one.status.description) for one in calls)
        assert call is None or [event.name for event in call.events] == ["exception"]
        assert "exception.stacktrace" not in spans.everything()
        assert KEY not in spans.everything()

    @pytest.mark.parametrize(
        ("switch", "gone"),
        [
            ("INPUTS", [f"query: {QUERY}", "input_documents", "You grade"]),
            ("OUTPUTS", ["output_messages", "output_documents"]),
            ("INPUT_MESSAGES", ["You grade"]),
            ("INPUT_TEXT", ["You grade"]),
            ("OUTPUT_MESSAGES", ["output_messages"]),
            ("OUTPUT_TEXT", ["output_messages.0.message.content: {"]),
            ("LLM_INVOCATION_PARAMETERS", ["temperature"]),
            ("RETRIEVAL_DOCUMENTS", [f"document.content: {text}" for text in TEXTS]),
        ],
    )
    def test_its_switches_hide_texts(
        self,
        spans: Spans,
        server: Server,
        monkeypatch: pytest.MonkeyPatch,
        switch: str,
        gone: list[str],
    ) -> None:
        """Those of OpenInference; without any, texts are shown, and the key never is."""
        with Reranker(ours(server)) as reranker:
            plain(reranker, "sync")
            shown = spans.everything()
            spans.exporter.clear()
            monkeypatch.setenv(f"OPENINFERENCE_HIDE_{switch}", "true")
            plain(reranker, "sync")

        assert all(text in shown for text in gone)
        assert not any(text in spans.everything() for text in gone)
        assert KEY not in shown + spans.everything()
        assert spans.of("RERANKER")[0]["reranker.model_name"] == "gpt-4o-mini"

    @pytest.mark.parametrize(("value", "hidden"), [("1", True), ("TRUE", True), ("false", False)])
    def test_a_switch_that_is_not_off_is_on(
        self, spans: Spans, monkeypatch: pytest.MonkeyPatch, value: str, hidden: bool
    ) -> None:
        """Better a text too little than one too much."""
        monkeypatch.setenv("OPENINFERENCE_HIDE_INPUTS", value)
        with Reranker("bm25") as reranker:
            plain(reranker, "sync")

        (span,) = spans.of("RERANKER")
        assert (span["reranker.query"] == "__REDACTED__") is hidden

    def test_it_keeps_to_the_room_a_span_has(
        self, spans: Spans, caplog: pytest.LogCaptureFixture
    ) -> None:
        """An SDK allows 128 attributes unless told more: the last that went in are left out."""
        documents = [{"text": f"filler {at}", "id": f"d{at}"} for at in range(100)]
        with Reranker("bm25", top_n=3) as reranker:
            reranker.rank(QUERY, documents)

        (span,) = spans.of("RERANKER")
        assert "reranker.output_documents.2.document.id" in span
        assert "reranker.input_documents.20.document.id" in span
        assert "reranker.input_documents.99.document.id" not in span
        told = sum(name.endswith("document.id") for name in span)
        assert span["rerank.documents_left_out"] == 103 - told
        assert "is full" not in caplog.text

    def test_where_there_is_room_all_are_there(
        self, monkeypatch: pytest.MonkeyPatch, spans: Spans
    ) -> None:
        """As under Phoenix' own provider, which allows 10,000."""
        wide = Spans(SpanLimits(max_span_attributes=10_000))
        monkeypatch.setattr(trace, "get_tracer_provider", lambda: wide.provider)
        with Reranker("bm25", top_n=None) as reranker:
            reranker.rank(QUERY, [f"filler {at}" for at in range(100)])
        wide.provider.shutdown()

        (span,) = wide.of("RERANKER")
        assert "reranker.input_documents.99.document.content" in span
        assert "reranker.output_documents.99.document.content" in span
        assert "rerank.documents_left_out" not in span


@pytest.fixture
def instrumented(spans: Spans) -> Iterator[Spans]:
    """OpenInference's own instrumentations of both frameworks, into the same trace."""
    langchain = pytest.importorskip("openinference.instrumentation.langchain")
    llama_index = pytest.importorskip("openinference.instrumentation.llama_index")
    both = (langchain.LangChainInstrumentor(), llama_index.LlamaIndexInstrumentor())
    for one in both:
        one.instrument(tracer_provider=spans.provider, skip_dep_check=True)
    yield spans
    for one in both:
        one.uninstrument()


class TestBesideTheInstrumentations:
    """They show the frameworks' parts of it: nothing is there twice, or says another thing."""

    @pytest.mark.parametrize("model", [ours, langchains])
    def test_langchain(self, instrumented: Spans, server: Server, face: str, model: Any) -> None:
        """The reranker's run is a chain of theirs, and what is known of it hangs below."""
        with Reranker(model(server), top_n=2) as reranker:
            in_langchain(reranker, face)

        (ranking,), (call,) = instrumented.of("RERANKER"), instrumented.of("LLM")
        assert ranking["reranker.query"] == QUERY
        assert "reranker.output_documents.1.document.content" in ranking
        assert (call["llm.model_name"], call["llm.provider"]) == ("gpt-4o-mini", "openai")
        assert call["llm.token_count.prompt"] == ranking["gen_ai.usage.input_tokens"]
        assert instrumented.above(instrumented.named("rerank")) == ["RerankCompressor"]
        assert KEY not in instrumented.everything()

    @pytest.mark.parametrize("model", [ours, langchains])
    def test_llama_index(self, instrumented: Spans, server: Server, face: str, model: Any) -> None:
        """Theirs is the reranker span, of the events; it has our report, too."""
        with Reranker(model(server), top_n=2) as reranker:
            in_llama_index(reranker, face)

        (ranking,), (call,) = instrumented.of("RERANKER"), instrumented.of("LLM")
        assert ranking["reranker.query"] == QUERY
        assert (ranking["reranker.model_name"], ranking["reranker.top_k"]) == ("gpt-4o-mini", 2)
        assert "reranker.output_documents.1.document.content" in ranking
        assert (ranking["rerank.degraded"], ranking["rerank.coverage"]) == (False, 1.0)
        assert (call["llm.model_name"], call["llm.provider"]) == ("gpt-4o-mini", "openai")
        assert call["llm.token_count.prompt"] == ranking["gen_ai.usage.input_tokens"]
        assert instrumented.above(instrumented.named("rerank"))[0].startswith(
            "RerankPostprocessor."
        )
        assert KEY not in instrumented.everything()

    @pytest.mark.parametrize("framework", [in_langchain, in_llama_index])
    def test_a_degraded_ranking_says_so(
        self, instrumented: Spans, face: str, framework: Use
    ) -> None:
        """In the one span that is of the kind."""
        with Reranker(Fails()) as reranker:
            framework(reranker, face)

        (ranking,) = instrumented.of("RERANKER")
        assert (ranking["rerank.degraded"], ranking["rerank.reasons"]) == (True, ("server",))
        assert "reranker.output_documents.2.document.content" in ranking

    def test_a_session_is_on_every_span(self, instrumented: Spans) -> None:
        """As `using_session` says of all that is below it."""
        from openinference.instrumentation import using_session

        with using_session("s-1"), Reranker("bm25") as reranker:
            plain(reranker, "sync")

        assert instrumented.of("RERANKER")[0]["session.id"] == "s-1"
