"""The contract finds what a scorer gets wrong, and says which promise it broke."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from rerank_core.protocols import ChatRequest, ScorerBase
from rerank_core.testing import CONTRACT, FakeChat, FakeScorer, check_scorer


class _Wrong(ScorerBase):
    """A scorer that is right but for one thing, done to its scores."""

    def __init__(self, twist: Callable[[list[Any], Sequence[str]], Any], **declared: Any) -> None:
        self._twist, self._right = twist, FakeScorer()
        self.__dict__.update(declared)

    async def score(self, query: str, texts: Sequence[str]) -> Any:
        return self._twist(await self._right.score(query, texts), texts)


WRONG: dict[str, tuple[Any, str]] = {
    "one too few": (_Wrong(lambda scores, texts: scores[1:]), "one score for each text"),
    "sorted": (
        _Wrong(lambda scores, texts: sorted(scores, reverse=True)),
        "in input order",
    ),
    "not 0..1": (_Wrong(lambda scores, texts: [10 * s for s in scores]), "from 0 to 1"),
    "whole numbers": (_Wrong(lambda scores, texts: [round(s) for s in scores]), "Python floats"),
    "lower is better": (_Wrong(lambda scores, texts: [1 - s for s in scores]), "Higher is better"),
    "by the list": (
        _Wrong(lambda scores, texts: [s / max([*scores, 0.01]) for s in scores]),
        "does not depend on the texts beside",
    ),
    "raises on nothing": (
        _Wrong(lambda scores, texts: scores if len(scores) else 1 / 0),
        "No texts have no scores",
    ),
    "raises on a long text": (
        _Wrong(lambda scores, texts: scores if max(map(len, texts), default=0) < 9999 else 1 / 0),
        "a megabyte",
    ),
    "gives up beside a blank text": (
        _Wrong(lambda scores, texts: scores if "" not in texts else [None] * len(scores)),
        "strange text",
    ),
}


@pytest.mark.parametrize(("scorer", "said"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_named(scorer: Any, said: str) -> None:
    """By the promise that is broken."""
    with pytest.raises(AssertionError, match=said):
        check_scorer(scorer)


def test_a_function_is_a_scorer_too() -> None:
    """A plain one, which sees all texts at once."""
    check_scorer(lambda query, texts: [float("apples" in text) for text in texts])


def test_it_works_where_a_loop_is_running() -> None:
    """In a notebook, say."""

    async def main() -> None:
        check_scorer(FakeScorer())

    asyncio.run(main())


def test_every_promise_says_what_it_is() -> None:
    """In the first line of its docstring, which the failure quotes."""
    assert all((promise.__doc__ or "").count(".") for promise in CONTRACT)


def test_a_fake_fails_as_it_is_told() -> None:
    """And notes what it was asked before."""
    fake = FakeScorer(fails=RuntimeError("down"))

    with pytest.raises(RuntimeError, match="down"):
        asyncio.run(fake.score("q", ["a", "b"]))
    assert fake.asked == [["a", "b"]]


def test_a_fake_chat_model_answers_in_turn() -> None:
    """Its last answer stands from then on, and it may be a function of the request."""
    request = ChatRequest(system="s", user="u")
    fake = FakeChat(["one", "two"])
    replies = [asyncio.run(fake.complete(request)).text for _ in range(3)]

    assert replies == ["one", "two", "two"]
    assert fake.requests == [request] * 3
    assert asyncio.run(FakeChat(lambda asked: asked.user).complete(request)).text == "u"
    with pytest.raises(RuntimeError, match="down"):
        asyncio.run(FakeChat([], fails=RuntimeError("down")).complete(request))
