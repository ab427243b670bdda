"""How much to send at once to a server whose speed nobody stated, so that it is done in time.

All at once is all or nothing where the server is slow: at the deadline a request for a hundred
texts has brought none. So the first few go alone and show how fast it is. If the rest is then
likely to be done in half of the time that is left, it goes as the scorer likes it; else in waves,
each as large as half of that time allows. Pure: the engine sends, and holds the clock.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

#: The share of the time left that a wave may be expected to take. What it brings is safe then, and
#: where the server turns out slower, half of the time remains to be used better.
SHARE = 0.5
#: What a server is taken to do of which nothing is known, in texts a second, and the most texts
#: that are sent to learn it. Where they bring nothing in time, a quarter of it is assumed next.
ASSUMED, FIRST_MOST, DOUBT = 4.0, 8, 0.25
#: Twice as many requests at once must be so many times as fast, or the server takes turns.
WORTHWHILE = 1.2
#: What an observation still weighs when the next one is in.
MEMORY = 0.7
#: Beyond so many times the most texts that went at once, each is taken to cost what those did on
#: average: a fixed part that two small batches seem to show may be chance.
REACH = 4
#: What keeps the fixed part at 0 until batches of two sizes tell it from the part for each text.
_RIDGE = 1e-6


class Wave(NamedTuple):
    """So many texts, in so many requests at once at most; None: in as many as the scorer likes."""

    texts: int
    requests: int | None = None


class Speed:
    """What has been seen of a server's speed, over all rankings of one scorer.

    `most_requests` at once, and texts in each (None: no limit), are what the scorer likes.

    >>> speed = Speed(most_requests=8)
    >>> speed.next_wave(100, 2.0)  # nothing is known: a few
    Wave(texts=4, requests=1)
    >>> speed.note(4, 4, 1, 0.4)    # ten a second: as many as are done in half of what is left
    >>> speed.next_wave(96, 1.6)
    Wave(texts=8, requests=2)
    >>> speed.note(8, 8, 2, 0.008)  # a thousand a second: all the rest
    >>> speed.next_wave(88, 0.8)
    Wave(texts=88, requests=None)
    """

    def __init__(self, most_requests: int = 1, most_texts: int | None = None) -> None:
        self.most_requests, self.most_texts = most_requests, most_texts
        self._assumed = ASSUMED
        #: Seconds by texts, for so many requests at once.
        self._seen: dict[int, _Line] = {}

    def next_wave(self, texts: int, left: float | None) -> Wave:
        """What to send now, of so many texts that wait, with so many seconds left (None: no end).

        One text at least, for there is nothing to be gained by sending none.
        """
        if left is None:
            return Wave(texts)
        if not self._seen:
            count = min(FIRST_MOST, math.floor(SHARE * left * self._assumed))
            if texts <= count:
                return Wave(texts)
            return Wave(max(1, min(count, self.most_texts or count)), 1)
        requests = self._best(texts)
        line = self._seen[requests]
        if line.seconds(texts) <= SHARE * left:
            return Wave(texts)
        count = max(1, min(texts, line.texts(SHARE * left)))
        more = 2 * requests
        if more not in self._seen and more <= min(count, self.most_requests):
            requests = more  # if they are served in turn, that too is done in time
        if self.most_texts is not None:
            count = min(count, requests * self.most_texts)
        return Wave(count, requests)

    def note(self, texts: int, done: int, requests: int, seconds: float) -> None:
        """So many texts, in so many requests at once, took so long; or only so many were done.

        Where it was none of them nothing is known any more, not even that a few would be.
        """
        if done:
            self._seen.setdefault(requests, _Line()).add(texts, seconds * texts / done)
            self._assumed = ASSUMED
        else:
            self._seen.clear()
            self._assumed *= DOUBT

    def _best(self, texts: int) -> int:
        """With how many requests at once so many texts are done soonest; few, where it is alike."""
        best, least = 0, math.inf
        for requests in sorted(self._seen):
            seconds = self._seen[requests].seconds(texts)
            if not best or seconds * WORTHWHILE <= least:
                best, least = requests, seconds
        return best


class _Line:
    """Seconds as a fixed part and a part for each text: least squares, the old fading away."""

    def __init__(self) -> None:
        self._sums: Sequence[float] = (0.0,) * 5
        self._most = 0

    def add(self, texts: int, seconds: float) -> None:
        self._most = max(self._most, texts)
        new = (1.0, texts, seconds, texts * texts, texts * seconds)
        self._sums = [MEMORY * old + one for old, one in zip(self._sums, new, strict=True)]

    def _fitted(self) -> tuple[float, float]:
        """The fixed part and the part for each text, neither below 0."""
        weight, n, t, nn, nt = self._sums
        determinant = (weight + _RIDGE) * nn - n * n
        fixed = (t * nn - n * nt) / determinant
        each = ((weight + _RIDGE) * nt - n * t) / determinant
        if each < 0.0:
            return t / weight, 0.0
        if fixed < 0.0:
            return 0.0, nt / nn
        return fixed, each

    def seconds(self, texts: int) -> float:
        """What so many texts are likely to take."""
        fixed, each = self._fitted()
        near = fixed + each * texts
        return near if texts <= REACH * self._most else max(near, self._average() * texts)

    def texts(self, seconds: float) -> int:
        """How many are likely to be done in that time."""
        fixed, each = self._fitted()
        reach = max(REACH * self._most, math.floor(seconds / self._average()))
        near = math.floor((seconds - fixed) / each) if each > 0.0 else reach
        return max(0, min(near, reach))

    def _average(self) -> float:
        *_, nn, nt = self._sums
        return max(nt / nn, 1e-9)


def in_parts(groups: Sequence[Sequence[int]], wave: Wave) -> list[Sequence[int]]:
    """The wave's groups, cut further where it is to be more requests than they are."""
    if wave.requests is None or len(groups) >= wave.requests:
        return list(groups)
    size = math.ceil(sum(map(len, groups)) / wave.requests)
    return [group[at : at + size] for group in groups for at in range(0, len(group), size)]
