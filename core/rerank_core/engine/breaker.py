"""A circuit breaker: stops asking a part that keeps failing, and tries it again later.

Nygard, "Release It!" (2007). Written out here because the kept packages guard one call that raises;
this one guards a ranking's worth of batches, of which some may fail and some not.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection

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


class Breaker:
    """Opens after `failures` rankings in a row in which the part scored nothing, for `rest` s.

    After that one ranking at a time may try; the first that succeeds closes it.

    >>> breaker = Breaker(failures=2, rest=30.0, clock=lambda: 0.0)
    >>> for _ in range(2):
    ...     breaker.note(succeeded=False, reasons=[Reason.SERVER])
    >>> breaker.try_acquire()
    False
    """

    def __init__(
        self,
        failures: int = 5,
        rest: float = 30.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.failures, self.rest, self._clock = failures, rest, clock
        self._in_a_row = 0
        self._opened: float | None = None

    def try_acquire(self) -> bool:
        """Whether to ask now. Where it is a try after a rest, the next one rests again."""
        if self._opened is None:
            return True
        if self._clock() - self._opened < self.rest:
            return False
        self._opened = self._clock()
        return True

    def note(self, *, succeeded: bool, reasons: Collection[Reason]) -> None:
        """What came of asking."""
        if succeeded:
            self._in_a_row, self._opened = 0, None
        elif ILL & set(reasons):
            self._in_a_row += 1
            if self._in_a_row >= self.failures and self._opened is None:
                self._opened = self._clock()
