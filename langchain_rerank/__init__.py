"""LangChain retrievers, document compressors and tools that rerank, over the core.

Middleware for `create_agent` is in `langchain_rerank.agents`, and needs the package `langchain`.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

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

if TYPE_CHECKING:
    from .retriever import RerankRetriever
    from .store_scores import scored
    from .tools import rerank_tool

#: What imports more of LangChain than a compressor does: it is imported when it is asked for.
_HOMES = {
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


def __getattr__(name: str) -> Any:
    if (home := _HOMES.get(name)) is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{home}"), name)
