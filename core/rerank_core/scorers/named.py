"""Scorers by name: what may stand where a scorer is asked for."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from inspect import signature
from typing import Any, NamedTuple

from ..combine.combination import Combination
from ..errors import ConfigurationError
from ..protocols import Scorer
from .cascade import Cascade, as_cascade, is_cascade
from .function import FunctionScorer
from .langchain import is_of_langchain, scorer_of

#: The prefix of a name ("prefix:model"), and where its scorer is.
_NAMES: Mapping[str, tuple[str, str]] = {
    "bm25": ("bm25", "BM25Scorer"),
    "llm": ("llm", "LLMScorer"),
    "cross-encoder": ("local.cross_encoder", "CrossEncoderScorer"),
    "onnx": ("local.onnx", "OnnxCrossEncoderScorer"),
    "embedding": ("embedding", "EmbeddingScorer"),
    "cohere": ("services.cohere", "CohereScorer"),
    "api": ("services.rerank_api", "RerankAPIScorer"),
}


def kinds() -> tuple[str, ...]:
    """The prefixes of names, as they are."""
    return tuple(_NAMES)


def class_name(kind: str) -> str:
    """What the scorer of that prefix is called in `rerank_core.scorers`."""
    return _NAMES[kind][1]


#: The embedded default: BM25 and the retriever's own scores. See `Hybrid`.
HYBRID = "hybrid"

#: What the names of files end in that `Reranker.from_config` reads.
_FILES = (".toml", ".json", ".yaml", ".yml")

#: What may stand where a scorer is asked for.
ScorerLike = (
    str
    | Scorer
    | Cascade
    | Callable[..., Any]
    | Mapping[str, "ScorerLike"]
    | Sequence["ScorerLike"]
    | None
)


class Recipe(NamedTuple):
    """Scorers by the name of their signal, and how their scores are combined, if at all.

    As a stage of a cascade, also what `Stage` says: how many they are shown, and when they are
    not asked. `name`: what all of it goes by, where that is more than its scorers.
    """

    scorers: Mapping[str, Scorer]
    combine: Combination | None = None
    depth: int | None = None
    unless: float | None = None
    name: str | None = None


def stages(scorer: Any) -> tuple[Recipe, ...]:
    """What a cascade stands for, stage by stage; anything else is one stage.

    No two scorers have the same name: the second of a kind is "llm-2", say. Raises
    `ConfigurationError` for what is no scorer.
    """
    made: list[Recipe] = []
    taken: set[str] = set()
    depth: int | None = None
    for stage in as_cascade(scorer).stages:
        one = recipe(stage.scorer)
        combine = stage.combine or one.combine
        if combine is not None and (twice := taken & one.scorers.keys()):
            raise ConfigurationError(
                f"two stages have a scorer called {min(twice)!r}: give it another name where it "
                'is combined, Stage({"another": …}, combine=…)'
            )
        scorers = {_untaken(name, taken): each for name, each in one.scorers.items()}
        taken |= scorers.keys()
        depth = stage.depth or depth  # as many as the stage before
        made.append(Recipe(scorers, combine, depth, stage.unless, one.name))
    return tuple(made)


def recipe(scorer: Any) -> Recipe:
    """The scorers that a name, an object, a function, or several of them stand for.

    None stands for "hybrid". Raises `ConfigurationError` for what is none of these.
    """
    if is_cascade(scorer):
        raise ConfigurationError(
            f"a cascade is the whole of scorer=, and no part of it: {scorer!r}"
        )
    if scorer is None or scorer == HYBRID:
        from ..combine.hybrid import BM25, Hybrid  # for want of another scorer only

        return Recipe({BM25: scorer_for(BM25)}, Hybrid(), name=HYBRID)
    if isinstance(scorer, Mapping):
        if not scorer:
            raise ConfigurationError("scorer is an empty mapping: name at least one scorer")
        return Recipe({str(name): scorer_for(one) for name, one in scorer.items()})
    if isinstance(scorer, Sequence) and not isinstance(scorer, str):
        several = [scorer_for(one) for one in scorer]
        names = [getattr(one, "name", type(one).__name__) for one in several]
        if not several or len(set(names)) < len(names):
            raise ConfigurationError(
                f"several scorers need names of their own, not {names}: "
                'pass a dict such as {"small": …, "large": …}'
            )
        return Recipe(dict(zip(names, several, strict=True)))
    one = scorer_for(scorer)
    return Recipe({getattr(one, "name", None) or type(one).__name__: one})


def _untaken(name: str, taken: set[str]) -> str:
    tried, number = name, 1
    while tried in taken:
        number += 1
        tried = f"{name}-{number}"
    return tried


def scorer_class(kind: str) -> Any:
    """The class of scorer behind a name's prefix, imported now.

    Raises `ConfigurationError` for a name that there is not.
    """
    if kind == HYBRID:
        raise ConfigurationError(
            f'"{HYBRID}" stands alone: it is bm25 and the retriever\'s score, combined. Beside '
            'others, or with weights, name its parts: Reranker(["bm25", …], '
            'combine=WeightedSum({"retrieval": 0.5, "bm25": 0.5, …}))'
        )
    if kind not in _NAMES:
        from difflib import get_close_matches  # for this sentence only

        near = get_close_matches(kind, [*_NAMES, HYBRID], n=1, cutoff=0.5)
        meant = f": did you mean {near[0]!r}? There" if near else "; there"
        raise ConfigurationError(
            f"no scorer is called {kind!r}{meant} are {', '.join([*_NAMES, HYBRID])} "
            f'(a model follows a colon: "llm:gpt-4o-mini"), or pass an object or a function'
        )
    module, name = _NAMES[kind]
    return getattr(import_module(f"{__package__}.{module}"), name)


def scorer_for(scorer: Any) -> Scorer:
    """One scorer, by name ("cross-encoder:BAAI/bge-reranker-large"), object or function.

    A framework's model object stands for the scorer that asks it.
    """
    if isinstance(scorer, str | os.PathLike) and _is_file(os.fspath(scorer)):
        raise ConfigurationError(
            f"no scorer is called {os.fspath(scorer)!r}: the reranker in a file is "
            f"Reranker.from_config({os.fspath(scorer)!r})"
        )
    if isinstance(scorer, str):
        prefix, _, rest = scorer.partition(":")
        make = scorer_class(prefix)
        if rest and prefix == "bm25":
            raise ConfigurationError(f'"bm25" takes no model: {scorer!r}')
        if not rest and (needed := _needed(make)) is not None:
            raise ConfigurationError(f'{prefix!r} needs its {needed}: "{prefix}:{needed.upper()}"')
        made: Scorer = make(rest) if rest else make()
        return made
    if is_of_langchain(scorer) and (own := scorer_of(scorer)) is not None:
        return own
    if isinstance(scorer, Scorer) and not isinstance(scorer, type):
        return scorer
    if (kind := _kind_of_model(scorer)) is not None:
        scored: Scorer = scorer_class(kind)(scorer)
        return scored
    if callable(scorer) and not isinstance(scorer, type):
        return FunctionScorer(scorer)
    raise ConfigurationError(
        f"a scorer is a name, an object with `async score(query, texts)`, or a function "
        f"(query, texts) -> scores, not {scorer!r}"
    )


def _needed(make: Any) -> str | None:
    """The argument that this class cannot be made without."""
    parameters = signature(make).parameters.values()
    must = (one for one in parameters if one.default is one.empty)
    return next((one.name for one in must if one.kind is one.POSITIONAL_OR_KEYWORD), None)


def _is_file(name: str | bytes) -> bool:
    """Whether it is the name of a file that `Reranker.from_config` reads."""
    return isinstance(name, str) and (
        name.partition(":")[0] not in _NAMES and name.lower().endswith(_FILES)
    )


def _kind_of_model(thing: Any) -> str | None:
    """What a framework's model object does here; LlamaIndex' are callable, and not to be called."""
    if isinstance(thing, type):
        return None
    if hasattr(thing, "get_query_embedding") or hasattr(thing, "embed_documents"):
        return "embedding"
    return "llm" if hasattr(thing, "achat") or hasattr(thing, "agenerate_prompt") else None
