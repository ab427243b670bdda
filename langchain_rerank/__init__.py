"""LangChain document compressors that rerank: one class over the core, and presets of it."""

from rerank_core.errors import require

require("langchain_rerank", "langchain", "langchain_core")

from .compressor import RerankCompressor
from .presets import (
    BM25Reranker,
    CohereReranker,
    CrossEncoderReranker,
    EmbeddingReranker,
    HybridReranker,
    LLMReranker,
    OnnxReranker,
    RerankAPIReranker,
)

__all__ = [
    "BM25Reranker",
    "CohereReranker",
    "CrossEncoderReranker",
    "EmbeddingReranker",
    "HybridReranker",
    "LLMReranker",
    "OnnxReranker",
    "RerankAPIReranker",
    "RerankCompressor",
]
