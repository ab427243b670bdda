"""Numbers as scores: which of them are any, and log-odds as a probability."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, TypeGuard


def finite(value: Any) -> float | None:
    """A Python float (NumPy's break JSON), or None for what is missing: None, NaN, infinities.

    An integer beyond what a float can hold is missing, too. Raises `TypeError` or `ValueError`
    for what is no number.

    >>> finite(3), finite("nan"), finite(10**400), finite(None)
    (3.0, None, None, None)
    """
    if value is None:
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def measured(value: Any) -> float | None:
    """A number that was measured, as `finite` has it; Decimals and NumPy's scalars are some.

    Raises `TypeError` or `ValueError` for what is none: True, a list or an array, an integer that
    no float can hold.

    >>> measured("0.5"), measured(float("inf"))
    (0.5, None)
    """
    if value is None:
        return None
    if type(value) is float:  # nearly always
        return value if math.isfinite(value) else None
    kind = getattr(getattr(value, "dtype", None), "kind", None)  # of NumPy's own
    if isinstance(value, bool) or kind == "b" or getattr(value, "ndim", 0):
        raise TypeError(f"{type(value).__name__} is no number")
    number = finite(value)
    if number is None and isinstance(value, int):
        raise ValueError("too large for a float")
    return number


def is_present(value: float | None) -> TypeGuard[float]:
    """Whether a float says anything: None, NaN and infinities do not."""
    return value is not None and math.isfinite(value)


def without_nan(value: Any) -> Any:
    """The same, with None for NaN and infinities, which JSON has no word for, however deep."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(name): without_nan(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [without_nan(each) for each in value]
    return value


def sigmoid(logit: float) -> float:
    """Log-odds as a probability: 1 / (1 + exp(-logit)), without overflow at either end.

    >>> sigmoid(0.0), sigmoid(-1000.0)
    (0.5, 0.0)
    """
    if logit >= 0:
        return 1.0 / (1.0 + math.exp(-logit))
    odds = math.exp(logit)
    return odds / (1.0 + odds)
