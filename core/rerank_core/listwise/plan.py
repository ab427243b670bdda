"""What an algorithm will ask of its judge."""

from __future__ import annotations

from typing import NamedTuple

from ..errors import InvalidInputError


class Plan(NamedTuple):
    """How many calls, and how many rounds of them that wait for one another."""

    calls: int
    rounds: int


def at_least(least: int, **options: int) -> None:
    """Raise InvalidInputError for an option below `least`."""
    for name, value in options.items():
        if value < least:
            raise InvalidInputError(f"{name} must be at least {least}, not {value}")
