"""LlamaIndex node postprocessors that rerank: one class over the core, and presets of it."""

from rerank_core.errors import require

require("llamaindex_rerank", "llamaindex", "llama_index.core")

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
