"""One process at a time in a folder or at a file."""

from __future__ import annotations

from pathlib import Path
from typing import IO

from ..errors import InvalidInputError


def locked(file: IO[bytes] | int) -> bool:
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


def held(folder: Path, work: Path) -> IO[bytes]:
    """The folder, made where it is missing and held until what is returned is closed.

    `work`: what is done there. Raises `InvalidInputError` where another process is at it.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InvalidInputError(f"{folder} cannot be made: {error.strerror}") from None
    lock = (folder / "lock").open("wb")
    if not locked(lock):
        lock.close()
        raise InvalidInputError(f"another process is at work on {work}")
    return lock
