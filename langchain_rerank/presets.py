"""Rerankers by what does the scoring. Options are those of the scorer and of `Reranker`."""

from __future__ import annotations

import inspect
import os
from typing import TYPE_CHECKING, Any, ClassVar, Self, Unpack

from rerank_core import config, presets
from rerank_core.llm.prompts import PROMPTS

from .compressor import ChangedOptions, OwnOptions, RerankCompressor

if TYPE_CHECKING:
    from rerank_core.scorers.local.cross_encoder import PairScorer

_OWN = {
    name: parameter
    for name, parameter in inspect.signature(RerankCompressor).parameters.items()
    if name not in ("reranker", "top_n")  # this goes to the reranker
}


class _Preset(RerankCompressor):
    kind: ClassVar[str]

    def __init__(self, model: Any = None, /, **options: Any) -> None:
        """The model, then each option by its keyword; `help` of the class has them."""
        own = {name: options.pop(name) for name in _OWN if name in options}
        options = presets.with_first(self.kind, model, options)
        super().__init__(reranker=presets.build(self.kind, options, beside=_OWN), **own)

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        # in place of pydantic's own, which knows the fields
        if "kind" in vars(cls) or "__init__" not in vars(cls):
            cls.__signature__ = presets.PresetSignature(_OWN.values())  # type: ignore[assignment]
        if "kind" in vars(cls):
            cls.__doc__ = presets.documented(cls.kind, vars(cls).get("__doc__"))

    @classmethod
    def from_config(cls, path: str | os.PathLike[str], **given: Unpack[ChangedOptions]) -> Self:
        """This preset with the options of a file: see `Reranker.from_config`.

        Raises `ConfigurationError` for a file with a scorer of another kind:
        `RerankCompressor.from_config` takes any.
        """
        own = config.langchain_options(config.load(path))
        return cls(**{**own, **presets.from_file(cls.kind, path, given, RerankCompressor.__name__)})


# -- the kinds: the options of each are the core's, and our own -----------------------------------


class _LLMOptions(presets.LLMOptions, OwnOptions, total=False): ...


class LLMReranker(_Preset):
    """An LLM grades the documents, a group of them in one call. See `LLMScorer`.

    The model is a name on an OpenAI-compatible server, a chat model or a chain that ends in one, or
    "provider:model" as `init_chat_model` has it ("anthropic:claude-sonnet-4-5"), which needs the
    package `langchain`. `prompt` may be a `PromptTemplate` or a `ChatPromptTemplate`.
    """

    kind = "llm"

    def __init__(self, model: Any = None, /, **options: Unpack[_LLMOptions]) -> None:
        given = presets.with_first(self.kind, model, options)
        super().__init__(None, **_llm_options(given))


def _llm_options(options: dict[str, Any]) -> dict[str, Any]:
    """With LangChain's own ways to name a model and to write a prompt."""
    from .chat_models import by_provider

    for name in ("llm", "model"):
        found = by_provider(options.get(name), options)
        if found is not options.get(name):
            del options[name]
            options["model" if isinstance(found, str) else "llm"] = found
    prompt = options.get("prompt")
    # LangChain's prompts are imported for none but them
    if prompt is not None and hasattr(prompt, "input_variables"):
        from .prompts import from_template

        options["prompt"] = from_template(prompt, PROMPTS[options.get("strategy", "batch")])
    return options


class _CrossEncoderOptions(presets.CrossEncoderOptions, OwnOptions, total=False): ...


class CrossEncoderReranker(_Preset):
    """A cross-encoder on this machine. See `CrossEncoderScorer`."""

    kind = "cross-encoder"

    def __init__(
        self,
        model: str | os.PathLike[str] | PairScorer | None = None,
        /,
        **options: Unpack[_CrossEncoderOptions],
    ) -> None:
        super().__init__(model, **options)


class _OnnxOptions(presets.OnnxOptions, OwnOptions, total=False): ...


class OnnxReranker(_Preset):
    """A cross-encoder on this machine by onnxruntime alone. See `OnnxCrossEncoderScorer`."""

    kind = "onnx"

    def __init__(
        self, model: str | os.PathLike[str] | None = None, /, **options: Unpack[_OnnxOptions]
    ) -> None:
        super().__init__(model, **options)


class _CohereOptions(presets.CohereOptions, OwnOptions, total=False): ...


class CohereReranker(_Preset):
    """Cohere's rerank API. See `CohereScorer`."""

    kind = "cohere"

    def __init__(self, model: str | None = None, /, **options: Unpack[_CohereOptions]) -> None:
        super().__init__(model, **options)


class _RerankAPIOptions(presets.RerankAPIOptions, OwnOptions, total=False): ...


class RerankAPIReranker(_Preset):
    """Any rerank server, by its URL. See `RerankAPIScorer`."""

    kind = "api"

    def __init__(self, url: str | None = None, /, **options: Unpack[_RerankAPIOptions]) -> None:
        super().__init__(url, **options)


class _EmbeddingOptions(presets.EmbeddingOptions, OwnOptions, total=False): ...


class EmbeddingReranker(_Preset):
    """Cosine similarity of embeddings. See `EmbeddingScorer`."""

    kind = "embedding"

    def __init__(self, embedder: Any = None, /, **options: Unpack[_EmbeddingOptions]) -> None:
        super().__init__(embedder, **options)


class _BM25Options(presets.BM25Options, OwnOptions, total=False): ...


class BM25Reranker(_Preset):
    """BM25 over the documents at hand. See `BM25Scorer`."""

    kind = "bm25"

    def __init__(self, model: None = None, /, **options: Unpack[_BM25Options]) -> None:
        super().__init__(model, **options)


class _HybridOptions(presets.HybridOptions, OwnOptions, total=False): ...


class HybridReranker(_Preset):
    """BM25 over the documents at hand and the retriever's own scores, or its order for less."""

    kind = "hybrid"

    def __init__(self, model: None = None, /, **options: Unpack[_HybridOptions]) -> None:
        super().__init__(model, **options)
