"""Tables that are made from the source, so that no default is typed by hand."""

from __future__ import annotations

import inspect
import re
import types
from collections.abc import Iterable, Mapping
from importlib import import_module
from typing import Any, Literal, get_args, get_origin

from rerank_core import options, presets
from rerank_core.runtime.deadline import UNSET
from rerank_core.scorers.named import scorer_class
from rerank_core.scorers.services.prices import table as prices
from rerank_core.scorers.services.providers import PROVIDERS

#: The presets by the kind of their scorer, as both frameworks have them.
PRESETS = {
    "LLMReranker": "llm",
    "CrossEncoderReranker": "cross-encoder",
    "OnnxReranker": "onnx",
    "CohereReranker": "cohere",
    "RerankAPIReranker": "api",
    "EmbeddingReranker": "embedding",
    "BM25Reranker": "bm25",
}


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A table in Markdown."""
    lines = [[*head]]
    lines += [["---"] * len(lines[0]), *([*row] for row in rows)]
    return "\n".join(f"| {' | '.join(cell or ' ' for cell in line)} |" for line in lines)


def cell(text: str) -> str:
    """Text for one cell of a table: a line, and no bar that is not part of a code span's escape."""
    return " ".join(text.split()).replace("|", "\\|")


def shown(value: Any) -> str:
    """A default, as it is written."""
    if value is UNSET:
        return "the scorer's own"
    if inspect.isfunction(value) or inspect.isclass(value):
        return f"`{value.__name__}`"
    return f"`{cell(repr(value))}`"


def of_the_reranker() -> str:
    """Every option of `Reranker`, which every preset takes too."""
    annotations = options.RerankerOptions.__annotations__
    return table(
        ("option", "what it is for", "default", "type"),
        (
            (
                f"`{one.name}`",
                cell(options._FIELDS[one.name].metadata["about"]),
                shown(one.default),
                f"`{cell(_type(annotations[one.name], vars(options)))}`",
            )
            for one in options.parameters()
        ),
    )


def of_the_scorer(kind: str) -> str:
    """The options of one kind of scorer: those that its preset has beside the reranker's."""
    scorer = scorer_class(kind)
    names = vars(import_module(scorer.__module__))
    said: dict[str, str] = {}
    return table(
        ("option", "what it is for", "default", "type"),
        (
            (
                f"`{name}`",
                _told_once(cell(about(scorer, name)), name, said),
                "needed" if parameter.default is parameter.empty else shown(parameter.default),
                f"`{cell(_type(parameter.annotation, names))}`",
            )
            for name, parameter in presets._parameters(kind).items()
        ),
    )


def _told_once(sentence: str, name: str, said: dict[str, str]) -> str:
    """The sentence; of one that tells of several options, where it stands already."""
    first = said.setdefault(sentence, name)
    return sentence if first == name or not sentence else f"see `{first}`"


def about(thing: Any, name: str) -> str:
    """The sentence of a docstring about this parameter: that begins with it, else that names it."""
    text = " ".join((inspect.getdoc(thing) or "").split(">>>")[0].split())
    sentences = re.split(r"(?<=[.;]) (?=[A-Z`])", text)
    named = [one for one in sentences if re.search(rf"`{name}[`=]", one)]
    first = [one for one in named if one.startswith(f"`{name}")]
    return (first or named or [""])[0].rstrip(";")


def providers() -> str:
    """The rerank servers that are known by name."""
    return table(
        ("provider", "found by its host", "path where the URL has none", "key", "texts at once"),
        (
            (
                f"`{one.name}`",
                ", ".join(f"`{host}`" for host in one.hosts),
                f"`{one.path}`",
                ", ".join(f"`{name}`" for name in one.key_variables)
                + ("" if one.needs_key else ", if it asks for one"),
                "" if one.cap is None else str(one.cap),
            )
            for one in _rows(PROVIDERS)
        ),
    )


def price_table() -> str:
    """What rerank services cost, with sources and dates."""
    return str(prices())


def _rows(known: Any) -> Iterable[Any]:
    return known.values() if isinstance(known, Mapping) else known


def _type(annotation: Any, names: Mapping[str, Any]) -> str:
    """A type in words that a table can hold; `names`: those of the module that it stands in."""
    text = str(getattr(annotation, "__forward_arg__", annotation))
    text = re.sub(r"\b(?:typing|collections\.abc|os)\.", "", text)
    text = re.sub(r"\b[A-Z]\w+\b", lambda found: _spelled(found[0], names.get(found[0])), text)
    return text.replace(" | Unset", "").replace(" | ", " or ")


def _spelled(name: str, meant: Any) -> str:
    """What a name for several choices, or for several types, stands for; else the name."""
    if get_origin(meant) is Literal:
        return " | ".join(map(repr, get_args(meant)))
    if isinstance(meant, types.UnionType):
        return " | ".join("None" if one is type(None) else one.__name__ for one in get_args(meant))
    return name
