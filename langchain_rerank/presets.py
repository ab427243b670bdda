"""Rerankers by what does the scoring. Options are those of the scorer and of `Reranker`."""

from __future__ import annotations

from typing import Any, ClassVar

from rerank_core.presets import build, with_first

from .compressor import RerankCompressor


class _Preset(RerankCompressor):
    kind: ClassVar[str]

    def __init__(self, model: Any = None, /, **options: Any) -> None:
        own = {name: options.pop(name) for name in _OWN if name in options}
        reranker = build(self.kind, with_first(self.kind, model, options), beside=_OWN)
        super().__init__(reranker=reranker, **own)


_OWN = tuple(name for name in RerankCompressor.model_fields if name != "reranker")


class LLMReranker(_Preset):
    """An LLM grades the documents, a group of them in one call. See `LLMScorer`."""

    kind = "llm"


class CrossEncoderReranker(_Preset):
    """A cross-encoder on this machine. See `CrossEncoderScorer`."""

    kind = "cross-encoder"


class CohereReranker(_Preset):
    """Cohere's rerank API. See `CohereScorer`."""

    kind = "cohere"


class RerankAPIReranker(_Preset):
    """Any rerank server, by its URL. See `RerankAPIScorer`."""

    kind = "api"


class EmbeddingReranker(_Preset):
    """Cosine similarity of embeddings. See `EmbeddingScorer`."""

    kind = "embedding"


class BM25Reranker(_Preset):
    """BM25 over the documents at hand. See `BM25Scorer`."""

    kind = "bm25"


class HybridReranker(_Preset):
    """BM25 over the documents at hand and the retriever's own order, half and half."""

    kind = "hybrid"
