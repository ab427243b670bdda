"""Puts signals of different scales beside each other: pure logic, higher is better throughout.

| how       | range      | what it does                            | all equal, or only one |
|-----------|------------|-----------------------------------------|------------------------|
| `min-max` | 0..1       | worst present 0, best present 1         | 0.5                    |
| `rank`    | 0..1       | the same by rank; equal values share it | 0.5                    |
| `z-score` | unbounded  | deviations from the mean                | 0.0                    |
| `sigmoid` | 0..1       | 1 / (1 + exp(-v)), each on its own      | as any other           |
| `none`    | as it came | nothing                                 | as any other           |

A signal that tells no document from another stands in the middle: it neither lifts nor sinks.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Literal, get_args

from ..runtime.checks import one_of
from ..runtime.numbers import is_present, sigmoid

#: How a signal is put on another scale: see the table above.
Normalization = Literal["min-max", "rank", "z-score", "sigmoid", "none"]


def normalize(values: Sequence[float | None], how: Normalization) -> list[float | None]:
    """The same signal on another scale, by position.

    None, NaN and infinities are missing: they come back as None and bend nothing else. No value
    rises above one that was higher. Raises `ConfigurationError` for an unknown `how`.
    """
    check_normalization(how)
    present = [float(value) for value in values if is_present(value)]
    scaled = iter(_NORMALIZATIONS[how](present) if present else ())
    return [next(scaled) if is_present(value) else None for value in values]


def check_normalization(how: object) -> None:
    """Raise `ConfigurationError` unless `how` is one of the five names."""
    one_of("normalize", how, get_args(Normalization))


def _min_max(values: list[float]) -> list[float]:
    low, high = min(values), max(values)
    if low == high:
        return [0.5] * len(values)
    if math.isinf(high - low):  # beyond what a float can span: half of it is within
        return _min_max([value / 2 for value in values])
    return [(value - low) / (high - low) for value in values]


def _rank(values: list[float]) -> list[float]:
    if len(values) == 1:
        return [0.5]
    ascending = sorted(values)
    # Twice the mean rank of the equal values, from 0 for the worst: an exact integer.
    doubled = [bisect_left(ascending, v) + bisect_right(ascending, v) - 1 for v in values]
    return [rank / (2 * (len(values) - 1)) for rank in doubled]


def _z_score(values: list[float]) -> list[float]:
    if min(values) == max(values):
        return [0.0] * len(values)
    # Deviations have no unit: on -1..1 neither sum nor square overflows.
    scale = max(abs(value) for value in values)
    small = [value / scale for value in values]
    mean = math.fsum(small) / len(small)
    deviation = math.sqrt(math.fsum((value - mean) ** 2 for value in small) / len(small))
    return [(value - mean) / deviation for value in small]


def _sigmoid(values: list[float]) -> list[float]:
    return [sigmoid(value) for value in values]


_NORMALIZATIONS: Mapping[Normalization, Callable[[list[float]], list[float]]] = MappingProxyType(
    {
        "min-max": _min_max,
        "z-score": _z_score,
        "rank": _rank,
        "sigmoid": _sigmoid,
        "none": list,
    }
)


def rank_correlation(pairs: Sequence[tuple[float, float]]) -> float:
    """Spearman's rank correlation of the pairs, -1..1; 0 where either side is all alike.

    >>> rank_correlation([(1, 10), (2, 20), (3, 30)]), rank_correlation([(1, 1), (2, 1)])
    (1.0, 0.0)
    """
    from statistics import StatisticsError, correlation  # few rankings ask for it

    mine, theirs = (normalize(side, "rank") for side in zip(*pairs, strict=True))
    try:
        return correlation(mine, theirs)  # type: ignore[arg-type]  # none is missing
    except StatisticsError:
        return 0.0
