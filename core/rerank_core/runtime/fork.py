"""What a forked process has to put right.

Only the thread that forked goes on in the child. The others are gone, and what they held, such as
a lock, is held for ever; connections are the parent's still.
"""

from __future__ import annotations

import os
from collections.abc import Callable


def after_fork(callback: Callable[[], None]) -> Callable[[], None]:
    """Have it called in every child of this process, before anything else runs there.

    Does nothing on Windows, which cannot fork. Hands the callback back: it may stand over one.
    """
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=callback)
    return callback


def before_fork(callback: Callable[[], None]) -> Callable[[], None]:
    """Have it called in this process before it forks, in the thread that does."""
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(before=callback)
    return callback
