"""Python's garbage collector, and whom it keeps waiting.

Imports make much that stays, which again and again sets off a pass through the whole process. With
a framework in it that takes 0.1 to 0.2 s in which no other Python runs, and a deadline that strikes
then is told too late.
"""

from __future__ import annotations

import gc
import threading

from .fork import after_fork

#: As a threshold of the oldest generation: it is left alone.
NEVER = 1 << 30

_lock = threading.Lock()
_put_off = 0
_before = gc.get_threshold()


def put_off_whole_passes() -> None:
    """From now on it goes through what is new, and not through all that there is.

    Until `resume_whole_passes` was called as often. A threshold that someone else sets meanwhile
    stays.
    """
    global _put_off, _before
    with _lock:
        _put_off += 1
        if _put_off == 1:
            _before = gc.get_threshold()
            gc.set_threshold(*_before[:2], NEVER)


def resume_whole_passes() -> None:
    """One who put them off is done; with the last, all is as it was before."""
    global _put_off
    with _lock:
        _put_off = max(0, _put_off - 1)
        if not _put_off:
            _restore()


def _restore() -> None:
    if gc.get_threshold()[2] == NEVER:
        gc.set_threshold(*_before)


@after_fork
def _after_fork() -> None:
    # the threads that had put them off do not exist here
    global _lock, _put_off
    _lock, _put_off = threading.Lock(), 0
    _restore()
