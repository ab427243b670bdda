"""Who observes chat calls is told of each, and can do no harm."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import Any

import pytest
from llm_prompts import answering, read_prompt
from loopback import FAULTS, OpenAIAPI, Server, first, matching

from rerank_core import Ranking, Reason, Reranker, ScorerError
from rerank_core.protocols import Reply
from rerank_core.scorers import LLMScorer
from rerank_core.telemetry import chat_callbacks as module
from rerank_core.telemetry.chat_callbacks import ChatCall, aobserving, observing

pytest.importorskip("openai")

QUERY = "capital of Italy"
TEXTS = [f"filler number {n} about nothing" for n in range(99)] + ["Rome is the capital of Italy"]
KEY = "sk-loopback-0123456789abcdef"

Rank = Callable[..., Ranking]


class Noted:
    """An observer that keeps what it is told, and where."""

    def __init__(self) -> None:
        self.calls: list[ChatCall] = []
        self.replies: list[Reply] = []
        self.errors: list[ScorerError] = []
        self.threads: set[int] = set()

    def started(self, call: ChatCall) -> int:
        self.threads.add(threading.get_ident())
        self.calls.append(call)
        return len(self.calls)

    def ended(self, call: ChatCall, run: int, reply: Reply) -> None:
        assert self.calls[run - 1] is call
        self.replies.append(reply)

    def failed(self, call: ChatCall, run: int, error: ScorerError) -> None:
        assert self.calls[run - 1] is call
        self.errors.append(error)

    @property
    def still_open(self) -> int:
        return len(self.calls) - len(self.replies) - len(self.errors)


class Awaited(Noted):
    """The same, on a loop, with all the time in the world between two lines."""

    async def started(self, call: ChatCall) -> int:  # type: ignore[override]
        await asyncio.sleep(0)
        return super().started(call)

    async def ended(self, call: ChatCall, run: int, reply: Reply) -> None:  # type: ignore[override]
        await asyncio.sleep(0)
        super().ended(call, run, reply)

    async def failed(self, call: ChatCall, run: int, error: ScorerError) -> None:  # type: ignore[override]
        await asyncio.sleep(0)
        super().failed(call, run, error)


class Harmful:
    """An observer that raises whatever it is told."""

    def __init__(self, when: str) -> None:
        self.when = when

    def started(self, call: ChatCall) -> None:
        self._raise("started")

    def ended(self, call: ChatCall, run: None, reply: Reply) -> None:
        self._raise("ended")

    def failed(self, call: ChatCall, run: None, error: ScorerError) -> None:
        self._raise("failed")

    def _raise(self, now: str) -> None:
        if now == self.when:
            raise RuntimeError(f"no use for what {now}")


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(OpenAIAPI(answering(), reader=read_prompt)) as server:
        yield server


@pytest.fixture(params=["sync", "async"])
def face(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def rank(server: Server, face: str) -> Rank:
    """Rank, observed, through either face; options go to the reranker."""

    def call(observer: Any, texts: Sequence[str] = TEXTS, **options: Any) -> Ranking:
        scorer = LLMScorer("some-model", base_url=f"{server.url}/v1", api_key=KEY)

        async def awaited(reranker: Reranker) -> Ranking:
            async with aobserving(observer):
                return await reranker.arank(QUERY, texts)

        with Reranker(scorer, top_n=1, **{"timeout": 20.0, **options}) as reranker:
            reranker.warm_up()
            if face == "async":
                return asyncio.run(awaited(reranker))
            with observing(observer):
                return reranker.rank(QUERY, texts)

    return call


def test_every_call_is_told_with_its_reply(server: Server, rank: Rank) -> None:
    """Ten groups under way at once: as many calls, and the tokens, that the report has."""
    noted = Noted()

    report = rank(noted).report

    assert len(noted.replies) == report.calls == len(server.requests) == 10
    assert sum(reply.prompt_tokens or 0 for reply in noted.replies) == report.prompt_tokens > 0
    assert sum(reply.completion_tokens or 0 for reply in noted.replies) == report.completion_tokens
    assert noted.errors == []


def test_a_call_is_what_was_sent(server: Server, rank: Rank) -> None:
    """Model, messages and parameters; no key."""
    noted = Noted()

    rank(noted, TEXTS[:3])

    (call,) = noted.calls
    sent = server.requests[0].json
    assert (call.provider, call.model) == ("openai", "some-model")
    assert {"model": call.model, "messages": call.messages, **call.parameters} == sent
    assert KEY not in repr(call)


def test_the_observer_is_told_where_the_users_own_is_called(rank: Rank, face: str) -> None:
    """From the sync face in a thread of its own, from the async one on the caller's loop."""
    noted = Noted()

    rank(noted)

    assert len(noted.threads) == 1
    assert (threading.get_ident() in noted.threads) == (face == "async")


def test_it_may_take_its_time_on_a_loop(server: Server) -> None:
    """Its coroutines are awaited one after the other, and the block waits for the last."""
    noted = Awaited()
    scorer = LLMScorer("some-model", base_url=f"{server.url}/v1", api_key=KEY)

    async def session() -> None:
        with Reranker(scorer) as reranker:
            async with aobserving(noted):
                await reranker.arank(QUERY, TEXTS)

    asyncio.run(session())

    assert len(noted.replies) == 10
    assert noted.threads == {threading.get_ident()}


