"""An LLM over a real socket: what the caller sees, whatever the server does.

The server speaks OpenAI's protocol and is driven by the real SDK; nothing is patched.
"""

from __future__ import annotations

import asyncio
import logging
import pickle
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from llm_prompts import read_prompt
from loopback import FAULTS, Answer, Fault, OpenAIAPI, Server, first, fixed, scoring, sequence

from rerank_core import MissingKeyError, Ranking, Reason, Reranker, ScorerError
from rerank_core.scorers import LLMScorer

pytest.importorskip("openai")

QUERY = "capital of Italy"
TEXTS = [f"filler number {n} about nothing" for n in range(24)] + ["Rome is the capital of Italy"]
KEY = "sk-loopback-0123456789abcdef"

Serve = Callable[..., Server]
Face = Callable[..., Ranking]


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Iterator[Serve]:
    """Start a server and point the environment at it."""
    running: list[Server] = []

    def start(judge: Any = None, *faults: Fault, **options: Any) -> Server:
        api = OpenAIAPI(judge or scoring(reader=read_prompt), **options)
        server = Server(api, faults=faults).start()
        running.append(server)
        monkeypatch.setenv("OPENAI_BASE_URL", f"{server.url}/v1")
        monkeypatch.setenv("OPENAI_API_KEY", KEY)
        return server

    yield start
    for server in running:
        server.stop()


@pytest.fixture(params=["sync", "async"])
def rank(request: pytest.FixtureRequest) -> Iterator[Face]:
    """Rank the texts through either face."""
    opened: list[Reranker] = []

    def call(*, timeout: float | None = 5.0, **options: Any) -> Ranking:
        reranker = Reranker(LLMScorer(**options), timeout=timeout)
        opened.append(reranker)
        reranker.warm_up()  # what loading does to a deadline is told in tests/engine
        if request.param == "sync":
            return reranker.rank(QUERY, TEXTS)
        return asyncio.run(reranker.arank(QUERY, TEXTS))

    yield call
    for reranker in opened:
        reranker.close()


def holds_every_document(ranking: Ranking) -> bool:
    return sorted(hit.index for hit in ranking.all) == list(range(len(TEXTS)))


class TestAGoodServer:
    def test_the_best_document_comes_first(self, serve: Serve, rank: Face) -> None:
        """25 documents in three calls, all at once, every one scored."""
        server = serve()

        ranking = rank()

        assert ranking[0].text == TEXTS[-1]
        assert holds_every_document(ranking)
        report = ranking.report
        assert (report.coverage, report.degraded, report.calls, report.rounds) == (1.0, False, 3, 1)
        assert report.prompt_tokens > 0
        assert report.completion_tokens > 0
        assert len(server.requests) == 3

    def test_grades_leave_on_0_to_1_with_the_grade_beside_them(
        self, serve: Serve, rank: Face
    ) -> None:
        """A grade of 7 on 0..10 is 0.7, and `llm:raw` says 7."""
        serve(fixed('{"scores": [{"id": 1, "score": 7}, {"id": 2, "score": 10}]}'))

        components = rank(group_size=25).all[1].components

        assert components["llm"] == pytest.approx(0.7)
        assert components["llm:raw"] == pytest.approx(7)

    def test_long_documents_are_cut_at_a_word_and_counted(self, serve: Serve, rank: Face) -> None:
        """`max_chars` bounds what is sent of each, and the report counts whom it met."""
        server = serve()

        ranking = rank(max_chars=20)

        assert ranking.report.truncated == len(TEXTS)
        sent = "".join(request.json["messages"][1]["content"] for request in server.requests)
        assert "filler number 0\n" in sent
        assert "about" not in sent

    @pytest.mark.parametrize(
        "refuses",
        [{"json_schema"}, {"response_format"}, {"temperature"}, {"max_completion_tokens"}],
        ids=lambda refuses: "+".join(refuses),
    )
    def test_a_parameter_that_is_refused_is_left_out(
        self, serve: Serve, rank: Face, refuses: set[str]
    ) -> None:
        """A 400 that names a parameter costs a call once, and never again for that model."""
        server = serve(refuses=refuses)

        rank(group_size=25)
        before = len(server.requests)
        again = rank(group_size=25)

        assert again[0].text == TEXTS[-1]
        assert len(server.requests) == before + 1


#: What a server does to every reply, and the reason that is given for it.
LASTING: list[tuple[str, str]] = [
    ("slow-head", "timeout"),
    ("dripping-body", "timeout"),
    ("silent", "timeout"),
    ("rate-limit", "rate_limit"),
    ("rate-limit-hour", "rate_limit"),
    ("server-error", "server"),
    ("overloaded", "overloaded"),
    ("payment", "payment"),
    ("quota", "payment"),
    ("context-length", "too_large"),
    ("closed", "connection"),
    ("closed-in-body", "connection"),
    ("reset", "connection"),
    ("garbage", "connection"),
    ("empty-body", "connection"),
    ("invalid-json", "connection"),
    ("truncated-json", "connection"),
    ("html", "connection"),
    ("json-other", "connection"),
]


