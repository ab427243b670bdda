"""While something is imported, the collector leaves the oldest generation alone."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from rerank_core.runtime.collector import NEVER, put_off_whole_passes


@pytest.fixture(autouse=True)
def before() -> Iterator[tuple[int, int, int]]:
    thresholds = gc.get_threshold()
    yield thresholds
    gc.set_threshold(*thresholds)


def test_until_the_last_of_several_is_done(before: tuple[int, int, int]) -> None:
    first, second = put_off_whole_passes(), put_off_whole_passes()
    first()
    first()
    assert gc.get_threshold() == (*before[:2], NEVER)

    second()
    assert gc.get_threshold() == before


def test_what_the_program_sets_meanwhile_stays() -> None:
    resume = put_off_whole_passes()
    gc.set_threshold(500, 5, 5)
    resume()

    assert gc.get_threshold() == (500, 5, 5)
