"""LlamaIndex behind a web server: Starlette under uvicorn with uvloop, many requests at once."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from loopback import FAULTS, Fault, OpenAIAPI, Server, scoring

pytest.importorskip("llama_index.core")
pytest.importorskip("uvloop")
pytest.importorskip("uvicorn")
pytest.importorskip("starlette")

import httpx
import uvicorn
from llama_index.core import MockEmbedding, VectorStoreIndex
from llama_index.core.base.response.schema import Response as Answer
from llama_index.core.llms import MockLLM
from llama_index.core.query_engine import RetrieverQueryEngine
from llama_index.core.schema import QueryBundle, TextNode
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from llamaindex_rerank import LLMReranker

HANG_UP = Fault("hang-up", headers={"connection": "close"})
MANY = 50
TOWNS = [f"town{n}" for n in range(12)]

pytestmark = pytest.mark.slow


@pytest.fixture
def upstream() -> Iterator[Server]:
    with Server(OpenAIAPI(scoring()), faults=[HANG_UP]) as server:
        yield server


@pytest.fixture
def reranker(upstream: Server) -> Iterator[LLMReranker]:
    ours = LLMReranker(
        "some-model",
        top_n=2,
        timeout=30.0,
        base_url=f"{upstream.url}/v1",
        api_key="sk-loopback-0123456789abcdef",
    )
    yield ours
    ours.reranker.close()


@pytest.fixture
def url(reranker: LLMReranker) -> Iterator[str]:
    """Where an engine answers: asynchronously, and in a sync call that blocks the running loop."""
    nodes = [TextNode(text=f"{town} is a town, and so is its market", id_=town) for town in TOWNS]
    retriever = VectorStoreIndex(nodes, embed_model=MockEmbedding(embed_dim=4)).as_retriever(
        similarity_top_k=len(nodes)
    )
    engine = RetrieverQueryEngine.from_args(
        retriever, llm=MockLLM(), node_postprocessors=[reranker]
    )

    def told(answer: Any) -> JSONResponse:
        assert isinstance(answer, Answer)
        found = [{"id": node.node.node_id, "score": node.score} for node in answer.source_nodes]
        return JSONResponse({"found": found, "loop": type(asyncio.get_running_loop()).__module__})

    async def ask(request: Request) -> JSONResponse:
        return told(await engine.aquery(request.query_params["q"]))

    async def ask_sync(request: Request) -> JSONResponse:
        nodes = engine.retrieve(QueryBundle(request.query_params["q"]))
        return told(Answer(response="", source_nodes=nodes))

    app = Starlette(routes=[Route("/ask", ask), Route("/ask-sync", ask_sync)])
    config = uvicorn.Config(app, port=0, loop="uvloop", log_level="warning", lifespan="off")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive()
        thread.join(0.02)
    host, port = server.servers[0].sockets[0].getsockname()
    yield f"http://{host}:{port}"
    server.should_exit = True
    thread.join(10)
    assert not thread.is_alive()


async def asked(url: str, path: str, many: int) -> list[Any]:
    async with httpx.AsyncClient(timeout=60.0) as client:
        answers = await asyncio.gather(
            *(client.get(f"{url}/{path}", params={"q": TOWNS[at % 12]}) for at in range(many))
        )
    assert {answer.status_code for answer in answers} == {200}
    return [answer.json() for answer in answers]


def test_fifty_requests_at_once(url: str) -> None:
    """Each gets the answer to its own question."""
    answers = asyncio.run(asked(url, "ask", MANY))

    assert {answer["loop"].partition(".")[0] for answer in answers} == {"uvloop"}
    best = [answer["found"][0]["id"] for answer in answers]
    assert best == [TOWNS[at % 12] for at in range(MANY)]
    assert {len(answer["found"]) for answer in answers} == {2}


def test_the_sync_face_in_the_running_loop(url: str) -> None:
    """It blocks that loop, and answers; then the async one does."""
    for path in ("ask-sync", "ask"):
        answers = asyncio.run(asked(url, path, 5))

        assert [answer["found"][0]["id"] for answer in answers] == TOWNS[:5]


def test_an_outage_empties_no_answer(url: str, upstream: Server) -> None:
    """Fifty at once, of a server that is down: all come back, in the retriever's order."""
    upstream.faults = [FAULTS["unavailable"], HANG_UP]

    answers = asyncio.run(asked(url, "ask", MANY))

    assert {len(answer["found"]) for answer in answers} == {2}
    assert all(isinstance(node["score"], float) for answer in answers for node in answer["found"])


def test_a_loop_a_request(reranker: LLMReranker) -> None:
    """`asyncio.run` for each, fifty times: no client is bound to a loop that is gone."""
    nodes = VectorStoreIndex(
        [TextNode(text=f"{town} is a town", id_=town) for town in TOWNS],
        embed_model=MockEmbedding(embed_dim=4),
    ).as_retriever(similarity_top_k=12)

    for at in range(MANY):
        town = TOWNS[at % 12]
        found = asyncio.run(
            reranker.apostprocess_nodes(nodes.retrieve(town), query_str=f"{town} is a town")
        )
        assert found[0].node.node_id == town
