"""Recency: 1.0 for now, half of it after a half-life, whatever form the date has."""

from __future__ import annotations

import contextlib
import pickle
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rerank_core import Candidate
from rerank_core.combine import Recency
from rerank_core.combine.recency import timestamp
from rerank_core.errors import ConfigurationError

NOW = datetime(2024, 5, 31, tzinfo=UTC)
THEN = datetime(2024, 5, 1, tzinfo=UTC)  # 30 days before
EPOCH = 1714521600


def dated(value: Any, field: str = "date") -> Candidate:
    return Candidate("text", metadata={field: value})


@pytest.mark.parametrize(
    "then",
    [
        THEN,
        THEN.replace(tzinfo=None),
        THEN.astimezone(timezone(timedelta(hours=-7))),
        date(2024, 5, 1),
        "2024-05-01",
        " 2024-05-01 ",
        "20240501",
        "2024-05",
        "2024-05-01T00:00:00",
        "2024-05-01 00:00",
        "2024-05-01T00:00:00Z",
        "2024-05-01t00:00:00.000z",
        "2024-05-01T02:00:00+02:00",
        EPOCH,
        float(EPOCH),
        EPOCH * 1000,
        EPOCH * 1_000_000,
        EPOCH * 1_000_000_000,
        str(EPOCH),
        f"{EPOCH}.0",
        str(EPOCH * 1000),
    ],
    ids=repr,
)
def test_every_form_of_a_date_is_read(then: Any) -> None:
    assert Recency(half_life=30, now=NOW)(dated(then)) == pytest.approx(0.5, abs=1e-9)


def test_four_digits_are_a_year() -> None:
    assert timestamp("2024") == timestamp(date(2024, 1, 1))


@pytest.mark.parametrize(("days", "expected"), [(0, 1.0), (30, 0.5), (60, 0.25), (300, 2**-10)])
def test_it_halves_with_every_half_life(days: int, expected: float) -> None:
    recency = Recency(half_life=timedelta(days=30), now=NOW)

    assert recency(dated(NOW - timedelta(days=days))) == pytest.approx(expected)


@pytest.mark.parametrize("ahead", [timedelta(seconds=1), timedelta(days=9000)])
def test_what_lies_ahead_is_as_good_as_new(ahead: timedelta) -> None:
    assert Recency(now=NOW)(dated(NOW + ahead)) == 1.0


def test_the_time_of_the_call_is_now() -> None:
    yesterday = datetime.now(UTC) - timedelta(days=1)

    assert Recency(half_life=1)(dated(yesterday)) == pytest.approx(0.5, abs=1e-3)


def test_with_the_clock_stopped_equal_dates_are_equal() -> None:
    recency = Recency().at_one_time()

    assert len({recency(dated("2024-05-01")) for _ in range(100)}) == 1


def test_a_candidate_without_a_date_has_none() -> None:
    recency = Recency(field="published")

    assert recency(Candidate("text")) is None
    assert recency(dated(None, "published")) is None
    assert recency(dated("", "published")) is None
    assert recency(dated(NOW, "date")) is None


@pytest.mark.parametrize("kind", ["nan", "NaT", "NA", "numpy NaT"])
def test_what_numpy_and_pandas_call_missing_is_missing(kind: str) -> None:
    """Each of them has one of its own; none is a date that cannot be read."""
    missing: Any = float("nan")
    if kind == "numpy NaT":
        missing = pytest.importorskip("numpy").datetime64("NaT", "s")
    elif kind != "nan":
        missing = getattr(pytest.importorskip("pandas"), kind)

    assert Recency()(dated(missing)) is None


@pytest.mark.parametrize("unit", ["D", "h", "s", "ms", "us", "ns"])
def test_a_numpy_date_is_that_date(unit: str) -> None:
    """Whatever it counts in."""
    numpy = pytest.importorskip("numpy")

    assert timestamp(numpy.datetime64("2024-05-31", unit)) == timestamp("2024-05-31")


def test_a_pandas_date_is_that_date() -> None:
    """With and without a zone, and a period by its beginning."""
    pandas = pytest.importorskip("pandas")

    assert timestamp(pandas.Timestamp("2024-05-31")) == timestamp("2024-05-31")
    assert timestamp(pandas.Timestamp("2024-05-31T02:00+02:00")) == timestamp("2024-05-31")
    assert timestamp(pandas.Period("2024-05", "M")) == timestamp("2024-05")


@pytest.mark.parametrize(
    ("digits", "text"),
    [
        (1999, "1999"),
        (202405, "2024-05"),
        (20240531, "2024-05-31"),
        (19690720, "1969-07-20"),
        (202405311830, "2024-05-31T18:30"),
        (20240531183015, "2024-05-31T18:30:15"),
    ],
)
def test_digits_that_spell_a_moment_are_that_moment(digits: int, text: str) -> None:
    """As whole numbers, as the floats that a column with gaps makes of them, and as text."""
    assert timestamp(digits) == timestamp(float(digits)) == timestamp(str(digits))
    assert timestamp(digits) == timestamp(text)


@pytest.mark.parametrize("number", [86_400, 20_249_999, 1_717_113_600, 1_717_113_600_000])
def test_other_numbers_count_from_1970(number: int) -> None:
    """In seconds, or in milliseconds where seconds would be beyond reason."""
    assert timestamp(number) == number / (1000 if number > 1e11 else 1)


@pytest.mark.parametrize(
    "what",
    ["soon", "2024-13-01", "31.05.2024", "20249999", True, [2024], 10**400, "1e999"],
    ids=lambda what: str(what)[:10],
)
def test_what_is_no_date_is_an_error(what: Any) -> None:
    with pytest.raises(ValueError, match=r"is no|no ISO"):
        Recency()(dated(what))


@given(st.text() | st.from_regex(r"[0-9:.TZ+ -]{1,30}", fullmatch=True))
def test_no_text_does_worse_than_not_to_be_a_date(text: str) -> None:
    with contextlib.suppress(ValueError):
        assert isinstance(timestamp(text), float)


@given(st.datetimes() | st.dates() | st.floats(0, 1e18))
def test_it_is_always_from_0_to_1(then: Any) -> None:
    recency = Recency(now=NOW)(dated(then))

    assert recency is not None
    assert 0 <= recency <= 1


@given(st.datetimes(), st.datetimes())
def test_the_newer_is_never_less(one: datetime, other: datetime) -> None:
    recency = Recency(half_life=365, now=NOW)

    assert (recency(dated(min(one, other))) or 0) <= (recency(dated(max(one, other))) or 0)


@pytest.mark.parametrize("half_life", [0, -1, float("nan"), float("inf"), timedelta(0), "soon"])
def test_a_half_life_that_is_none_is_refused(half_life: Any) -> None:
    with pytest.raises(ConfigurationError, match="half_life"):
        Recency(half_life=half_life)


def test_a_now_that_is_no_date_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="now"):
        Recency(now="today")


@pytest.mark.parametrize(
    "recency", [Recency(), Recency("published", timedelta(hours=36), NOW), Recency(now="2024-05")]
)
def test_it_survives_a_config_file_and_a_pickle(recency: Recency) -> None:
    again = Recency.from_dict(recency.to_dict())

    assert again.to_dict() == recency.to_dict()
    assert pickle.loads(pickle.dumps(recency)) == recency


def test_an_unknown_key_of_a_config_file_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="halflife"):
        Recency.from_dict({"halflife": 3})
