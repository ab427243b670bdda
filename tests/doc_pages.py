"""The Python in a page of documentation, run as a reader would run it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]

_BLOCK = re.compile(r"^```python\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def blocks(page: Path) -> list[str]:
    """Its blocks of Python, each on the lines that it has on the page, for tracebacks' sake."""
    text = page.read_text(encoding="utf-8")
    return [
        "\n" * text.count("\n", 0, found.start(1)) + found[1] for found in _BLOCK.finditer(text)
    ]


def run(page: Path, **known: Any) -> dict[str, Any]:
    """Run its blocks one after the other; `known` is what they take for granted.

    Returns what there is at the end, by name.
    """
    names = dict(known)
    for block in blocks(page):
        exec(compile(block, str(page), "exec"), names)
    return names
