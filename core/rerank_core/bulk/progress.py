"""How far a job is, in a line: share, rate, time left, cost."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TextIO

from .summary import Counts, dollars


@dataclass(frozen=True, slots=True)
class Progress:
    """`share` (0..1) of the input that is read, `rate` pairs a second, `left` seconds (None: not
    yet known), `counts` over all starts of the job.
    """

    share: float
    rate: float
    left: float | None
    counts: Counts

    def __str__(self) -> str:
        left = "" if self.left is None else f", {_time(self.left)} left"
        dead = f", {self.counts.dead_letters:,} dead letters" if self.counts.dead_letters else ""
        return (
            f"{self.share:4.0%} {self.counts.pairs:,} pairs, {self.rate:,.0f}/s{left}, "
            f"cost {dollars(self.counts.cost)}{dead}"
        )


#: Told of progress, about once a second, in a thread.
Told = Callable[[Progress], object]


class Meter:
    """Measures from where this start of the job begins."""

    def __init__(self, counts: Counts, size: int) -> None:
        self._size, self._at, self._pairs = max(1, size), counts.at, counts.pairs
        self._before, self._started = counts.seconds, time.monotonic()

    @property
    def seconds(self) -> float:
        """Of this start."""
        return time.monotonic() - self._started

    @property
    def total(self) -> float:
        """Of all starts of the job."""
        return self._before + self.seconds

    def pairs(self, counts: Counts) -> int:
        """Of this start."""
        return counts.pairs - self._pairs

    def now(self, counts: Counts) -> Progress:
        """How far it is."""
        seconds, read = self.seconds, counts.at - self._at
        left = seconds * (self._size - counts.at) / read if read else None
        rate = self.pairs(counts) / seconds if seconds else 0.0
        return Progress(counts.at / self._size, rate, left, counts)


class Line:
    """Progress as one line that is written over; where that is no terminal, a line now and then."""

    def __init__(self, to: TextIO | None = None, every: float = 30.0) -> None:
        self._to = sys.stderr if to is None else to
        self._every, self._next, self._width = every, time.monotonic() + every, 0

    def __call__(self, progress: Progress) -> None:
        """Show it."""
        if self._to.isatty():
            told = str(progress)
            print(f"\r{told:<{self._width}}", end="", file=self._to, flush=True)
            self._width = len(told)
        elif time.monotonic() >= self._next:
            self._next = time.monotonic() + self._every
            print(progress, file=self._to, flush=True)

    def end(self) -> None:
        """Leave the line."""
        if self._width:
            print(file=self._to)


def _time(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours:,} h {minutes:02} min"
    return f"{minutes} min {seconds:02} s" if minutes else f"{seconds} s"
