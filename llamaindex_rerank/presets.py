"""Rerankers by what does the scoring. Options are those of the scorer and of `Reranker`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from llama_index.core.bridge.pydantic import Field
from llama_index.core.settings import Settings

from rerank_core.presets import build

from .postprocessor import RerankPostprocessor

_PLAIN = (str, int, float, bool, type(None))


class _Preset(RerankPostprocessor):
    kind: ClassVar[str]
    #: What it was made with, as far as that is plain and no secret: what `to_dict` carries.
    options: dict[str, Any] = Field(default_factory=dict)

    def __init__(self, model: Any = None, /, **options: Any) -> None:
        options = {**options.pop("options", {}), **options}
        options.pop("class_name", None)
        manager = {
            name: options.pop(name) for name in ("callback_manager",) if name in options
        }
        model = options.pop("_model", model)
        super().__init__(  # type: ignore[call-arg]
            reranker=build(self.kind, self._default(model, options), options),
            options=_plain({"_model": model, **options}),
            **manager,
        )

    def _default(self, model: Any, options: Mapping[str, Any]) -> Any:
        """The scorer's first argument, where LlamaIndex has an opinion of its own."""
        return model


def _plain(options: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: value
        for name, value in options.items()
        if isinstance(value, _PLAIN) and value is not None and name != "api_key"
    }


class LLMReranker(_Preset):
    """An LLM grades the nodes, a group of them in one call. See `LLMScorer`.

    Without a model it takes `Settings.llm` if one was set, else what the environment says.
    """

    kind = "llm"

    def _default(self, model: Any, options: Mapping[str, Any]) -> Any:
        if model is None and not {"llm", "model", "base_url", "api_key"} & set(options):
            # the attribute behind Settings.llm, which would make up a default of its own
            return getattr(Settings, "_llm", None)
        return model


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
    """BM25 over the nodes at hand. See `BM25Scorer`."""

    kind = "bm25"


class HybridReranker(_Preset):
    """BM25 over the nodes at hand and the retriever's own scores, half and half."""

    kind = "hybrid"
