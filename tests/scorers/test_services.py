"""What the scorers behind a rerank service have in common, over real sockets."""

from __future__ import annotations

import asyncio
import copy
import logging
import os
import pickle
import subprocess
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from loopback import FAULTS, MISCHIEF, Latency, RerankAPI, Server, asked, first

from rerank_core import Reranker
from rerank_core.errors import MissingKeyError, Reason, ScorerError
from rerank_core.remote.http_errors import explanation
from rerank_core.runtime import usage
from rerank_core.scorers.services.cohere import CohereScorer
from rerank_core.scorers.services.replies import by_index
from rerank_core.scorers.services.rerank_api import RerankAPIScorer
from rerank_core.scorers.services.service import ServiceScorer

KEY = "zzq0123456789abcdefgh"
QUERY = "red apples"


@dataclass(frozen=True)
class Service:
    """A scorer, and the server that it asks."""

    dialect: str
    make: Callable[..., ServiceScorer]
    variable: str

    def server(self, *faults: str, **options: Any) -> Server:
        return Server(RerankAPI(self.dialect, **options), [FAULTS[name] for name in faults])

    def at(self, server: Server, **options: Any) -> ServiceScorer:
        return self.make(server.url, **({"api_key": KEY} | options))


@pytest.fixture(params=["cohere", "jina", "pinecone"])
def service(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Service:
    for name in ("CO_API_KEY", "COHERE_API_KEY", "CO_API_URL", "JINA_API_KEY", "PINECONE_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    if request.param == "cohere":
        return Service(
            "cohere", lambda url, **options: CohereScorer(base_url=url, **options), "CO_API_KEY"
        )
    return Service(
        request.param,
        lambda url, **options: RerankAPIScorer(url, "m", provider=request.param, **options),
        f"{request.param.upper()}_API_KEY",
    )


@pytest.mark.parametrize("name", MISCHIEF)
def test_spoiled_results_cost_only_the_documents_they_are_about(
    service: Service, name: str
) -> None:
    """No score moves to another document; what is not scored is None."""
    if (service.dialect, name) == ("cohere", "not-objects"):
        pytest.skip("the SDK reads none of these: see its own tests")
    texts = ["red apples", "red apples here", "pears", "red", "apples red now then"]
    replies = []
    for mischief in (None, name):
        with service.server(mischief=mischief) as server:
            replies.append(asked(service.at(server), QUERY, texts))
    honest, spoiled = replies
    spoilt = [place for place in range(len(texts)) if spoiled[place] != honest[place]]

    assert all(spoiled[place] is None for place in spoilt)
    if name in ("unsorted", "repeated"):
        assert spoilt == []
    elif name == "none-at-all":
        assert len(spoilt) == 5
    else:
        assert spoilt == [2]  # the last of the results


def test_results_about_no_document_are_told(service: Service) -> None:
    """The report has a note."""
    with service.server(mischief="out-of-range") as server, usage.metered() as meter:
        asked(service.at(server), QUERY, ["a", "b"])

    assert "about no document" in " ".join(meter.notes)


@pytest.mark.parametrize(
    ("fault", "reason", "retryable"),
    [
        ("bad-request", Reason.REQUEST, False),
        ("unauthorized", Reason.AUTH, False),
        ("payment", Reason.PAYMENT, False),
        ("forbidden", Reason.AUTH, False),
        ("unknown-model", Reason.MODEL, False),
        ("request-timeout", Reason.TIMEOUT, True),
        ("conflict", Reason.SERVER, True),
        ("too-large", Reason.TOO_LARGE, False),
        ("unprocessable", Reason.REQUEST, False),
        ("rate-limit", Reason.RATE_LIMIT, True),
        ("server-error", Reason.SERVER, True),
        ("unavailable", Reason.OVERLOADED, True),
        ("gateway-timeout", Reason.SERVER, True),
        ("overloaded", Reason.OVERLOADED, True),
        ("closed", Reason.CONNECTION, True),
        ("closed-in-body", Reason.CONNECTION, True),
        ("reset", Reason.CONNECTION, True),
        ("garbage", Reason.CONNECTION, True),
        ("length-too-long", Reason.CONNECTION, True),
        ("empty-body", Reason.CONNECTION, True),
        ("invalid-json", Reason.CONNECTION, True),
        ("truncated-json", Reason.CONNECTION, True),
        ("json-null", Reason.CONNECTION, True),
        ("json-other", Reason.CONNECTION, True),
        ("not-utf8", Reason.CONNECTION, True),
        ("html", Reason.CONNECTION, True),
        ("huge-body", Reason.CONNECTION, True),
        ("gzip-garbage", Reason.CONNECTION, True),
        ("redirect-loop", Reason.REQUEST, False),
    ],
)
def test_each_failure_is_classified(
    service: Service, fault: str, reason: Reason, retryable: bool
) -> None:
    """By status or by the connection, after one call: retries are the engine's."""
    with service.server(fault) as server:
        with pytest.raises(ScorerError) as caught:
            asked(service.at(server), QUERY, ["a", "b"])
        assert len(server.requests) == 1

    assert caught.value.reason == reason
    assert caught.value.retryable == retryable
    assert caught.value.splittable == (fault == "too-large")


def test_retry_after_is_handed_on(service: Service) -> None:
    """In seconds, with what the server said."""
    busy = service.server("rate-limit-seconds")
    with busy as server, pytest.raises(ScorerError, match="Rate limit reached") as caught:
        asked(service.at(server), QUERY, ["a"])

    assert caught.value.retry_after == 1


def test_silence_ends_at_the_request_timeout(service: Service) -> None:
    """Where there is no deadline, the longest silence is bounded all the same."""
    silent = service.server("silent")
    with silent as server, pytest.raises(ScorerError) as caught:
        asked(service.at(server, request_timeout=0.1), QUERY, ["a"])

    assert caught.value.reason == Reason.CONNECTION


def test_cancelling_hangs_up(service: Service) -> None:
    """The server sees the connection go, and the next request is answered."""

    async def cancel(server: Server) -> list[float | None]:
        scorer = service.at(server)
        await scorer.warm_up()
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(scorer.score(QUERY, ["a"]), 0.2)
        server.api = RerankAPI(service.dialect)
        again = await scorer.score(QUERY, ["red apples"])
        await scorer.aclose()
        return again

    with service.server(latency=Latency(call=30)) as server:
        again = asyncio.run(cancel(server))

    assert again == [1.0]
    assert server.abandoned == 1


def test_one_connection_serves_many_calls(service: Service) -> None:
    """The client is kept, so are its connections."""

    async def ask(scorer: ServiceScorer) -> None:
        for _ in range(5):
            await scorer.score(QUERY, ["a", "b"])
        await scorer.aclose()

    with service.server() as server:
        asyncio.run(ask(service.at(server)))

    assert len(server.requests) == 5
    assert server.connections == 1


def test_any_text_can_be_sent(service: Service) -> None:
    """Emoji, right-to-left, half a surrogate pair, a megabyte."""
    texts = ["🍎🍏", "תפוחים אדומים", "\ud83c red apples", "red apples " * 90_000]
    with service.server() as server:
        scores = asked(service.at(server), QUERY, texts)

    assert None not in scores
    assert len(server.requests[0].body) > 900_000


def test_what_has_no_content_is_not_sent(service: Service) -> None:
    """Many servers refuse a whole request for one blank text: it has no score instead."""
    with service.server() as server:
        scores = asked(service.at(server), QUERY, ["red apples", "", "\u2003\n"])
        blank = asked(service.at(server), QUERY, [" "])
        empty = asked(service.at(server), QUERY, [])

    assert scores == [1.0, None, None]
    assert list(blank) == [None]
    assert list(empty) == []
    assert len(server.requests) == 1


def test_the_report_says_that_blank_texts_are_not_sent(service: Service) -> None:
    """It is the reason why the ranking is incomplete."""
    with service.server() as server, Reranker(service.at(server), timeout=30.0) as reranker:
        report = reranker.rank(QUERY, ["red apples", " "]).report

    assert report.reasons == (Reason.INCOMPLETE,)
    assert "is sent no blank texts, which have no score" in report.why


def test_warm_up_sends_nothing(service: Service) -> None:
    """It imports the client's package and makes the client."""

    async def warm(scorer: ServiceScorer) -> None:
        await scorer.warm_up()
        await scorer.warm_up()
        await scorer.aclose()

    with service.server() as server:
        asyncio.run(warm(service.at(server)))

    assert server.requests == []


def test_usage_is_recorded(service: Service) -> None:
    """Calls as sent, also the failed ones; nobody knows the price."""
    with service.server() as server, usage.metered() as meter:
        server.faults = [FAULTS["server-error"].only(first(1))]
        with pytest.raises(ScorerError):
            asked(service.at(server), QUERY, ["a"])
        asked(service.at(server), QUERY, ["a"])

    assert meter.usage.calls == 2
    assert meter.usage.cost is None


@pytest.mark.parametrize("fault", ["unauthorized-echo", "closed", "invalid-json"])
def test_the_key_shows_nowhere(
    service: Service, fault: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Not in a repr, an error, or a log at its most talkative, even if the server quotes it."""
    caplog.set_level(logging.DEBUG)
    with service.server(fault) as server:
        scorer = service.at(server)
        with pytest.raises(ScorerError) as caught:
            asked(scorer, QUERY, ["a"])
    shown = [*traceback.format_exception(caught.value), repr(scorer), str(scorer.fingerprint)]

    assert caught.value.__context__ is None  # an SDK's error would carry the request
    assert caplog.records
    assert KEY not in "\n".join(shown)
    assert KEY not in caplog.text


def test_a_key_with_a_line_break_is_still_a_key(service: Service) -> None:
    """As files have it at their end."""
    with service.server(api_key=KEY) as server:
        assert asked(service.at(server, api_key=KEY + "\n"), QUERY, ["red apples"]) == [1.0]


def test_a_placeholder_for_a_key_does_not_garble_messages(service: Service) -> None:
    """Local servers are often given any letter for a key."""
    broke = service.server("payment")
    with broke as server, pytest.raises(ScorerError, match=r"Insufficient credit\."):
        asked(service.at(server, api_key="i"), QUERY, ["a"])


def test_a_score_is_cached_under_the_headers_it_was_asked_with(service: Service) -> None:
    """A gateway may go by them; the key is no part of it."""
    with service.server() as server:
        plain, other, keyed = (
            service.at(server, **options).fingerprint
            for options in ({}, {"headers": {"x-route": "b"}}, {"api_key": KEY[::-1]})
        )

    assert plain is not None
    assert other != plain == keyed


def test_a_pickle_holds_no_key(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is read from the environment again, or missed at once."""
    with service.server(api_key=KEY) as server:
        pickled = pickle.dumps(service.at(server))
        assert KEY.encode() not in pickled
        with pytest.raises(MissingKeyError, match=service.variable):
            pickle.loads(pickled)
        monkeypatch.setenv(service.variable, KEY)
        assert asked(pickle.loads(pickled), QUERY, ["red apples"]) == [1.0]


def test_a_copy_works_as_the_original(service: Service) -> None:
    """With the key that it was given."""
    with service.server(api_key=KEY) as server:
        assert asked(copy.copy(service.at(server)), QUERY, ["red apples"]) == [1.0]


@pytest.mark.parametrize(
    "make",
    [
        "services.rerank_api import RerankAPIScorer as S; S('http://host/rerank')",
        "services.cohere import CohereScorer as S; S(api_key='k')",
    ],
)
def test_construction_imports_no_client(make: str) -> None:
    """What takes a while to import waits for warm-up."""
    code = (
        f"import sys; from rerank_core.scorers.{make}; "
        "sys.exit(bool({'httpx', 'cohere', 'openai'} & set(sys.modules)))"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}

    assert subprocess.run([sys.executable, "-c", code], env=environment).returncode == 0


def test_an_error_of_any_shape_is_explained() -> None:
    """What cannot be read says nothing rather than the wrong thing."""
    assert explanation({"error": "Input is too long", "error_type": "Validation"}) == (
        "Input is too long (Validation)"
    )
    assert explanation({"message": "no"}) == "no"
    assert explanation([{"msg": "a"}, {"msg": "b"}]) == "a; b"
    assert explanation({"error": {"message": None}}) == explanation(None) == ""


def test_the_first_mention_of_a_document_counts() -> None:
    """True is no index, and no number is no score."""
    pairs = [(0, 0.5), (0, 0.9), (True, 0.1), (1, True), (-1, 0.3), ("2", 0.3), (2, 1e400)]

    assert by_index(pairs, 3) == ([0.5, None, None], 3)
