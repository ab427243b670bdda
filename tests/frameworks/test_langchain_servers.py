"""Where LangChain runs: under a server's loop, a loop a request, and in forked workers."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from loopback import OpenAIAPI, Server, scoring

pytest.importorskip("langchain_core")
pytest.importorskip("openai")

from langchain_core.documents import Document
from langchain_core.vectorstores import InMemoryVectorStore
from letters import Letters

from langchain_rerank import LLMReranker, RerankRetriever

QUERY = "capital of Italy"
TEXTS = [f"filler number {n} about nothing" for n in range(9)] + ["Rome is the capital of Italy"]
MANY = 50

pytestmark = pytest.mark.slow


@pytest.fixture
def store() -> InMemoryVectorStore:
    store = InMemoryVectorStore(Letters())
    store.add_documents([Document(text) for text in TEXTS])
    return store


@pytest.fixture
def llm(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    with Server(OpenAIAPI(scoring())) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", f"{server.url}/v1")
        monkeypatch.setenv("OPENAI_API_KEY", "sk-loopback-0123456789")
        yield server


@pytest.mark.parametrize("face", ["awaited", "sync in the loop"])
def test_many_requests_at_once_under_uvloop(store: Any, llm: Server, face: str) -> None:
    """A Starlette app under uvicorn: each of 50 is answered, by one shared retriever."""
    uvicorn = pytest.importorskip("uvicorn")
    pytest.importorskip("uvloop")
    pytest.importorskip("starlette")
    httpx = pytest.importorskip("httpx")
    from starlette.applications import Starlette
    from starlette.responses import JSONResponse
    from starlette.routing import Route

    reranker = LLMReranker("some-model", timeout=60)
    retriever = RerankRetriever(store, reranker, k=1)
    loops: set[str] = set()

    async def search(request: Any) -> JSONResponse:
        loops.add(type(asyncio.get_running_loop()).__module__)
        if face == "awaited":
            found = await retriever.ainvoke(request.query_params["q"])
        else:
            found = retriever.invoke(request.query_params["q"])
        told = [{"text": one.page_content, **one.metadata} for one in found]
        return JSONResponse(told)

    app = Starlette(routes=[Route("/", search)])
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        config = uvicorn.Config(app, loop="uvloop", log_level="error", lifespan="off")
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        try:

            async def ask() -> list[Any]:
                async with httpx.AsyncClient(timeout=60) as client:
                    url = f"http://127.0.0.1:{port}/"
                    return await asyncio.gather(
                        *(client.get(url, params={"q": f"{QUERY} {n}"}) for n in range(MANY))
                    )

            while not server.started:
                time.sleep(0.01)
            answers = asyncio.run(ask())
        finally:
            server.should_exit = True
            thread.join(30)
            reranker.reranker.close()

    assert [answer.status_code for answer in answers] == [200] * MANY
    told = [answer.json()[0] for answer in answers]
    assert {one["text"] for one in told} == {"Rome is the capital of Italy"}
    assert not any("relevance_score_estimated" in one for one in told)
    assert loops == {"uvloop"}


def test_a_loop_a_request(store: Any, llm: Server) -> None:
    """`asyncio.run` for each of 50 requests, with one retriever."""
    reranker = LLMReranker("some-model", timeout=60)
    retriever = RerankRetriever(store, reranker, k=1)

    found = [asyncio.run(retriever.ainvoke(f"{QUERY} {n}"))[0] for n in range(MANY)]
    reranker.reranker.close()

    assert {one.page_content for one in found} == {"Rome is the capital of Italy"}
    assert not any("relevance_score_estimated" in one.metadata for one in found)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.parametrize("used", [False, True], ids=["after import", "after use"])
def test_in_forked_workers(llm: Server, used: bool) -> None:
    """As gunicorn forks them; each worker answers by either face, and so does the parent after."""
    code = f"""
        import asyncio, json, os, sys
        sys.path.insert(0, "tests")
        from langchain_core.documents import Document
        from langchain_core.vectorstores import InMemoryVectorStore
        from letters import Letters
        from langchain_rerank import LLMReranker, RerankRetriever

        store = InMemoryVectorStore(Letters())
        store.add_documents([Document(text) for text in {TEXTS!r}])
        retriever = RerankRetriever(store, LLMReranker("some-model", timeout=60), k=1)

        def best():
            by_call = retriever.invoke({QUERY!r})
            awaited = asyncio.run(retriever.ainvoke({QUERY!r}))
            return [(one.page_content, len(one.metadata)) for one in by_call + awaited]

        told = [best()] if {used} else []
        for _ in range(2):
            reading, writing = os.pipe()
            if (child := os.fork()) == 0:
                os.write(writing, json.dumps(best()).encode())
                os._exit(0)
            os.close(writing)
            with os.fdopen(reading) as pipe:
                told.append(json.loads(pipe.read()))
            assert os.waitpid(child, 0)[1] == 0
        print(json.dumps(told + [best()]))
    """
    done = subprocess.run(
        [sys.executable, "-W", "ignore::DeprecationWarning", "-c", textwrap.dedent(code)],
        check=True,
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )

    told = json.loads(done.stdout)
    assert len(told) == 3 + used
    assert all(one == [["Rome is the capital of Italy", 1]] * 2 for one in told)
