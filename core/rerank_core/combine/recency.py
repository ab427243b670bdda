"""Recency as a signal: pure logic, a candidate's date in its metadata to a number from 0 to 1."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from numbers import Real
from typing import TYPE_CHECKING, Any, Self

from ..errors import ConfigurationError
from ..runtime.patterns import pattern

if TYPE_CHECKING:
    from ..ranking.candidate import Candidate

_DAY = 86_400.0
# As seconds, 5138 and later; as milliseconds, 1973 and later. So nobody means seconds by it.
_TOO_LATE_FOR_SECONDS = 1e11
_NUMBER = pattern(r"[+-]?\d+(\.\d*)?([eE][+-]?\d+)?")
_CALENDAR = {4: "%Y", 6: "%Y%m", 8: "%Y%m%d", 12: "%Y%m%d%H%M", 14: "%Y%m%d%H%M%S"}
_YEAR_AND_MONTH = pattern(r"\d{4}(-\d{2})?")


@dataclass(frozen=True)
class Recency:
    """How new a candidate is: 1.0 for now, 0.5 after one half-life, 0.25 after two.

    Called with a candidate, it reads `metadata[field]`: a datetime, a date, also one of NumPy's or
    pandas', an ISO 8601 string (also "2024" and "2024-05"), or a number or numeric string: of 4, 6,
    8, 12 or 14 digits that name a moment from 1900 to 2199 (2026, 202611, 20261101, …) it is that
    one, else a time since 1970 in seconds, milliseconds, micro- or nanoseconds, told apart by size.
    What names no zone is UTC; what lies ahead is 1.0. No such field, None, "", NaN, NaT or NA:
    None, for missing. Anything else raises `ValueError`, which a combination counts as missing
    and reports.

    `half_life` is a number of days or a timedelta. `now` (any of the above) is the time of the
    call unless given.
    """

    field: str = "date"
    half_life: float | timedelta = 30.0
    now: datetime | date | str | float | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.field, str) or not self.field:
            raise ConfigurationError(f"field names a metadata key, such as 'date': {self.field!r}")
        days = self.half_life_days
        if not (math.isfinite(days) and days > 0):
            raise ConfigurationError(f"half_life must be more than 0 days, not {self.half_life!r}")
        if self.now is not None:
            try:
                timestamp(self.now)
            except ValueError as error:
                raise ConfigurationError(f"now must be a date: {error}") from error

    @property
    def half_life_days(self) -> float:
        """The half-life in days, however it was given."""
        if isinstance(self.half_life, timedelta):
            return self.half_life / timedelta(days=1)
        try:
            return float(self.half_life)
        except (TypeError, ValueError):
            raise ConfigurationError(
                f"half_life is a number of days or a timedelta, not {self.half_life!r}"
            ) from None

    def __call__(self, candidate: Candidate) -> float | None:
        """0..1, or None where the candidate has no date. `ValueError` where it is none."""
        value = candidate.metadata.get(self.field)
        if _is_missing(value):
            return None
        now = datetime.now(UTC) if self.now is None else self.now
        age: float = (timestamp(now) - timestamp(value)) / _DAY
        return math.pow(0.5, max(0.0, age) / self.half_life_days)

    def at_one_time(self) -> Self:
        """The same, with the clock stopped: equal dates then have equal recency."""
        return self if self.now is not None else replace(self, now=datetime.now(UTC))

    def to_dict(self) -> dict[str, Any]:
        """As plain values, for a config file."""
        now = self.now.isoformat() if isinstance(self.now, date) else self.now
        return {"field": self.field, "half_life": self.half_life_days, "now": now}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Back from `to_dict`. Raises `ConfigurationError` for an unknown key."""
        unknown = sorted(set(values) - {"field", "half_life", "now"})
        if unknown:
            raise ConfigurationError(f"Recency has no {unknown}: only field, half_life, now")
        return cls(**values)


def timestamp(value: object) -> float:
    """Seconds since 1970 (UTC) of anything that `Recency` reads; `ValueError` for all else."""
    if _is_missing(value):
        raise ValueError(f"{value!r} is no date")
    if isinstance(value, datetime):
        return _seconds(value)
    if isinstance(value, date):
        return _seconds(datetime(value.year, value.month, value.day))
    if isinstance(value, str):
        return _from_text(value.strip())
    if getattr(getattr(value, "dtype", None), "kind", None) == "M":  # numpy.datetime64
        return float(value.astype("datetime64[us]").astype(int)) / 1e6  # type: ignore[attr-defined]
    if hasattr(value, "to_timestamp"):  # pandas.Period
        return timestamp(value.to_timestamp())
    # numpy's numbers are Real, and so is bool
    if isinstance(value, bool) or not isinstance(value, Real):
        raise ValueError(f"a {type(value).__name__} is no date")
    try:
        return _from_number(float(value))
    except OverflowError:
        raise ValueError("a number of that size is no time") from None


def _seconds(moment: datetime) -> float:
    if moment.utcoffset() is None:
        moment = moment.replace(tzinfo=UTC)
    # datetime.timestamp() goes through the platform's clock functions where it is naive; this
    # does not, and reaches all years
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds()


def _from_text(text: str) -> float:
    if _YEAR_AND_MONTH.fullmatch(text):
        return _seconds(_iso(f"{text}-01" if "-" in text else f"{text}-01-01"))
    # eight digits are 20240131 rather than a day in 1970; other digits must not reach
    # fromisoformat, which takes any character for the T
    if _NUMBER.fullmatch(text) and not (text.isdigit() and len(text) == 8):
        return _from_number(float(text))
    return _seconds(_iso(text))


def _iso(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text.upper())
    except ValueError:
        shown = text if len(text) <= 40 else f"{text[:40]}…"
        raise ValueError(f"no ISO 8601 date: {shown!r}") from None


def _from_number(number: float) -> float:
    if not math.isfinite(number):
        raise ValueError(f"{number} is no time")
    if number.is_integer() and (moment := _from_digits(str(int(number)))) is not None:
        return _seconds(moment)
    for _ in range(3):  # milliseconds, microseconds, nanoseconds
        if abs(number) < _TOO_LATE_FOR_SECONDS:
            break
        number /= 1000
    return number


def _from_digits(digits: str) -> datetime | None:
    """The moment that digits spell (2026, 20261101, …); None where they spell none.

    As seconds these would be 1970, as milliseconds the seventies: a year or a date is far likelier.
    """
    form = _CALENDAR.get(len(digits))
    if form is None or not "1900" <= digits[:4] <= "2199":
        return None
    try:
        return datetime.strptime(digits, form).replace(tzinfo=UTC)
    except ValueError:
        return None


def _is_missing(value: Any) -> bool:
    """None, "", and what is not equal to itself: NaN, and NumPy's and pandas' not-a-time."""
    if value is None:
        return True
    try:
        return bool(value == "" or value != value)
    except TypeError:  # pandas.NA answers neither
        return type(value).__name__ == "NAType"
    except ValueError:  # an array, which is no date
        return False
