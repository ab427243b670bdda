"""JSON schemas of the replies, in the subset that strict structured output takes.

They depend on the scale alone, not on how many documents a prompt holds: a server that compiles a
schema before its first use does so once.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Schema = Mapping[str, Any]


def scores_schema(scale: tuple[int, int]) -> Schema:
    """`{"scores": [{"id": 1, "score": 7}, …]}`."""
    low, high = scale
    entry = _object(
        id={"type": "integer"},
        score={"type": "integer", "enum": list(range(low, high + 1))},
    )
    return _object(scores={"type": "array", "items": entry})


def order_schema() -> Schema:
    """`{"order": [3, 1, 2, …]}`."""
    return _object(order={"type": "array", "items": {"type": "integer"}})


def _object(**properties: Schema) -> Schema:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }
