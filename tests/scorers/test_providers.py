"""Servers whose requests and answers have a shape of their own, each as its reference shows it."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest
from loopback import FAULTS, Request, RerankAPI, Response, Server

from rerank_core import ConfigurationError, Reranker, ScorerError
from rerank_core.remote.http_errors import explanation
from rerank_core.runtime import loop
from rerank_core.scorers import CohereScorer, EmbeddingScorer, RerankAPIScorer
from rerank_core.scorers.services.providers import PROVIDERS, provider_at
from rerank_core.scorers.services.replies import spent_in

KEY = "zzq0123456789abcdefgh"
TEXTS = ["green pears", "red apples", "red wine"]
SCORES = [0.1, 0.9, 0.4]


@dataclass
class Shaped:
    """Answers every request with what `reply` makes of the scores, in no particular order."""

    reply: Callable[[list[tuple[int, float]]], Any]
    status: int = 200

    async def answer(self, request: Request) -> Response:
        return Response.of(self.reply([(1, 0.9), (2, 0.4), (0, 0.1)]), self.status)

    def error(self, status: int, message: str, code: str | None = None) -> Response:
        return Response.of({"message": message}, status)


#: The body that each takes for this query, and its answer.
SHAPES: dict[str, tuple[Mapping[str, Any], Callable[[list[tuple[int, float]]], Any]]] = {
    "nvidia": (
        {
            "model": "m",
            "query": {"text": "red apples"},
            "passages": [{"text": text} for text in TEXTS],
            "truncate": "END",
        },
        lambda scores: {"rankings": [{"index": i, "logit": s} for i, s in scores]},
    ),
    "dashscope": (
        {
            "model": "m",
            "input": {"query": "red apples", "documents": TEXTS},
            "parameters": {"top_n": 3, "return_documents": False},
        },
        lambda scores: {
            "output": {"results": [{"index": i, "relevance_score": s} for i, s in scores]},
            "usage": {"total_tokens": 79},
            "request_id": "r",
        },
    ),
    "bedrock": (
        {
            "queries": [{"type": "TEXT", "textQuery": {"text": "red apples"}}],
            "sources": [
                {
                    "type": "INLINE",
                    "inlineDocumentSource": {"type": "TEXT", "textDocument": {"text": text}},
                }
                for text in TEXTS
            ],
            "rerankingConfiguration": {
                "type": "BEDROCK_RERANKING_MODEL",
                "bedrockRerankingConfiguration": {
                    "modelConfiguration": {"modelArn": "m"},
                    "numberOfResults": 3,
                },
            },
        },
        lambda scores: {"results": [{"index": i, "relevanceScore": s} for i, s in scores]},
    ),
    "vertex": (
        {
            "model": "m",
            "query": "red apples",
            "records": [{"id": str(i), "content": text} for i, text in enumerate(TEXTS)],
            "topN": 3,
            "ignoreRecordDetailsInResponse": True,
        },
        lambda scores: {"records": [{"id": str(i), "score": s} for i, s in scores]},
    ),
    "watsonx": (
        {
            "model_id": "m",
            "query": "red apples",
            "inputs": [{"text": text} for text in TEXTS],
            "parameters": {"return_options": {"top_n": 3}},
        },
        lambda scores: {
            "model_id": "m",
            "results": [{"index": i, "score": s} for i, s in scores],
            "input_token_count": 79,
        },
    ),
    "voyage": (
        {
            "model": "m",
            "query": "red apples",
            "documents": TEXTS,
            "top_k": 3,
            "return_documents": False,
            "truncation": True,
        },
        lambda scores: {
            "data": [{"index": i, "relevance_score": s} for i, s in scores],
            "usage": {"total_tokens": 79},
        },
    ),
}


@pytest.mark.parametrize("name", SHAPES)
def test_a_server_is_asked_and_read_as_its_reference_says(name: str) -> None:
    """Body and answer; the scores are those of the texts that they are about."""
    body, reply = SHAPES[name]
    with Server(Shaped(reply)) as server:
        scorer = RerankAPIScorer(server.url, "m", provider=name, api_key=KEY)
        with Reranker(scorer, timeout=30.0, top_n=None) as reranker:
            ranking = reranker.rank("red apples", TEXTS)
        (request,) = server.requests

    assert request.json == body
    assert request.headers["authorization"] == f"Bearer {KEY}"
    assert [hit.index for hit in ranking.all] == [1, 2, 0]
    assert sorted(hit.components["api:raw"] for hit in ranking.all) == sorted(SCORES)
    assert ranking.report.prompt_tokens == (79 if name in ("dashscope", "watsonx", "voyage") else 0)
    assert pickle.loads(pickle.dumps(PROVIDERS[name])) == PROVIDERS[name]


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("ai.api.nvidia.com", "nvidia"),
        ("dashscope-intl.aliyuncs.com", "dashscope"),
        ("bedrock-agent-runtime.us-west-2.amazonaws.com", "bedrock"),
        ("discoveryengine.googleapis.com", "vertex"),
        ("us-south.ml.cloud.ibm.com", "watsonx"),
        ("s3.us-west-2.amazonaws.com", "common"),
        ("evilml.cloud.ibm.com.example.com", "common"),
    ],
)
def test_a_vendor_is_known_by_its_host(host: str, name: str) -> None:
    """And nobody else by a name that looks like it."""
    assert provider_at(host).name == name


def test_parameters_and_options_reach_the_server() -> None:
    """watsonx wants a version in the URL and a project in the body; both may be one's own."""
    with Server(Shaped(SHAPES["watsonx"][1])) as server:
        scorer = RerankAPIScorer(
            f"{server.url}?version=2026-01-01&team=search",
            "m",
            provider="watsonx",
            headers={"x-team": "search"},
            options={"project_id": "p", "parameters": {"truncate_input_tokens": 512}},
        )
        with Reranker(scorer, timeout=30.0) as reranker:
            reranker.rank("red apples", TEXTS)
        (request,) = server.requests

    assert request.path == "/ml/v1/text/rerank?version=2026-01-01&team=search"
    assert request.headers["x-team"] == "search"
    assert request.json["project_id"] == "p"
    assert request.json["parameters"] == {
        "return_options": {"top_n": 3},
        "truncate_input_tokens": 512,
    }


