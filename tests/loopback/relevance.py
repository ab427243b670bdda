"""What the servers take for relevance: simple, and the same on every run."""

from __future__ import annotations

import re

_WORD = re.compile(r"\w+")


def overlap(query: str, text: str) -> float:
    """How many words the two share, 0..1 (Dice's coefficient over their sets of words)."""
    left, right = set(_WORD.findall(query.casefold())), set(_WORD.findall(text.casefold()))
    return 2 * len(left & right) / (len(left) + len(right)) if left and right else 0.0
