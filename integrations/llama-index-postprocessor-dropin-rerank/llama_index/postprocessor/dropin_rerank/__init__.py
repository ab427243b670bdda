"""`llamaindex_rerank` of `dropin-rerank`, where LlamaIndex' integrations are looked for."""

from llamaindex_rerank import (
    BM25Reranker,
    CohereReranker,
    CrossEncoderReranker,
    EmbeddingReranker,
    HybridReranker,
    LLMReranker,
    OnnxReranker,
    RerankAPIReranker,
    RerankPostprocessor,
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
