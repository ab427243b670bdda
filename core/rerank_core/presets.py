"""Rerankers by what does the scoring, from one flat set of options: the scorer's and `Reranker`'s
together. The frameworks' presets are these, with a few options of their own.

The typed dicts are for `**options: Unpack[…]`, so that an editor and a type checker see every
option; tests hold each to the signature of its scorer. Defaults are the scorers' alone.
"""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from . import config
from .errors import ConfigurationError
from .options import NAMES, RerankerOptions, described, parameters, refuse_unknown
from .reranker import Reranker
from .scorers.named import HYBRID, class_name, scorer_class

if TYPE_CHECKING:
    import cohere
    import httpx

    from .listwise import AlgorithmName
    from .llm.excerpts import LongDocuments
    from .llm.prompts import Prompt, StrategyName
    from .scorers.local.cross_encoder import Backend, PairScorer
    from .scorers.local.onnx import Precision
    from .scorers.services.prices import Price
    from .scorers.services.providers import ScoreScale
    from .text.truncation import Count


class LLMOptions(RerankerOptions, total=False):
    """Of `rerank_core.scorers.LLMScorer`."""

    llm: Any
    model: str | None
    strategy: StrategyName
    group_size: int | None
    algorithm: AlgorithmName | None
    window: int | None
    algorithm_options: Mapping[str, Any] | None
    passes: int
    prompt: Prompt | None
    scale: tuple[int, int]
    max_chars: int | None
    document_tokens: int | None
    group_tokens: int
    long_documents: LongDocuments
    count_tokens: Count | None
    max_calls: int | None
    max_tokens: int | None
    max_cost: float | None
    base_url: str | None
    api_key: str | None
    headers: Mapping[str, str] | None
    client: Any
    http_client: Any
    cache_name: str | None


class CrossEncoderOptions(RerankerOptions, total=False):
    """Of `rerank_core.scorers.CrossEncoderScorer`."""

    model: str | os.PathLike[str] | PairScorer
    device: str | None
    backend: Backend
    dtype: str | None
    max_length: int | None
    batch_size: int | None
    activation: Callable[[float], float] | None
    trust_remote_code: bool
    revision: str | None


class OnnxOptions(RerankerOptions, total=False):
    """Of `rerank_core.scorers.OnnxCrossEncoderScorer`."""

    model: str | os.PathLike[str]
    file: str | None
    precision: Precision
    max_length: int | None
    threads: int | None
    activation: Callable[[float], float]
    revision: str | None


class CohereOptions(RerankerOptions, total=False):
    """Of `rerank_core.scorers.CohereScorer`."""

    model: str
    api_key: str | None
    base_url: str | None
    max_tokens_per_doc: int | None
    batch_size: int
    max_chars: int | None
    headers: Mapping[str, str] | None
    client: cohere.AsyncClientV2 | None
    http_client: httpx.AsyncClient | None
    request_timeout: float
    price: Price | None


class RerankAPIOptions(RerankerOptions, total=False):
    """Of `rerank_core.scorers.RerankAPIScorer`."""

    url: str
    model: str | None
    provider: str | None
    api_key: str | None
    options: Mapping[str, Any] | None
    batch_size: int | None
    max_chars: int | None
    scale: ScoreScale | None
    independent: bool | None
    headers: Mapping[str, str] | None
    http_client: httpx.AsyncClient | None
    request_timeout: float
    price: Price | None


class EmbeddingOptions(RerankerOptions, total=False):
    """Of `rerank_core.scorers.EmbeddingScorer`."""

    embedder: Any
    model: Any
    query_prompt: str | None
    document_prompt: str | None
    vectors: Mapping[str, Sequence[float]] | None
    base_url: str | None
    api_key: str | None
    device: str | None
    max_length: int | None
    batch_size: int | None
    max_chars: int | None
    headers: Mapping[str, str] | None
    client: Any
    http_client: httpx.AsyncClient | None
    trust_remote_code: bool
    revision: str | None
    cache_name: str | None


class BM25Options(RerankerOptions, total=False):
    """Of `rerank_core.scorers.BM25Scorer`."""

    k1: float
    b: float


class HybridOptions(RerankerOptions, total=False):
    """Of `Reranker` alone."""


def with_first(kind: str, first: Any, options: Mapping[str, Any]) -> dict[str, Any]:
    """The options with the scorer's first argument (its model, as a rule) among them by its name.

    None stands for no argument. Raises `ConfigurationError` for one that this kind does not take,
    or that is there already.
    """
    if first is None:
        return dict(options)
    name = _first(kind)
    if name is None:
        raise ConfigurationError(f"{kind} takes no model: {first!r}")
    if name in options:
        raise ConfigurationError(f"{name} is given twice: {first!r}, {options[name]!r}")
    return {name: first, **options}


