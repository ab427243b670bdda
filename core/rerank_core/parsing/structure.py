"""JSON in a reply: strict where it is strict, repaired where it is broken, inside bounds."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, TypeAlias

JSON: TypeAlias = Any

# Repairing grows faster than the text and recurses: a reply beyond these is read as plain text.
_REPAIR_LENGTH = 12_000
_REPAIR_DEPTH = 24
_FAILURES = 12  # starts that turn out to be no JSON; each costs one pass over the text

_START = re.compile(r"\{(?=\s{0,80}[\"}])|\[(?=\s{0,80}[\[{\"\d\]tfnN.-])")
_BROKEN_START = re.compile(r"[\[{](?=\s{0,80}[\[{\"'\w\]}/#-])")
_GAP = re.compile(r"[\s,;]{0,80}\Z")
_TAIL = re.compile(r"[\s,]{0,80}[\"']?[\w.+-]{0,40}\Z")

_decoder = json.JSONDecoder()


def whole_json(text: str) -> JSON | None:
    """The value, if all of `text` is one; a string that holds JSON is opened."""
    stripped = text.strip()
    if not stripped or stripped[0] not in '[{"':
        return None
    try:
        value = json.loads(stripped)
        if isinstance(value, str) and value.lstrip()[:1] in ("{", "["):
            value = json.loads(value)
    except (ValueError, RecursionError):
        return None
    return value


def strict_blocks(text: str) -> tuple[list[list[JSON]], bool]:
    """The JSON values in `text`, neighbours (JSON lines) in a block; whether any is broken."""
    blocks: list[list[JSON]] = []
    position, previous_end, failures, broken = 0, -1, 0, False
    while failures < _FAILURES and (start := _START.search(text, position)):
        try:
            value, end = _decoder.raw_decode(text, start.start())
        except (ValueError, RecursionError):
            failures, position = failures + 1, start.end()
            broken = broken or start[0] == "{"
            continue
        if previous_end >= 0 and _GAP.match(text, previous_end, start.start()):
            blocks[-1].append(value)
        else:
            blocks.append([value])
        position = previous_end = end
    return blocks, broken


def repaired(text: str, *, keep_tail: bool) -> JSON | None:
    """What json_repair makes of the part from the first bracket on; None outside its bounds.

    A reply that was cut off ends in half a value; it is dropped unless `keep_tail`.
    """
    start = _BROKEN_START.search(text)
    if start is None:
        return None
    part = text[start.start() :].rstrip().removesuffix("```").rstrip()
    if len(part) > _REPAIR_LENGTH or _depth(part) > _REPAIR_DEPTH:
        return None
    if part[-1] not in "]}" and not keep_tail:
        part = part[: _TAIL.search(part).start()]  # type: ignore[union-attr]  # it matches ""
    from json_repair import repair_json  # only broken replies pay for the import

    try:
        return repair_json(part, return_objects=True, skip_json_loads=True)
    except Exception:  # a third party's parser over arbitrary text
        return None


def _depth(text: str) -> int:
    deepest = depth = 0
    for char in text:
        if char in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif char in "]}":
            depth -= 1
    return deepest


def walk(value: JSON, depth: int = 6) -> Iterator[JSON]:
    """`value` and what is in it, outside first, no deeper than `depth`."""
    yield value
    if depth:
        inner = value.values() if isinstance(value, dict) else value
        if isinstance(value, dict | list):
            for item in inner:
                if isinstance(item, dict | list):
                    yield from walk(item, depth - 1)


def plain_number(value: JSON) -> float | None:
    """A JSON number as float; None for booleans, which are ints in Python, and all else."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value)
    except OverflowError:
        return None
