"""The main job: SciFact's 300 claims, the top 100 by a real encoder, reranked by the default.

    python benchmarks/scifact.py

prints nDCG@10 (by ir_measures) of the retriever, of the embedded default through the core,
LangChain (over FAISS, with its scores and without) and LlamaIndex, and of its parts. LangChain's
half needs langchain-community and faiss-cpu. See scifact_data.py for where the data is expected.
"""

from __future__ import annotations

import os
import platform
import sys
import time
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from scifact_data import SciFact, ndcg_10

from rerank_core import Reranker
from rerank_core.combine import ReciprocalRankFusion

DEPTH = 100

Found = list[tuple[str, float]]
Run = dict[str, dict[str, float]]


def through_core(reranker: Reranker, data: SciFact, query: str, found: Found) -> list[str]:
    documents = [{"id": i, "text": data.texts[i], "score": score} for i, score in found]
    return [str(hit.id) for hit in reranker.rank(query, documents).all]


def through_langchain(reranker: Reranker, data: SciFact, query: str, found: Found) -> list[str]:
    """`RerankRetriever` over FAISS, which is asked for its distances."""
    from langchain_rerank import RerankRetriever

    retriever = RerankRetriever(faiss(data), reranker, fetch_k=DEPTH)
    return [str(document.id) for document in retriever.invoke(query)]


def through_langchain_by_ranks(
    reranker: Reranker, data: SciFact, query: str, found: Found
) -> list[str]:
    """A compressor behind FAISS' own `as_retriever()`, which drops them."""
    from langchain_rerank import RerankCompressor

    documents = faiss(data).as_retriever(search_kwargs={"k": DEPTH}).invoke(query)
    compressor = RerankCompressor(reranker=reranker)
    return [str(document.id) for document in compressor.compress_documents(documents, query)]


@cache
def faiss(data: SciFact) -> Any:
    """A vector store of LangChain's over the same vectors."""
    from langchain_community.vectorstores import FAISS
    from langchain_core.embeddings import Embeddings

    known = dict(zip(data.queries.values(), data.query_vectors.tolist(), strict=True))

    class Known(Embeddings):
        def embed_query(self, text: str) -> list[float]:
            return known[text]

        def embed_documents(self, texts: list[str]) -> list[list[float]]:
            return [known[text] for text in texts]

    pairs = zip(data.texts.values(), data.document_vectors.tolist(), strict=True)
    return FAISS.from_embeddings(pairs, Known(), ids=list(data.texts))


def through_llamaindex(reranker: Reranker, data: SciFact, query: str, found: Found) -> list[str]:
    from llama_index.core.schema import NodeWithScore, TextNode

    from llamaindex_rerank import RerankPostprocessor

    postprocessor = RerankPostprocessor(reranker=reranker)
    nodes = [NodeWithScore(node=TextNode(text=data.texts[i], id_=i), score=s) for i, s in found]
    return [hit.node.node_id for hit in postprocessor.postprocess_nodes(nodes, query_str=query)]


Through = Callable[[Reranker, SciFact, str, Found], list[str]]


def reranked(
    reranker: Reranker, data: SciFact, candidates: Mapping[str, Found], through: Through
) -> tuple[float, float]:
    """nDCG@10, and milliseconds a query."""
    run: Run = {}
    started = time.perf_counter()
    for query, found in candidates.items():
        order = through(reranker, data, data.queries[query], found)
        run[query] = {document: -float(rank) for rank, document in enumerate(order)}
    elapsed = time.perf_counter() - started
    return ndcg_10(data.qrels, run), 1000 * elapsed / len(candidates)


def main() -> None:
    data = SciFact()
    candidates = data.dense(DEPTH)
    retriever = ndcg_10(data.qrels, {query: dict(found) for query, found in candidates.items()})
    default = Reranker(top_n=None)
    fusion = Reranker("bm25", top_n=None, combine=ReciprocalRankFusion())
    rows: list[tuple[str, Reranker, Through]] = [
        ("the embedded default, core", default, through_core),
        ("the embedded default, LangChain", default, through_langchain),
        ("same, on the retriever's order alone", default, through_langchain_by_ranks),
        ("the embedded default, LlamaIndex", default, through_llamaindex),
        ("BM25 over the candidates alone", Reranker("bm25", top_n=None), through_core),
        ("reciprocal rank fusion of the two", fusion, through_core),
    ]
    print(f"SciFact, {len(candidates)} queries, top {DEPTH} by all-MiniLM-L6-v2; ", end="")
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    print(f"{'':36} nDCG@10  ms a query")
    print(f"{'the retriever':36} {retriever:.4f}")
    for name, reranker, through in rows:
        quality, milliseconds = reranked(reranker, data, candidates, through)
        print(f"{name:36} {quality:.4f}  {milliseconds:6.1f}")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
