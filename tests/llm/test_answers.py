"""Where in a completion the answer stands, and what a server refused of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from loopback import Answer, sequence

from llm.conftest import Rank, Serve, grades

REPLY = '{"scores": [{"id": 1, "score": 2}, {"id": 2, "score": 9}]}'
THOUGHT = {"type": "thinking", "thinking": [{"type": "text", "text": "1 gets 8, 2 gets 0"}]}
CALL = {"id": "c", "type": "function", "function": {"name": "answer", "arguments": REPLY}}

ELSEWHERE: Mapping[str, Mapping[str, Any]] = {
    "text block": {"content": [{"type": "text", "text": REPLY}]},
    "text in two blocks": {
        "content": [{"type": "text", "text": REPLY[:20]}, {"type": "text", "text": REPLY[20:]}]
    },
    "block after a thought": {"content": [THOUGHT, {"type": "text", "text": REPLY}]},
    "output_text": {"content": [{"type": "output_text", "text": REPLY}]},
    "one block without a list": {"content": {"type": "text", "text": {"value": REPLY}}},
    "tool call": {"content": None, "tool_calls": [CALL]},
    "tool call with an object": {
        "content": "",
        "tool_calls": [{"function": {"arguments": {"1": 2, "2": 9}}}],
    },
    "function call": {"content": None, "function_call": CALL["function"]},
    "reasoning_content": {"content": None, "reasoning_content": REPLY},
    "reasoning": {"content": " ", "reasoning": REPLY},
    "answer beside a thought": {"content": REPLY, "reasoning_content": "1 gets 8, 2 gets 0"},
}


@pytest.mark.parametrize("name", ELSEWHERE)
def test_the_answer_is_read_wherever_it_stands(serve: Serve, rank: Rank, name: str) -> None:
    """By one call; what was only thought does not count where there is an answer."""
    server = serve(sequence([Answer(None, message=ELSEWHERE[name])]))

    ranking = rank(texts=["a", "b"])

    assert grades(ranking) == [0.2, 0.9]
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "message",
    [
        {"content": None, "tool_calls": "none"},
        {"content": 7},
        {"content": [None, {"type": "text"}]},
        {"content": None, "tool_calls": [None, {"function": None}], "reasoning": 3},
    ],
)
def test_a_message_of_no_known_shape_is_no_answer(
    serve: Serve, rank: Rank, message: Mapping[str, Any]
) -> None:
    """It is told as such; nothing is raised."""
    serve(sequence([Answer(None, message=message)]))

    ranking = rank(texts=["a", "b"])

    assert ranking.report.coverage == 0.0


def broken(written: Any) -> Answer:
    """As Groq answers where its model's reply breaks the schema."""
    return Answer(
        "Failed to generate JSON.",
        status=400,
        error={"code": "json_validate_failed", "failed_generation": written},
    )


@pytest.mark.parametrize("written", [REPLY[:-2], f"Here you are: {REPLY}", "1: 2\n2: 9"])
def test_what_broke_the_schema_is_read_all_the_same(serve: Serve, rank: Rank, written: str) -> None:
    """Without a second call, and the schema is asked for again the next time."""
    server = serve(sequence([REPLY, broken(written), REPLY]))

    for _ in range(3):
        assert grades(rank(texts=["a", "b"])) == [0.2, 0.9]

    assert ["response_format" in request.json for request in server.requests] == [True] * 3


@pytest.mark.parametrize("written", ["", None, "I cannot", REPLY[:36], 17])
@pytest.mark.parametrize("before", [[], [REPLY]], ids=["at first", "later"])
def test_what_cannot_be_read_in_full_is_asked_for_again_without_schema(
    serve: Serve, rank: Rank, written: Any, before: list[str]
) -> None:
    """Once, and in full; it is no refusal of the schema."""
    server = serve(sequence([*before, broken(written), REPLY]))

    for _ in range(len(before) + 1):
        ranking = rank(texts=["a", "b"])

    assert grades(ranking) == [0.2, 0.9]
    with_schema = ["response_format" in request.json for request in server.requests]
    assert with_schema[-2:] == [True, False]
    assert ranking.report.calls == 2
