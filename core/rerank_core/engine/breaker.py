"""A circuit breaker: stops asking a part that keeps failing, and tries it again soon.

Nygard, "Release It!" (2007). Written out here because the kept packages guard one call that raises;
this one guards a ranking's worth of batches, of which some may fail and some not.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Collection
from typing import NamedTuple

from ..errors import Reason

#: What says that a part is ill, and not the request: only these open the circuit.
ILL = frozenset(
    {
        Reason.TIMEOUT,
        Reason.CONNECTION,
        Reason.SERVER,
        Reason.OVERLOADED,
        Reason.RATE_LIMIT,
        Reason.PAYMENT,
        Reason.AUTH,
        Reason.MODEL,
    }
)
#: A timeout is the part's own if it had this share of the time, and we were no later than that
#: share of it to notice.
ITS_SHARE, OUR_SHARE = 0.5, 0.2


class Attempt(NamedTuple):
    """One ranking that asks, since that moment."""

    began: float


class Breaker:
    """Opens after `failures` rankings one after another in which the part scored nothing.

    One after another: each began after the one before it had failed, so that a burst that fails
    together is one failure, and says nothing if another got its scores meanwhile. Open, it lets
    one ranking at a time try: after `rest` seconds, then after twice as long each time that fails,
    `longest` at most. The first that succeeds closes it.

    >>> breaker = Breaker(failures=1, clock=lambda: 0.0)
    >>> breaker.note(breaker.try_acquire(), succeeded=False, reasons=[Reason.SERVER])
    >>> breaker.try_acquire() is None
    True
    """

    def __init__(
        self,
        failures: int = 5,
        rest: float = 1.0,
        longest: float = 30.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.failures, self.rest, self.longest, self._clock = failures, rest, longest, clock
        self._in_a_row = 0
        #: When it was last seen to work, or to fail: who had begun by then has no news.
        self._known_at: float | None = None
        #: While it is open: when the next one may try, and how long the rest after that would be.
        self._next_try: float | None = None
        self._next_rest = rest

    def try_acquire(self) -> Attempt | None:
        """Whether to ask now: what to hand to `note` then, or None. A try keeps the next one off.

        Whoever got one and never notes anything, as it was cancelled, holds up nobody for longer.
        """
        now = self._clock()
        if self._next_try is not None:
            if now < self._next_try:
                return None
            self._next_try = now + self._next_rest
        return Attempt(now)

    def note(
        self,
        attempt: Attempt,
        *,
        succeeded: bool,
        reasons: Collection[Reason],
        asked: float = -math.inf,
        due: float = math.inf,
    ) -> None:
        """What came of asking.

        For a timeout: `asked` is when the part was first asked, after all waiting for a place of
        our own (infinite: never), and `due` is the deadline, both by the clock.
        """
        now = self._clock()
        if succeeded:
            self._in_a_row, self._next_try, self._next_rest = 0, None, self.rest
            self._known_at = now
            return
        ill = ILL & set(reasons)
        if not ill or (ill == {Reason.TIMEOUT} and _ours(attempt, now, asked, due)):
            return
        if self._known_at is not None and attempt.began < self._known_at:
            return
        self._in_a_row, self._known_at = self._in_a_row + 1, now
        if self._in_a_row >= self.failures:
            self._next_try = now + self._next_rest
            self._next_rest = min(2 * self._next_rest, self.longest)


def _ours(attempt: Attempt, now: float, asked: float, due: float) -> bool:
    """Whether the time went by on our side: in our own queue, or in a process too busy to look."""
    return now - asked < ITS_SHARE * (now - attempt.began) or now - due > OUR_SHARE * (
        due - attempt.began
    )
