"""LlamaIndex node postprocessors that rerank: one class over the core, and presets of it."""

from typing import TYPE_CHECKING

from rerank_core.errors import require
from rerank_core.runtime.on_demand import on_demand

require("llamaindex_rerank", "llamaindex", "llama_index.core")

from .postprocessor import RerankPostprocessor

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

#: Presets, each of which is a model of pydantic's to build, are imported when asked for.
_HOMES = {
    "BM25Reranker": "presets",
    "CohereReranker": "presets",
    "CrossEncoderReranker": "presets",
    "EmbeddingReranker": "presets",
    "HybridReranker": "presets",
    "LLMReranker": "presets",
    "OnnxReranker": "presets",
    "RerankAPIReranker": "presets",
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
    "RerankPostprocessor",
]

__getattr__, __dir__ = on_demand(__name__, _HOMES)
