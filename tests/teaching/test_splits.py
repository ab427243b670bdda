"""What is measured on was not learned from."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from lessons import collection

from rerank_core import ConfigurationError, InvalidInputError
from rerank_core.teaching import Settings
from rerank_core.teaching.splits import (
    LEARNED,
    RECORD,
    learned_before,
    mark,
    refuse_what_was_learned,
    split,
)


def test_every_query_is_in_one_part() -> None:
    """By the shares; the same seed draws the same, another one another."""
    judged = collection(queries=40)
    parts = split(judged, Settings(held_out=0.25, stopping=0.1))

    assert [len(part) for part in (parts.train, parts.stopping, parts.held_out)] == [27, 3, 10]
    assert {*parts.train, *parts.stopping, *parts.held_out} == set(judged.candidates)
    assert parts == split(judged, Settings(held_out=0.25, stopping=0.1))
    assert parts != split(judged, Settings(held_out=0.25, stopping=0.1, seed=1))


def test_what_is_not_judged_is_learned_from() -> None:
    """Only judged queries can be measured on."""
    judged = collection(queries=40)
    few = replace(judged, qrels={q: g for q, g in judged.qrels.items() if int(q[1:]) < 10})

    parts = split(few, Settings(held_out=0.5))

    assert len(parts.held_out) == 5
    assert all(int(query[1:]) < 10 for query in parts.held_out)
    assert len(parts.train) + len(parts.stopping) == 35


@pytest.mark.parametrize("seed", range(5))
def test_queries_of_the_same_words_are_on_the_same_side(seed: int) -> None:
    """In any case and spacing: half of the queries are there twice."""
    judged = collection(queries=40)
    texts = {
        query: text if int(query[1:]) < 20 else judged.queries[f"q{int(query[1:]) - 20}"].upper()
        for query, text in judged.queries.items()
    }
    twice = replace(judged, queries=texts)

    parts = split(twice, Settings(seed=seed))

    held_out = {mark(texts[query]) for query in parts.held_out}
    assert len(parts.held_out) == 12
    assert held_out.isdisjoint(mark(texts[query]) for query in (*parts.train, *parts.stopping))


def test_held_out_queries_may_be_named() -> None:
    """They, and no others."""
    parts = split(collection(queries=12), Settings(), ["q3", "q7"])

    assert parts.held_out == ("q3", "q7")


def test_a_named_query_whose_words_would_be_learned_is_refused() -> None:
    """Both are named in the error."""
    judged = collection(queries=12)
    texts = {**judged.queries, "q8": f"  {judged.queries['q3'].title()} "}

    with pytest.raises(InvalidInputError, match="'q3' is held out, and 'q8' has the same words"):
        split(replace(judged, queries=texts), Settings(), ["q3", "q7"])


@pytest.mark.parametrize(
    ("named", "why"), [(["q3", "q99"], "no query 'q99'"), (["q3", "q5"], "'q5' cannot be held out")]
)
def test_what_cannot_be_held_out_is_refused(named: list[str], why: str) -> None:
    """A query that is not there, or has no judgement."""
    judged = collection(queries=12)
    some = replace(judged, qrels={q: g for q, g in judged.qrels.items() if q != "q5"})

    with pytest.raises(InvalidInputError, match=why):
        split(some, Settings(), named)


def test_a_model_that_was_taught_on_a_held_out_query_is_no_start(tmp_path: Path) -> None:
    """Its folder says on which queries, without showing them."""
    judged = collection(queries=12)
    parts = split(judged, Settings())
    marks = [mark(judged.queries[query]) for query in parts.train]
    (tmp_path / RECORD).write_text(json.dumps({LEARNED: marks}), encoding="utf-8")
    learned = learned_before(str(tmp_path))

    refuse_what_was_learned("before", learned, judged, parts)
    again = split(judged, Settings(), [parts.train[0], *parts.held_out])
    with pytest.raises(ConfigurationError, match=f"1 of the .* '{parts.train[0]}' among them"):
        refuse_what_was_learned("before", learned, judged, again)


def test_a_record_that_cannot_be_read_is_no_permission(tmp_path: Path) -> None:
    """A model from elsewhere has none, and may be started from."""
    assert learned_before("cross-encoder/ms-marco-MiniLM-L6-v2") == set()

    (tmp_path / RECORD).write_text("{}", encoding="utf-8")
    with pytest.raises(ConfigurationError, match="does not say what"):
        learned_before(str(tmp_path))


def test_too_few_queries_are_refused() -> None:
    """With how many there are."""
    with pytest.raises(InvalidInputError, match="3 queries, 3 of them judged, are too few"):
        split(collection(queries=3), Settings())


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"loss": "mse"}, "loss"),
        ({"documents": 1}, "documents"),
        ({"steps": 0}, "steps"),
        ({"learning_rate": 3.0}, "learning_rate"),
        ({"held_out": 1.0}, "held_out"),
    ],
)
def test_settings_are_checked(wrong: dict[str, object], named: str) -> None:
    """By name."""
    with pytest.raises(ConfigurationError, match=named):
        Settings(**wrong)  # type: ignore[arg-type]
