"""Parts of LangChain that score: they work, or are refused when the reranker is made."""

from __future__ import annotations

import asyncio
import json
import pickle
import traceback
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from typing import Any

import pytest
from loopback import OpenAIAPI, Server, scoring

pytest.importorskip("langchain_core")

if find_spec("langchain_core.cross_encoders"):
    from langchain_core.cross_encoders import BaseCrossEncoder
else:  # where it was before langchain-core 1
    from langchain.retrievers.document_compressors.cross_encoder import BaseCrossEncoder
from langchain_core.documents import BaseDocumentCompressor, Document
from langchain_core.language_models import BaseChatModel
from langchain_core.language_models.fake_chat_models import FakeListChatModel
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.prompts import ChatPromptTemplate, MessagesPlaceholder, PromptTemplate
from langchain_core.retrievers import BaseRetriever
from langchain_core.runnables import ConfigurableField, RunnableLambda
from langchain_core.tools import tool
from letters import Letters
from pydantic import BaseModel, PrivateAttr, SecretStr

from langchain_rerank import (
    BM25Reranker,
    CrossEncoderReranker,
    EmbeddingReranker,
    LLMReranker,
    RerankRetriever,
)
from rerank_core import ConfigurationError, Ranking, Reranker, ScorerError
from rerank_core.llm.prompts import Prompt
from rerank_core.scorers import CrossEncoderScorer, LLMScorer

QUERY = "capital of Italy"
TEXTS = ["Oslo", "Paris", "Rome is the capital of Italy", "Bergen"]
DOCUMENTS = [Document(text, metadata={"n": n}) for n, text in enumerate(TEXTS)]


class Overlap(BaseCrossEncoder):
    """Counts common words."""

    def __init__(self, model_name: str = "overlap") -> None:
        self.model_name = model_name
        self.sizes: list[int] = []

    def score(self, text_pairs: list[tuple[str, str]]) -> list[float]:
        self.sizes.append(len(text_pairs))
        return [float(len({*one.split()} & {*other.split()})) for one, other in text_pairs]


class Predicting:
    """As sentence-transformers' `CrossEncoder` is asked."""

    def predict(self, pairs: list[tuple[str, str]]) -> Any:
        import numpy as np

        return np.array([float("Rome" in text) for _, text in pairs], dtype="float32")


class Scoring(BaseDocumentCompressor):
    """A compressor that leaves scores, and returns few."""

    top_n: int = 1

    def compress_documents(
        self, documents: Sequence[Document], query: str, callbacks: Any = None
    ) -> list[Document]:
        scored = [
            Document(one.page_content, metadata={**one.metadata, "relevance_score": score})
            for one in documents
            if (score := len({*query.split()} & {*one.page_content.split()}) / 4) is not None
        ]
        return sorted(scored, key=lambda one: -one.metadata["relevance_score"])[: self.top_n]


class Ordering(Scoring):
    """A compressor that leaves none, and is async of its own."""

    _loops: list[Any] = PrivateAttr(default_factory=list)

    def compress_documents(self, *args: Any, **kwargs: Any) -> list[Document]:
        found = super().compress_documents(*args, **kwargs)
        return [Document(one.page_content, metadata={"rerank_place": place(one)}) for one in found]

    async def acompress_documents(self, *args: Any, **kwargs: Any) -> list[Document]:
        self._loops.append(asyncio.get_running_loop())
        return self.compress_documents(*args, **kwargs)


class Forgetting(Scoring):
    """A compressor that makes documents of its own."""

    def compress_documents(self, *args: Any, **kwargs: Any) -> list[Document]:
        return [Document(one.page_content) for one in super().compress_documents(*args, **kwargs)]


def place(document: Document) -> Any:
    return document.metadata["rerank_place"]


def ranked(reranker: Reranker, is_async: bool = False) -> Ranking:
    with reranker:
        if is_async:
            return asyncio.run(reranker.arank(QUERY, TEXTS))
        return reranker.rank(QUERY, TEXTS)


both = pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])


