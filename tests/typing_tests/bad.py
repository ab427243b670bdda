"""A user's file with a mistake on every line below the imports.

It is read by type checkers and never run.
"""

from __future__ import annotations

import langchain_rerank as langchain
import llamaindex_rerank as llama_index
from rerank_core import Reranker
from rerank_core.combine import WeightedSum

r = Reranker()

# each line from here on is wrong
Reranker("bm25", top_k=5)
Reranker("bm25", 5)
Reranker("bm25", top_n="5")
Reranker("bm25", on_error="ignore")
r.replace(top_k=3)
r.top_n = 3
r.scorers = {}
r.rank("q", ["a"], top_k=3)
Reranker.from_config("r.toml", top_k=3)
WeightedSum({"bm25": 1}, normalize="zscore")
langchain.LLMReranker("gpt-4o-mini", top_k=5)
langchain.CrossEncoderReranker("BAAI/bge-reranker-base", top_k=5)
langchain.OnnxReranker("folder", top_k=5)
langchain.CohereReranker("rerank-v3.5", top_k=5)
langchain.RerankAPIReranker("http://h/rerank", top_k=5)
langchain.EmbeddingReranker("text-embedding-3-small", top_k=5)
langchain.BM25Reranker(top_k=5)
langchain.HybridReranker(top_k=5)
llama_index.LLMReranker("gpt-4o-mini", top_k=5)
llama_index.CrossEncoderReranker("BAAI/bge-reranker-base", top_k=5)
llama_index.OnnxReranker("folder", top_k=5)
llama_index.CohereReranker("rerank-v3.5", top_k=5)
llama_index.RerankAPIReranker("http://h/rerank", top_k=5)
llama_index.EmbeddingReranker("text-embedding-3-small", top_k=5)
llama_index.BM25Reranker(top_k=5)
llama_index.HybridReranker(top_k=5)
langchain.LLMReranker("gpt-4o-mini", strategy="pairwise")
langchain.LLMReranker("gpt-4o-mini", strategy="listwise", algorithm="sliding")
langchain.LLMReranker("gpt-4o-mini", long_documents="cut")
langchain.RerankAPIReranker("http://h", scale="percent")
langchain.BM25Reranker("a model")
langchain.LLMReranker.from_config("r.toml", top_k=3)
langchain.RerankCompressor.from_config("r.toml", top_k=3)
langchain.RerankCompressor(reranker=r, top_k=3)
llama_index.LLMReranker("gpt-4o-mini", metadata_fields=["title"])
llama_index.OnnxReranker("m", precision="int4")
llama_index.HybridReranker("a model")
llama_index.RerankPostprocessor.from_config("r.toml", top_k=3)
llama_index.RerankPostprocessor(reranker=r, top_k=3)
langchain.RerankCompressor("hybrid", timeout=1)
llama_index.RerankPostprocessor("hybrid", timeout=1)
