"""What is handed over: read once, in one list, with what is odd about it."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest

pytest.importorskip("numpy")
pytest.importorskip("pandas")

import numpy
import pandas

from rerank_core import InvalidInputError, Reranker
from rerank_core.errors import Reason
from rerank_core.ranking.given import Retrieved

TEXTS = ["Paris", "Rome, capital of Italy", "Oslo"]
QUERY = "capital of Italy"


def by_italy(query: str, texts: list[str]) -> list[float]:
    return [float("Italy" in text) for text in texts]


class Once:
    """Can be iterated once, and not indexed."""

    def __init__(self) -> None:
        self.left = iter(TEXTS)

    def __iter__(self) -> Any:
        return self.left


async def awaited() -> AsyncIterator[str]:
    yield "text"


@pytest.mark.parametrize(
    "documents",
    [
        (text for text in TEXTS),
        map(str.strip, TEXTS),
        filter(None, TEXTS),
        dict.fromkeys(TEXTS).keys(),
        deque(TEXTS),
        tuple(TEXTS),
        numpy.array(TEXTS),
        Once(),
        pandas.Series(TEXTS, index=[2, 0, 1]),
        pandas.Series(["x", *TEXTS])[lambda kept: kept != "x"],
        pandas.Series(TEXTS).sample(frac=1, random_state=1),
    ],
    ids=lambda documents: type(documents).__name__,
)
def test_whatever_has_documents_is_read_once(documents: Any) -> None:
    """By position, never by label: a hit's document is the one that was scored."""
    ranking = Reranker(by_italy, top_n=None).rank(QUERY, documents)

    assert ranking[0].document == ranking[0].text == TEXTS[1]
    assert sorted(hit.document for hit in ranking) == sorted(TEXTS)


@pytest.mark.parametrize(
    ("documents", "words"),
    [
        (None, "a NoneType: pass a list"),
        (7, "an? int: pass a list"),
        (b"text", "one document"),
        ({"text": "a"}, "one document"),
        (pandas.DataFrame({"text": TEXTS}), r'pass df\.to_dict\("records"\)'),
        (SimpleNamespace(columns=["text"], to_dicts=list), r"pass df\.to_dicts\(\)"),
        (awaited(), "async for"),
    ],
    ids=lambda given: type(given).__name__,
)
def test_what_is_no_several_documents_is_refused(documents: Any, words: str) -> None:
    """With what to pass instead."""
    with pytest.raises(InvalidInputError, match=words):
        Reranker(by_italy).rank(QUERY, documents)


@pytest.mark.parametrize(
    "odd",
    [
        *("", "n.a.", "12 %", [0.5], (0.1, 0.2), {}, 10**400, True, 1j, object()),
        *(numpy.bool_(True), numpy.array([0.5]), pandas.NA),
    ],
    ids=lambda odd: f"{odd!r:.12}",
)
def test_one_odd_score_is_missing(odd: Any) -> None:
    """The report names the document; nothing is degraded by it, and the others keep theirs."""
    documents = [{"text": "a", "score": 0.5}, {"text": "b", "score": odd}]

    ranking = Reranker(by_italy).rank(QUERY, documents)

    assert [hit.text for hit in ranking] == ["a", "b"]
    assert [hit.components.get("retrieval") for hit in ranking] == [0.5, None]
    assert "no number, and counts as missing: document 1 (" in ranking.report.why
    assert ranking.report.reasons == (Reason.SIGNAL,)
    assert not ranking.report.degraded
    assert ranking[1].document is documents[1]


@pytest.mark.parametrize(
    "number", [Decimal("0.75"), numpy.float32(0.75), numpy.array(0.75), "0.75", " 0.75 "]
)
def test_whatever_is_a_number_is_one(number: Any) -> None:
    """As a Python float."""
    (hit,) = Reranker(by_italy).rank(QUERY, [{"text": "a", "score": number}])

    assert hit.components["retrieval"] == 0.75
    assert type(hit.components["retrieval"]) is float


def test_a_field_that_holds_no_scores_is_refused() -> None:
    """Where not one document has a number there, it is no odd document."""
    with pytest.raises(InvalidInputError, match="number or None, not 'high', as in document 0"):
        Reranker(by_italy).rank(QUERY, [{"text": t, "score": "high"} for t in TEXTS])
    blank = Reranker(by_italy).rank(QUERY, [{"text": t, "score": ""} for t in TEXTS])
    assert blank.report.coverage == 1


def test_many_oddities_are_one_note() -> None:
    """The first of them by name."""
    documents = [{"text": "a", "score": 1}, *({"text": "b", "score": "?"} for _ in range(9))]

    (note,) = Reranker(by_italy).rank(QUERY, documents).report.notes

    assert "document 5 " in note
    assert note.endswith("and 4 more")


def read(document: Any) -> Any:
    if document == 13:
        raise ValueError("unlucky")
    return document


