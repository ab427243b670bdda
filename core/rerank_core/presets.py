"""A reranker from one flat set of options, as the frameworks' presets take them."""

from __future__ import annotations

import inspect
from collections.abc import Collection, Mapping
from typing import Any

from .errors import ConfigurationError
from .reranker import Reranker
from .scorers.named import HYBRID, scorer_class


def with_first(kind: str, first: Any, options: Mapping[str, Any]) -> dict[str, Any]:
    """The options with the scorer's first argument (its model, as a rule) among them by its name.

    None stands for no argument. Raises `ConfigurationError` for one that this kind does not take,
    or that is there already.
    """
    if first is None:
        return dict(options)
    taken = [
        name
        for name, parameter in _parameters(kind).items()
        if parameter.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD
    ]
    if not taken:
        raise ConfigurationError(f"{kind} takes no model: {first!r}")
    if taken[0] in options:
        raise ConfigurationError(f"{taken[0]} is given twice: {first!r}, {options[taken[0]]!r}")
    return {taken[0]: first, **options}


def build(kind: str, options: Mapping[str, Any], beside: Collection[str] = ()) -> Reranker:
    """The reranker with this kind of scorer ("llm", "cross-encoder", …, "hybrid").

    Each of the `options` goes to the scorer or to the reranker, whichever takes it; `beside` names
    those that the framework's own class takes, for the error's sake.

    Raises `ConfigurationError` for an option that neither takes, with the nearest one that exists.
    """
    theirs = set(_parameters(kind))
    ours = set(inspect.signature(Reranker).parameters) - {"scorer"}
    for name in options:
        if name not in ours | theirs:
            raise ConfigurationError(_unknown(name, sorted({*ours, *theirs, *beside})))
    for_scorer = {name: value for name, value in options.items() if name in theirs}
    for_reranker = {name: value for name, value in options.items() if name not in theirs}
    scorer = HYBRID if kind == HYBRID else scorer_class(kind)(**for_scorer)
    return Reranker(scorer, **for_reranker)


def _parameters(kind: str) -> Mapping[str, inspect.Parameter]:
    return {} if kind == HYBRID else inspect.signature(scorer_class(kind)).parameters


def _unknown(name: str, known: list[str]) -> str:
    import difflib  # for this sentence only

    near = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
    near = near or (["top_n"] if name in ("k", "top_k", "n", "limit") else [])
    hint = f": did you mean {near[0]}?" if near else "."
    return f"unknown option {name!r}{hint} Options: {', '.join(known)}"
