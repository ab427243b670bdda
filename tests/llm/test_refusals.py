"""What a server and model refuse is found out once, by few calls, and remembered."""

from __future__ import annotations

import itertools

import pytest
from loopback import FAULTS, Answer, sequence
from loopback.openai_api import REFUSALS

from llm.conftest import ANSWER, TEXTS, Rank, Serve
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