@both
class TestAsScorers:
    @pytest.mark.parametrize(
        "make",
        [Overlap, Scoring, Ordering, Letters],
        ids=["cross-encoder", "compressor", "order alone", "embeddings"],
    )
    def test_they_score_every_document(self, make: Callable[[], Any], is_async: bool) -> None:
        """Whatever their own `top_n` is."""
        ranking = ranked(Reranker(make()), is_async)

        assert ranking[0].text == "Rome is the capital of Italy"
        assert ranking.report.coverage == 1.0
        assert not ranking.report.degraded
        assert all(hit.score is not None for hit in ranking.all)

    @pytest.mark.parametrize("make", [Scoring, Ordering, Letters])
    def test_what_they_cost_is_not_known(self, make: Callable[[], Any], is_async: bool) -> None:
        """Which is not 0: a service may stand behind each."""
        report = ranked(Reranker(make()), is_async).report

        assert report.calls > 0
        assert report.cost is None

    def test_a_chat_model_grades(self, is_async: bool) -> None:
        """As it does for `LLMScorer`."""
        model = FakeListChatModel(responses=['{"1":0,"2":1,"3":9,"4":0}'])

        assert ranked(Reranker(model), is_async)[0].text == "Rome is the capital of Italy"

    def test_a_compressor_that_loses_track_is_no_silent_failure(self, is_async: bool) -> None:
        """The report says what happened."""
        report = ranked(Reranker(Forgetting()), is_async).report

        assert report.degraded
        assert "Forgetting returned documents without the metadata" in report.why

    def test_in_a_retriever_and_a_cascade(self, is_async: bool) -> None:
        """Wherever a scorer is named."""
        documents = RunnableLambda(lambda query: DOCUMENTS)
        retriever = RerankRetriever(documents, Scoring(), k=1)
        found = asyncio.run(retriever.ainvoke(QUERY)) if is_async else retriever.invoke(QUERY)
        assert found[0].metadata["n"] == 2
        assert set(found[0].metadata) == {"n", "relevance_score"}

        combined = Reranker({"small": Overlap(), "large": Scoring()}, combine=weighted())
        assert ranked(combined, is_async)[0].index == 2


def weighted() -> Any:
    from rerank_core.combine import WeightedSum

    return WeightedSum({"small": 1, "large": 1})


class TestCrossEncoderReranker:
    @pytest.mark.parametrize("model", [Overlap(), Predicting()], ids=["langchain", "predicting"])
    def test_it_takes_the_object(self, model: Any) -> None:
        """By position or as `model=`; its scores stay as they are, as floats."""
        for made in (CrossEncoderReranker(model), CrossEncoderReranker(model=model)):
            found = made.compress_documents(DOCUMENTS, QUERY)
            assert found[0].metadata["n"] == 2
            score = found[0].metadata["relevance_score"]
            assert type(score) is float
            assert score == (3.0 if isinstance(model, Overlap) else 1.0)

    def test_its_batches(self) -> None:
        """`batch_size` pairs at once, and `activation`, are the only options."""
        model = Overlap()
        made = CrossEncoderReranker(model, batch_size=3, activation=lambda score: score / 4)

        found = made.compress_documents(DOCUMENTS, QUERY)

        assert max(model.sizes) <= 3
        assert found[0].metadata["relevance_score"] == 0.75

    @pytest.mark.parametrize(
        ("model", "options", "said"),
        [
            (Overlap(), {"device": "cpu"}, "device: for a model by name; set them on the Overlap"),
            (Overlap(), {"backend": "onnx"}, "backend: for a model by name"),
            (Overlap(), {"instruction": "x"}, "takes no instruction|instruction: for a model"),
            (object(), {}, "model is a name or a folder, a LangChain BaseCrossEncoder"),
            (Overlap, {}, "model is a name or a folder"),
        ],
    )
    def test_what_it_cannot_use_is_refused(self, model: Any, options: Any, said: str) -> None:
        """At construction."""
        with pytest.raises(ConfigurationError, match=said):
            CrossEncoderReranker(model, **options)

    def test_it_is_pickled_with_its_model(self) -> None:
        """As far as that can be."""
        again = pickle.loads(pickle.dumps(CrossEncoderScorer(Overlap())))

        assert asyncio.run(again.score("a b", ["a", "c"])) == [1.0, 0.0]

    def test_a_failure_is_in_the_report(self) -> None:
        """And the retriever's order stands."""

        class Down(Overlap):
            def score(self, text_pairs: list[tuple[str, str]]) -> list[float]:
                raise ConnectionError("down")

        class Short(Overlap):
            def score(self, text_pairs: list[tuple[str, str]]) -> list[float]:
                return [1.0]

        assert "down" in ranked(Reranker(Down())).report.why
        assert "1 scores for 4 pairs" in ranked(Reranker(Short())).report.why


