"""OpenTelemetry: what a ranking leaves in a trace, and what it does not."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from rerank_core import Ranking, Reason, Reranker, ScorerError
from rerank_core.protocols import ScorerBase
from rerank_core.runtime.usage import record
from rerank_core.telemetry import tracing

pytest.importorskip("opentelemetry.sdk")

from opentelemetry import metrics, trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

QUERY, TEXTS = "a private question", ["a confidential answer", "a secret aside"]

Face = Callable[..., Ranking]


class Calls(ScorerBase):
    """Grades in a call that is traced, as those of an instrumented HTTP client are."""

    name = "calls"

    async def score(self, query: str, texts: Sequence[str]) -> list[float | None]:
        with trace.get_tracer("client").start_as_current_span("POST"):
            record(calls=1, prompt_tokens=30, completion_tokens=4)
            await asyncio.sleep(0)
        return [0.5] * len(texts)


class Fails(ScorerBase):
    """Never answers."""

    name = "fails"

    async def score(self, query: str, texts: Sequence[str]) -> list[float | None]:
        raise ScorerError("HTTP 500", reason=Reason.SERVER)


class Recorded:
    """What was exported: spans, and the points of each measurement."""

    def __init__(self) -> None:
        self.exporter, self.reader = InMemorySpanExporter(), InMemoryMetricReader()
        self.tracer_provider = TracerProvider()
        self.tracer_provider.add_span_processor(SimpleSpanProcessor(self.exporter))
        self.meter_provider = MeterProvider([self.reader])

    def span(self, name: str) -> ReadableSpan:
        (span,) = (span for span in self.exporter.get_finished_spans() if span.name == name)
        return span

    def points(self, name: str) -> list[Any]:
        data = self.reader.get_metrics_data()
        found = [] if data is None else data.resource_metrics
        return [
            point
            for resource in found
            for scope in resource.scope_metrics
            for metric in scope.metrics
            if metric.name == name
            for point in metric.data.data_points
        ]

    def everything(self) -> str:
        data = self.reader.get_metrics_data()
        spans = [span.to_json() for span in self.exporter.get_finished_spans()]
        return json.dumps(spans) + ("" if data is None else data.to_json())


@pytest.fixture
def recorded(monkeypatch: pytest.MonkeyPatch) -> Iterator[Recorded]:
    """Providers that keep what they are given, in place of the process's own."""
    kept = Recorded()
    # set_tracer_provider may be called once a process; a test must not spend it
    monkeypatch.setattr(trace, "get_tracer_provider", lambda: kept.tracer_provider)
    monkeypatch.setattr(metrics._internal, "get_meter_provider", lambda: kept.meter_provider)
    tracing._instruments.cache_clear()
    yield kept
    tracing._instruments.cache_clear()
    kept.tracer_provider.shutdown()
    kept.meter_provider.shutdown()


@pytest.fixture(params=["sync", "async"])
def rank(request: pytest.FixtureRequest) -> Face:
    """Rank the texts through either face, inside a span of the caller's."""

    def call(scorer: Any, **options: Any) -> Ranking:
        below = trace.get_tracer("app").start_as_current_span("request")
        with Reranker(scorer, **options) as reranker, below:
            if request.param == "sync":
                return reranker.rank(QUERY, TEXTS)
            return asyncio.run(reranker.arank(QUERY, TEXTS))

    return call


def test_a_ranking_is_a_span_below_the_callers(recorded: Recorded, rank: Face) -> None:
    """The hop to the background loop keeps the trace whole."""
    rank(Calls())

    caller, ranking = recorded.span("request"), recorded.span("rerank")
    assert ranking.parent is not None
    assert ranking.parent.span_id == caller.context.span_id
    assert ranking.context.trace_id == caller.context.trace_id


def test_a_scorers_own_calls_are_its_children(recorded: Recorded, rank: Face) -> None:
    """Such as those of an instrumented HTTP client."""
    rank(Calls())

    call = recorded.span("POST")
    assert call.parent is not None
    assert call.parent.span_id == recorded.span("rerank").context.span_id


