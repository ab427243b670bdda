"""A file of JSON lines that is appended to, by a process that may be killed any time."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ..errors import InvalidInputError

Row = Mapping[str, Any]


def taken_up(
    path: Path, what: str, begins: bytes, is_first: Callable[[Row], bool]
) -> list[dict[str, Any]]:
    """The rows of the file; a line that was cut short is cut off, as it will be written anew.

    It is ours (`what`) where `is_first` says so of its first row, or where that was cut short and
    begins as ours do. Raises `InvalidInputError` for another one, which is left as it is.
    """
    whole = path.read_bytes()
    if not whole:
        return []
    first, newline, _ = whole.partition(b"\n")
    row = _row(first)
    begun = not newline and first[: len(begins)] == begins[: len(first)]
    if not begun and (row is None or not is_first(row)):
        raise InvalidInputError(
            f"{path} is there and is no {what}: name another file, or a new one"
        )
    if not whole.endswith(b"\n"):
        whole = whole[: whole.rfind(b"\n") + 1]
        os.truncate(path, len(whole))
    return [row for line in whole.splitlines() if (row := _row(line)) is not None]


def written(row: Row) -> bytes:
    """The row as a line; half a surrogate pair escaped, which is just what JSON has for it."""
    return json.dumps(row, ensure_ascii=False).encode("utf-8", "backslashreplace") + b"\n"


def _row(line: bytes) -> dict[str, Any] | None:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return row if isinstance(row, dict) else None