def test_an_answer_that_echoes_the_documents_is_read() -> None:
    """However long it is, as long as what was sent explains it; vLLM does that."""
    texts = [f"{place} " + "words " * 60_000 for place in range(30)]

    def reply(scores: list[tuple[int, float]]) -> Any:
        return {
            "results": [
                {"index": i, "relevance_score": i / 30, "document": {"text": text}}
                for i, text in enumerate(texts)
            ]
        }

    with Server(Shaped(reply)) as server:
        scorer = RerankAPIScorer(server.url, "m", provider="vllm")
        with Reranker(scorer, timeout=60.0) as reranker:
            long = reranker.rank("q", texts)
            short = reranker.rank("q", [text[:9] for text in texts])

    assert long.report.coverage == 1.0
    assert short.report.coverage == 0.0
    assert "more than 4 MB long" in short.report.why


@pytest.mark.parametrize(
    ("reply", "spent"),
    [
        ({"usage": {"prompt_tokens": 7, "total_tokens": 9}}, (7, 0)),
        ({"usage": {"total_tokens": 9}}, (9, 0)),
        ({"meta": {"tokens": {"input_tokens": 7.0}, "billed_units": {"search_units": 1}}}, (7, 1)),
        ({"meta": {"billed_units": {"input_tokens": 7}}}, (7, 0)),
        ({"usage": {"rerank_units": 2}}, (0, 2)),
        ({"meta": {"tokens": None, "billed_units": {"search_units": "1"}}}, (0, 0)),
        ([], (0, 0)),
    ],
)
def test_what_a_reply_says_it_cost(reply: object, spent: tuple[int, int]) -> None:
    """Tokens and search units, wherever they stand."""
    assert spent_in(reply) == spent


def test_search_units_are_in_the_report() -> None:
    """Cohere bills by them, through its SDK and without."""
    with Server(RerankAPI("cohere")) as server:
        for scorer in (
            CohereScorer(base_url=server.url, api_key=KEY),
            RerankAPIScorer(server.url, "m", provider="cohere", api_key=KEY),
        ):
            with Reranker(scorer, timeout=30.0) as reranker:
                assert reranker.rank("q", TEXTS).report.search_units == 1


@pytest.mark.parametrize(
    ("status", "said", "reason"),
    [
        (400, {"error": {"message": "The model `rerank-v9.9` does not exist"}}, "model"),
        (422, {"detail": "unknown model: m"}, "model"),
        (500, {"error": {"message": "litellm.BadRequestError: no healthy deployments for m"}},
         "model"),
        (400, {"message": "API key not valid. Please pass a valid API key."}, "auth"),
        (422, {"detail": [{"msg": "invalid api key"}]}, "auth"),
        (500, {"error": "AuthenticationError: bad credentials"}, "auth"),
    ],
)  # fmt: skip
def test_a_wrong_model_or_key_by_another_status(status: int, said: Any, reason: str) -> None:
    """Raises at the end of the first call, in the server's words; with a fallback that answers."""
    with Server(Shaped(lambda scores: said, status)) as server:
        scorer = RerankAPIScorer(server.url, "m", provider="vllm")
        with (
            Reranker(scorer, timeout=30.0) as reranker,
            pytest.raises(ScorerError, match=f"HTTP {status}: ") as caught,
        ):
            reranker.rank("q", TEXTS)
        scorer = RerankAPIScorer(server.url, "m", provider="vllm")
        with Reranker(scorer, timeout=30.0, fallback="bm25") as reranker:
            report = reranker.rank("red", TEXTS).report

    assert explanation(said) in str(caught.value)
    assert str(caught.value.reason) == reason
    assert report.reasons == (reason, "fallback")


