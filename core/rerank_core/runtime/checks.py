"""What an argument may be, said in its own name: for whatever is constructed from options.

Each returns the value as Python's own type (NumPy's numbers are numbers, too), or raises
`ConfigurationError` with the name of the argument and what it takes instead.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from numbers import Real

from ..errors import ConfigurationError
from .numbers import finite


def whole_number(name: str, value: object, *, least: int, none: str) -> int | None:
    """A whole number of at least `least`; None stands for what `none` says."""
    if value is None:
        return None
    try:
        number = operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        number = None
    if number is None or isinstance(value, bool):
        raise ConfigurationError(f"{name} is a whole number or None for {none}, not {value!r}")
    if number < least:
        raise ConfigurationError(
            f"{name} is {number}: ask for at least {least}, or None for {none}"
        )
    return number


def real_number(
    name: str,
    value: object,
    *,
    least: float = -math.inf,
    above: float = -math.inf,
    most: float = math.inf,
    none: str,
) -> float | None:
    """A finite number within the bounds that are given; None stands for what `none` says."""
    if value is None:
        return None
    bounds = {"at least": least, "above": above, "at most": most}
    told = " and ".join(
        f"{word} {bound:g}" for word, bound in bounds.items() if math.isfinite(bound)
    )
    wanted = f"a finite number {told}".strip()
    if isinstance(value, bool) or not isinstance(value, Real):
        raise ConfigurationError(f"{name} is {wanted}, or None for {none}, not {value!r}")
    number = finite(value)
    if number is None or not (number > above and least <= number <= most):
        raise ConfigurationError(f"{name} is {value}: give {wanted}, or None for {none}")
    return number


def one_of(name: str, value: object, choices: Sequence[object]) -> None:
    """One of these: the arguments of a `Literal`, say, by `typing.get_args`."""
    if not any(value is choice or value == choice for choice in choices):
        *others, last = map(repr, choices)
        raise ConfigurationError(f"{name} is {', '.join(others)} or {last}, not {value!r}")
