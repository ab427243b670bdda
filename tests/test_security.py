"""Keys and texts show nowhere: one search through all that a ranking leaves behind."""

from __future__ import annotations

import asyncio
import logging
import pickle
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from llm_prompts import read_prompt
from loopback import FAULTS, OpenAIAPI, RerankAPI, Server, refusing, scoring

from rerank_core import DegradedError, Ranking, Reranker, ScorerError
from rerank_core.protocols import ScorerBase
from rerank_core.scorers import CohereScorer, LLMScorer, RerankAPIScorer

for _package in ("openai", "cohere", "langchain_core", "llama_index.core", "opentelemetry.sdk"):
    pytest.importorskip(_package)

KEY = "zq-test-4f9a1c77e2b0d563"
PASSWORD = "hunter2-9b1f04"
QUERY = "which city is the capital of Italy"
TEXTS = ["Rome is the capital of Italy", "an unrelated confidence about turnips"]

#: What is asked, and by which protocol: from a base URL and a key (None: from the environment).
PARTS: dict[str, tuple[Callable[[], Any], Callable[[str, str | None], ScorerBase]]] = {
    "llm": (
        lambda: OpenAIAPI(scoring(reader=read_prompt), reader=read_prompt),
        lambda url, key: LLMScorer(base_url=f"{url}/v1", api_key=key),
    ),
    "cohere": (
        lambda: RerankAPI("cohere"),
        lambda url, key: CohereScorer(base_url=url, api_key=key),
    ),
    "api": (
        lambda: RerankAPI("jina"),
        lambda url, key: RerankAPIScorer(url, "m", provider="jina", api_key=key),
    ),
}
VARIABLES = ("OPENAI_API_KEY", "CO_API_KEY", "JINA_API_KEY")

#: The server is well, quotes the key that it refuses, or fails in ways that make clients talk.
MOODS = ["well", "unauthorized-echo", "server-error", "garbage", "truncated-json", "redirect-loop"]


told: list[Ranking] = []


def tell(ranking: Ranking) -> None:
    """For `on_ranking`; up here, as it is pickled with the reranker."""
    told.append(ranking)


class Known(ScorerBase):
    """Scores that a cache may keep."""

    fingerprint = "known"

    async def score(self, query: str, texts: Sequence[str]) -> list[float | None]:
        return [0.5] * len(texts)


class Seen:
    """Everything that somebody might look at, send on or store."""

    def __init__(self) -> None:
        self._shown: list[tuple[str, bytes]] = []

    def add(self, where: str, shown: str | bytes) -> None:
        self._shown.append((where, shown if isinstance(shown, bytes) else shown.encode()))

    def add_error(self, error: BaseException) -> None:
        """The error with all that hangs on it, as a log, a debugger or a crash report shows it."""
        self.add("traceback", "".join(traceback.format_exception(error)))
        chain: list[BaseException | None] = [error]
        while chain:
            if (one := chain.pop()) is not None:
                self.add("error", f"{one!s} {one!r} {one.args} {vars(one)}")
                # also what is suppressed: it is still there for whoever walks the chain
                chain += [one.__cause__, one.__context__]

    def where(self, *secrets: str) -> list[str]:
        """The places in which one of them shows."""
        return sorted({w for w, shown in self._shown for s in secrets if s.encode() in shown})

    def __contains__(self, where: str) -> bool:
        return any(where == place for place, _ in self._shown)


