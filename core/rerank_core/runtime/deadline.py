"""The deadline: one number for the whole call."""

from __future__ import annotations

import time
from datetime import timedelta
from enum import Enum
from numbers import Real
from typing import Final, NamedTuple

from ..errors import ConfigurationError
from .numbers import finite


class Unset(Enum):
    """What an argument is when it was not given (None is a value of its own: no limit)."""

    UNSET = "unset"

    def __repr__(self) -> str:
        return "unset"


UNSET: Final = Unset.UNSET

#: A time limit: seconds, a timedelta, or None for no limit.
Timeout = float | timedelta | None


def seconds(name: str, limit: Timeout) -> float | None:
    """The limit called `name` in seconds; None for none, and so for an infinite one.

    Raises `ConfigurationError` for a limit that nothing could meet or that is no number.
    """
    if limit is None:
        return None
    value: object = limit.total_seconds() if isinstance(limit, timedelta) else limit
    if isinstance(value, bool) or not isinstance(value, Real) or value != value:
        raise ConfigurationError(f"{name} is seconds, a timedelta or None, not {limit!r}")
    if value <= 0:
        raise ConfigurationError(f"{name} is {value} s: give a positive time, or None for none")
    return finite(value)


class Deadline(NamedTuple):
    """A moment on the monotonic clock, or never."""

    at: float | None = None

    @classmethod
    def after(cls, limit: float | None) -> Deadline:
        """The deadline so many seconds from now; None: never."""
        return cls(None if limit is None else time.monotonic() + limit)

    def left(self) -> float | None:
        """Seconds until it strikes, never below 0; None: no limit."""
        return None if self.at is None else max(0.0, self.at - time.monotonic())

    def earlier(self, other: Deadline) -> Deadline:
        """Whichever of the two strikes first."""
        if self.at is None:
            return other
        return self if other.at is None or self.at < other.at else other

    def allows(self, wait: float) -> bool:
        """Whether there is anything to be done after waiting so long."""
        left = self.left()
        return left is None or wait < left
