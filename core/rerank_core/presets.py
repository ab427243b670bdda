"""A reranker from one flat set of options, as the frameworks' presets take them."""

from __future__ import annotations

import inspect
from collections.abc import Collection, Mapping
from typing import Any

from .errors import ConfigurationError
from .reranker import Reranker
from .scorers.named import HYBRID, scorer_class


def build(
    kind: str, first: Any, options: Mapping[str, Any], beside: Collection[str] = ()
) -> Reranker:
    """The reranker with this kind of scorer ("llm", "cross-encoder", …, "hybrid").

    `first` is the scorer's first argument (its model, as a rule), None for its default. Each of
    the `options` goes to the scorer or to the reranker, whichever takes it; `beside` names those
    that the framework's own class takes, for the error's sake.

    Raises `ConfigurationError` for an option that neither takes, with the nearest one that exists.
    """
    ours = _parameters(Reranker) - {"scorer"}
    theirs: set[str] = set() if kind == HYBRID else _parameters(scorer_class(kind))
    for name in options:
        if name not in ours | theirs:
            raise ConfigurationError(_unknown(name, sorted({*ours, *theirs, *beside})))
    for_scorer = {name: value for name, value in options.items() if name in theirs}
    for_reranker = {name: value for name, value in options.items() if name in ours - theirs}
    if kind == HYBRID:
        if first is not None:
            raise ConfigurationError(f"hybrid takes no model: {first!r}")
        return Reranker(HYBRID, **for_reranker)
    make = scorer_class(kind)
    scorer = make(**for_scorer) if first is None else make(first, **for_scorer)
    return Reranker(scorer, **for_reranker)


def _parameters(made: Any) -> set[str]:
    return set(inspect.signature(made).parameters)


def _unknown(name: str, known: list[str]) -> str:
    import difflib  # for this sentence only

    near = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
    near = near or (["top_n"] if name in ("k", "top_k", "n", "limit") else [])
    hint = f": did you mean {near[0]}?" if near else "."
    return f"unknown option {name!r}{hint} Options: {', '.join(known)}"
