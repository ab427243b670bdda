"""The main job: SciFact's 300 claims, the top 100 by a real encoder, reranked by the default.

    python benchmarks/scifact.py

prints nDCG@10 (by ir_measures) of the retriever, of the embedded default through the core,
LangChain and LlamaIndex, and of its parts. See scifact_data.py for where the data is expected.
"""

from __future__ import annotations

import os
import platform
import sys
import time
from collections.abc import Callable, Mapping

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
    from langchain_core.documents import Document

    from langchain_rerank import RerankCompressor

    compressor = RerankCompressor(reranker=reranker, score_field="score")
    documents = [Document(data.texts[i], id=i, metadata={"score": score}) for i, score in found]
    return [str(document.id) for document in compressor.compress_documents(documents, query)]


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
