"""One pipeline for each cause, and healthy ones; `benchmarks/doctor.py` sweeps many more."""

from __future__ import annotations

import pytest

pytest.importorskip("ir_measures")

from planted import of_size
from planted_otherwise import FAULTS, HEALTHY

from rerank_core.doctor import Cause

QUERIES, CANDIDATES, SEED = 30, 30, 7
#: The scorer that sleeps past its deadline does so for every query.
pytestmark = pytest.mark.slow


@pytest.mark.parametrize("name", FAULTS)
def test_the_planted_fault_is_among_the_first_two(name: str) -> None:
    """With judgements."""
    pipeline, cause, _ = FAULTS[name]

    found = pipeline(of_size(name, QUERIES, CANDIDATES, SEED), 0.8, True)

    assert cause in [finding.cause for finding in found[:2]]


@pytest.mark.parametrize("name", [name for name, (*_, needed) in FAULTS.items() if not needed])
def test_most_show_without_judgements(name: str) -> None:
    """And nothing is named that only judgements could tell."""
    pipeline, cause, _ = FAULTS[name]

    found = pipeline(of_size(name, QUERIES, CANDIDATES, SEED), 0.8, False)

    causes = {finding.cause for finding in found}
    assert cause in [finding.cause for finding in found[:2]]
    assert not causes & {
        Cause.RECALL,
        Cause.PHANTOM,
        Cause.WEIGHTS,
        Cause.TOO_FEW,
        Cause.NO_ROOM,
        Cause.OWN_JUDGEMENTS,
    }
    assert any("judgements" in line for line in found.untold)


@pytest.mark.parametrize("name", HEALTHY)
def test_nothing_is_named_in_a_healthy_pipeline(name: str) -> None:
    """With judgements."""
    found = HEALTHY[name](of_size(name, QUERIES, CANDIDATES, SEED), True)

    assert not list(found)


def test_every_cause_is_planted() -> None:
    """The suite has a pipeline for each that there is."""
    assert {cause for _, cause, _ in FAULTS.values()} == set(Cause)