@pytest.mark.slow
class TestABadServer:
    @pytest.mark.parametrize(("fault", "reason"), LASTING)
    def test_a_fault_that_lasts_leaves_the_retrievers_order(
        self, serve: Serve, rank: Face, fault: str, reason: str, record_property: Any
    ) -> None:
        """Every document, in the order that came, and a report that says why."""
        serve(None, FAULTS[fault])

        ranking = rank(timeout=0.8)

        record_property("seconds", ranking.report.seconds)
        assert [hit.index for hit in ranking.all] == list(range(len(TEXTS)))
        assert ranking.report.degraded
        assert ranking.report.coverage == 0.0
        assert reason in ranking.report.reasons
        assert set(ranking.report.reasons) <= {reason, "timeout"}

    @pytest.mark.parametrize(
        "name", ["server-error", "rate-limit-milliseconds", "closed", "overloaded", "empty-body"]
    )
    def test_a_fault_that_passes_is_retried(self, serve: Serve, rank: Face, name: str) -> None:
        """The answer is whole, and the report counts the retries."""
        serve(None, FAULTS[name].only(first(2)))

        ranking = rank()

        assert ranking[0].text == TEXTS[-1]
        assert (ranking.report.coverage, ranking.report.degraded) == (1.0, False)
        assert ranking.report.retries >= 1

    def test_retry_after_is_honoured_where_it_fits(self, serve: Serve, rank: Face) -> None:
        """A second asked for is a second waited."""
        server = serve(None, FAULTS["rate-limit-seconds"].only(first(1)))

        ranking = rank(group_size=25)

        assert not ranking.report.degraded
        assert server.requests[1].arrived - server.requests[0].arrived >= 1.0

    def test_what_is_in_at_the_deadline_counts(self, serve: Serve, rank: Face) -> None:
        """One group of three hangs: the other two are kept."""
        serve(None, FAULTS["silent"].only(first(1)))

        ranking = rank(timeout=0.3)

        assert 0.0 < ranking.report.coverage < 1.0
        assert Reason.TIMEOUT in ranking.report.reasons
        assert holds_every_document(ranking)
        assert any(hit.score is None for hit in ranking.all)

    @pytest.mark.parametrize("name", ["unauthorized", "forbidden", "unknown-model"])
    def test_a_refused_key_or_model_raises(self, serve: Serve, rank: Face, name: str) -> None:
        """Nothing has ever worked: this is for a person to mend."""
        serve(None, FAULTS[name])

        with pytest.raises(ScorerError, match=r"HTTP 40\d"):
            rank()

    def test_a_context_that_is_too_long_is_split(self, serve: Serve, rank: Face) -> None:
        """A group that does not fit is sent in halves."""
        serve(None, FAULTS["context-length"].only(first(1)))

        ranking = rank(group_size=25)

        assert (ranking.report.coverage, ranking.report.calls) == (1.0, 3)


class TestStrangeReplies:
    @pytest.mark.parametrize(
        "reply",
        ["", "I cannot help with that.", "{{{", Answer(None, refusal="no")],
        ids=["empty", "prose", "broken", "refusal"],
    )
    def test_a_reply_without_scores_scores_nothing(
        self, serve: Serve, rank: Face, reply: str | Answer
    ) -> None:
        """No score is made up for anybody."""
        serve(fixed(reply))

        ranking = rank(timeout=0.3)

        assert [hit.index for hit in ranking.all] == list(range(len(TEXTS)))
        assert {hit.score for hit in ranking.all} == {None}
        assert set(ranking.report.reasons) <= {Reason.UNPARSEABLE, Reason.TIMEOUT}

    def test_ids_that_do_not_exist_are_ignored(self, serve: Serve, rank: Face) -> None:
        """A document that the model made up is nobody's; one it forgot is unscored."""
        serve(
            fixed(
                '{"scores": [{"id": 2, "score": 9}, {"id": 99, "score": 8}, {"id": 0, "score": 5}]}'
            )
        )

        ranking = rank(group_size=25)

        assert [hit.index for hit in ranking.all if hit.score is not None] == [1]
        assert holds_every_document(ranking)
        assert ranking.report.reasons == (Reason.INCOMPLETE,)

    def test_broken_json_is_read_as_far_as_it_goes(self, serve: Serve, rank: Face) -> None:
        """A reply that was cut off still says what it said."""
        serve(
            sequence(
                ['```json\n{"scores": [{"id": 1, "score": 2}, {"id": 2, "score": 8}, {"id": 3,']
            )
        )

        ranking = rank(group_size=25)

        assert {hit.index: hit.score for hit in ranking.all if hit.score is not None} == {
            0: pytest.approx(0.2),
            1: pytest.approx(0.8),
        }


class TestTheKey:
    def test_a_missing_key_is_named_at_construction(self) -> None:
        """Before any call, with the variable to set."""
        with pytest.raises(MissingKeyError, match="OPENAI_API_KEY"):
            LLMScorer()

    @pytest.mark.parametrize("given", [True, False], ids=["given", "environment"])
    def test_it_shows_nowhere(
        self, serve: Serve, caplog: pytest.LogCaptureFixture, given: bool
    ) -> None:
        """Not in a repr, a log, an error or a pickle, even where the server quotes it."""
        serve(None, FAULTS["unauthorized-echo"])
        reranker = Reranker(LLMScorer(api_key=KEY) if given else LLMScorer())

        with caplog.at_level(logging.DEBUG), pytest.raises(ScorerError) as caught:
            reranker.rank(QUERY, TEXTS)

        shown = [repr(reranker), repr(caught.value), str(caught.value), caplog.text]
        assert not any(KEY in text for text in shown)
        assert KEY.encode() not in pickle.dumps(reranker)
        reranker.close()
