"""What goes out: readable by every program, whatever the terminal can show."""

from __future__ import annotations

import json
import os
import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

from rich.console import Console

from ..runtime.numbers import without_nan


def make_forgiving() -> None:
    """From now on, what standard output or error cannot encode is shown escaped.

    Half a surrogate pair in any encoding, and most of Unicode where the locale has ASCII only.
    """
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")


@contextmanager
def enough() -> Iterator[None]:
    """`rerank … | head`: the reader who has had enough is no error, whoever was writing."""

    def left(console: Console) -> NoReturn:
        _to_nowhere()
        raise SystemExit(0)

    # rich ends the process with 1, unless its method for this is another one
    Console.on_broken_pipe = left  # type: ignore[method-assign,assignment]
    try:
        yield
    finally:
        try:
            sys.stdout.flush()
        except BrokenPipeError:
            _to_nowhere()
        except (AttributeError, OSError, ValueError):
            pass  # it was closed before


def _to_nowhere() -> None:
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def command() -> str:
    """What was typed, as it could be typed again."""
    return shlex.join(["rerank", *sys.argv[1:]])


def as_json(value: Any) -> str:
    """The value as JSON that every reader takes (RFC 8259), as standard output can carry it.

    NaN and infinities, which JSON has no word for, are null; what is no JSON is shown as `str`
    has it; what cannot be encoded is escaped.

    >>> print(as_json({"score": float("nan")}))
    {
      "score": null
    }
    """
    told = json.dumps(without_nan(value), ensure_ascii=False, indent=2, default=str)
    try:
        told.encode(getattr(sys.stdout, "encoding", None) or "utf-8")
    except (UnicodeError, LookupError):
        return json.dumps(without_nan(value), indent=2, default=str)
    return told
