"""Measures by ir_measures, and what is said where a name is none."""

from __future__ import annotations

import sys

import pytest

from rerank_core import InvalidInputError, MissingExtraError
from rerank_core.evaluation.measures import parse, per_query


def test_names_are_those_of_ir_measures() -> None:
    """What users call MRR, Recall and MAP prints as ir_measures names it, each once."""
    found = parse(["nDCG@10", "MRR@10", "Recall@100", "P@5", "MAP", "AP"])

    assert [str(measure) for measure in found] == ["nDCG@10", "RR@10", "R@100", "P@5", "AP"]


def test_an_unknown_measure_is_refused() -> None:
    """A name that is no measure's raises, with some that are."""
    with pytest.raises(InvalidInputError, match=r"no measure is called 'goodness'.*nDCG@10"):
        parse(["goodness"])


def test_an_unanswered_query_counts_as_zero() -> None:
    """A judged query that the run leaves out has a value, and it is 0."""
    found = per_query(parse(["RR@10"]), {"a": {"x": 1}, "b": {"y": 1}}, {"a": {"z": 2.0, "x": 1.0}})

    assert found == {"RR@10": {"a": 0.5, "b": 0.0}}


def test_a_missing_package_answers_with_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without ir_measures the error names the extra that brings it."""
    monkeypatch.setitem(sys.modules, "ir_measures", None)

    with pytest.raises(MissingExtraError, match=r"pip install .*\beval\b"):
        parse(["nDCG@10"])