def test_once_something_has_succeeded_it_is_the_worlds_doing() -> None:
    """Then it degrades, as a 401 does."""
    with Server(RerankAPI("vllm")) as server:
        scorer = RerankAPIScorer(server.url, "m", provider="vllm")
        with Reranker(scorer, timeout=30.0) as reranker:
            reranker.rank("red", TEXTS)
            server.api = Shaped(lambda scores: {"message": "no such model"}, 400)
            report = reranker.rank("red", TEXTS).report

    assert report.reasons == ("model",)
    assert "no such model" in report.why


def test_another_400_degrades() -> None:
    """Nothing says that it will be so for ever."""
    with Server(RerankAPI("vllm"), [FAULTS["bad-request"]]) as server:
        scorer = RerankAPIScorer(server.url, "m", provider="vllm")
        with Reranker(scorer, timeout=30.0) as reranker:
            assert reranker.rank("red", TEXTS).report.reasons == ("request",)


def test_clients_of_ones_own() -> None:
    """The vendors' SDK objects, and an HTTP client, are used as they are and are not closed."""
    httpx = pytest.importorskip("httpx")
    cohere = pytest.importorskip("cohere")
    with Server(RerankAPI("cohere")) as server:
        ours: Any = httpx.AsyncClient(headers={"x-own": "1"})
        sdk: Any = cohere.AsyncClientV2(KEY, base_url=server.url)
        for scorer in (
            RerankAPIScorer(server.url, "m", provider="cohere", api_key=KEY, http_client=ours),
            CohereScorer(api_key=KEY, base_url=f"{server.url}?team=search", http_client=ours),
            CohereScorer(client=sdk, headers={"x-own": "1"}),
        ):
            with Reranker(scorer, timeout=30.0) as reranker:
                assert reranker.rank("red", TEXTS).report.coverage == 1.0
        assert not ours.is_closed
        assert [request.headers.get("x-own") for request in server.requests] == ["1"] * 3
        assert "team=search" in server.requests[1].path
        loop.run(ours.aclose())


def test_a_client_that_cannot_be_used_is_refused_when_the_scorer_is_made() -> None:
    """It would fail every ranking, or nobody would ask it, and its proxy were not gone through."""
    httpx = pytest.importorskip("httpx")
    cohere = pytest.importorskip("cohere")
    openai = pytest.importorskip("openai")

    def refused(make: Callable[..., Any], said: str, **options: Any) -> None:
        with pytest.raises(ConfigurationError, match=said):
            make(**options)

    url = "http://127.0.0.1:9"
    for http_client in (httpx.Client(), httpx.AsyncClient, "http://proxy"):
        for make in (
            partial(RerankAPIScorer, url, "m"),
            partial(CohereScorer, base_url=url, api_key=KEY),
            partial(EmbeddingScorer, base_url=url, api_key=KEY),
        ):
            refused(make, "http_client is of httpx.AsyncClient, not of", http_client=http_client)
    for client in (cohere.ClientV2(KEY), cohere.AsyncClient(KEY), object()):
        refused(CohereScorer, "client is of cohere.AsyncClientV2, not of", client=client)
    for client in (openai.OpenAI(api_key=KEY), openai.AsyncOpenAI, object()):
        refused(EmbeddingScorer, "client is of openai.AsyncOpenAI, not of", client=client)


def test_what_wraps_a_client_is_let_be() -> None:
    """As tracers do, with classes of their own."""
    openai = pytest.importorskip("openai")

    class Traced:
        def __init__(self, client: Any) -> None:
            self.client = client

        def __getattr__(self, name: str) -> Any:
            return getattr(self.client, name)

    EmbeddingScorer(client=Traced(openai.AsyncOpenAI(api_key=KEY)))


def test_what_a_client_of_ones_own_has_itself_is_not_said_beside_it() -> None:
    """It would be without effect."""
    cohere = pytest.importorskip("cohere")
    openai = pytest.importorskip("openai")

    with pytest.raises(ConfigurationError, match="base_url: the client has its own"):
        CohereScorer(client=cohere.AsyncClientV2(KEY), base_url="http://127.0.0.1:9")
    with pytest.raises(ConfigurationError, match="headers: the client has its own"):
        EmbeddingScorer(client=openai.AsyncOpenAI(api_key=KEY), headers={"x-team": "a"})


def test_an_openai_client_of_ones_own() -> None:
    """Azure's as well; the deployment is the model."""
    from loopback import OpenAIAPI, fixed

    openai = pytest.importorskip("openai")
    with Server(OpenAIAPI(fixed(""))) as server:
        client = openai.AsyncOpenAI(api_key=KEY, base_url=f"{server.url}/v1", max_retries=0)
        scorers = [
            EmbeddingScorer("openai:m", client=client),
            EmbeddingScorer(
                "openai:m",
                base_url=f"{server.url}/v1?api-version=2024-10-21",
                api_key=KEY,
                headers={"x-own": "1"},
            ),
        ]
        for scorer in scorers:
            with Reranker(scorer, timeout=60.0) as reranker:
                assert reranker.rank("red", TEXTS).report.coverage == 1.0
        second = server.requests[-1]
        loop.run(client.close())

    assert "api-version=2024-10-21" in second.path
    assert second.headers["x-own"] == "1"