def test_embeddings_by_either_name() -> None:
    """The model of an `EmbeddingReranker`."""
    for made in (
        EmbeddingReranker(Letters()),
        EmbeddingReranker(embedder=Letters()),
        EmbeddingReranker(model=Letters()),
    ):
        assert made.compress_documents(DOCUMENTS, QUERY)[0].metadata["n"] == 2
    with pytest.raises(ConfigurationError, match="embedder= or model=, not both"):
        EmbeddingReranker(model=Letters(), embedder=Letters())


class Nothing(BaseRetriever):
    def _get_relevant_documents(self, query: str, **kwargs: Any) -> list[Document]:
        return []


@tool
def a_tool(query: str) -> str:
    """A tool."""
    return ""


class TestWhatWouldScoreNothing:
    @pytest.mark.parametrize(
        ("scorer", "said"),
        [
            (Nothing(), "a Nothing is no scorer"),
            (a_tool, "a StructuredTool is no scorer"),
            (RunnableLambda(lambda given: given), "a RunnableLambda is no scorer"),
            (PromptTemplate.from_template("{query}"), "a PromptTemplate is no scorer"),
            (BM25Reranker(), "BM25Reranker is a reranker, and no scorer"),
            (Scoring, "a scorer is a name"),
        ],
        ids=["retriever", "tool", "lambda", "prompt", "ours", "class"],
    )
    def test_is_refused_as_a_scorer(self, scorer: Any, said: str) -> None:
        """With what it is."""
        with pytest.raises(ConfigurationError, match=said):
            Reranker(scorer)

    @pytest.mark.parametrize(
        "llm",
        [Nothing(), a_tool, PromptTemplate.from_template("{query}"), Letters(), Scoring()],
        ids=["retriever", "tool", "prompt", "embeddings", "compressor"],
    )
    def test_is_refused_as_a_model(self, llm: Any) -> None:
        """By `LLMReranker`, too."""
        with pytest.raises(ConfigurationError, match="llm is a model's name"):
            LLMReranker(llm)


class Grades(BaseModel):
    scores: list[int]


class Structured(BaseChatModel):
    """A model that answers by calling the tool that it is bound to."""

    @property
    def _llm_type(self) -> str:
        return "structured"

    def bind_tools(self, tools: Sequence[Any], **kwargs: Any) -> Any:
        return self

    def _generate(self, messages: list[Any], *args: Any, **kwargs: Any) -> ChatResult:
        arguments = {"scores": [0, 1, 9, 0]}
        call = {"name": "Grades", "args": arguments, "id": "1", "type": "tool_call"}
        usage = {"input_tokens": 30, "output_tokens": 4, "total_tokens": 34}
        message = AIMessage("", tool_calls=[call], usage_metadata=usage)
        return ChatResult(generations=[ChatGeneration(message=message)])