def test_a_failure_is_told_as_one(server: Server, rank: Rank) -> None:
    """With the error that the engine sees; the second try is another call."""
    server.faults = [FAULTS["server-error"].only(first(1))]
    noted = Noted()

    ranking = rank(noted, TEXTS[:3])

    assert [error.reason for error in noted.errors] == [Reason.SERVER]
    assert len(noted.replies) == 1
    assert ranking.report.calls == len(noted.calls) == 2


def test_a_refused_parameter_is_a_call_of_its_own(rank: Rank, server: Server) -> None:
    """As it is in the report."""
    server.api = OpenAIAPI(answering(), reader=read_prompt, refuses=["json_schema"])
    noted = Noted()

    ranking = rank(noted, TEXTS[:3])

    assert [error.status for error in noted.errors] == [400]
    assert ranking.report.calls == len(noted.calls) == 2


@pytest.mark.slow
@pytest.mark.parametrize("fault", ["silent", "silent-in-body", "slow-head"])
def test_what_the_deadline_cuts_has_ended(server: Server, rank: Rank, fault: str) -> None:
    """Every call that was started, before the ranking is handed over."""
    server.faults = [FAULTS[fault].only(matching("filler number 42 "))]
    noted = Noted()

    ranking = rank(noted, timeout=1.0)

    assert Reason.TIMEOUT in ranking.report.reasons
    assert noted.errors
    assert {error.reason for error in noted.errors} == {Reason.TIMEOUT}
    assert "given up" in str(noted.errors[0])
    assert noted.still_open == 0


def test_what_the_caller_cancels_has_ended(server: Server) -> None:
    """Before the cancellation goes on its way."""
    server.faults = [FAULTS["silent"]]
    noted = Noted()
    scorer = LLMScorer("some-model", base_url=f"{server.url}/v1", api_key=KEY)

    async def session() -> int:
        reranker = Reranker(scorer)

        async def observed() -> None:
            async with aobserving(noted):
                await reranker.arank(QUERY, TEXTS)

        asking = asyncio.create_task(observed())
        while len(server.requests) < 10:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        asking.cancel()
        with suppress(asyncio.CancelledError):
            await asking
        still_open = noted.still_open
        await reranker.aclose()
        return still_open

    assert asyncio.run(session()) == 0
    assert len(noted.errors) == 10


@pytest.mark.parametrize("when", ["started", "ended", "failed"])
def test_what_it_raises_is_logged(
    server: Server, rank: Rank, when: str, caplog: pytest.LogCaptureFixture
) -> None:
    """And the ranking is the one that there would be without it."""
    server.faults = [FAULTS["server-error"].only(first(1))]

    ranking = rank(Harmful(when))

    assert ranking[0].text == TEXTS[-1]
    assert not ranking.report.degraded
    assert f"no use for what {when}" in caplog.text


def test_one_that_hangs_holds_nothing_up(
    rank: Rank, face: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """It is left behind after a moment, and told so in the log; calls never wait for it."""
    monkeypatch.setattr(module, "OBSERVER_TIMEOUT", 0.05)
    go_on = threading.Event()

    class Hangs(Noted):
        def started(self, call: ChatCall) -> int:
            go_on.wait(20)
            return super().started(call)

    class Suspends(Noted):
        async def started(self, call: ChatCall) -> int:  # type: ignore[override]
            await asyncio.Event().wait()
            raise AssertionError

    ranking = rank(Hangs() if face == "sync" else Suspends())
    go_on.set()

    assert ranking.report.coverage == 1.0
    assert "behind" in caplog.text


def test_what_is_scored_in_shadow_is_not_told(server: Server) -> None:
    """Its ranking is over before it begins, even where the block is not."""
    noted = Noted()
    scorer = LLMScorer("some-model", base_url=f"{server.url}/v1", api_key=KEY)
    reranker = Reranker(scorer, shadow=1.0)

    with observing(noted):
        reranker.rank(QUERY, TEXTS)
        reranker.close()  # it waits for what is scored in shadow

    assert len(server.requests) == 10
    assert noted.calls == []


def test_no_key_is_in_what_it_sees(server: Server, rank: Rank) -> None:
    """Also where the server quotes the one that it refuses."""
    server.faults = [FAULTS["unauthorized-echo"]]
    noted = Noted()

    with pytest.raises(ScorerError):
        rank(noted)

    assert noted.errors
    for error in noted.errors:
        assert KEY not in f"{error!r} {vars(error)} {error.__cause__!r} {error.__context__!r}"


def test_outside_the_block_nobody_is_told(server: Server) -> None:
    """Neither before nor after it."""
    noted = Noted()
    scorer = LLMScorer("some-model", base_url=f"{server.url}/v1", api_key=KEY)
    with Reranker(scorer) as reranker:
        reranker.rank(QUERY, TEXTS[:3])
        with observing(noted):
            pass
        reranker.rank(QUERY, TEXTS[:3])

    assert len(server.requests) == 2
    assert noted.calls == []
