"""Headers, parameters and clients of the user's own, over a server on loopback."""

from __future__ import annotations

import asyncio
import pickle
import threading
from collections.abc import Callable
from typing import Any

import pytest
from loopback import FAULTS, Server

from llm.conftest import ANSWER, QUERY, TEXTS, Serve
from rerank_core import ConfigurationError, Ranking, Reason, Reranker
from rerank_core.scorers import LLMScorer

openai = pytest.importorskip("openai")
httpx = pytest.importorskip("httpx")

# Nobody but the user closes the user's own client, and these leave theirs to the collector.
pytestmark = [
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning"),
]

DEPLOYMENT = "/openai/deployments/judge"


def ranked(face: str, scorer: LLMScorer) -> Ranking:
    with Reranker(scorer, top_n=None, timeout=20.0) as reranker:
        if face == "sync":
            return reranker.rank(QUERY, TEXTS)
        return asyncio.run(reranker.arank(QUERY, TEXTS))


def plain(server: Server, kind: str) -> Any:
    return getattr(openai, kind)(base_url=f"{server.url}/v1", api_key="any")


def azure(server: Server, kind: str) -> Any:
    return getattr(openai, kind)(
        azure_endpoint=server.url,
        azure_deployment="judge",
        api_version="2024-10-21",
        api_key="azure-key",
    )


CLIENTS = {
    "AsyncOpenAI": plain,
    "OpenAI": plain,
    "AsyncAzureOpenAI": azure,
    "AzureOpenAI": azure,
}


@pytest.mark.parametrize("kind", CLIENTS)
@pytest.mark.parametrize("face", ["sync", "async"])
def test_a_client_of_the_sdk_is_asked(serve: Serve, kind: str, face: str) -> None:
    """Sync or async, from either face, with its own address, key and parameters."""
    server = serve(root="/v1" if CLIENTS[kind] is plain else DEPLOYMENT)
    client = CLIENTS[kind](server, kind)

    ranking = ranked(face, LLMScorer(client, model="gpt-4o-mini"))

    assert ranking.all[0].text == ANSWER
    assert (ranking.report.coverage, ranking.report.calls) == (1.0, len(server.requests))
    assert ranking.report.prompt_tokens > 0
    if "Azure" in kind:
        request = server.requests[0]
        assert request.path == f"{DEPLOYMENT}/chat/completions?api-version=2024-10-21"
        assert request.headers["api-key"] == "azure-key"


def test_azure_takes_the_deployment_for_the_model(serve: Serve) -> None:
    """Where the client names none, the model's name is the deployment's, as in the SDK."""
    server = serve(root=DEPLOYMENT)
    client = openai.AsyncAzureOpenAI(
        azure_endpoint=server.url, api_version="2024-10-21", api_key="any"
    )

    assert ranked("async", LLMScorer("judge", client=client)).report.coverage == 1.0


def test_azure_by_its_address_alone(serve: Serve) -> None:
    """Without its client: the version in the address, the key in its header."""
    server = serve(root=DEPLOYMENT)

    scorer = LLMScorer(
        "judge",
        base_url=f"{server.url}{DEPLOYMENT}?api-version=2024-10-21",
        headers={"api-key": "azure-key"},
    )

    assert ranked("sync", scorer).report.coverage == 1.0
    request = server.requests[0]
    assert request.path.endswith("/chat/completions?api-version=2024-10-21")
    assert request.headers["api-key"] == "azure-key"


def test_its_retries_are_the_rerankers(serve: Serve) -> None:
    """One that would try again by itself does not; the report counts what is tried again."""
    fault = FAULTS["server-error"].only(lambda request: request.number == 0)
    server = serve(None, fault)
    client = openai.AsyncOpenAI(base_url=f"{server.url}/v1", api_key="any", max_retries=5)

    ranking = ranked("async", LLMScorer(client, model="m", group_size=25))

    assert (ranking.report.retries, ranking.report.calls, len(server.requests)) == (1, 2, 2)
    assert client.max_retries == 5


def test_its_failure_is_a_reason(serve: Serve) -> None:
    """As with clients of ours."""
    server = serve(None, FAULTS["payment"])

    ranking = ranked("sync", LLMScorer(plain(server, "OpenAI"), model="m"))

    assert ranking.report.reasons == (Reason.PAYMENT,)


