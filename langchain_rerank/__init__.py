"""LangChain retrievers, document compressors and tools that rerank, over the core.

Middleware for `create_agent` is in `langchain_rerank.agents`, and needs the package `langchain`.
"""

from typing import TYPE_CHECKING

from rerank_core.errors import require
from rerank_core.runtime.on_demand import on_demand

require("langchain_rerank", "langchain", "langchain_core")

from .compressor import RerankCompressor

if TYPE_CHECKING:
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
    from .retriever import RerankRetriever
    from .store_scores import scored
    from .tools import rerank_tool

#: What is imported when it is asked for: presets, each of which is a model of pydantic's to build,
#: and what imports more of LangChain than a compressor does.
_HOMES = {
    "BM25Reranker": "presets",
    "CohereReranker": "presets",
    "CrossEncoderReranker": "presets",
    "EmbeddingReranker": "presets",
    "HybridReranker": "presets",
    "LLMReranker": "presets",
    "OnnxReranker": "presets",
    "RerankAPIReranker": "presets",
    "RerankRetriever": "retriever",
    "rerank_tool": "tools",
    "scored": "store_scores",
}

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
    "RerankRetriever",
    "rerank_tool",
    "scored",
]

__getattr__, __dir__ = on_demand(__name__, _HOMES)
