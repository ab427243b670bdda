"""A server that judges as a careful model would: by how many of the query's words a passage has."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from loopback import Answer, OpenAIAPI
from loopback.judges import Messages, text_of

from rerank_core import Candidate
from rerank_core.evaluation import Collection, of_candidates

_PASSAGE = re.compile(r"^<<<(\w+)\n(.*?)\n\1>>>$", re.DOTALL | re.MULTILINE)
_QUERY = re.compile(r"^(?:Query|Somebody searched for): (.*)$", re.MULTILINE)


def asked(messages: Messages) -> tuple[str, str, bool]:
    """Query, passage, and whether it is the second form, of a question to the judge."""
    said = text_of(messages)
    return _QUERY.findall(said)[-1], _PASSAGE.search(said)[2], "Somebody" in said  # type: ignore[index]


def by_words(query: str, passage: str, turned: bool) -> int:
    """3 for all of the query's words, 0 for none."""
    wanted = set(query.lower().split())
    return 3 * len(wanted & set(passage.lower().split())) // len(wanted)


def assessor(
    grade: Callable[[str, str, bool], int] = by_words, say: str = "##final score: {}"
) -> Callable[[Messages, Mapping[str, Any]], str | Answer]:
    """Says the grade as the rubric wants it."""
    return lambda messages, body: say.format(grade(*asked(messages)))


def judge_api(grade: Callable[[str, str, bool], int] = by_words, **more: Any) -> OpenAIAPI:
    return OpenAIAPI(assessor(grade), **more)


def collection(queries: Sequence[str], documents: Sequence[str]) -> Collection:
    """Every query with all the documents, in this order."""
    found = {
        f"q{q}": [Candidate(text, id=f"d{d}") for d, text in enumerate(documents)]
        for q in range(len(queries))
    }
    return of_candidates({f"q{q}": text for q, text in enumerate(queries)}, found, {}, "retriever")


QUERIES = ["capital of italy", "capital of france", "yellow bananas"]
DOCUMENTS = ["rome capital of italy", "paris capital of france", "yellow bananas", "oslo"]
