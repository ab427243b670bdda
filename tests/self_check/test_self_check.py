"""`Reranker.check`: built-in questions tell whether a scorer is a reranker at all."""

from __future__ import annotations

import asyncio
import json
import logging
import pickle
from collections import Counter
from collections.abc import Sequence

import pytest
from planted_scorers import faults, healthy, words_in_common

from rerank_core import Reranker
from rerank_core.protocols import ScorerBase
from rerank_core.scorers.function import FunctionScorer
from rerank_core.self_check import Fault
from rerank_core.self_check.plan import MOST_CALLS
from rerank_core.self_check.texts import FILLER, LEAD, TOPICS
from rerank_core.stores import MemoryStore
from rerank_core.testing import FakeChat


@pytest.mark.parametrize("name", faults(words_in_common))
def test_a_planted_fault_is_named(name: str, caplog: pytest.LogCaptureFixture) -> None:
    """And how to mend it; it is logged, too."""
    scorer, said = faults(words_in_common)[name]

    with Reranker(scorer) as reranker:
        report = reranker.check()

    assert said & {finding.fault for finding in report.findings}, str(report)
    assert all(finding.seen and finding.change for finding in report.findings)
    assert report.calls <= MOST_CALLS
    assert len([r for r in caplog.records if "self-check" in r.message]) == len(report.findings)


@pytest.mark.parametrize("name", healthy(words_in_common))
def test_nothing_is_said_of_a_healthy_scorer(name: str) -> None:
    """Weak ones, coarse ones and noisy ones are healthy."""
    with Reranker(healthy(words_in_common)[name]) as reranker:
        report = reranker.check()

    assert report.ok, str(report)
    assert report.calls <= MOST_CALLS


def test_every_fault_is_planted() -> None:
    """The suite has a scorer for each that there is."""
    assert set(Fault) == set().union(*(said for _, said in faults(words_in_common).values()))


def test_the_questions_have_one_answer_each() -> None:
    """To whoever compares words, whatever the case: four of them, and others have at most two."""
    for topic in TOPICS:
        wanted = {word for word in topic.question.split() if len(word) > 2} - {
            "how",
            "why",
            "does",
            "the",
            "are",
        }
        others = [other.passage for other in TOPICS if other is not topic]

        assert len(wanted & set(topic.passage.split())) >= 4
        assert all(len(wanted & set(t.split())) <= 1 for t in [FILLER, LEAD, *others])
        assert 1 <= len(wanted & set(topic.beside.split())) <= 2


def test_a_batch_is_no_larger_than_the_scorer_likes() -> None:
    """And one call is one list; a text by itself costs a call, so that there are 20 pairs."""
    sizes: list[int] = []

    def score(query: str, texts: Sequence[str]) -> list[float]:
        sizes.append(len(texts))
        return [words_in_common(query, text) for text in texts]

    for most in (1, 3, 10):
        sizes.clear()
        report = Reranker(FunctionScorer(score, independent=True, batch_size=most)).check()
        assert max(sizes) <= most
        assert len(sizes) == report.calls <= MOST_CALLS


def test_a_scorer_that_reads_the_end_alone_is_found_out() -> None:
    """It sees an answer at the end of a text, and none that something follows."""
    with Reranker(lambda q, ts: [words_in_common(q, text[-60:]) for text in ts]) as reranker:
        (finding,) = reranker.check().findings

    assert finding.fault is Fault.TRUNCATED
    assert "follows" in finding.seen


def test_each_scorer_of_several_is_checked_by_name() -> None:
    """As in a cascade or a combination: the finding says which it is."""
    backwards = FunctionScorer(lambda q, ts: [-words_in_common(q, t) for t in ts], name="mine")

    report = Reranker(["bm25", backwards], combine=_fusion()).check()

    assert report.scorers == ("bm25", "mine")
    assert [(one.scorer, one.fault) for one in report.findings] == [("mine", Fault.WRONG_SIGN)]


def _fusion() -> object:
    from rerank_core.combine import ReciprocalRankFusion

    return ReciprocalRankFusion()


def test_it_prints_itself() -> None:
    """A line, and for each finding what was seen and what to change; all of it in JSON."""
    report = Reranker(lambda query, texts: [0.5] * len(texts)).check()

    first, *lines = str(report).splitlines()
    assert first.startswith("self-check of function: function: constant (")
    assert any(line.startswith("   what to change: ") for line in lines)
    assert json.loads(json.dumps(report.to_dict()))["findings"][0]["fault"] == "constant"


def test_at_construction_and_in_the_log_of_warm_up(caplog: pytest.LogCaptureFixture) -> None:
    """With `check=True`: what is wrong is a warning at once, and warming up says it in a line."""
    caplog.set_level(logging.INFO, "rerank_core")
    reranker = Reranker(lambda query, texts: [0.5] * len(texts), check=True)
    at_once = [record.levelname for record in caplog.records]

    reranker.warm_up()

    assert at_once == ["WARNING"]
    assert "self-check of function: function: constant" in caplog.records[-1].message
    assert len(caplog.records) == 2


def _constant(query: str, texts: Sequence[str]) -> list[float]:
    return [0.5] * len(texts)


def test_it_is_asked_once(caplog: pytest.LogCaptureFixture) -> None:
    """Another reranker with the same scorer, and one from a pickle, are not checked again."""
    asked = Counter[str]()

    class Counting(ScorerBase):
        async def score(self, query: str, texts: Sequence[str]) -> list[float | None]:
            asked["calls"] += 1
            return [words_in_common(query, text) for text in texts]

    Reranker(Counting(), check=True).replace(top_n=3)

    assert asked["calls"] <= MOST_CALLS
    pickle.loads(pickle.dumps(Reranker(_constant, check=True)))
    assert len([r for r in caplog.records if "self-check" in r.message]) == 1


def test_nobody_who_counts_rankings_hears_of_it() -> None:
    """And no cache holds what the built-in questions were answered with."""
    heard: list[object] = []
    cache = MemoryStore()
    scorer = FunctionScorer(
        lambda query, texts: [words_in_common(query, text) for text in texts],
        independent=True,
        cache_name="words",
    )
    reranker = Reranker(scorer, on_ranking=heard.append, cache=cache)

    report = asyncio.run(reranker.acheck())

    assert report.ok
    assert not heard
    assert not cache._scores
    reranker.rank("capital of Italy", ["Rome, capital of Italy"])
    assert cache._scores


def test_what_does_not_answer_is_a_finding() -> None:
    """After two tries, and not an exception."""
    from rerank_core.scorers import LLMScorer

    chat = FakeChat(["I am sorry, I cannot help with that."])

    report = Reranker(LLMScorer(chat)).check()

    assert [one.fault for one in report.findings] == [Fault.UNANSWERED]
    assert len(chat.requests) <= 4