@both
class TestModels:
    @pytest.mark.parametrize("include_raw", [False, True])
    def test_with_a_structured_output(self, include_raw: bool, is_async: bool) -> None:
        """What is parsed is read; with `include_raw=True`, too, and there what it took."""
        llm = Structured().with_structured_output(Grades, include_raw=include_raw)

        ranking = ranked(Reranker(LLMScorer(llm)), is_async)

        assert ranking[0].index == 2
        assert ranking.report.coverage == 1.0
        assert ranking.report.prompt_tokens == (30 if include_raw else 0)

    def test_with_configurable_fields(self, is_async: bool) -> None:
        """What the run at hand says is what counts."""
        best, other = '{"1":0,"2":1,"3":9,"4":0}', '{"1":9,"2":0,"3":0,"4":0}'
        llm = FakeListChatModel(responses=[other]).configurable_fields(
            responses=ConfigurableField("answers")
        )
        step = LLMReranker(llm, top_n=1).as_runnable()
        given = {"query": QUERY, "documents": DOCUMENTS}

        config: Any = {"configurable": {"answers": [best]}}
        found = asyncio.run(step.ainvoke(given, config)) if is_async else step.invoke(given, config)  # type: ignore[arg-type]

        assert found[0].metadata["n"] == 2

    def test_chosen_by_the_run(self, is_async: bool, monkeypatch: pytest.MonkeyPatch) -> None:
        """`init_chat_model()` without a model; where nobody chooses, it raises."""
        chat_models = pytest.importorskip("langchain.chat_models")
        pytest.importorskip("langchain_openai")
        step = LLMReranker(chat_models.init_chat_model(), top_n=1, timeout=60).as_runnable()
        given: Any = {"query": QUERY, "documents": DOCUMENTS}

        def call(config: Any) -> Any:
            if is_async:
                return asyncio.run(step.ainvoke(given, config))
            return step.invoke(given, config)

        with pytest.raises(ScorerError, match="the model is chosen when it is called"):
            call({})
        with Server(OpenAIAPI(scoring())) as server:
            monkeypatch.setenv("OPENAI_BASE_URL", f"{server.url}/v1")
            monkeypatch.setenv("OPENAI_API_KEY", "sk-loopback-0123456789")
            found = call({"configurable": {"model": "openai:some-model"}})
            assert found[0].metadata["n"] == 2
            assert server.requests[0].json["model"] == "some-model"


