"""Requests in the shapes of Cohere, Jina and TEI are answered in them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

pytest.importorskip("starlette")

from rerank_core import Reranker
from rerank_core.testing import FakeScorer
from serving.served import QUERY, TEXTS, ask

BODY = {"model": "m", "query": QUERY, "documents": TEXTS}


@pytest.fixture
def bm25() -> Iterator[dict[str, Reranker]]:
    with Reranker("bm25") as reranker:
        yield {"m": reranker}


@pytest.mark.parametrize("path", ["/v2/rerank", "/v1/rerank", "/rerank"])
def test_the_ranking_is_the_librarys(bm25: dict[str, Reranker], path: str) -> None:
    """Every document by its index, best first, with the score that the library gives."""
    found = ask(bm25, path, BODY).json()["results"]

    ranking = bm25["m"].rank(QUERY, TEXTS, top_n=None)
    assert [(one["index"], one["relevance_score"]) for one in found] == [
        (hit.index, hit.score) for hit in ranking
    ]


def test_cohere_v2_has_an_id_and_a_meta(bm25: dict[str, Reranker]) -> None:
    """And no documents, which its results do not hold."""
    answer = ask(bm25, "/v2/rerank", BODY).json()

    assert set(answer) == {"id", "results", "meta"}
    assert answer["meta"]["api_version"] == {"version": "2"}
    assert set(answer["results"][0]) == {"index", "relevance_score"}


def test_v1_satisfies_cohere_and_jina(bm25: dict[str, Reranker]) -> None:
    """What either reads is there."""
    answer = ask(bm25, "/v1/rerank", {**BODY, "return_documents": True, "top_n": 1}).json()

    assert answer["model"] == "m"
    assert answer["usage"]["total_tokens"] == 0
    assert answer["meta"]["api_version"] == {"version": "1"}
    (best,) = answer["results"]
    assert best["document"] == {"text": TEXTS[1]}


def test_tei_answers_a_bare_list(bm25: dict[str, Reranker]) -> None:
    """Of index and score; the text where it is asked for."""
    plain = ask(bm25, "/rerank", {"query": QUERY, "texts": TEXTS}).json()
    texts = ask(bm25, "/rerank", {"query": QUERY, "texts": TEXTS, "return_text": True}).json()

    assert [set(one) for one in plain] == [{"index", "score"}] * 3
    assert plain[0]["index"] == 1
    assert texts[0]["text"] == TEXTS[1]


def test_tei_gives_raw_scores() -> None:
    """What the model said before it was mapped; where it says none, that is an error."""
    with Reranker(FakeScorer()) as reranker:
        refused = ask(
            {"m": reranker}, "/rerank", {"query": "q", "texts": ["a"], "raw_scores": True}
        )

    assert refused.status_code == 422
    assert "raw" in refused.json()["error"]


@pytest.mark.parametrize(
    ("more", "indices"),
    [({"top_n": 1}, [1]), ({"top_n": 0}, [1, 0, 2]), ({"top_n": 99}, [1, 0, 2]), ({}, [1, 0, 2])],
)
def test_top_n(bm25: dict[str, Reranker], more: dict[str, Any], indices: list[int]) -> None:
    """So many; all where it is left out, or 0, as vLLM has it; never more than there are."""
    found = ask(bm25, "/v2/rerank", {**BODY, **more}).json()["results"]

    assert [one["index"] for one in found] == indices


def test_nulls_and_unknown_fields_are_let_be(bm25: dict[str, Reranker]) -> None:
    """SDKs send both."""
    nulls = dict.fromkeys(
        ("top_n", "return_documents", "rank_fields", "max_tokens_per_doc", "max_chunks_per_doc"),
    )
    answer = ask(bm25, "/v1/rerank", {**BODY, **nulls, "user": "u", "priority": 3, "model": None})

    assert answer.status_code == 200
    assert len(answer.json()["results"]) == 3


def test_documents_may_be_objects(bm25: dict[str, Reranker]) -> None:
    """Their text under "text", or in the fields that `rank_fields` names; echoed as they came."""
    documents = [{"title": "Italy", "text": "Rome"}, {"title": "France", "text": "Paris"}]
    by_text = ask(bm25, "/v1/rerank", {**BODY, "query": "Paris", "documents": documents})
    by_title = ask(
        bm25,
        "/v1/rerank",
        {
            **BODY,
            "query": "Italy",
            "documents": documents,
            "rank_fields": ["title"],
            "return_documents": True,
        },
    )

    assert by_text.json()["results"][0]["index"] == 1
    assert by_title.json()["results"][0]["document"] == documents[0]


def test_a_retrievers_score_goes_along() -> None:
    """Under "score", as the library takes it: `hybrid` weighs it."""
    documents = [{"text": "apples", "score": 0.1}, {"text": "pears", "score": 0.9}]
    with Reranker("hybrid") as reranker:
        answer = ask({"m": reranker}, "/v2/rerank", {"query": "fruit", "documents": documents})

    assert answer.json()["results"][0]["index"] == 1


def test_what_is_not_applied_is_said(bm25: dict[str, Reranker]) -> None:
    """Where Cohere's clients read warnings."""
    answer = ask(bm25, "/v2/rerank", {**BODY, "max_tokens_per_doc": 100}).json()

    assert "max_tokens_per_doc" in answer["meta"]["warnings"][0]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"documents": TEXTS}, "query"),
        ({"query": " ", "documents": TEXTS}, "query is empty"),
        ({"query": 3, "documents": TEXTS}, "query is a string"),
        ({"query": "q"}, "documents"),
        ({"query": "q", "documents": "one"}, "documents is a list"),
        ({"query": "q", "documents": []}, "documents is empty"),
        ({"query": "q", "documents": ["a", 3]}, r"documents[1]"),
        ({"query": "q", "documents": ["a", None]}, r"documents[1]"),
        ({"query": "q", "documents": [{"image": "x"}]}, r"documents[0]"),
        ({"query": "q", "documents": ["a"], "top_n": -1}, "top_n"),
        ({"query": "q", "documents": ["a"], "top_n": "3"}, "top_n"),
        ({"query": "q", "documents": ["a"], "top_n": True}, "top_n"),
        ({"query": "q", "documents": ["a"], "return_documents": 1}, "return_documents"),
        ({"query": "q", "documents": [{"a": 1}], "rank_fields": ["b"]}, "rank_fields"),
        ({"query": "q", "documents": ["a"], "model": 7}, "model"),
    ],
)
@pytest.mark.parametrize("path", ["/v2/rerank", "/v1/rerank", "/rerank"])
def test_what_cannot_be_right_is_refused(
    bm25: dict[str, Reranker], path: str, body: dict[str, Any], said: str
) -> None:
    """With 400 and the field's name, as Cohere says it."""
    answer = ask(bm25, path, body)

    assert answer.status_code == 400
    assert said in answer.json()["message"]


