"""Measures of a ranking, by `ir_measures`: nDCG@10, RR@10, R@100, P@10, AP and all its others."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping, Sequence
from typing import Any

from ..errors import InvalidInputError
from .packages import package

#: What is measured where nothing is asked for. The first is the one that decides.
DEFAULT = ("nDCG@10", "RR@10", "R@10", "P@10", "AP")

#: The mean of a measure's values by query id.
PerQuery = Mapping[str, float]


def names_in(text: str) -> list[str]:
    """The names of measures in a text: by spaces and commas, but for those in parentheses.

    >>> names_in("nDCG@10,AP nDCG(dcg='exp-log2', judged_only=True)@10")
    ['nDCG@10', 'AP', "nDCG(dcg='exp-log2', judged_only=True)@10"]
    """
    return re.findall(r"(?:\([^)]*\)|[^\s,(])+", text)


def parse(names: Sequence[str]) -> list[Any]:
    """The measures of these names, each once; "MRR@10", "Recall@10", "MAP" and the like too.

    A measure prints as `ir_measures` names it: RR@10, R@10, AP. Raises `InvalidInputError`.
    """
    ir_measures = package("ir_measures")
    found: dict[str, Any] = {}
    for name in names:
        try:
            measure = _measure(name.strip(), ir_measures.measures.registry)
        except (NameError, ValueError, SyntaxError, TypeError, AssertionError) as error:
            raise InvalidInputError(
                f"no measure is called {name!r} ({error}); there are nDCG@10, RR@10, R@100, P@10, "
                "AP and the others that ir_measures lists"
            ) from None
        found[str(measure)] = measure
    if not found:
        raise InvalidInputError("no measure: name one, such as nDCG@10")
    return list(found.values())


def _measure(name: str, registry: Mapping[str, Any]) -> Any:
    """`NAME(key=value, …)@cutoff`, as `ir_measures.parse_measure` reads it.

    That one reads by `ast.Num`, of which Python 3.12 warns, and which 3.14 does not have.
    """
    node = ast.parse(name, mode="eval").body
    cutoff: Any = None
    options: dict[str, Any] = {}
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.MatMult):
        cutoff, node = ast.literal_eval(node.right), node.left
    if isinstance(node, ast.Call) and not node.args:
        options = {str(word.arg): ast.literal_eval(word.value) for word in node.keywords}
        node = node.func
    if not isinstance(node, ast.Name):
        raise ValueError("it is written NAME(key=value)@cutoff")
    if node.id not in registry:
        raise NameError(f"measure not found: {node.id}")
    kind = registry[node.id]
    return kind(**options) if cutoff is None else kind(**options, **{kind.AT_PARAM: cutoff})


def per_query(
    measures: Sequence[Any],
    qrels: Mapping[str, Mapping[str, int]],
    run: Mapping[str, Mapping[str, float]],
) -> dict[str, dict[str, float]]:
    """Measure name → query id → value, over every judged query: 0 where the run has no answer."""
    values: dict[str, dict[str, float]] = {str(measure): {} for measure in measures}
    if qrels:
        try:
            metrics = list(package("ir_measures").iter_calc(list(measures), dict(qrels), dict(run)))
        except ValueError as error:
            raise InvalidInputError(f"ir_measures cannot compute {[*values]}: {error}") from None
        for metric in metrics:
            values[str(metric.measure)][metric.query_id] = float(metric.value)
    return values