class TestModelsByProvider:
    def test_of_openai(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Is asked by our own client; a key may be a SecretStr."""
        made = LLMReranker("openai:gpt-4o-mini", api_key=SecretStr("sk-x1234567890"))  # type: ignore[arg-type]

        assert made.reranker.name == "gpt-4o-mini"
        assert "sk-x" not in repr(made)

    def test_of_another(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Is made by `init_chat_model`; its key goes there."""
        pytest.importorskip("langchain.chat_models")
        anthropic = pytest.importorskip("langchain_anthropic")

        made = LLMReranker("anthropic:claude-sonnet-4-5", api_key="sk-ant-1234567890")
        by_keyword = LLMReranker(model="anthropic:claude-sonnet-4-5", api_key="sk-ant-1234567890")

        for one in (made, by_keyword):
            chat: Any = one.reranker.scorers["llm"].chat  # type: ignore[attr-defined]
            assert isinstance(chat.llm, anthropic.ChatAnthropic)
            assert chat.llm.anthropic_api_key.get_secret_value() == "sk-ant-1234567890"

    def test_without_its_package_it_says_so(self) -> None:
        """And what to install."""
        pytest.importorskip("langchain.chat_models")

        with pytest.raises(ConfigurationError, match=r"'groq:x' cannot be made: .*langchain-groq"):
            LLMReranker("groq:x")

    def test_its_key_is_in_no_error(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Though pydantic's shows what it was given: here Azure misses its version."""
        pytest.importorskip("langchain.chat_models")
        pytest.importorskip("langchain_openai")
        monkeypatch.delenv("OPENAI_API_VERSION", raising=False)
        key = "".join(["k-1234567890", "zq"])

        with pytest.raises(ConfigurationError, match="OPENAI_API_VERSION") as raised:
            LLMReranker("azure_openai:x", api_key=key)

        assert "zq'" not in "".join(traceback.format_exception(raised.value))

    @pytest.mark.parametrize("name", ["llama3:8b", "ft:gpt-4o:mine::id", "ollama:"])
    def test_a_colon_may_mean_something_else(
        self, name: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """In a name on a server of one's own."""
        monkeypatch.setenv("OPENAI_API_KEY", "sk-1234567890abcdef")

        assert LLMReranker(name).reranker.name == name
        assert LLMReranker("groq:x", base_url="http://localhost/v1").reranker.name == "groq:x"


class Noting(FakeListChatModel):
    """Notes what it was asked."""

    _asked: list[list[Any]] = PrivateAttr(default_factory=list)

    def _call(self, messages: list[Any], *args: Any, **kwargs: Any) -> str:
        self._asked.append(messages)
        return super()._call(messages, *args, **kwargs)


def asked(prompt: Any, **options: Any) -> list[str]:
    """What the model is asked with this prompt, message by message."""
    model = Noting(responses=['{"1":0,"2":1,"3":9,"4":0}'])
    made = LLMReranker(model, prompt=prompt, **options)
    assert made.compress_documents(DOCUMENTS, QUERY)[0].metadata["n"] == 2
    return [message.content for message in model._asked[0]]


class TestPrompts:
    def test_a_template_is_the_users_message(self) -> None:
        """The system's stays; braces and partial variables are kept."""
        template = PromptTemplate.from_template(
            'For {who}: {query}\n{documents}\nSay {{"1":7}} for {count}.',
            partial_variables={"who": "{lawyers}"},
        )

        system, user = asked(template)

        assert user.startswith(f"For {{lawyers}}: {QUERY}\n[1] <<<")
        assert user.endswith('Say {"1":7} for 4.')
        assert system.startswith("You grade how well")

    def test_a_chat_template_is_both(self) -> None:
        """In its roles."""
        template = ChatPromptTemplate(
            [
                ("system", "From {low} to {high}. {{}}"),
                ("human", "{query}"),
                ("human", "{documents}"),
            ]
        )

        system, user = asked(template)

        assert system == "From 0 to 10. {}"
        assert user.startswith(f"{QUERY}\n\n[1] <<<")

    @pytest.mark.parametrize(
        ("prompt", "said"),
        [
            (PromptTemplate.from_template("{question} {documents}"), "it may use {query}"),
            (PromptTemplate.from_template("{query}"), "never shows the model {documents}"),
            (
                PromptTemplate.from_template("{{query}}{{documents}}", template_format="mustache"),
                "written as mustache",
            ),
            (
                ChatPromptTemplate([("human", "{query}{documents}"), MessagesPlaceholder("h")]),
                "has a MessagesPlaceholder",
            ),
            (
                ChatPromptTemplate([("ai", "yes"), ("human", "{query}{documents}")]),
                "has a AIMessagePromptTemplate",
            ),
            ("{query} {documents}", "prompt is a Prompt"),
        ],
    )
    def test_what_cannot_be_asked_is_refused(self, prompt: Any, said: str) -> None:
        """At construction."""
        with pytest.raises(ConfigurationError, match=said):
            LLMReranker(FakeListChatModel(responses=[""]), prompt=prompt)

    def test_another_prompt_has_another_name_in_a_cache(self) -> None:
        """And one of ours is taken as it is."""
        one = PromptTemplate.from_template("{query} {documents} one")
        other = PromptTemplate.from_template("{query} {documents} other")
        model = FakeListChatModel(responses=[""])
        named = {
            LLMReranker(model, prompt=prompt).reranker.scorers["llm"].fingerprint  # type: ignore[attr-defined]
            for prompt in (one, other, Prompt())
        }

        assert len(named) == 3
        assert None not in named


def test_messages_that_are_written_already() -> None:
    """A template may hold them; braces in them are text."""
    template = ChatPromptTemplate([HumanMessage("{as it is}"), ("human", "{query} {documents}")])

    assert asked(template)[1].startswith("{as it is}\n\n" + QUERY)


def test_no_key_in_what_is_dumped() -> None:
    """By LangChain's own ways."""
    from langchain_core.load import dumpd

    made = LLMReranker("m", api_key=SecretStr("sk-verysecret-0123456789"))  # type: ignore[arg-type]
    step = made.as_runnable()

    assert "verysecret" not in json.dumps([dumpd(made), dumpd(step)], default=str)
