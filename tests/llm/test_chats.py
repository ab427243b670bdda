"""The user's own models: LangChain's, LlamaIndex's, and any object that completes."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from llm_prompts import answering

from llm.conftest import ANSWER, QUERY, TEXTS, Serve
from rerank_core import ConfigurationError, Ranking, Reason, Reranker
from rerank_core.chat import chat_model
from rerank_core.chat.prices import Tariff
from rerank_core.protocols import ChatRequest, Reply
from rerank_core.scorers import LLMScorer

FACES = ["sync", "async"]

# Nobody but the user closes the user's own client, and these leave theirs to the collector.
pytestmark = [
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning"),
]


def ranked(face: str, llm: Any, texts: Sequence[str] = TEXTS, **options: Any) -> Ranking:
    with Reranker(LLMScorer(llm, **options), top_n=None, timeout=20.0) as reranker:
        if face == "sync":
            return reranker.rank(QUERY, list(texts))
        return asyncio.run(reranker.arank(QUERY, list(texts)))


def fake_langchain() -> Any:
    fakes = pytest.importorskip("langchain_core.language_models.fake_chat_models")
    reply = json.dumps({"scores": [{"id": 1, "score": 2}, {"id": 2, "score": 9}]})
    return fakes.FakeListChatModel(responses=[reply])


def fake_llama_index() -> Any:
    llms = pytest.importorskip("llama_index.core.llms")
    custom = pytest.importorskip("llama_index.core.llms.callbacks")
    reply = json.dumps({"scores": [{"id": 1, "score": 2}, {"id": 2, "score": 9}]})

    class Fake(llms.CustomLLM):  # type: ignore[misc, name-defined]
        @property
        def metadata(self) -> Any:
            return llms.LLMMetadata(model_name="fake")

        @custom.llm_completion_callback()
        def complete(self, prompt: str, formatted: bool = False, **more: Any) -> Any:
            return llms.CompletionResponse(text=reply)

        @custom.llm_completion_callback()
        def stream_complete(self, prompt: str, formatted: bool = False, **more: Any) -> Any:
            raise NotImplementedError

    return Fake()


@pytest.mark.parametrize("make", [fake_langchain, fake_llama_index])
@pytest.mark.parametrize("face", FACES)
def test_a_frameworks_fake_model_is_asked(make: Callable[[], Any], face: str) -> None:
    """Its reply is read as any other, and its price is nobody's guess."""
    ranking = ranked(face, make(), ["a", "b"])

    assert [hit.score for hit in ranking.all] == [0.9, 0.2]
    assert (ranking.report.calls, ranking.report.cost) == (1, None)


def langchain_openai(url: str) -> Any:
    module = pytest.importorskip("langchain_openai")
    return module.ChatOpenAI(model="gpt-4o-mini", base_url=url, api_key="any", max_retries=0)


def llama_index_openai_like(url: str) -> Any:
    module = pytest.importorskip("llama_index.llms.openai_like")
    return module.OpenAILike(
        model="local", api_base=url, api_key="any", is_chat_model=True, max_retries=0
    )


REAL = [langchain_openai, llama_index_openai_like]


@pytest.mark.parametrize("make", REAL)
@pytest.mark.parametrize("strategy", ["batch", "pointwise", "listwise"])
@pytest.mark.parametrize("face", FACES)
def test_a_frameworks_real_client_is_asked(
    serve: Serve, make: Callable[[str], Any], strategy: str, face: str
) -> None:
    """Over a real socket, with the tokens that the server reported; a local price is unknown."""
    server = serve()

    ranking = ranked(face, make(f"{server.url}/v1"), strategy=strategy)

    assert ranking.all[0].text == ANSWER
    assert ranking.report.calls == len(server.requests)
    assert ranking.report.coverage == 1.0
    assert ranking.report.prompt_tokens > 0
    assert ranking.report.cost is None


@pytest.mark.parametrize("make", REAL)
def test_the_users_client_goes_on_working_after_it(
    serve: Serve, make: Callable[[str], Any]
) -> None:
    """The async face calls it on the user's own loop, so its connections stay there."""
    server = serve()
    llm = make(f"{server.url}/v1")

    async def use() -> None:
        with Reranker(LLMScorer(llm), timeout=20.0) as reranker:
            await reranker.arank(QUERY, TEXTS)
            await (llm.ainvoke("x") if hasattr(llm, "ainvoke") else llm.acomplete("x"))
            await reranker.arank(QUERY, TEXTS)

    asyncio.run(use())

    assert len(server.requests) == 7


@pytest.mark.parametrize("make", REAL)
def test_its_failure_is_a_reason(serve: Serve, make: Callable[[str], Any]) -> None:
    """By the status that the client's error carries; its own retries are left to it."""
    from loopback import FAULTS

    server = serve(answering(), FAULTS["payment"])

    ranking = ranked("sync", make(f"{server.url}/v1"), group_size=25)

    assert ranking.report.reasons == (Reason.PAYMENT,)
    assert ranking.report.retries == 0


