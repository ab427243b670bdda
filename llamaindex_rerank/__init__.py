"""LlamaIndex node postprocessors that rerank: one class over the core, and presets of it."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from rerank_core.errors import require

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


def __getattr__(name: str) -> Any:
    # a preset, which is a model of pydantic's to build, is imported when it is asked for
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.presets"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
