"""What the README shows runs as it is written."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import doc_pages
import pytest
from loopback import OpenAIAPI, Server, scoring

from rerank_core import Candidate, Ranking

README = doc_pages.ROOT / "README.md"
QUERY = "how do I cancel a task?"
ANSWER = "Task.cancel: how to cancel a task, and what a task that you cancel should do"
TEXTS = [*(f"filler number {n} about nothing" for n in range(60)), ANSWER]


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Server]:
    """An OpenAI-compatible server and the environment that points at it; an empty folder."""
    pytest.importorskip("openai")
    monkeypatch.chdir(tmp_path)
    with Server(OpenAIAPI(scoring())) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", f"{server.url}/v1")
        monkeypatch.setenv("OPENAI_API_KEY", "any")
        yield server


def block(beginning: str) -> str:
    """The block of Python below the heading of that name."""
    heading = README.read_text(encoding="utf-8").partition(f"\n## {beginning}\n")[0].count("\n")
    return next(b for b in doc_pages.blocks(README) if len(b) - len(b.lstrip("\n")) > heading)


def shown(beginning: str, **known: Any) -> dict[str, Any]:
    """What there is after the block was run."""
    names = dict(known)
    exec(compile(block(beginning), str(README), "exec"), names)
    return names


def test_langchain(server: Server) -> None:
    """A store with a retriever, a reranker around it, and the answer on top."""
    pytest.importorskip("langchain_core")
    from langchain_core.embeddings import DeterministicFakeEmbedding
    from langchain_core.vectorstores import InMemoryVectorStore

    store = InMemoryVectorStore.from_texts(
        # as many as are retrieved: these embeddings would find the answer by luck alone
        TEXTS[-50:],
        DeterministicFakeEmbedding(size=8),
    )

    names = shown("LangChain", store=store)
    names["retriever"].reranker.reranker.close()

    best, *others = names["documents"]
    assert best.page_content == ANSWER
    assert len(others) == 9
    assert best.metadata["relevance_score"] > others[0].metadata["relevance_score"]
    assert {request.json["model"] for request in server.requests} == {"gpt-4o-mini"}
    assert len(server.requests) == 5


def test_llama_index(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """An index with a query engine, a reranker in it, and the answer on top."""
    pytest.importorskip("llama_index.core")
    from llama_index.core import MockEmbedding, Settings, VectorStoreIndex
    from llama_index.core.llms import MockLLM
    from llama_index.core.schema import TextNode

    monkeypatch.setattr(Settings, "_llm", MockLLM())  # what writes the response
    index = VectorStoreIndex(
        [TextNode(text=text) for text in TEXTS[-50:]], embed_model=MockEmbedding(embed_dim=4)
    )

    names = shown("LlamaIndex", index=index)
    names["engine"]._node_postprocessors[0].reranker.close()

    best, *others = names["response"].source_nodes
    assert best.node.get_content() == ANSWER
    assert len(others) == 9
    assert best.score > others[0].score
    assert len(server.requests) == 5


@pytest.mark.parametrize(
    "documents",
    [TEXTS, [{"text": text, "page": 1} for text in TEXTS], [Candidate(text) for text in TEXTS]],
    ids=["strings", "dicts", "candidates"],
)
def test_plain_python(server: Server, documents: list[Any], tmp_path: Path) -> None:
    """Each kind of document that the comment names; the scores are kept where it says."""
    names = shown("Plain Python", documents=documents)
    names["reranker"].close()

    ranking = names["ranking"]
    assert isinstance(ranking, Ranking)
    assert ranking[0].text == ANSWER
    assert ranking[0].document is documents[-1]
    assert len(ranking) == 10
    assert len(ranking.all) == len(TEXTS)
    assert ranking.report.coverage == 1.0
    assert (tmp_path / "scores.sqlite").exists()


def test_every_block_is_run_here() -> None:
    """One below each of three headings, and no more."""
    run = [block(heading) for heading in ("LangChain", "LlamaIndex", "Plain Python")]

    assert doc_pages.blocks(README) == run
