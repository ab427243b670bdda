"""The same ranking through the core and both frameworks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rerank_core import Ranking, Reranker

FACES = ("core", "langchain", "llamaindex")


def ranked(face: str, scorer: Any, query: str, texts: Sequence[str], **options: Any) -> Ranking:
    """One ranking of a reranker of its own, closed again."""
    found: list[Ranking] = []
    with Reranker(scorer, top_n=None, on_ranking=found.append, **options) as reranker:
        if face == "core":
            reranker.rank(query, texts)
        elif face == "langchain":
            from langchain_core.documents import Document

            from langchain_rerank import RerankCompressor

            documents = [Document(text) for text in texts]
            kept = RerankCompressor(reranker=reranker).compress_documents(documents, query)
            assert sorted(one.page_content for one in kept) == sorted(texts)
        else:
            from llama_index.core.schema import NodeWithScore, QueryBundle, TextNode

            from llamaindex_rerank import RerankPostprocessor

            nodes = [NodeWithScore(node=TextNode(text=text)) for text in texts]
            post = RerankPostprocessor(reranker=reranker)
            kept_nodes = post.postprocess_nodes(nodes, QueryBundle(query))
            assert sorted(one.node.get_content() for one in kept_nodes) == sorted(texts)
    (ranking,) = found
    return ranking
