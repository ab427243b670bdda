"""LlamaIndex node postprocessors that rerank: one class over the core, and presets of it."""

from .postprocessor import RerankPostprocessor
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
    "RerankPostprocessor",
]
