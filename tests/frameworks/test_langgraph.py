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
from langchain_core.tracers.context import collect_runs
from langchain_core.vectorstores import InMemoryVectorStore
from langgraph.graph import END, START, StateGraph
from letters import Letters

from langchain_rerank import BM25Reranker, LLMReranker, RerankRetriever
from rerank_core import InvalidInputError

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

    assert "".join(message.content for message, _ in shown) == "Rome it is."
    assert reranker.compress_documents(DOCUMENTS, "q")[0].page_content == "Rome"


class Chosen(TypedDict, total=False):
    query: str
    documents: list[Document]


@pytest.mark.parametrize("native", [False, True], ids=["sync", "async"])
def test_a_step_is_a_node(native: bool) -> None:
    """`as_runnable()` takes the state, as far as it has query and documents."""
    reranker = BM25Reranker(top_n=1)
    built = StateGraph(Chosen)
    built.add_node("rerank", reranker.as_runnable() | (lambda found: {"documents": found}))
    built.add_edge(START, "rerank")
    built.add_edge("rerank", END)
    flow = built.compile()

    given: Chosen = {"query": "Rome", "documents": DOCUMENTS}
    with collect_runs() as collected:
        done = asyncio.run(flow.ainvoke(given)) if native else flow.invoke(given)

    assert [one.page_content for one in done["documents"]] == ["Rome"]
    runs = {run.name: run for run in descendants(collected.traced_runs[0])}
    told = runs["BM25Reranker"].extra["metadata"]
    assert (told["rerank_scorer"], told["rerank_coverage"]) == ("bm25", 1.0)


def test_a_retriever_in_a_node() -> None:
    """Its runs are below the node's, without a word of config."""
    store = InMemoryVectorStore(Letters())
    store.add_documents(DOCUMENTS)
    retriever = RerankRetriever(store, "bm25", k=1)
    built = StateGraph(Chosen)
    built.add_node("search", lambda state: {"documents": retriever.invoke(state["query"])})
    built.add_edge(START, "search")
    built.add_edge("search", END)

    with collect_runs() as collected:
        done = built.compile().invoke({"query": "Rome"})

    assert [one.page_content for one in done["documents"]] == ["Rome"]
    names = [run.name for run in descendants(collected.traced_runs[0])]
    assert {"RerankRetriever", "VectorStoreRetriever", "RerankCompressor"} <= set(names)


def descendants(run: Any) -> list[Any]:
    return [run, *(below for child in run.child_runs for below in descendants(child))]


@pytest.mark.parametrize("given", ["text", {"query": "q"}, {"documents": []}])
def test_a_step_says_what_it_takes(given: Any) -> None:
    """A query and documents."""
    with pytest.raises(InvalidInputError, match="the step takes"):
        BM25Reranker().as_runnable().invoke(given)