def test_its_attributes_are_the_report(recorded: Recorded, rank: Face) -> None:
    """What was asked of whom, how much of it worked, and what it cost."""
    rank(Calls())

    attributes = dict(recorded.span("rerank").attributes or {})
    assert attributes["rerank.scorers"] == ("calls",)
    assert attributes["rerank.candidates"] == 2
    assert (attributes["rerank.coverage"], attributes["rerank.degraded"]) == (1.0, False)
    assert attributes["rerank.calls"] == 1
    assert attributes["gen_ai.usage.input_tokens"] == 30
    assert attributes["gen_ai.usage.output_tokens"] == 4


def test_a_degraded_ranking_says_why(recorded: Recorded, rank: Face) -> None:
    """In its span, and by reason in a counter."""
    rank(Fails())

    attributes = dict(recorded.span("rerank").attributes or {})
    assert attributes["rerank.degraded"] is True
    assert attributes["rerank.reasons"] == ("server",)
    (point,) = recorded.points("rerank.degraded")
    assert (point.value, point.attributes["rerank.reason"]) == (1, "server")


def test_rankings_are_measured(recorded: Recorded, rank: Face) -> None:
    """How long they took and how many calls left the process, by scorer."""
    rank(Calls())
    rank(Calls())

    (duration,) = recorded.points("rerank.duration")
    (calls,) = recorded.points("rerank.calls")
    assert duration.count == 2
    assert duration.sum > 0
    assert calls.value == 2
    assert calls.attributes == {"rerank.scorer": "calls", "rerank.degraded": False}


def test_an_error_that_reaches_the_caller_is_on_the_span(recorded: Recorded, rank: Face) -> None:
    """A refused key, for instance."""

    class Refused(ScorerBase):
        name = "refused"

        async def score(self, query: str, texts: Sequence[str]) -> list[float | None]:
            raise ScorerError("HTTP 401", reason=Reason.AUTH, fatal=True)

    with pytest.raises(ScorerError):
        rank(Refused())

    span = recorded.span("rerank")
    assert span.status.status_code is trace.StatusCode.ERROR
    assert [event.name for event in span.events] == ["exception"]


def test_texts_can_be_hidden(
    recorded: Recorded, rank: Face, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By OpenInference's switches, as `test_openinference.py` has them: the query's, documents'."""
    monkeypatch.setenv("OPENINFERENCE_HIDE_INPUTS", "true")
    monkeypatch.setenv("OPENINFERENCE_HIDE_OUTPUTS", "true")
    rank(Calls())
    rank(Fails())

    exported = recorded.everything()
    assert "rerank.coverage" in exported
    assert not any(text in exported for text in (QUERY, *TEXTS))


def test_measurements_hold_no_text(recorded: Recorded, rank: Face) -> None:
    """Whatever a span shows."""
    rank(Calls())
    rank(Fails())

    data = recorded.reader.get_metrics_data()
    assert data is not None
    assert not any(text in data.to_json() for text in (QUERY, *TEXTS))


_RANK = """
from rerank_core import Reranker
print(Reranker("bm25").rank("rome", ["paris", "rome"])[0].text)
print([name for name in sys.modules if name.startswith("opentelemetry.")])
"""


@pytest.mark.parametrize("first", ["sys.modules['opentelemetry'] = None", "pass"])
def test_where_nobody_traces_nothing_happens(first: str) -> None:
    """Whether the package is absent or just not used: it is not even imported."""
    path = {**os.environ, "PYTHONPATH": str(Path(tracing.__file__).parents[2])}
    program = [sys.executable, "-c", f"import sys; {first}{_RANK}"]

    ran = subprocess.run(program, capture_output=True, text=True, env=path, timeout=60)

    assert ran.stdout.split() == ["rome", "[]"], ran.stderr
