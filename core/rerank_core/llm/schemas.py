"""JSON schemas of the replies, in the subset that strict structured output takes: every key
required, and no others (https://platform.openai.com/docs/guides/structured-outputs).

Replies are short, since a model's answer is most of the wait: an id and its grade, and no more.
A server that compiles a schema before its first use does so once for each size of a group.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Schema = Mapping[str, Any]


#: How many values strict schemas may list in all.
_MOST_VALUES = 500


def scores_schema(scale: tuple[int, int], count: int) -> Schema:
    """`{"1":7,"2":3,…}`: a grade for each of `count` ids.

    >>> scores_schema((0, 10), 2)["required"]
    ['1', '2']
    """
    low, high = scale
    grade: dict[str, Any] = {"type": "integer"}
    if count * (high - low + 1) <= _MOST_VALUES:
        grade["enum"] = list(range(low, high + 1))
    return _object({str(number): grade for number in range(1, count + 1)})


def order_schema() -> Schema:
    """`{"order":[3,1,2,…]}`."""
    return _object({"order": {"type": "array", "items": {"type": "integer"}}})


def _object(properties: Mapping[str, Schema]) -> Schema:
    return {
        "type": "object",
        "properties": dict(properties),
        "required": list(properties),
        "additionalProperties": False,
    }