@pytest.mark.parametrize(
    "body",
    [
        {"query": "q", "texts": []},
        {"query": "q", "texts": ["a", 3]},
        {"query": "q", "texts": None},
        {"query": "", "texts": ["a"]},
        {"query": "q", "texts": ["a"], "raw_scores": "yes"},
    ],
)
def test_tei_is_refused_in_its_own_words(bm25: dict[str, Reranker], body: dict[str, Any]) -> None:
    """With 422, and an error with its type."""
    answer = ask(bm25, "/rerank", body)

    assert answer.status_code == 422
    assert answer.json()["error_type"] == "Validation"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'{"query": NaN, "documents": ["a"]}',
        b'{"query": "\xff"}',
        b"[" * 100_000,
        b'{"query": "q", "documents": ["a"], "top_n": ' + b"9" * 5000 + b"}",
    ],
)
def test_what_is_no_json_is_refused(bm25: dict[str, Reranker], body: bytes) -> None:
    """Whatever it is."""
    answer = ask(bm25, "/v1/rerank", body)

    assert answer.status_code == 400
    assert answer.json()["message"]


@pytest.mark.parametrize("text", ["\ud800", "\x00", "<script>", "a" * 100_000, "\u202e"])
def test_odd_text_is_text(bm25: dict[str, Reranker], text: str) -> None:
    """And comes back as it was."""
    body = json.dumps(
        {"query": text, "documents": [text, "other"], "return_documents": True}
    ).encode()
    answer = ask(bm25, "/v1/rerank", body)

    assert answer.status_code == 200
    assert {one["document"]["text"] for one in answer.json()["results"]} == {text, "other"}


def test_the_report_is_in_a_header_and_on_request_in_the_body(bm25: dict[str, Reranker]) -> None:
    """On one line; in full with `return_report`."""
    answer = ask(bm25, "/v2/rerank", {**BODY, "return_report": True})

    brief = json.loads(answer.headers["x-rerank-report"])
    assert brief["model"] == "m"
    assert brief["coverage"] == answer.json()["report"]["coverage"] == 1.0
    assert brief["degraded"] is False
    assert brief["ms"] > 0


def test_a_degraded_ranking_is_answered_and_says_so() -> None:
    """Every document has a number, and those that were not scored are marked."""

    def fails(query: str, texts: list[str]) -> list[float]:
        raise RuntimeError("sk-secret-1234567890 at /home/me")

    with Reranker(fails) as reranker:
        answer = ask({"m": reranker}, "/v2/rerank", {**BODY, "model": None})

    assert answer.status_code == 200
    assert [one["index"] for one in answer.json()["results"]] == [0, 1, 2]
    assert all(one["estimated"] for one in answer.json()["results"])
    brief = json.loads(answer.headers["x-rerank-report"])
    assert brief["degraded"]
    assert brief["reasons"] == ["scorer"]
    assert "secret" not in answer.text


def test_where_degraded_is_an_error_it_is_one() -> None:
    """As the model's file says, and no more than the reason is told."""

    def fails(query: str, texts: list[str]) -> list[float]:
        raise RuntimeError("at /home/me")

    with Reranker(fails, on_error="raise") as reranker:
        answer = ask({"m": reranker}, "/v2/rerank", {**BODY, "model": None})

    assert answer.status_code == 503
    assert answer.json() == {"message": "the ranking was degraded: scorer"}


def test_the_ranking_as_a_page_shows_it(bm25: dict[str, Reranker]) -> None:
    """By what the client accepts: the notebook's view, every text escaped."""
    body = {**BODY, "documents": [*TEXTS, "<img src=x onerror=alert(1)>"]}
    answer = ask(bm25, "/v2/rerank", body, headers={"Accept": "text/html"})

    assert answer.headers["content-type"].startswith("text/html")
    assert 'class="rerank"' in answer.text
    assert "<img" not in answer.text
