"""How many rankings are let in at once: as many as are done in time, found by trying.

A queue that grows helps nobody: what waits in it misses its deadline, and makes others miss theirs.
So past its capacity a model refuses, at once, and says when to come again. What its capacity is
nobody can say beforehand (it depends on the machine, the documents, the cache), so it is learned as
TCP learns what a network takes: one more for each that many rankings done well within the deadline,
a third fewer when one is late. Chiu and Jain, "Analysis of the Increase and Decrease Algorithms for
Congestion Avoidance in Computer Networks", 1989. Pure: the caller has the clock.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from .refusal import Refusal

#: Where it begins.
FIRST = 8
#: The share of the deadline within which a ranking shows that there is room for more, and the one
#: beyond which it is late: before the deadline cuts it, so that what is let in is scored in full.
EARLY, LATE = 0.5, 0.8
#: What is left of the limit when one is late.
DECREASE = 0.67
#: What the usual time of a ranking still weighs when the next one is in.
MEMORY = 0.9


@dataclass(frozen=True, slots=True)
class Entry:
    """A ranking that was let in, when, and how many were under way with it."""

    at: float
    beside: int


class Admission:
    """For one model; `most` at once in any case, `deadline` in seconds (None: only `most` counts).

    >>> admission = Admission(most=1, deadline=None)
    >>> entry = admission.enter(0.0)
    >>> admission.enter(0.1)
    Traceback (most recent call last):
    ...
    rerank_core.serving.refusal.Refusal: too many rankings at once: try again in 1 s
    >>> admission.leave(entry, 0.2, late=False)
    >>> admission.under_way
    0
    """

    def __init__(self, most: int, deadline: float | None) -> None:
        self.most, self.deadline = most, deadline
        self.under_way = 0
        self._limit = float(most if deadline is None else min(FIRST, most))
        self._decreased = -math.inf
        self._usual: float | None = None

    @property
    def limit(self) -> int:
        """How many are let in at once now."""
        return max(1, int(self._limit))

    def enter(self, now: float) -> Entry:
        """Let one in. Raises `Refusal` (429) where there are too many."""
        if self.under_way >= self.limit:
            wait = max(1, math.ceil(self._usual or 0.0))
            raise Refusal(
                429,
                f"too many rankings at once: try again in {wait} s",
                kind="Overloaded",
                retry_after=wait,
            )
        self.under_way += 1
        return Entry(now, self.under_way)

    def leave(self, entry: Entry, now: float, *, late: bool | None) -> None:
        """One is over. `late`: the deadline cut it; None: it ended otherwise."""
        self.under_way -= 1
        if late is None:
            return
        took = now - entry.at
        usual = took if self._usual is None else self._usual
        self._usual = MEMORY * usual + (1 - MEMORY) * took
        if self.deadline is None:
            return
        if late or took > LATE * self.deadline:
            # those that were let in before the last step down say nothing of it
            if entry.at >= self._decreased and entry.beside > 1:
                self._limit = max(1.0, min(self._limit, entry.beside) * DECREASE)
                self._decreased = now
        elif took < EARLY * self.deadline and entry.beside >= self.limit / 2:
            self._limit = min(float(self.most), self._limit + 1 / self._limit)
