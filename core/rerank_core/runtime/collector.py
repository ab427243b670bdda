"""Python's garbage collector, and whom it keeps waiting.

Imports make much that stays, which again and again sets off a pass through the whole process. With
a framework in it that takes 0.1 to 0.2 s in which no other Python runs, and a deadline that strikes
then is told too late.
"""

from __future__ import annotations

import gc
import threading
from collections.abc import Callable

from .fork import after_fork

#: As a threshold of the oldest generation: it is left alone.
NEVER = 1 << 30

_lock = threading.Lock()
_putting_off: set[object] = set()
_before = gc.get_threshold()


def put_off_whole_passes() -> Callable[[], None]:
    """From now on it goes through what is new, and not through all that there is.

    Until what is returned is called, by everyone who has one; a second call of it does nothing. A
    threshold that someone else sets meanwhile stays.
    """
    global _before
    one = object()
    with _lock:
        if not _putting_off:
            _before = gc.get_threshold()
            gc.set_threshold(*_before[:2], NEVER)
        _putting_off.add(one)
    return lambda: _resume(one)


def _resume(one: object) -> None:
    with _lock:
        if one in _putting_off:
            _putting_off.remove(one)
            if not _putting_off:
                _restore()


def _restore() -> None:
    if gc.get_threshold()[2] == NEVER:
        gc.set_threshold(*_before)


@after_fork
def _after_fork() -> None:
    # the threads that had put them off do not exist here
    global _lock
    _lock = threading.Lock()
    _putting_off.clear()
    _restore()
