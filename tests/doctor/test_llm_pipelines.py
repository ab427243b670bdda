"""The causes that an LLM brings, seen through the real LLM scorer: prompts, groups, parsing."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

import pytest

pytest.importorskip("ir_measures")

from llm_prompts import read_prompt
from planted import asked, world

from rerank_core.doctor import Cause
from rerank_core.protocols import ChatRequest, Reply
from rerank_core.scorers import LLMScorer

pytestmark = pytest.mark.slow

Grader = Callable[[str, Sequence[str]], Sequence[float]]


class Chat:
    """Grades the documents of a prompt by a function of the query and their texts."""

    model = "made-up"

    def __init__(self, grade: Grader | None) -> None:
        self.grade = grade

    async def complete(self, request: ChatRequest) -> Reply:
        """A reply in JSON, or none that can be read."""
        if self.grade is None:
            return Reply("I am sorry, I cannot help with that.")
        prompt = read_prompt(request.user)
        names = [name for name, _ in prompt.documents]
        grades = self.grade(prompt.query, [text for _, text in prompt.documents])
        rows = [{"id": int(n), "score": round(g)} for n, g in zip(names, grades, strict=True)]
        return Reply(json.dumps({"scores": rows}))


def shared(query: str, texts: Sequence[str]) -> list[float]:
    """The share of the query's made-up words in each text, from 0 to 10."""
    wanted = query.split()[2:8]
    return [10 * sum(word in text for word in wanted) / len(wanted) for text in texts]


def front_first(query: str, texts: Sequence[str]) -> list[float]:
    """Half of the grade is for standing in the first half of the group."""
    fair = shared(query, texts)
    return [g / 2 + 5 * (place < len(texts) / 2) for place, g in enumerate(fair)]


def ends_first(query: str, texts: Sequence[str]) -> list[float]:
    """The middle of a group is what the model does not look at."""
    fair = shared(query, texts)
    middle = (len(texts) - 1) / 2
    return [g / 2 + 5 * abs(place / middle - 1) ** 2 for place, g in enumerate(fair)]


@pytest.mark.parametrize(
    ("grade", "cause"),
    [
        (shared, None),
        (None, Cause.UNREADABLE),
        (front_first, Cause.POSITION),
        (ends_first, Cause.POSITION),
        (lambda query, texts: [7.0] * len(texts), Cause.TIED),
    ],
    ids=["healthy", "refuses", "front first", "ends first", "one grade for all"],
)
def test_replies(grade: Grader | None, cause: Cause | None) -> None:
    """Honest grades with their ties are healthy; each fault is named first."""
    found = asked(world(30, 30, seed=3), LLMScorer(Chat(grade)))

    assert (found[0].cause if found else None) == cause


@pytest.mark.parametrize(("max_chars", "cause"), [(300, Cause.TRUNCATION), (3000, None)])
def test_truncation(max_chars: int, cause: Cause | None) -> None:
    """Documents that come to the point late need to be shown whole."""
    long = world(30, 30, seed=3, head=120, length=(150, 200))

    found = asked(long, LLMScorer(Chat(shared), max_chars=max_chars))

    assert (found[0].cause if found else None) == cause
