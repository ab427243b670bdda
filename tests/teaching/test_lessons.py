"""What a student is shown, and what asking the teacher may cost."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from lessons import collection

from rerank_core import Candidate, ConfigurationError, Reranker
from rerank_core.evaluation import Journal, Run, of_candidates
from rerank_core.evaluation.run import Ranked
from rerank_core.runtime.usage import record
from rerank_core.teaching import Settings
from rerank_core.teaching.asking import scores_of
from rerank_core.teaching.examples import columns, examples

JUDGED = of_candidates(
    {"q": "which?", "r": "all the same?"},
    {
        "q": [Candidate(f"text {d}", id=f"{d}") for d in range(8)],
        "r": [Candidate(f"text {d}", id=f"{d}") for d in range(8)],
    },
    {},
)
TEACHER = Run(
    "wise",
    {
        "q": Ranked(
            ["7", "3", "5", "0", "1", "2", "4", "6"], [9.0, 7.0, 2.0, 1.0, 1.0, 1.0, None, 0.0]
        ),
        "r": Ranked([str(d) for d in range(8)], [5.0] * 8),
    },
)


def test_the_best_and_the_hard_are_learned_from() -> None:
    """The teacher's best, and of the others the retriever's first; nothing without a score."""
    (one,) = examples(JUDGED, TEACHER, ["q"], documents=4)

    assert one.query == "which?"
    assert one.texts == ("text 7", "text 3", "text 0", "text 1")
    assert one.scores == (9.0, 7.0, 1.0, 1.0)
    (whole,) = examples(JUDGED, TEACHER, ["q"], documents=99)
    assert len(whole.texts) == 7


def test_where_the_teacher_sees_no_difference_nothing_is_learned() -> None:
    """Nor of a query that it has no scores for."""
    assert examples(JUDGED, TEACHER, ["r", "unknown"], documents=4) == []


def test_a_list_has_the_order_whatever_the_scale() -> None:
    """Grades: how many different scores are below."""
    shown = columns(examples(JUDGED, TEACHER, ["q"], documents=4), Settings())

    assert shown["docs"] == [["text 7", "text 3", "text 0", "text 1"]]
    assert shown["labels"] == [[2.0, 1.0, 0.0, 0.0]]


def test_margins_have_the_distances_of_the_scores() -> None:
    """Of the two best to what is below them, on one scale for all queries; no tie among them."""
    shown = columns(examples(JUDGED, TEACHER, ["q"], documents=4), Settings(loss="margin"))

    assert list(zip(shown["positive"], shown["negative"], strict=True)) == [
        ("text 7", "text 3"),
        ("text 7", "text 0"),
        ("text 7", "text 1"),
        ("text 3", "text 0"),
        ("text 3", "text 1"),
    ]
    first, second, *_ = shown["label"]
    assert second == pytest.approx(4 * first)  # type: ignore[operator]


class Dear:
    """A teacher that costs so many US dollars a query, and counts."""

    def __init__(self, cost: float | None) -> None:
        self.cost, self.asked = cost, 0

    def __call__(self, query: str, texts: Sequence[str]) -> list[float]:
        self.asked += 1
        record(calls=1, cost=self.cost)
        return [float(len(text)) for text in texts]


def test_a_teacher_is_asked_within_the_budget(tmp_path: Path) -> None:
    """In order, until the next would not be paid for; started again with more, it goes on."""
    judged, teacher = collection(queries=10), Dear(0.25)
    order = list(judged.candidates)

    with Reranker(teacher) as reranker:
        for budget, known in ((1.1, 4), (1.6, 6), (None, 10)):
            found = scores_of(
                reranker,
                "dear",
                judged,
                order,
                journal=Journal(tmp_path / "scores.jsonl"),
                max_cost=budget,
            )
            assert list(found.run.rankings) == order[:known]
            assert (found.cost, found.unasked) == (pytest.approx(0.25 * known), 10 - known)
            assert teacher.asked == known


def test_a_budget_wants_a_price(tmp_path: Path) -> None:
    """Else nobody knows when it is spent; without a budget the cost is unknown, and no more."""
    judged = collection(queries=4)

    def ask(max_cost: float | None) -> float | None:
        with Reranker(Dear(None)) as reranker:
            return scores_of(
                reranker,
                "dear",
                judged,
                list(judged.candidates),
                journal=Journal(tmp_path / f"{max_cost}.jsonl"),
                max_cost=max_cost,
            ).cost

    with pytest.raises(ConfigurationError, match="give it a price="):
        ask(1.0)
    assert ask(None) is None
    with pytest.raises(ConfigurationError, match="max_cost is US dollars above 0"):
        ask(0.0)
