"""Rerankers by what does the scoring. Options are those of the scorer and of `Reranker`."""

from __future__ import annotations

import inspect
import json
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Self, Unpack

from llama_index.core.bridge.pydantic import Field
from llama_index.core.embeddings import MockEmbedding
from llama_index.core.llms import MockLLM
from llama_index.core.settings import Settings

from rerank_core import ConfigurationError, presets, wrapping
from rerank_core.remote.secret import is_secret, is_secret_name

from .postprocessor import ChangedOptions, OwnOptions, RerankPostprocessor

if TYPE_CHECKING:
    from rerank_core.scorers.local.cross_encoder import PairScorer

#: The options by which a model is asked for by name.
_BY_NAME = {"model", "base_url", "api_key", "headers", "client", "http_client"}

_OWN = {
    name: parameter
    for name, parameter in inspect.signature(RerankPostprocessor).parameters.items()
    if name not in ("reranker", "top_n")  # this goes to the reranker
}


class _Preset(RerankPostprocessor):
    kind: ClassVar[str]

    #: What it was made with, as far as JSON can say it and it is no secret.
    made_with: dict[str, Any] = Field(default_factory=dict)
    #: The names of the rest: `from_dict` wants them again.
    left_out: tuple[str, ...] = ()

    def __init__(self, model: Any = None, /, **options: Any) -> None:
        """The model, then each option by its keyword; `help` of the class has them."""
        own = {name: options.pop(name) for name in _OWN if name in options}
        options = presets.with_first(self.kind, model, {**options.pop("made_with", {}), **options})
        if gone := [name for name in options.pop("left_out", ()) if name not in options]:
            raise ConfigurationError(
                f"{', '.join(gone)} could not be stored: "
                f"{type(self).__name__}.from_dict(data, {gone[0]}=…) takes it again"
            )
        plain = {name: value for name, value in options.items() if _can_be_stored(name, value)}
        super().__init__(  # type: ignore[call-arg]
            reranker=presets.build(self.kind, self._defaults(options), beside=_OWN),
            made_with=plain,
            # keys are read from the environment again
            left_out=tuple(n for n in options if n not in plain and not is_secret_name(n)),
            **own,
        )

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        # in place of pydantic's own, which knows the fields
        if "kind" in vars(cls) or "__init__" not in vars(cls):
            cls.__signature__ = presets.PresetSignature(_OWN.values())  # type: ignore[assignment]
        if "kind" in vars(cls):
            cls.__doc__ = presets.documented(cls.kind, vars(cls).get("__doc__"))

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """See `RerankPostprocessor.model_copy`; what is stored of it is what it then is."""
        copied = super().model_copy(update=update, deep=deep)
        _, options = wrapping.split(update, type(self).model_fields)
        plain = {name: value for name, value in options.items() if _can_be_stored(name, value)}
        kept = {name: value for name, value in self.made_with.items() if name not in options}
        copied.made_with = {**kept, **plain}
        copied.left_out = tuple(
            dict.fromkeys(n for n in (*self.left_out, *options) if n not in plain)
        )
        return copied

    @classmethod
    def from_config(cls, path: str | os.PathLike[str], **given: Unpack[ChangedOptions]) -> Self:
        """This preset with the options of a file: see `Reranker.from_config`.

        Raises `ConfigurationError` for a file with a scorer of another kind:
        `RerankPostprocessor.from_config` takes any.
        """
        return cls(**presets.from_file(cls.kind, path, given, RerankPostprocessor.__name__))

    @classmethod
    def from_dict(cls, data: dict[str, Any], **kwargs: Any) -> Self:
        """One like that which `to_dict` told of; what could not be stored is given again."""
        return super(RerankPostprocessor, cls).from_dict(data, **kwargs)

    def _stored(self) -> dict[str, Any]:
        return {}  # `made_with` says it

    def _defaults(self, options: Mapping[str, Any]) -> Mapping[str, Any]:
        """The options, and what LlamaIndex has an opinion of its own about."""
        return options


def _can_be_stored(name: str, value: Any) -> bool:
    if is_secret(name, value):
        return False
    try:
        json.dumps(value)
    except (TypeError, ValueError):
        return False
    return True


# -- the kinds: the options of each are the core's, and our own -----------------------------------


class _LLMOptions(presets.LLMOptions, OwnOptions, total=False): ...


class LLMReranker(_Preset):
    """An LLM grades the nodes, a group of them in one call. See `LLMScorer`.

    Without a model it takes `Settings.llm` if one was set, else what the environment says. Its
    prompt is there for `get_prompts` and `update_prompts` under "rerank_prompt"; the fields it may
    use are those of `rerank_core.llm.prompts.Prompt`.
    """

    kind = "llm"

    def __init__(self, model: Any = None, /, **options: Unpack[_LLMOptions]) -> None:
        super().__init__(model, **options)

    def _defaults(self, options: Mapping[str, Any]) -> Mapping[str, Any]:
        if {"llm", *_BY_NAME} & set(options):
            return options
        # the attribute behind Settings.llm, which would make up a default of its own; and
        # `Settings.llm = None` leaves a mock there, which grades nothing
        llm = Settings._llm
        return options if llm is None or type(llm) is MockLLM else {"llm": llm, **options}


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
    """Cosine similarity of embeddings. See `EmbeddingScorer`.

    Without a model it takes `Settings.embed_model` if one was set, else an OpenAI model. Raises
    `ConfigurationError` where embeddings were switched off there.
    """

    kind = "embedding"

    def __init__(self, embedder: Any = None, /, **options: Unpack[_EmbeddingOptions]) -> None:
        super().__init__(embedder, **options)

    def _defaults(self, options: Mapping[str, Any]) -> Mapping[str, Any]:
        if {"embedder", *_BY_NAME} & set(options):
            return options
        # as for the LLM; but where `Settings.embed_model = None` left a mock, texts go nowhere else
        embedder = Settings._embed_model
        if type(embedder) is MockEmbedding:
            raise ConfigurationError(
                "Settings.embed_model is a MockEmbedding, whose vectors say nothing of a text: "
                "EmbeddingReranker(embed_model) takes another one"
            )
        return options if embedder is None else {"embedder": embedder, **options}


class _BM25Options(presets.BM25Options, OwnOptions, total=False): ...


class BM25Reranker(_Preset):
    """BM25 over the nodes at hand. See `BM25Scorer`."""

    kind = "bm25"

    def __init__(self, model: None = None, /, **options: Unpack[_BM25Options]) -> None:
        super().__init__(model, **options)


class _HybridOptions(presets.HybridOptions, OwnOptions, total=False): ...


class HybridReranker(_Preset):
    """BM25 over the nodes at hand and the retriever's own scores, or its order for less."""

    kind = "hybrid"

    def __init__(self, model: None = None, /, **options: Unpack[_HybridOptions]) -> None:
        super().__init__(model, **options)
