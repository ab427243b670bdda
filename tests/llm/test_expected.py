"""The grade that a model had in mind, from its log probabilities."""

from __future__ import annotations

import math

import pytest

from rerank_core.llm.expected import expected_grade
from rerank_core.protocols import Reply


def reply(text: str, *tokens: dict[str, float]) -> Reply:
    logprobs = [{token: math.log(share) for token, share in one.items()} for one in tokens]
    return Reply(text, logprobs=logprobs)


@pytest.mark.parametrize(
    ("said", "grade"),
    [
        (reply("7", {"7": 0.5, "8": 0.5}), 7.5),
        (reply("7", {"7": 0.6, " 9": 0.2, "x": 0.2}), 7.5),
        (reply("10", {"10": 0.75, "1": 0.25}), 7.75),
        (reply("Grade: 4", {"Grade": 1.0}, {": ": 1.0}, {"4": 0.5, "6": 0.5}), 5.0),
        (reply("7", {"7": 0.5, "77": 0.5}), 7.0),
        (reply("0", {"0": 1.0}), 0.0),
    ],
)
def test_it_is_the_mean_of_the_grades_considered(said: Reply, grade: float) -> None:
    """By their shares; what is no grade on the scale has no vote."""
    assert expected_grade(said, (0, 10)) == pytest.approx(grade / 10)


@pytest.mark.parametrize(
    ("said", "grade"),
    [
        (reply("10", {"1": 0.8, "8": 0.2}, {"0": 1.0}), 9.6),
        (reply("1", {"1": 1.0}, {"\n": 0.7, "0": 0.3}), 3.7),
        (reply("8", {"8": 0.8, "1": 0.2}), 8.0),
    ],
)
def test_where_digits_come_one_by_one_the_next_tells_1_from_10(said: Reply, grade: float) -> None:
    """And a 1 that was not chosen has no vote, since nothing tells."""
    assert expected_grade(said, (0, 10)) == pytest.approx(grade / 10)


@pytest.mark.parametrize(
    "said",
    [
        reply("7"),
        reply("7 or 8", {"7": 1.0}),
        reply("seven", {"seven": 1.0}),
        reply("11", {"11": 1.0}),
        reply("7", {"x": 1.0}),
        reply("", {}),
    ],
    ids=lambda said: said.text or "empty",
)
def test_what_cannot_be_told_is_left_to_the_text(said: Reply) -> None:
    """No single grade on the scale, or no log probabilities of it."""
    assert expected_grade(said, (0, 10)) is None
