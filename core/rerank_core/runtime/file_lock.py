"""One process at a time in a folder."""

from __future__ import annotations

from typing import IO


def locked(file: IO[bytes]) -> bool:
    """Whether it could be locked; the system lets go of it when the process ends, however."""
    try:
        import fcntl
    except ImportError:
        return True
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
