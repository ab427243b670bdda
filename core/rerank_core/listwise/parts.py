"""Consecutive parts of even size."""

from __future__ import annotations

from itertools import pairwise


def part_count(count: int, size: int) -> int:
    """How few parts of at most `size` make `count`."""
    return -(-count // size)


def even_parts(count: int, size: int) -> list[range]:
    """0..count-1 in as few parts as can be of at most `size`.

    Even, since the largest keeps the others waiting.
    """
    parts = part_count(count, size)
    bounds = [count * part // parts for part in range(parts + 1)] if parts else []
    return [range(start, end) for start, end in pairwise(bounds)]
