"""A model that finds nothing relevant has answered, and the ranking says so."""

from __future__ import annotations

from typing import Any

import pytest
from loopback import Answer, fixed
from loopback.judges import Messages, text_of

from llm.conftest import ANSWER, FILLER, QUERY, TEXTS, Rank, Serve, grades
from rerank_core import Reason, Reranker
from rerank_core.scorers import LLMScorer

GRADING: list[tuple[dict[str, Any], str]] = [
    ({"strategy": "batch"}, '{"scores": []}'),
    ({"strategy": "batch"}, "[]"),
    ({"strategy": "batch", "passes": 2}, "None of the documents is relevant."),
    ({"strategy": "batch", "long_documents": "best-passage"}, "No relevant passages."),
    ({"strategy": "pointwise"}, "The document is not relevant."),
    ({"strategy": "pointwise"}, "None is relevant."),
]
ORDERING: list[tuple[dict[str, Any], str]] = [
    ({}, '{"order": []}'),
    ({"passes": 3}, "None of the documents is relevant."),
    ({"algorithm": "blocks", "window": 5}, "Keines der Dokumente ist relevant."),
    ({"algorithm": "top-down", "window": 5}, "[]"),
    ({"algorithm": "sliding-window", "window": 5, "algorithm_options": {"step": 2}}, "[]"),
]


@pytest.mark.parametrize(("options", "reply"), GRADING)
def test_it_is_the_lowest_grade_for_all(
    serve: Serve, rank_by_either: Rank, options: dict[str, Any], reply: str
) -> None:
    """Nobody is unscored, nothing is degraded, and nothing is asked twice."""
    serve(fixed(reply))

    ranking = rank_by_either(texts=TEXTS[-5:], **options)

    assert grades(ranking) == [0.0] * 5
    assert (ranking.report.coverage, ranking.report.degraded) == (1.0, False)
    assert ranking.report.retries == 0


@pytest.mark.parametrize(("options", "reply"), GRADING)
def test_a_threshold_then_lets_nothing_through(
    serve: Serve, options: dict[str, Any], reply: str
) -> None:
    """The answer to a question that the documents do not answer is no document."""
    serve(fixed(reply))

    with Reranker(LLMScorer(**options), threshold=0.3) as reranker:
        ranking = reranker.rank(QUERY, TEXTS[-5:])

    assert list(ranking) == []
    assert len(ranking.all) == 5


@pytest.mark.parametrize(("options", "reply"), ORDERING)
def test_in_an_order_all_stay_as_the_retriever_had_them(
    serve: Serve, rank_by_either: Rank, options: dict[str, Any], reply: str
) -> None:
    """All were judged."""
    serve(fixed(reply))

    ranking = rank_by_either(strategy="listwise", **options)

    assert [hit.index for hit in ranking.all] == list(range(len(TEXTS)))
    assert (ranking.report.coverage, ranking.report.degraded) == (1.0, False)


def test_whom_another_group_names_comes_first(serve: Serve, rank: Rank) -> None:
    """A group without a relevant document stands behind one that has some."""

    def judge(messages: Messages, body: object) -> str:
        return '{"order": [1]}' if ANSWER in text_of(messages) else '{"order": []}'

    serve(judge)

    ranking = rank(
        texts=[*FILLER[:9], ANSWER], strategy="listwise", algorithm="blocks", window=5,
        algorithm_options={"replicas": 1},
    )  # fmt: skip

    assert ranking.all[0].index == 5


@pytest.mark.parametrize("strategy", ["batch", "pointwise", "listwise"])
@pytest.mark.parametrize("reply", ["I cannot help with that.", "{}", "None", '{"order": ['])
def test_a_refusal_is_no_such_answer(serve: Serve, rank: Rank, strategy: str, reply: str) -> None:
    """Nothing is known of the documents, and the reason says it."""
    serve(fixed(reply))

    ranking = rank(texts=TEXTS[-3:], strategy=strategy)

    assert ranking.report.coverage == 0.0
    assert Reason.UNPARSEABLE in ranking.report.reasons


@pytest.mark.parametrize("first_id", [1, 0])
def test_more_ids_than_were_asked_cost_nothing(serve: Serve, rank: Rank, first_id: int) -> None:
    """Five asked, eleven graded: the five have their grades."""
    named = range(first_id, first_id + 11)
    entries = ", ".join(f'{{"id": {name}, "score": {name % 10}}}' for name in named)
    serve(fixed(f'{{"scores": [{entries}]}}'))

    ranking = rank(texts=TEXTS[-5:])

    assert grades(ranking) == [pytest.approx(grade / 10) for grade in range(1, 6)]
    assert ranking.report.coverage == 1.0


def test_a_number_that_was_cut_off_is_no_grade(serve: Serve, rank: Rank) -> None:
    """`2: 1` may have been going to be 10; what stands before it counts."""
    serve(fixed(Answer("1: 8\n2: 1", finish_reason="length")))

    assert grades(rank(texts=TEXTS[-2:]))[0] == pytest.approx(0.8)