class TestRetrieved:
    """What a framework hands over: nothing of it ends a ranking."""

    @pytest.mark.parametrize("odd", [13, None, {"id": "no text"}, {"text": None}, 1.5])
    def test_a_document_that_cannot_be_read_is_not_scored(self, odd: Any) -> None:
        """It stands where the others' scores suggest, and is named."""
        asked: list[int] = []

        def scorer(query: str, texts: list[str]) -> list[float]:
            asked.append(len(texts))
            return by_italy(query, texts)

        ranking = Reranker(scorer).rank(
            QUERY, Retrieved.read([odd, "Rome in Italy", "Oslo", "Bergen"], read)
        )

        (hit,) = [hit for hit in ranking if not hit.scored]
        assert (hit.index, hit.text, asked) == (0, "", [3])
        assert hit.estimate in {other.score for other in ranking if other.scored}
        assert ranking.report.reasons == (Reason.DOCUMENT,)
        assert (ranking.report.coverage, ranking.report.degraded) == (0.75, True)
        assert "could not be read, and is not scored: document 0 (" in ranking.report.why

    def test_not_one_can_be_read(self) -> None:
        """The retriever's order, and nobody is asked."""
        ranking = Reranker(by_italy).rank(QUERY, Retrieved.read([13, 13], read))

        assert [hit.index for hit in ranking] == [0, 1]
        assert ranking.report.coverage == 0

    @pytest.mark.parametrize("blank", ["", " ", "\n\t\u3000"])
    def test_a_blank_query_is_the_retrievers_order(self, blank: str) -> None:
        """The best of it, and the reason."""
        told: list[Any] = []
        reranker = Reranker(by_italy, top_n=2, on_ranking=told.append)

        ranking = reranker.rank(blank, Retrieved.read(TEXTS, read))

        assert [hit.text for hit in ranking] == TEXTS[:2]
        assert ranking.report.reasons == (Reason.QUERY,)
        assert ranking.report.degraded
        assert told == [ranking]

    def test_anybody_else_is_told_at_the_door(self) -> None:
        """A blank query and a document without text are mistakes there."""
        with pytest.raises(InvalidInputError, match="query is empty"):
            Reranker(by_italy).rank(" ", TEXTS)
        with pytest.raises(InvalidInputError, match="document 1 has no text"):
            Reranker(by_italy).rank(QUERY, ["a", {"id": 1}])


class TestEstimates:
    """What an unscored candidate stands by; its `score` is None all the same."""

    def test_a_scored_one_needs_none(self) -> None:
        """It stands by its score."""
        assert {hit.estimate for hit in Reranker(by_italy).rank(QUERY, TEXTS)} == {None}

    @pytest.mark.parametrize("count", [1, 2, 7, 50])
    def test_where_nothing_was_scored_it_is_by_rank(self, count: int) -> None:
        """From 1 down to above one half: never a made-up 0."""
        ranking = Reranker(lambda q, t: [None] * len(t), top_n=None).rank(QUERY, ["text"] * count)

        estimates = [hit.estimate or 0.0 for hit in ranking]
        assert estimates[0] == 1.0
        assert estimates == sorted(set(estimates), reverse=True)
        assert estimates[-1] > 0.5
        assert {hit.score for hit in ranking} == {None}

    @pytest.mark.parametrize("missing", [{0}, {1, 3}, {0, 1, 2}])
    @pytest.mark.parametrize("fallback", [None, "bm25"])
    def test_it_falls_along_the_order(self, missing: set[int], fallback: Any) -> None:
        """With the scores, of whom it is always one."""
        grades = [0.25, 0.75, 0.5, 1.0]

        def scorer(query: str, texts: list[str]) -> list[float | None]:
            return [None if at in missing else grades[at] for at in range(len(texts))]

        ranking = Reranker(scorer, fallback=fallback).rank("b", ["a", "b", "c", "d"])

        stands = [hit.score if hit.scored else hit.estimate for hit in ranking]
        assert stands == sorted(stands, reverse=True)  # type: ignore[type-var]
        assert set(stands) <= set(grades)

    def test_beneath_the_depth_it_is_the_lowest(self) -> None:
        """They stand beneath what was scored."""
        ranking = Reranker(by_italy, depth=2).rank(QUERY, ["Italy", "Rome", "Oslo", "Bergen"])

        assert [hit.estimate for hit in ranking] == [None, None, 0.0, 0.0]

    def test_in_shadow_the_retrievers_scores_stay(self) -> None:
        """Nothing behind the reranker shall notice it."""
        documents = [{"text": t, "score": s} for t, s in zip(TEXTS, (0.4, 0.3, 0.2), strict=True)]

        ranking = Reranker(by_italy, shadow=0.0).rank(QUERY, documents)

        assert [hit.estimate for hit in ranking] == [0.4, 0.3, 0.2]


@pytest.mark.parametrize(
    ("document", "name"),
    [
        ({"scores": 1}, "score"),
        ({"Score": 0.5}, "score"),
        ({"_score": 0.5}, "score"),
        ({"socre": 0.5}, "score"),
        ({"scor": 2}, "score"),
        ({"ID": "a"}, "id"),
        ({"_id": 3}, "id"),
        ({"meta_data": {"page": 1}}, "metadata"),
        ({"metadta": {"page": 1}}, "metadata"),
    ],
    ids=lambda one: one if isinstance(one, str) else next(iter(one)),
)
def test_a_key_that_is_nearly_right_is_told(document: dict[str, Any], name: str) -> None:
    """It is metadata all the same; beside the right one it is no mistake."""
    (key,) = document
    with Reranker("bm25") as reranker:
        ranking = reranker.rank("q", [{"text": "a", **document}, {"text": "b"}])
        right = reranker.rank("q", [{"text": "a", **document, name: None}])

    assert f"document 0 has {key!r} and no {name!r}" in ranking.report.why
    assert ranking.all[0].metadata == document
    assert "document 0" not in right.report.why


@pytest.mark.parametrize(
    "metadata",
    [
        {"source": 1},
        {"store": 1, "core": 2, "scope": 3},
        {"is": "a"},
        {"scores": [1, 2]},
        {"ids": None},
        {3: 4},
        {},
    ],
    ids=str,
)
def test_any_other_key_is_metadata(metadata: dict[Any, Any]) -> None:
    """And nothing is said of it."""
    with Reranker(by_italy) as reranker:
        assert not reranker.rank("q", [{"text": "a", **metadata}]).report.notes