def test_a_client_is_used_where_it_belongs_and_left_open(serve: Serve) -> None:
    """On the caller's loop, where the user goes on using it."""
    server = serve()

    async def use() -> None:
        client = plain(server, "AsyncOpenAI")
        for _ in range(2):
            async with Reranker(LLMScorer(client, model="m"), timeout=20.0) as reranker:
                await reranker.arank(QUERY, TEXTS)
            await client.models.list()
        await client.close()

    asyncio.run(use())

    assert [request.path for request in server.requests].count("/v1/models") == 2


class Recorded(httpx.AsyncBaseTransport):  # type: ignore[misc, name-defined]
    """The user's own transport."""

    def __init__(self) -> None:
        self.inner = httpx.AsyncHTTPTransport()
        self.threads: set[int] = set()

    async def handle_async_request(self, request: Any) -> Any:
        self.threads.add(threading.get_ident())
        return await self.inner.handle_async_request(request)

    async def aclose(self) -> None:
        await self.inner.aclose()


def test_an_http_client_of_ones_own_carries_the_calls(serve: Serve) -> None:
    """With its transport, proxies and certificates, on the caller's loop."""
    serve()
    transport = Recorded()

    async def use() -> Ranking:
        async with httpx.AsyncClient(transport=transport) as http_client:
            scorer = LLMScorer("m", http_client=http_client)
            async with Reranker(scorer, timeout=20.0) as reranker:
                ranking = await reranker.arank(QUERY, TEXTS)
            assert not http_client.is_closed
        return ranking

    assert asyncio.run(use()).report.coverage == 1.0
    assert transport.threads == {threading.get_ident()}


def test_a_sync_http_client_does_as_well(serve: Serve) -> None:
    """In threads."""
    serve()

    with httpx.Client() as http_client:
        assert ranked("async", LLMScorer("m", http_client=http_client)).report.coverage == 1.0


def test_headers_and_parameters_go_along(serve: Serve) -> None:
    """With every call, also after a pickle, where none of them is a secret."""
    server = serve()
    scorer = LLMScorer(
        "m", base_url=f"{server.url}/v1?team=search&tier=2", headers={"X-Title": "rerank"}
    )

    for one in (scorer, pickle.loads(pickle.dumps(scorer))):
        server.clear()
        ranked("sync", one)
        assert {request.path for request in server.requests} == {
            "/v1/chat/completions?team=search&tier=2"
        }
        assert {request.headers["x-title"] for request in server.requests} == {"rerank"}


@pytest.mark.parametrize(
    "options",
    [
        {"headers": {"Authorization": "Bearer hunter2hunter2"}},
        {"headers": {"x-api-key": "hunter2hunter2"}},
        {"base_url": "http://127.0.0.1:9/v1?api-key=hunter2hunter2"},
        {"api_key": "hunter2hunter2"},
    ],
    ids=["authorization", "key", "parameter", "api_key"],
)
def test_no_secret_is_shown_or_carried(serve: Serve, options: dict[str, Any]) -> None:
    """Not in a repr, a name in the cache, or a pickle."""
    serve()
    scorer = LLMScorer("m", **options)

    for shown in (repr(scorer), str(scorer.fingerprint), str(pickle.dumps(scorer))):
        assert "hunter2" not in shown


WRONG: list[tuple[Callable[[], Any], str]] = [
    (lambda: {"llm": openai.OpenAI(api_key="k"), "base_url": "http://a/v1"}, "base_url"),
    (lambda: {"llm": openai.OpenAI(api_key="k"), "api_key": "k"}, "api_key"),
    (lambda: {"llm": openai.OpenAI(api_key="k"), "client": openai.OpenAI(api_key="k")}, "client"),
    (lambda: {"client": object()}, "AsyncOpenAI"),
    (lambda: {"client": openai.AsyncOpenAI}, "AsyncOpenAI"),
    (lambda: {"http_client": "http://proxy"}, "http_client"),
    (lambda: {"headers": {"x-title": "a\nb"}}, "headers"),
    (lambda: {"llm": "m", "model": "n"}, "not both"),
]


@pytest.mark.parametrize(("options", "named"), WRONG, ids=range(len(WRONG)))
def test_what_is_said_twice_or_cannot_be_used_is_refused(
    serve: Serve, options: Callable[[], Any], named: str
) -> None:
    """At construction, with the option's name."""
    serve()

    with pytest.raises(ConfigurationError, match=named):
        LLMScorer(**options())


def test_a_client_does_not_pickle(serve: Serve) -> None:
    """It says what to do."""
    server = serve()

    with pytest.raises(ConfigurationError, match="client"):
        pickle.dumps(LLMScorer(plain(server, "OpenAI"), model="m"))
