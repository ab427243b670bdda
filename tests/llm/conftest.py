"""A server on loopback, and rankings asked of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
from llm_prompts import answering, read_prompt
from loopback import Fault, OpenAIAPI, Server

from rerank_core import Ranking, Reranker
from rerank_core.scorers import LLMScorer

pytest.importorskip("openai")

QUERY = "capital of Italy"
FILLER = [f"filler number {n} about nothing" for n in range(24)]
ANSWER = "Rome is the capital of Italy"
TEXTS = [*FILLER, ANSWER]

Serve = Callable[..., Server]
Rank = Callable[..., Ranking]


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Iterator[Serve]:
    """Start a server and point the environment at it."""
    running: list[Server] = []

    def start(judge: Any = None, *faults: Fault, **options: Any) -> Server:
        api = OpenAIAPI(judge or answering(), reader=read_prompt, **options)
        server = Server(api, faults=faults).start()
        running.append(server)
        monkeypatch.setenv("OPENAI_BASE_URL", f"{server.url}/v1")
        monkeypatch.setenv("OPENAI_API_KEY", "any")
        return server

    yield start
    for server in running:
        server.stop()


class Asking:
    """Ranks texts; options go to the scorer. Closes what it opened."""

    def __init__(self, face: str) -> None:
        self.face = face
        self._opened: list[Reranker] = []

    def __call__(
        self,
        query: str = QUERY,
        texts: Sequence[str] = TEXTS,
        *,
        concurrency: int = 16,
        **options: Any,
    ) -> Ranking:
        scorer = LLMScorer(**options)
        reranker = Reranker(scorer, top_n=None, timeout=20.0, max_concurrency=concurrency)
        self._opened.append(reranker)
        reranker.warm_up()  # what is imported for the first time is no matter of these tests
        if self.face == "sync":
            return reranker.rank(query, list(texts))
        return asyncio.run(reranker.arank(query, list(texts)))

    def close(self) -> None:
        for reranker in self._opened:
            reranker.close()


@pytest.fixture
def rank() -> Iterator[Rank]:
    """Rank by the sync face."""
    asking = Asking("sync")
    yield asking
    asking.close()


@pytest.fixture(params=["sync", "async"])
def rank_by_either(request: pytest.FixtureRequest) -> Iterator[Rank]:
    """Rank by the one face, and by the other."""
    asking = Asking(request.param)
    yield asking
    asking.close()


def sent(server: Server) -> list[str]:
    """The user's message of each request."""
    return [request.json["messages"][1]["content"] for request in server.requests]


def grades(ranking: Ranking) -> list[float | None]:
    """The scores in the order of the input."""
    return [hit.score for hit in sorted(ranking.all, key=lambda hit: hit.index)]