@pytest.fixture
def seen(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> Iterator[Seen]:
    """Filled with every log line at DEBUG, of any package, and every exported span at the end."""
    from opentelemetry import trace
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(trace, "get_tracer_provider", lambda: provider)
    found = Seen()
    with caplog.at_level(logging.DEBUG):
        yield found
    provider.shutdown()


def note_the_rest(seen: Seen, caplog: pytest.LogCaptureFixture) -> None:
    from opentelemetry import trace

    seen.add("log", caplog.text)
    for ranking in told:
        seen.add("report", f"{ranking!r} {ranking.report!r} {ranking.report.to_dict()}")
    told.clear()
    for processor in trace.get_tracer_provider()._active_span_processor._span_processors:  # type: ignore[attr-defined]
        for span in processor.span_exporter.get_finished_spans():
            seen.add("trace", span.to_json())


def ask_every_face(reranker: Reranker, seen: Seen) -> None:
    """Rank through the core, LangChain and LlamaIndex, sync and async, and show what there is."""
    from langchain_core.documents import Document
    from langchain_core.load import dumps
    from llama_index.core.schema import NodeWithScore, TextNode

    from langchain_rerank import RerankCompressor
    from llamaindex_rerank import RerankPostprocessor

    compressor = RerankCompressor(reranker=reranker)
    postprocessor = RerankPostprocessor(reranker=reranker)
    documents = [Document(text) for text in TEXTS]
    nodes = [NodeWithScore(node=TextNode(text=text)) for text in TEXTS]
    asks: list[Callable[[], Any]] = [
        lambda: reranker.rank(QUERY, TEXTS),
        lambda: asyncio.run(reranker.arank(QUERY, TEXTS)),
        lambda: compressor.compress_documents(documents, QUERY),
        lambda: asyncio.run(compressor.acompress_documents(documents, QUERY)),
        lambda: postprocessor.postprocess_nodes(nodes, query_str=QUERY),
        lambda: asyncio.run(postprocessor.apostprocess_nodes(nodes, query_str=QUERY)),
    ]
    for ask in asks:
        try:
            found = ask()
        except (ScorerError, DegradedError) as error:
            seen.add_error(error)
        else:
            seen.add("result", repr(found))
    for shown in (reranker, compressor, postprocessor, *reranker.scorers.values(), reranker.cache):
        seen.add("repr", f"{shown!r} {shown!s}")
    for model in (compressor, postprocessor):
        seen.add("model", f"{model.model_dump()} {model.__dict__}")
    seen.add("to_dict", f"{postprocessor.to_dict()} {postprocessor.to_json()}")
    seen.add("dumps", dumps(compressor))
    with suppress(NotImplementedError):  # what LangChain cannot serialise, it says so
        seen.add("to_json", str(compressor.to_json()) if hasattr(compressor, "to_json") else "")
    for scorer in reranker.scorers.values():
        seen.add("vars", f"{vars(scorer)}")
        seen.add("pickle", pickle.dumps(scorer))
    seen.add("pickle", pickle.dumps(reranker))


@pytest.mark.parametrize("given", [True, False], ids=["given", "environment"])
@pytest.mark.parametrize("mood", MOODS)
@pytest.mark.parametrize("part", PARTS)
def test_a_key_shows_nowhere(
    part: str,
    mood: str,
    given: bool,
    seen: Seen,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """Not in a repr, log, error, trace, pickle, cache file or framework's dump."""
    serve, make = PARTS[part]
    for variable in VARIABLES:
        monkeypatch.setenv(variable, KEY)

    file = tmp_path / "scores.sqlite"
    faults = [] if mood == "well" else [FAULTS[mood]]
    on_error = "degrade" if mood == "well" else "raise"
    options: dict[str, Any] = {
        "timeout": 0.2,
        "cache": file,
        "on_error": on_error,
        "on_ranking": tell,
    }
    with Server(serve(), faults) as server:
        with Reranker(make(server.url, KEY if given else None), **options) as reranker:
            ask_every_face(reranker, seen)
        assert any(KEY in str(request.headers) for request in server.requests)
    note_the_rest(seen, caplog)
    for written in tmp_path.iterdir():
        seen.add("file", written.name.encode() + written.read_bytes())

    looked_at = ["repr", "pickle", "log", "trace", "model", "to_dict", "report"]
    looked_at.append("file" if mood == "well" else "error")
    assert [place for place in looked_at if place not in seen] == []
    assert seen.where(KEY) == []


@pytest.mark.parametrize("part", PARTS)
def test_a_key_shows_nowhere_where_nobody_answers(
    part: str, seen: Seen, caplog: pytest.LogCaptureFixture
) -> None:
    """Connection errors carry the request that was to be sent."""
    _, make = PARTS[part]

    with refusing() as url, Reranker(make(url, KEY), timeout=0.3, on_error="raise") as reranker:
        reranker.warm_up()
        ask_every_face(reranker, seen)
    note_the_rest(seen, caplog)

    assert "error" in seen
    assert seen.where(KEY) == []


def test_a_redis_password_shows_nowhere(seen: Seen, caplog: pytest.LogCaptureFixture) -> None:
    """Nor does what the store says when it cannot be reached."""
    pytest.importorskip("redis")

    with refusing() as url:
        cache = f"redis://:{PASSWORD}@{url.removeprefix('http://')}/0"
        with Reranker(Known(), cache=cache, on_ranking=tell) as reranker:
            ask_every_face(reranker, seen)
    note_the_rest(seen, caplog)

    assert "report" in seen
    assert seen.where(PASSWORD) == []


def test_no_text_is_written_to_the_cache(tmp_path: Path) -> None:
    """Keys are hashes: neither the query nor a document nor a word of theirs is in the file."""
    serve, make = PARTS["llm"]
    file = tmp_path / "scores.sqlite"
    with Server(serve()) as server, Reranker(make(server.url, KEY), cache=file) as reranker:
        first, second = reranker.rank(QUERY, TEXTS), reranker.rank(QUERY, TEXTS)

    assert (first.report.cache_hits, second.report.cache_hits) == (0, 2)
    written = b"".join(one.read_bytes() for one in tmp_path.iterdir())
    words = {word for text in (QUERY, *TEXTS) for word in text.split() if len(word) > 4}
    assert written
    assert not [word for word in words if word.encode() in written]


def test_no_text_is_in_a_log_or_trace(
    seen: Seen, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of ours, where traces are told to hide it; an SDK that is asked for DEBUG logs requests."""
    for hidden in ("INPUTS", "OUTPUTS"):
        monkeypatch.setenv(f"OPENINFERENCE_HIDE_{hidden}", "true")
    serve, make = PARTS["llm"]
    for mood in MOODS:
        faults = [] if mood == "well" else [FAULTS[mood]]
        with Server(serve(), faults) as server:
            reranker = Reranker(make(server.url, KEY), timeout=0.5)
            with reranker, suppress(ScorerError):
                reranker.warm_up()
                reranker.rank(QUERY, TEXTS)
    for record in caplog.records:
        if record.name.startswith("rerank_core"):
            seen.add("log", record.getMessage())
    caplog.clear()
    note_the_rest(seen, caplog)

    assert "trace" in seen
    assert seen.where(QUERY, *TEXTS) == []
