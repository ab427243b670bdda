"""A reply that is the prompt over again is no answer; one that quotes from it may be."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from llm.conftest import grades
from rerank_core import Ranking, Reason, Reranker
from rerank_core.llm.prompts import PROMPTS, Prompt, StrategyName
from rerank_core.protocols import ChatRequest, Reply
from rerank_core.scorers import LLMScorer

QUERY = "how long does a refund take, and who pays for the way back of a parcel"
TEXTS = [f"Refunds, part {n}: 1: 9, 2: 8. The score of a parcel is {n} of 10." for n in range(8)]
SHORT = Prompt(system="Grade.", user="{query} {documents} From {low} to {high}, one for each:")


class Saying:
    """A chat model that answers with what `answer` makes of the request."""

    model = "saying"

    def __init__(self, answer: Any) -> None:
        self.answer = answer

    async def complete(self, request: ChatRequest) -> Reply:
        """That."""
        return Reply(self.answer(request))


def ranked(answer: Any, **options: Any) -> Ranking:
    with Reranker(LLMScorer(Saying(answer), **options), top_n=None, timeout=20) as reranker:
        return reranker.rank(QUERY, TEXTS)


WAYS = {
    "all": lambda request: f"system: {request.system}\nuser: {request.user}\nassistant: ",
    "the question": lambda request: request.user,
    "the orders": lambda request: request.system,
    "cut off": lambda request: (request.system + request.user)[:260],
    "the end": lambda request: request.user[-240:],
    "in one line": lambda request: " ".join(request.system.split()),
    "with an answer": lambda request: f'{request.system}\n{request.user}\n{{"1": 9, "2": 3}}',
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("strategy", PROMPTS)
def test_it_is_refused_and_scores_nothing(strategy: StrategyName, way: str) -> None:
    """Whole or in part, by every strategy: the report says why, and the order stays."""
    ranking = ranked(WAYS[way], strategy=strategy)

    assert Reason.UNPARSEABLE in ranking.report.reasons
    assert ranking.report.coverage == 0
    assert grades(ranking) == [None] * len(TEXTS)
    assert [hit.index for hit in ranking] == list(range(len(TEXTS)))


def test_the_report_says_what_it_was() -> None:
    """By the model's name."""
    why = ranked(WAYS["all"]).report.why

    assert "from the reply of saying, which is the prompt over again: 'system: You grade" in why


def test_of_a_prompt_of_ones_own() -> None:
    """However little it says beside the documents."""
    assert ranked(WAYS["all"], prompt=SHORT).report.coverage == 0


ANSWER = '{"1":9,"2":8,"3":1,"4":0,"5":0,"6":2,"7":0,"8":10}'
THOUGHTS = (
    "We are to answer with JSON only, on one line without spaces: every id from 1 to 8, each with "
    "its grade from 0 to 10. The first document is about refunds and says how long one takes, the "
    "second about who pays. The others are about something else altogether, or only on the topic. "
)


QUOTING: Mapping[str, Callable[[ChatRequest], str]] = {
    "the query": lambda request: f"Query: {QUERY}\n",
    "the passages": lambda request: "\n".join(TEXTS),
    "fences and all": lambda request: request.user[request.user.index("[1] <<<") :].rpartition(
        ">>>"
    )[0],
    "orders": lambda request: THOUGHTS,
    "in thought": lambda request: f"<think>{request.system}\n{request.user}</think>",
}


@pytest.mark.parametrize("what", QUOTING)
def test_a_quotation_is_none(what: str) -> None:
    """Of the query, the passages, an order or two; or in what the model thinks."""
    ranking = ranked(lambda request: f"{QUOTING[what](request)}\n\n{ANSWER}")

    assert not ranking.report.reasons
    assert grades(ranking)[:2] == [0.9, 0.8]
