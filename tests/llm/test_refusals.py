"""What a server and model refuse is found out once, by few calls, and remembered."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any

import pytest
from llm_prompts import answering
from loopback import FAULTS, Answer, Request, fixed, sequence
from loopback.judges import Judge, Messages
from loopback.openai_api import REFUSALS

from llm.conftest import ANSWER, TEXTS, Rank, Serve, grades
from rerank_core import Reason

PARAMETERS = ["json_schema", "response_format", "temperature", "logprobs", "max_completion_tokens"]
SETS = [{first, second} for first, second in itertools.combinations(PARAMETERS, 2)] + [
    {"max_tokens", "max_completion_tokens"},
    set(PARAMETERS),
    set(REFUSALS),
]


@pytest.mark.parametrize("refuses", SETS, ids=lambda refuses: "+".join(sorted(refuses)))
@pytest.mark.parametrize("strategy", ["batch", "pointwise"])
def test_any_of_them_may_be_refused(
    serve: Serve, rank: Rank, strategy: str, refuses: set[str]
) -> None:
    """The ranking is whole; from then on nothing is refused any more."""
    server = serve(refuses=refuses)

    first = rank(texts=TEXTS[-3:], strategy=strategy, concurrency=1)
    before = len(server.requests)
    again = rank(texts=TEXTS[-3:], strategy=strategy, concurrency=1)

    assert first.all[0].text == again.all[0].text == ANSWER
    assert (first.report.coverage, first.report.retries) == (1.0, 0)
    assert len(server.requests) - before == (1 if strategy == "batch" else 3)


def test_first_calls_at_once_do_not_multiply(serve: Serve, rank: Rank) -> None:
    """Ten calls, four refusals: those ten, one call a refusal, and the ten again."""
    server = serve(
        refuses={"response_format", "temperature", "max_completion_tokens", "max_tokens"}
    )

    ranking = rank(group_size=1, texts=TEXTS[-10:])

    assert ranking.report.coverage == 1.0
    assert len(server.requests) <= 10 + 4 + 10


@pytest.mark.parametrize("model", ["o3-mini", "gpt-5-nano"])
def test_a_reasoning_model_is_asked_as_it_likes(serve: Serve, rank: Rank, model: str) -> None:
    """Without temperature and log probabilities, with little effort and room to think."""
    server = serve(refuses={"temperature", "logprobs", "max_tokens"})

    ranking = rank(texts=[ANSWER], model=model, strategy="pointwise")

    (request,) = server.requests
    assert ranking.report.coverage == 1.0
    assert request.json["reasoning_effort"] in ("low", "minimal")
    assert request.json["max_completion_tokens"] > 4000


def test_a_model_that_thinks_first_gets_room_once_it_was_cut_off(serve: Serve, rank: Rank) -> None:
    """One whose name does not say so; the next call has the room from the start."""
    server = serve(sequence([Answer("<think>hm", finish_reason="length"), "7"]))

    ranking = rank(texts=[ANSWER], strategy="pointwise")
    rank(texts=[ANSWER], strategy="pointwise")

    limits = [request.json["max_completion_tokens"] for request in server.requests]
    assert ranking.report.coverage == 1.0
    assert len(limits) == 3
    assert limits[0] < 100 < 4000 < limits[1] == limits[2]


@pytest.mark.parametrize(
    "first",
    [
        Answer("9", finish_reason="length", reasoning_tokens=32),
        Answer(None, finish_reason="length"),
        Answer(None, finish_reason="length", message={"reasoning_content": "Document 1: 3? No"}),
    ],
    ids=["reported", "empty", "thoughts only"],
)
def test_what_shows_that_a_model_thinks(serve: Serve, rank: Rank, first: Answer) -> None:
    """Tokens that its usage tells, no answer at all, or thoughts in a field of their own."""
    server = serve(sequence([first, "7"]))

    ranking = rank(texts=[ANSWER], strategy="pointwise")

    assert grades(ranking) == pytest.approx([0.7])
    assert [limit(request) > 4000 for request in server.requests] == [False, True]


def test_one_that_only_talks_too_much_gets_no_room(serve: Serve, rank: Rank) -> None:
    """What it said is read, and the next call's limit is the first one's."""
    server = serve(sequence([Answer("7, since it is", finish_reason="length"), "8"]))

    assert grades(rank(texts=[ANSWER], strategy="pointwise")) == pytest.approx([0.7])
    assert grades(rank(texts=[ANSWER], strategy="pointwise")) == pytest.approx([0.8])
    assert {limit(request) < 100 for request in server.requests} == {True}


def test_room_that_did_not_help_is_taken_back(serve: Serve, rank: Rank) -> None:
    """It is tried twice in all; from then on a call is a call."""
    server = serve(fixed(Answer(None, finish_reason="length")))

    for _ in range(4):
        rank(texts=[ANSWER], strategy="pointwise", max_calls=1)

    roomy = [limit(request) > 4000 for request in server.requests]
    assert roomy[:4] == [False, True, False, True]
    assert not any(roomy[4:])


def limit(request: Request) -> int:
    return int(request.json["max_completion_tokens"])


def test_a_refusal_that_names_nothing_is_tried_once_without_all(serve: Serve, rank: Rank) -> None:
    """If it was none of them, they are sent again next time."""
    server = serve(None, FAULTS["bad-request"])

    ranking = rank(texts=[ANSWER])
    server.faults.clear()
    rank(texts=[ANSWER])

    assert ranking.report.reasons == (Reason.REQUEST,)
    assert len(server.requests) == 3
    assert "temperature" not in server.requests[1].json
    assert "temperature" in server.requests[2].json


UNRELATED = [
    Answer("The gateway is not ready", status=400),
    Answer("Bad request", status=422),
    Answer("We could not moderate this: '24 C is the temperature of Rome'", status=400),
]


@pytest.mark.parametrize("error", UNRELATED, ids=lambda error: error.text.split()[-1])
def test_one_refusal_about_something_else_takes_nothing_away(
    serve: Serve, rank: Rank, error: Answer
) -> None:
    """Not from the second ranking on, also where its words name a parameter that was taken."""
    server = serve(sequence([error, *["7"] * 9]))

    first = rank(texts=[ANSWER], scale=(0, 10))
    for _ in range(2):
        rank(texts=[ANSWER])

    last = server.requests[-1].json
    assert first.report.coverage == 1.0
    assert {"response_format", "max_completion_tokens"} < set(last)
    assert ("temperature" in last) == ("temperature" not in error.text)


@pytest.mark.parametrize("parameter", ["response_format", "temperature", "max_completion_tokens"])
def test_a_server_that_never_says_what_it_refuses_is_found_out(
    serve: Serve, rank: Rank, parameter: str
) -> None:
    """One part after the other is left out, and only the one that it was stays away."""

    def judge(messages: Messages, body: Mapping[str, Any]) -> str | Answer:
        return Answer("Invalid request", status=400) if parameter in body else "7"

    server = serve(judge)
    rankings = [rank(texts=[ANSWER]) for _ in range(3)]
    before = len(server.requests)
    rankings.append(rank(texts=[ANSWER]))

    assert all(ranking.report.coverage == 1.0 for ranking in rankings)
    assert len(server.requests) == before + 1
    kept = {"response_format", "temperature", "max_completion_tokens"} - {parameter}
    assert kept < set(server.requests[-1].json)


NO_SYSTEM = [
    (400, "System role not supported"),
    (400, "Conversation roles must alternate user/assistant/user/assistant/..."),
    (400, "Developer instruction is not enabled for models/gemma-3-27b-it"),
    (400, "Unsupported value: 'messages[0].role' does not support 'system' with this model."),
    (422, "Only user and assistant roles are supported!"),
    (500, "Jinja Exception: System role not supported"),
    (400, "The request is not valid"),
]


@pytest.mark.parametrize(("status", "words"), NO_SYSTEM, ids=[words for _, words in NO_SYSTEM])
@pytest.mark.parametrize("strategy", ["batch", "pointwise", "listwise"])
def test_a_model_without_a_system_role_is_asked_by_the_user_alone(
    serve: Serve, rank: Rank, strategy: str, status: int, words: str
) -> None:
    """The system text stands before the user's, and is not sent as such any more."""
    judge = refusing_system(Answer(words, status=status))
    server = serve(judge)

    for _ in range(2):
        rank(texts=TEXTS[-2:], strategy=strategy)
    before = len(server.requests)
    last = rank(texts=TEXTS[-2:], strategy=strategy)

    assert last.all[0].text == ANSWER
    assert last.report.calls == len(server.requests) - before
    (message,) = server.requests[-1].json["messages"]
    assert message["role"] == "user"
    assert message["content"].startswith("You ")


def refusing_system(error: Answer) -> Judge:
    judge = answering()

    def judge_without(messages: Messages, body: Mapping[str, Any]) -> Any:
        return error if messages[0]["role"] == "system" else judge(messages, body)

    return judge_without
