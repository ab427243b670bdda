"""`Reranker.check`: built-in questions tell whether a scorer is a reranker at all."""

from __future__ import annotations

import asyncio
import json
import logging
import pickle
import time
from collections import Counter
from collections.abc import Sequence

import pytest
from planted_scorers import Base, faults, healthy, words_in_common

from rerank_core import Reranker
from rerank_core.protocols import ScorerBase
from rerank_core.scorers.function import FunctionScorer
from rerank_core.self_check import Fault
from rerank_core.self_check.plan import MOST_CALLS, Purpose, in_parts, plan
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


@pytest.mark.parametrize(
    ("score", "fault"),
    [
        (lambda q, t: words_in_common(q, t[:130]), Fault.TRUNCATED),
        (lambda q, t: words_in_common(q, t[-100:]), Fault.TRUNCATED),
        (lambda q, t: words_in_common(q, t) * len(t), Fault.LENGTH),
    ],
)
def test_what_is_read_of_a_text_is_seen_in_single_pairs(score: Base, fault: Fault) -> None:
    """And what its length adds: 20 pairs have two of each."""
    scorer = FunctionScorer(
        lambda q, ts: [score(q, text) for text in ts], independent=True, batch_size=1
    )

    assert [finding.fault for finding in Reranker(scorer).check().findings] == [fault]


@pytest.mark.parametrize("name", ["times length", "saturated sigmoid", "plus length"])
def test_four_texts_at_a_time_are_enough(name: str) -> None:
    """A list that is cut short keeps the long texts, the short ones and the question itself."""
    scorer, said = faults(words_in_common)[name]
    few = FunctionScorer(scorer, independent=True, batch_size=4)

    assert said & {finding.fault for finding in Reranker(few).check().findings}


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


class Slow(ScorerBase):
    """As a model is: work for the processor each list, and it says what its scores depend on."""

    fingerprint = "slow/1"

    def __init__(self, noise: float = 0.0) -> None:
        self.calls, self.noise = 0, noise

    async def score(self, query: str, texts: Sequence[str]) -> list[float | None]:
        self.calls += 1
        until = time.process_time() + 0.03
        while time.process_time() < until:
            pass
        return [words_in_common(query, text) + self.noise * self.calls for text in texts]


class Struck(ScorerBase):
    """Finds every answer, but for the third list, which it finds the next time."""

    fingerprint = "struck/1"

    def __init__(self) -> None:
        self.calls = 0

    async def score(self, query: str, texts: Sequence[str]) -> list[float | None]:
        self.calls += 1
        way = -1 if self.calls == 3 else 1
        return [way * words_in_common(query, text) for text in texts]


def test_an_answer_that_is_not_first_is_asked_for_once_more() -> None:
    """Where nothing else is to be said: whoever claims sameness is held to it."""
    report = Reranker(Struck()).check()

    assert [one.fault for one in report.findings] == [Fault.UNSTABLE]


def test_what_is_settled_is_not_asked_of_a_model_again() -> None:
    """Its scores are the same later, elsewhere and alone: five lists could show nothing else."""
    model = Slow()

    report = Reranker(model).check()

    assert report.ok
    assert model.calls == report.calls < len(plan()) <= MOST_CALLS


def test_all_is_asked_of_a_model_that_says_something_else_the_next_time() -> None:
    """As before: which way its scores hang on the list is what those lists tell."""
    report = Reranker(Slow(noise=0.02)).check()

    assert [one.fault for one in report.findings] == [Fault.UNSTABLE]
    assert len(plan()) <= report.calls <= MOST_CALLS


@pytest.mark.parametrize("at_once", [1, 3, 10])
def test_no_list_is_lost_in_two_parts(at_once: int) -> None:
    """Whatever a scorer takes at once."""
    lists = plan(at_once)
    first, rest = in_parts(lists)

    assert sorted(map(id, lists)) == sorted(map(id, [*first, *rest]))


def test_what_the_first_part_asks_again_stands_in_another_place() -> None:
    """And in other company; so that the order of a list, too, is looked at by then."""
    first, _ = in_parts(plan())
    matches = {asked.topic: asked for asked in first if asked.purpose is Purpose.MATCH}
    for asked in first:
        if asked.purpose in (Purpose.WITHOUT, Purpose.ALONE):
            before = matches[asked.topic].texts
            again = [at for at, text in enumerate(asked.texts) if text in before]
            assert again
            assert all(before[at : at + 1] != asked.texts[at : at + 1] for at in again)


class Once(ScorerBase):
    """Answers each list once, as a stream that is used up."""

    fingerprint = "once"

    def __init__(self) -> None:
        self.asked: set[tuple[str, ...]] = set()

    async def score(self, query: str, texts: Sequence[str]) -> list[float | None]:
        if (query, *texts) in self.asked:
            return [None] * len(texts)
        self.asked.add((query, *texts))
        return [words_in_common(query, text) for text in texts]


def test_what_is_asked_again_may_have_no_score() -> None:
    with Reranker(Once()) as reranker:
        report = reranker.check()

    assert {finding.fault for finding in report.findings} == {Fault.MISSING}
