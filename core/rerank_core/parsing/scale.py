"""A value as written, mapped from its scale to 0..1."""

from __future__ import annotations

import math


class Scale:
    """From `low` to `high` as the prompt asked for."""

    def __init__(self, bounds: tuple[float, float]) -> None:
        """Raises ValueError unless low < high, both finite."""
        low, high = (float(bound) for bound in bounds)
        if not (math.isfinite(low) and math.isfinite(high) and low < high):
            raise ValueError(f"a scale goes from a low to a higher number, not {bounds!r}")
        self.low, self.high = low, high

    def unit(self, number: float, of: float | None = None) -> float | None:
        """0..1, clamped; None for NaN, infinities, and years.

        With `of` (8 of 10, 85 of 100) the number is first brought to a scale that ends at `high`:
        4 of 5 is 8 on a scale to 10, wherever that scale begins.
        """
        if of is not None and of != self.high:
            number = (
                number / of * self.high
                if self.low >= 0
                else self.low + number / of * (self.high - self.low)
            )
        if not math.isfinite(number) or (of is None and self._is_far(number)):
            return None
        return min(1.0, max(0.0, (number - self.low) / (self.high - self.low)))

    def _is_far(self, number: float) -> bool:
        """Whether a number, such as a year, is too far beyond the scale to be meant for it."""
        return abs(number) >= 1000 and abs(number) > 10 * max(abs(self.low), abs(self.high))

    def is_itself(self, low: float, high: float) -> bool:
        """Whether `low`-`high` names the scale rather than a value on it."""
        return low <= self.low and high >= self.high
