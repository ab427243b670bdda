"""In a graph of LangGraph: what its user sees of a reranker."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, TypedDict

import pytest

pytest.importorskip("langgraph")
pytest.importorskip("langchain_core")

from langchain_core.documents import Document
from langchain_core.language_models.fake_chat_models import FakeListChatModel
from langchain_core.output_parsers import StrOutputParser
from langgraph.graph import END, START, StateGraph

from langchain_rerank import LLMReranker

DOCUMENTS = [Document("Oslo"), Document("Rome")]
GRADES = '{"1": 0, "2": 9}'


class State(TypedDict, total=False):
    documents: list[Document]
    answer: str


def model() -> Any:
    return FakeListChatModel(responses=[GRADES])


MODELS: dict[str, Callable[[], Any]] = {
    "model": model,
    "with tags": lambda: model().with_config(tags=["mine"]),
    "chain": lambda: model() | StrOutputParser(),
    "retry": lambda: model().with_retry(),
}


def graph(reranker: LLMReranker, *, native: bool) -> Any:
    answering = FakeListChatModel(responses=["Rome it is."])

    def rerank(state: State) -> State:
        return {"documents": list(reranker.compress_documents(DOCUMENTS, "q"))}

    async def arerank(state: State) -> State:
        return {"documents": list(await reranker.acompress_documents(DOCUMENTS, "q"))}

    async def aanswer(state: State) -> State:
        return {"answer": (await answering.ainvoke("q")).text}

    built = StateGraph(State)
    built.add_node("rerank", arerank if native else rerank)
    built.add_node(
        "answer", aanswer if native else lambda state: {"answer": answering.invoke("q").text}
    )
    built.add_edge(START, "rerank")
    built.add_edge("rerank", "answer")
    built.add_edge("answer", END)
    return built.compile()


@pytest.mark.parametrize("kind", MODELS)
@pytest.mark.parametrize("native", [False, True], ids=["sync", "async"])
def test_grades_are_not_streamed_to_the_user(kind: str, native: bool) -> None:
    """`stream_mode="messages"` shows the answer alone, whatever model grades."""
    reranker = LLMReranker(MODELS[kind](), top_n=1)
    flow = graph(reranker, native=native)

    async def stream() -> list[Any]:
        return [one async for one in flow.astream({}, stream_mode="messages")]

    shown = asyncio.run(stream()) if native else list(flow.stream({}, stream_mode="messages"))

    assert "".join(message.text for message, _ in shown) == "Rome it is."
    assert reranker.compress_documents(DOCUMENTS, "q")[0].page_content == "Rome"
