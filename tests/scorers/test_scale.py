"""A server's scores on 0..1: settled once a ranking, and the order is always the raw one."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from loopback import RerankAPI, Server

from rerank_core import ConfigurationError, Ranking, Reranker
from rerank_core.protocols import ScorerBase, Scores
from rerank_core.scorers import RerankAPIScorer
from rerank_core.scorers.services.scale import to_unit

#: What a server answers for "a", "b", …: the first batch looks like probabilities, all do not.
ANSWERS: dict[str, list[float]] = {
    "logits": [0.4, 0.1, 7.5, -6.0, 0.9, 0.2],
    "logits below": [0.9, 0.8, -3.0, -3.5, 0.0, -11.0],
    "cosines": [0.31, 0.30, -0.02, 0.88, 0.5, 0.1],
    "sums of similarities": [0.5, 1.0, 212.0, 211.5, 64.0, 0.7],
    "probabilities": [0.4, 0.1, 0.99, 0.0, 1.0, 0.2],
    "rounded": [0.4, 0.1, 1.0039, 1.0, 1.0021, 0.2],
}


def in_order(scores: Sequence[float]) -> list[str]:
    return [chr(97 + place) for place in sorted(range(len(scores)), key=lambda p: -scores[p])]


def server(answers: Sequence[float]) -> Server:
    return Server(RerankAPI("vllm", score=lambda query, text: answers[ord(text) - 97]))


def ranker(served: Server, cache: str | None = None, **options: Any) -> Reranker:
    scorer = RerankAPIScorer(served.url, "m", **options)
    return Reranker(scorer, timeout=30.0, top_n=None, cache=cache)


def order(ranking: Ranking) -> list[str]:
    return [hit.text for hit in ranking.all]


@pytest.mark.parametrize("scale", [None, "unit", "logit", "logit/5", "cosine"])
@pytest.mark.parametrize("name", ANSWERS)
def test_the_order_is_the_servers(name: str, scale: Any) -> None:
    """Whatever the scale is said to be, in three batches, and then with half out of the cache."""
    answers = ANSWERS[name]
    texts = [chr(97 + place) for place in range(len(answers))]
    with server(answers) as served:
        with ranker(served, batch_size=2, scale=scale) as reranker:
            whole = reranker.rank("q", texts)
        with ranker(served, scale=scale, cache="memory") as reranker:
            reranker.rank("q", texts[:3])
            half = reranker.rank("q", texts)

    assert order(whole) == order(half) == in_order(answers)
    assert half.report.cache_hits == 3
    assert [hit.components["api:raw"] for hit in whole.all] == sorted(answers, reverse=True)
    assert all(hit.score is not None and 0 <= hit.score <= 1 for hit in whole.all)
    assert whole.report.coverage == half.report.coverage == 1.0


@pytest.mark.parametrize(
    ("scale", "name", "said"),
    [
        ("unit", "logits", 'though the scale is said to be "unit"'),
        ("cosine", "logits below", 'though the scale is said to be "cosine"'),
        ("unit", "rounded", "drawn together"),
        ("logit", "sums of similarities", "tell an order, no more"),
        (None, "logits", 'say scale="logit"'),
        ("unit", "probabilities", ""),
        ("cosine", "cosines", ""),
        ("logit", "logits", ""),
    ],
)
def test_a_score_that_is_changed_is_told(scale: str | None, name: str, said: str) -> None:
    """Where what is said and what comes do not agree; once, and else nothing is."""
    with server(ANSWERS[name]) as served, ranker(served, batch_size=2, scale=scale) as reranker:
        ranking = reranker.rank("q", list("abcdef"))

    notes = [note for note in ranking.report.notes if note.startswith("api:")]
    assert (len(notes) == 1 and said in notes[0]) if said else notes == []
    assert not ranking.report.degraded


def test_a_documented_scale_is_believed_again_by_the_next_ranking() -> None:
    """One strange answer does not turn a server's probabilities into log-odds for good."""
    with server([0.4, 7.0, 0.9]) as served, ranker(served, scale="unit") as reranker:
        reranker.rank("q", ["a", "b"])
        ranking = reranker.rank("q", ["a", "c"])

    assert [hit.score for hit in ranking] == [0.9, 0.4]


def test_a_fifth() -> None:
    """Some models' probability is the sigmoid of a fifth of what they answer."""
    assert to_unit([5.0, 0.0], "logit/5")[0] == pytest.approx([1 / (1 + math.exp(-1)), 0.5])


@pytest.mark.parametrize("scale", ["percent", "logit/0", "logit/x", 5, "Unit", ""])
def test_a_scale_that_there_is_not(scale: Any) -> None:
    """Is refused, with those that there are."""
    with pytest.raises(ConfigurationError, match="logit/5"):
        RerankAPIScorer("http://host", scale=scale)


@given(
    st.lists(st.none() | st.integers(-3000, 3000).map(lambda n: n / 100), max_size=20),
    st.sampled_from([None, "unit", "logit", "logit/5", "cosine"]),
)
def test_no_scale_turns_an_order_round(raw: list[float | None], scale: str | None) -> None:
    """By property: higher stays higher, equal stays equal, None stays None, all within 0..1."""
    scores, _ = to_unit(raw, scale)

    assert [score is None for score in scores] == [score is None for score in raw]
    pairs = [(r, s) for r, s in zip(raw, scores, strict=True) if r is not None and s is not None]
    assert all(0 <= s <= 1 for _, s in pairs)
    assert all((r1 < r2) == (s1 < s2) for r1, s1 in pairs for r2, s2 in pairs)


class Graded(ScorerBase):
    """Grades against the best of the ranking: it needs all of them."""

    name, batch_size = "graded", 2

    async def score(self, query: str, texts: Sequence[str]) -> list[float | None]:
        return Scores([0.0] * len(texts), [float(text) for text in texts])

    def to_unit(self, raw: Sequence[float | None]) -> list[float | None]:
        best = max(score for score in raw if score is not None)
        return [None if score is None else score / best for score in raw]


def test_a_scorer_of_ones_own_maps_a_ranking_as_a_whole() -> None:
    """`to_unit` is asked once, over the raw scores of every batch."""
    ranking = Reranker(Graded()).rank("q", ["1", "2", "4", "3", "8"])

    assert [(hit.text, hit.score) for hit in ranking] == [
        ("8", 1.0),
        ("4", 0.5),
        ("3", 0.375),
        ("2", 0.25),
        ("1", 0.125),
    ]


def test_a_scale_that_cannot_be_settled_is_told() -> None:
    """The scorer's own mistake is in the report; the ranking stands."""

    class Broken(Graded):
        def to_unit(self, raw: Sequence[float | None]) -> list[float | None]:
            return [1.0]

    ranking = Reranker(Broken()).rank("q", ["1", "2", "3"])

    assert "scorer" in ranking.report.reasons
    assert len(ranking.all) == 3
