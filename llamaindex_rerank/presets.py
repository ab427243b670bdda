"""Rerankers by what does the scoring. Options are those of the scorer and of `Reranker`."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from copy import copy
from typing import Any, ClassVar

from llama_index.core.bridge.pydantic import Field
from llama_index.core.llms import MockLLM
from llama_index.core.prompts.mixin import PromptDictType
from llama_index.core.settings import Settings

from rerank_core import ConfigurationError, Reranker
from rerank_core.presets import build, with_first
from rerank_core.protocols import Scorer

from .postprocessor import RerankPostprocessor
from .prompts import from_template, to_template

#: The key of the LLM's prompt in `get_prompts` and `update_prompts`.
PROMPT = "rerank_prompt"

#: How the name of a secret ends; and a URL may hold one before its "@".
_SECRET = re.compile(r"(key|token|secret|password|authorization)$")
_PASSWORD = re.compile(r"://[^/@\s]*:[^/@\s]+@")


class _Preset(RerankPostprocessor):
    kind: ClassVar[str]

    #: What it was made with, as far as JSON can say it and it is no secret.
    options: dict[str, Any] = Field(default_factory=dict)
    #: The names of the rest: `from_dict` wants them again.
    left_out: tuple[str, ...] = ()

    def __init__(self, model: Any = None, /, **options: Any) -> None:
        own = {name: options.pop(name) for name in _OWN if name in options}
        options = with_first(self.kind, model, {**options.pop("options", {}), **options})
        if gone := [name for name in options.pop("left_out", ()) if name not in options]:
            raise ConfigurationError(
                f"{', '.join(gone)} could not be stored: "
                f"{type(self).__name__}.from_dict(data, {gone[0]}=…) takes it again"
            )
        plain = {name: value for name, value in options.items() if _can_be_stored(name, value)}
        super().__init__(  # type: ignore[call-arg]
            reranker=build(self.kind, self._defaults(options), beside=_OWN),
            options=plain,
            # keys are read from the environment again
            left_out=tuple(n for n in options if n not in plain and not _SECRET.search(n)),
            **own,
        )

    def _defaults(self, options: Mapping[str, Any]) -> Mapping[str, Any]:
        """The options, and what LlamaIndex has an opinion of its own about."""
        return options


_OWN = tuple(name for name in RerankPostprocessor.model_fields if name != "reranker")


def _can_be_stored(name: str, value: Any) -> bool:
    if _SECRET.search(name):
        return False
    try:
        return not _PASSWORD.search(json.dumps(value))
    except (TypeError, ValueError):
        return False


class LLMReranker(_Preset):
    """An LLM grades the nodes, a group of them in one call. See `LLMScorer`.

    Without a model it takes `Settings.llm` if one was set, else what the environment says. Its
    prompt is there for `get_prompts` and `update_prompts` under "rerank_prompt"; the fields it may
    use are those of `rerank_core.llm.prompts.Prompt`.
    """

    kind = "llm"

    def _defaults(self, options: Mapping[str, Any]) -> Mapping[str, Any]:
        if {"llm", "model", "base_url", "api_key"} & set(options):
            return options
        # the attribute behind Settings.llm, which would make up a default of its own; and
        # `Settings.llm = None` leaves a mock there, which grades nothing
        llm = Settings._llm
        return options if llm is None or isinstance(llm, MockLLM) else {"llm": llm, **options}

    def _get_prompts(self) -> PromptDictType:
        return {PROMPT: to_template(self._scorer.prompt)}

    def _update_prompts(self, prompts: PromptDictType) -> None:
        if (template := prompts.get(PROMPT)) is not None:
            prompt = from_template(template, self._scorer.prompt)
            self.reranker = _replaced(self.reranker, self._scorer.with_prompt(prompt))

    @property
    def _scorer(self) -> Any:
        return self.reranker.scorers[self.kind]


def _replaced(reranker: Reranker, scorer: Scorer) -> Reranker:
    """The same reranker with another scorer of the same name."""
    other = copy(reranker)
    other.scorers = {**reranker.scorers, scorer.name: scorer}  # type: ignore[attr-defined]
    return copy(other)  # an engine is made for the scorers that are there


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
