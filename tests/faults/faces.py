"""The six ways to ask for a ranking: sync and async; of the core, LangChain and LlamaIndex."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from rerank_core import Reranker

Framework = Literal["core", "LangChain", "LlamaIndex"]
#: What comes back, best first: the id of each document, and its score.
Found = list[tuple[str, float | None]]


@dataclass(frozen=True)
class Face:
    """One way to ask: `ask(reranker, texts)` gives the function from query to what was found."""

    framework: Framework
    awaited: bool

    def __str__(self) -> str:
        return f"{self.framework} {'async' if self.awaited else 'sync'}"

    def ask(self, reranker: Reranker, texts: Sequence[str]) -> Callable[[str], Any]:
        """From the query to what was found; a coroutine function where it is awaited."""
        return _ASK[self.framework](reranker, texts, self.awaited)


def _core(reranker: Reranker, texts: Sequence[str], awaited: bool) -> Callable[[str], Any]:
    documents = [{"id": str(n), "text": text} for n, text in enumerate(texts)]

    def read(ranking: Any) -> Found:
        return [(hit.id, hit.score) for hit in ranking]

    return _either(
        awaited,
        lambda query: reranker.rank(query, documents),
        lambda query: reranker.arank(query, documents),
        read,
    )


def _langchain(reranker: Reranker, texts: Sequence[str], awaited: bool) -> Callable[[str], Any]:
    from langchain_core.documents import Document

    from langchain_rerank import RerankCompressor

    compressor = RerankCompressor(reranker=reranker)
    documents = [Document(text, id=str(n)) for n, text in enumerate(texts)]

    def read(found: Sequence[Document]) -> Found:
        return [(str(one.id), one.metadata.get("relevance_score")) for one in found]

    return _either(
        awaited,
        lambda query: compressor.compress_documents(documents, query),
        lambda query: compressor.acompress_documents(documents, query),
        read,
    )


def _llamaindex(reranker: Reranker, texts: Sequence[str], awaited: bool) -> Callable[[str], Any]:
    from llama_index.core.schema import NodeWithScore, TextNode

    from llamaindex_rerank import RerankPostprocessor

    postprocessor = RerankPostprocessor(reranker=reranker)
    nodes = [NodeWithScore(node=TextNode(text=text, id_=str(n))) for n, text in enumerate(texts)]

    def read(found: Sequence[NodeWithScore]) -> Found:
        return [(one.node.node_id, one.score) for one in found]

    return _either(
        awaited,
        lambda query: postprocessor.postprocess_nodes(nodes, query_str=query),
        lambda query: postprocessor.apostprocess_nodes(nodes, query_str=query),
        read,
    )


_ASK: dict[Framework, Callable[[Reranker, Sequence[str], bool], Callable[[str], Any]]] = {
    "core": _core,
    "LangChain": _langchain,
    "LlamaIndex": _llamaindex,
}


def _either(
    awaited: bool,
    sync: Callable[[str], Any],
    native: Callable[[str], Awaitable[Any]],
    read: Callable[[Any], Found],
) -> Callable[[str], Any]:
    async def asked(query: str) -> Found:
        return read(await native(query))

    return asked if awaited else lambda query: read(sync(query))


FACES = [Face(framework, awaited) for framework in _ASK for awaited in (False, True)]
