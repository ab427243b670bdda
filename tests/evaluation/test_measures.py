"""Measures by ir_measures, and what is said where a name is none."""

from __future__ import annotations

import re
import sys

import pytest

from rerank_core import InvalidInputError, MissingExtraError
from rerank_core.evaluation.measures import parse, per_query


def test_names_are_those_of_ir_measures() -> None:
    """What users call MRR, Recall and MAP prints as ir_measures names it, each once."""
    found = parse(["nDCG@10", "MRR@10", "Recall@100", "P@5", "MAP", "AP"])

    assert [str(measure) for measure in found] == ["nDCG@10", "RR@10", "R@100", "P@5", "AP"]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize(
    "name",
    [
        *("nDCG@10", "AP", "AP(rel=2)@100", "RBP(p=0.8, rel=1)", "MRR@5", "Bpref"),
        *("nDCG(dcg='exp-log2', judged_only=True)@10", "nDCG(gains={0: 0, 1: 3})@5", "P(cutoff=7)"),
    ],
)
def test_a_name_is_read_as_ir_measures_reads_it(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where Python no longer has what that reads with, as from 3.14."""
    theirs = None
    if sys.version_info < (3, 14):
        theirs = pytest.importorskip("ir_measures").parse_measure(name)
        monkeypatch.setattr("ast.Num", None)

    (ours,) = parse([name])

    assert theirs is None or (ours, str(ours)) == (theirs, str(theirs))


@pytest.mark.parametrize(
    "name",
    [
        "goodness",
        "nDCG@",
        "nDCG@k",
        "nDCG(10)",
        "nDCG@10@10",
        "a.nDCG",
        "P(cutoff=f())",
        "nDCG(**x)",
    ],
)
def test_an_unknown_measure_is_refused(name: str) -> None:
    """A name that is no measure's raises, with some that are."""
    with pytest.raises(
        InvalidInputError, match=rf"no measure is called '{re.escape(name)}'.*RR@10"
    ):
        parse([name])


def test_an_unanswered_query_counts_as_zero() -> None:
    """A judged query that the run leaves out has a value, and it is 0."""
    found = per_query(parse(["RR@10"]), {"a": {"x": 1}, "b": {"y": 1}}, {"a": {"z": 2.0, "x": 1.0}})

    assert found == {"RR@10": {"a": 0.5, "b": 0.0}}


def test_a_missing_package_answers_with_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without ir_measures the error names the extra that brings it."""
    monkeypatch.setitem(sys.modules, "ir_measures", None)

    with pytest.raises(MissingExtraError, match=r"the extra 'eval' .*pip install"):
        parse(["nDCG@10"])
