"""The scorers, each imported when it is first asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..runtime.on_demand import on_demand

if TYPE_CHECKING:
    from .bm25 import BM25Scorer as BM25Scorer
    from .cascade import Cascade as Cascade
    from .cascade import Stage as Stage
    from .embedding import EmbeddingScorer as EmbeddingScorer
    from .function import FunctionScorer as FunctionScorer
    from .llm import LLMScorer as LLMScorer
    from .local.cross_encoder import CrossEncoderScorer as CrossEncoderScorer
    from .local.onnx import OnnxCrossEncoderScorer as OnnxCrossEncoderScorer
    from .services.cohere import CohereScorer as CohereScorer
    from .services.rerank_api import RerankAPIScorer as RerankAPIScorer

_HOMES = {
    "BM25Scorer": "bm25",
    "Cascade": "cascade",
    "CohereScorer": "services.cohere",
    "CrossEncoderScorer": "local.cross_encoder",
    "EmbeddingScorer": "embedding",
    "FunctionScorer": "function",
    "LLMScorer": "llm",
    "OnnxCrossEncoderScorer": "local.onnx",
    "RerankAPIScorer": "services.rerank_api",
    "Stage": "cascade",
}

__all__ = sorted(_HOMES)

__getattr__, __dir__ = on_demand(__name__, _HOMES)
