"""What a ranking costs, noted where it is spent.

The engine opens a `Meter` for each ranking and puts it into a context variable, which follows the
work into tasks, threads and the caller's own loop. A scorer, also one of yours, notes what it
spends with `record(...)`; outside a ranking that does nothing.
"""

from __future__ import annotations

import threading
from contextvars import ContextVar
from dataclasses import dataclass, field


@dataclass(slots=True, eq=False, weakref_slot=True)
class Meter:
    """Running totals of one ranking. Safe to add to from any thread."""

    calls: int = 0
    rounds: int = 0
    retries: int = 0
    hedged: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost: float | None = 0.0
    truncated: int = 0
    notes: dict[str, None] = field(default_factory=dict)  # a set that keeps its order
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(
        self,
        *,
        calls: int = 0,
        rounds: int = 0,
        retries: int = 0,
        hedged: int = 0,
        prompt_tokens: int = 0,
        completion_tokens: int = 0,
        cost: float | None = 0.0,
        truncated: int = 0,
        note: str | None = None,
    ) -> None:
        """Add to the totals. `cost=None` (a price nobody knows) makes the whole cost unknown."""
        with self._lock:
            self.calls += calls
            self.rounds += rounds
            self.retries += retries
            self.hedged += hedged
            self.prompt_tokens += prompt_tokens
            self.completion_tokens += completion_tokens
            self.cost = None if self.cost is None or cost is None else self.cost + cost
            self.truncated += truncated
            if note:
                self.notes[note] = None


_meter: ContextVar[Meter | None] = ContextVar("rerank_meter", default=None)


def record(
    *,
    calls: int = 0,
    rounds: int = 0,
    prompt_tokens: int = 0,
    completion_tokens: int = 0,
    cost: float | None = 0.0,
    truncated: int = 0,
    note: str | None = None,
) -> None:
    """Note what was spent on the ranking at hand.

    `calls` that left the process, sequential `rounds` of them (for an algorithm that asks again
    on the strength of an answer), tokens as the server reported them, `cost` in US dollars (None:
    unknown), documents `truncated`, and a `note` for the reader of the report.
    """
    if (meter := _meter.get()) is not None:
        meter.add(
            calls=calls,
            rounds=rounds,
            prompt_tokens=prompt_tokens,
            completion_tokens=completion_tokens,
            cost=cost,
            truncated=truncated,
            note=note,
        )


def current_meter() -> Meter | None:
    """The meter of the ranking at hand; None outside a ranking."""
    return _meter.get()


def open_meter() -> Meter:
    """Start counting for the context at hand, and all that is started from it."""
    meter = Meter()
    _meter.set(meter)
    return meter