def build(kind: str, options: Mapping[str, Any], beside: Collection[str] = ()) -> Reranker:
    """The reranker with this kind of scorer ("llm", "cross-encoder", …, "hybrid").

    Each of the `options` goes to the scorer or to the reranker, whichever takes it; `beside` names
    those that the framework's own class takes, for the error's sake.

    Raises `ConfigurationError` for an option that neither takes, with the nearest one that exists,
    and for one that the scorer cannot do without.
    """
    theirs = _parameters(kind)
    ours = [one.name for one in parameters()]
    refuse_unknown(options, {*ours, *theirs, *beside})
    for name, parameter in theirs.items():
        if parameter.default is parameter.empty and name not in options:
            raise ConfigurationError(f"{kind} needs {name}=")
    for_scorer = {name: value for name, value in options.items() if name in theirs}
    for_reranker = {name: value for name, value in options.items() if name not in theirs}
    scorer = HYBRID if kind == HYBRID else scorer_class(kind)(**for_scorer)
    return Reranker(scorer, **for_reranker)


def from_file(
    kind: str, path: str | os.PathLike[str], given: Mapping[str, Any], any_kind: str
) -> dict[str, Any]:
    """The flat options of the reranker in a config file; what is `given` takes the file's place.

    Raises `ConfigurationError` for a file whose scorer is of another kind: the framework's class
    called `any_kind` reads it.
    """
    if "scorer" in given:
        raise ConfigurationError(f"scorer= is not taken here: {kind!r} makes its own")
    table = config.load(path)
    named = table.get("scorer") or HYBRID
    if isinstance(named, Mapping) and set(named) == {_signal(kind)}:
        named = named[_signal(kind)]
    use, own = named, {}
    if isinstance(named, Mapping) and "use" in named:
        own = {name: value for name, value in named.items() if name != "use"}
        use = named["use"]
    found, _, model = use.partition(":") if isinstance(use, str) else ("", "", "")
    if found != kind:
        raise ConfigurationError(
            f"{path} holds the scorer {use!r}, which is none of {kind!r}: "
            f"{any_kind}.from_config takes any"
        )
    options = config.options(table, **{"scorer": None, **given})
    del options["scorer"]
    return {**with_first(kind, model or None, own), **options}


class PresetSignature:
    """The `__signature__` of a preset: its model, then each option by keyword, with its default.

    `own`: the parameters of the framework's class. Put together when it is asked for, since the
    scorer is not imported before.
    """

    def __init__(self, own: Collection[inspect.Parameter]) -> None:
        self._own = own

    def __get__(self, preset: object, kind_of: Any) -> inspect.Signature:
        first = _first(kind_of.kind)
        by_keyword = {
            one.name: one.replace(kind=one.KEYWORD_ONLY)
            for one in (*_parameters(kind_of.kind).values(), *parameters(), *self._own)
        }
        leading = [] if first is None else [_parameters(kind_of.kind)[first]]
        return inspect.Signature(
            [*leading, *(one for name, one in by_keyword.items() if name != first)]
        )


def documented(kind: str, own: str | None) -> str | None:
    """The docstring of a preset: its own, where its scorer's options are told, and the others.

    `help()` reads it of the class as it stands, so it is put together at once; the scorer, which
    may be heavy, is named and not imported.
    """
    if own is None:  # as `python -OO` has it
        return None
    told = [inspect.cleandoc(own)]
    if kind != HYBRID:
        name = class_name(kind)
        told.append(f"Options of the scorer: help(rerank_core.scorers.{name}).")
    return described("\n\n".join([*told, "Options of every reranker:"]))


def _parameters(kind: str) -> Mapping[str, inspect.Parameter]:
    if kind == HYBRID:
        return {}
    given = inspect.signature(scorer_class(kind)).parameters
    # an instruction, which scorers take too, goes through the reranker
    return {name: parameter for name, parameter in given.items() if name not in NAMES}


def _first(kind: str) -> str | None:
    """The name of the argument that may stand without one."""
    for name, parameter in _parameters(kind).items():
        return name if parameter.kind is parameter.POSITIONAL_OR_KEYWORD else None
    return None


def _signal(kind: str) -> str | None:
    """What the scorer calls its signal, where nobody gave it another name."""
    return None if kind == HYBRID else scorer_class(kind).name
