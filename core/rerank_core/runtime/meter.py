"""What can be spent on a ranking, and how it adds up."""

from __future__ import annotations

import threading
from dataclasses import dataclass, fields
from operator import attrgetter
from typing import Any, TypedDict, Unpack


class Spent(TypedDict, total=False):
    """The fields of `Usage`, for those who note only some of them."""

    calls: int
    rounds: int
    retries: int
    hedged: int
    prompt_tokens: int
    completion_tokens: int
    search_units: int
    cost: float | None
    truncated: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What was spent. Two of them add up; to a cost that is unknown (None), the sum is, too.

    `calls` that left the process, sequential `rounds` of them (more than one for an algorithm
    that asks again on the strength of an answer), `retries` of them; batches that were `hedged` by
    a second try; tokens, and the `search_units` that rerank services bill by, as the servers
    reported them; `cost` in US dollars; documents `truncated`.

    >>> (Usage(calls=1, cost=0.25) + Usage(calls=2, cost=0.5)).cost
    0.75
    >>> print((Usage(calls=1, cost=0.25) + Usage(cost=None)).cost)
    None
    """

    calls: int = 0
    rounds: int = 0
    retries: int = 0
    hedged: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    search_units: int = 0
    cost: float | None = 0.0
    truncated: int = 0

    def __add__(self, other: Usage) -> Usage:
        return Usage(**dict(zip(USAGE, map(_sum, _values(self), _values(other)), strict=True)))

    def by_name(self) -> dict[str, Any]:
        """Its fields by name."""
        return dict(zip(USAGE, _values(self), strict=True))


def _sum(one: Any, other: Any) -> Any:
    return None if one is None or other is None else one + other


#: The names of what adds up, in the order of the fields.
USAGE = tuple(field.name for field in fields(Usage))
_values = attrgetter(*USAGE)


class Meter:
    """The running total of one ranking, and what its reader should know. From any thread."""

    def __init__(self) -> None:
        self.usage = Usage()
        self.notes: dict[str, None] = {}  # a set that keeps its order
        self._lock = threading.Lock()

    def add(self, *, note: str | None = None, **spent: Unpack[Spent]) -> None:
        """Add to the total, and to the notes."""
        with self._lock:
            if spent:
                self.usage += Usage(**spent)
            if note:
                self.notes[note] = None