def test_thinking_blocks_are_no_answer() -> None:
    """Of a reply in blocks, as Claude and Gemini give them, the text counts."""
    messages = pytest.importorskip("langchain_core.messages")
    fakes = pytest.importorskip("langchain_core.language_models.fake_chat_models")
    content = [{"type": "thinking", "thinking": "3?"}, {"type": "text", "text": "9"}]
    llm = fakes.GenericFakeChatModel(messages=iter([messages.AIMessage(content=content)]))

    ranking = ranked("sync", llm, ["a"], strategy="pointwise")

    assert ranking.all[0].score == pytest.approx(0.9)


def said(message: dict[str, Any]) -> Any:
    messages = pytest.importorskip("langchain_core.messages")
    fakes = pytest.importorskip("langchain_core.language_models.fake_chat_models")
    return fakes.GenericFakeChatModel(messages=iter([messages.AIMessage(**message)]))


GRADES = {"1": 2, "2": 9}
ELSEWHERE: dict[str, dict[str, Any]] = {
    "tool call": {"content": "", "tool_calls": [{"name": "answer", "args": GRADES, "id": "1"}]},
    "thoughts only": {
        "content": "",
        "additional_kwargs": {"reasoning_content": json.dumps(GRADES)},
    },
    "text block": {"content": [{"type": "text", "text": json.dumps(GRADES)}]},
}


@pytest.mark.parametrize("kind", ELSEWHERE)
def test_an_answer_that_is_no_plain_text_is_read(kind: str) -> None:
    """Wherever LangChain puts it."""
    assert [hit.score for hit in ranked("sync", said(ELSEWHERE[kind]), ["a", "b"])] == [0.9, 0.2]


@pytest.mark.parametrize("face", FACES)
def test_what_a_chain_makes_of_the_reply_is_read(face: str) -> None:
    """A parser's text or mapping, a structured output's object."""
    from pydantic import create_model

    parsers = pytest.importorskip("langchain_core.output_parsers")
    answer = create_model("Answer", score=(int, ...))
    for parser, reply, grade in (
        (parsers.StrOutputParser(), "1: 9", 0.9),
        (parsers.JsonOutputParser(), '{"1": 8}', 0.8),
        (parsers.PydanticOutputParser(pydantic_object=answer), '{"score": 7}', 0.7),
    ):
        ranking = ranked(face, said({"content": reply}) | parser, ["a"])
        assert ranking.all[0].score == pytest.approx(grade)


@pytest.mark.parametrize("make", REAL)
def test_a_users_model_without_a_system_role_is_asked_without(
    serve: Serve, make: Callable[[str], Any]
) -> None:
    """Learned once for the object, as for a model by name."""
    from loopback import Answer

    judge = answering()

    def judge_without(messages: Any, body: Any) -> Any:
        if messages[0]["role"] != "user":
            return Answer("Conversation roles must alternate user/assistant", status=400)
        return judge(messages, body)

    server = serve(judge_without)
    scorer = LLMScorer(make(f"{server.url}/v1"), group_size=25)

    with Reranker(scorer, top_n=None, timeout=20.0) as reranker:
        rankings = [reranker.rank(QUERY, TEXTS) for _ in range(2)]

    assert [ranking.all[0].text for ranking in rankings] == [ANSWER] * 2
    assert [ranking.report.calls for ranking in rankings] == [2, 1]


class OwnModel:
    """The least that is a chat model."""

    model = "own"

    def __init__(self) -> None:
        self.threads: set[int] = set()

    async def complete(self, request: ChatRequest) -> Reply:
        self.threads.add(threading.get_ident())
        return Reply('{"scores": [{"id": 1, "score": 2}, {"id": 2, "score": 9}]}', 10, 5)


def test_an_object_of_ones_own_is_asked_on_the_callers_loop() -> None:
    """Its clients live there; what it says it took is in the report."""
    llm = OwnModel()

    ranking = ranked("async", llm, ["a", "b"])

    assert [hit.score for hit in ranking.all] == [0.9, 0.2]
    assert llm.threads == {threading.get_ident()}
    report = ranking.report
    assert (report.calls, report.prompt_tokens, report.completion_tokens) == (1, 10, 5)


@pytest.mark.parametrize("llm", [object(), 3, OwnModel])
def test_what_is_no_chat_model_is_refused(llm: object) -> None:
    """With what would be one."""
    with pytest.raises(ConfigurationError, match="LangChain chat model"):
        chat_model(llm)


class TestPrices:
    def test_a_hosted_model_has_its_price(self) -> None:
        """In US dollars, by the kept list."""
        pytest.importorskip("genai_prices")
        tariff = Tariff("gpt-4o-mini", address="https://api.openai.com/v1")

        assert tariff.cost(1_000_000, 0) == pytest.approx(0.15, rel=0.9)
        assert (tariff.cost(1000, 0, 1000) or 1) < (tariff.cost(1000, 0) or 0)

    @pytest.mark.parametrize(
        "tariff",
        [
            Tariff("gpt-4o-mini", address="http://127.0.0.1:8000/v1"),
            Tariff("gpt-4o-mini"),
            Tariff("no-such-model", address="https://api.openai.com/v1"),
            Tariff("llama3", provider="ollama"),
        ],
        ids=["local", "nowhere", "unknown model", "unknown provider"],
    )
    def test_a_price_nobody_knows_is_none(self, tariff: Tariff) -> None:
        """Never 0, and never that of a namesake."""
        assert tariff.cost(1000, 1000) is None
