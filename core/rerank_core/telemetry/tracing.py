"""OpenTelemetry: a span and three measurements a ranking, where the process uses it.

Names follow https://opentelemetry.io/docs/specs/semconv/general/naming/ under `rerank.`. No query,
document or key is recorded. Where nobody has imported the API, all this does nothing: whoever
sets up a provider imports it before.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any

from ..ranking.report import Report, StageReport
from ..runtime.meter import Usage

if TYPE_CHECKING:
    from opentelemetry.metrics import Counter, Histogram

_NAME = "rerank_core"


class Span:
    """What a ranking is traced into; does nothing unless there is somebody to trace for."""

    def finish(self, report: Report) -> None:
        """Put the report on the span, and count it."""


class StageSpan:
    """The same for one stage of it."""

    def finish(self, report: StageReport) -> None:
        """Put the report on the span."""


class _TracedStage(StageSpan):
    def __init__(self, span: Any) -> None:
        self._span = span

    def finish(self, report: StageReport) -> None:
        self._span.set_attributes(
            {
                "rerank.scored": report.scored,
                "rerank.skipped": report.skipped,
                "rerank.changed": report.changed,
                "rerank.reasons": [str(reason) for reason in report.reasons],
                **_usage(report),
            }
        )


class _Traced(Span):
    def __init__(self, span: Any, scorers: Sequence[str]) -> None:
        self._span, self._scorers = span, scorers

    def finish(self, report: Report) -> None:
        attributes: dict[str, Any] = {
            "rerank.coverage": report.coverage,
            "rerank.degraded": report.degraded,
            "rerank.reasons": [str(reason) for reason in report.reasons],
            "rerank.cache_hits": report.cache_hits,
            **_usage(report),
        }
        self._span.set_attributes(attributes)
        duration, calls, degraded = _instruments()
        by: dict[str, Any] = {
            "rerank.scorer": ",".join(self._scorers),
            "rerank.degraded": report.degraded,
        }
        duration.record(report.seconds, by)
        calls.add(report.calls, by)
        for reason in report.reasons:
            degraded.add(1, {**by, "rerank.reason": str(reason)})


@contextmanager
def ranking_span(scorers: Sequence[str], candidates: int) -> Iterator[Span]:
    """A span named "rerank" around a ranking, child of the span at hand."""
    if not _in_use():
        yield Span()
        return
    from opentelemetry import trace

    attributes: dict[str, Any] = {
        "rerank.scorers": list(scorers),
        "rerank.candidates": candidates,
    }
    with trace.get_tracer(_NAME).start_as_current_span("rerank", attributes=attributes) as span:
        yield _Traced(span, scorers)


@contextmanager
def stage_span(name: str, candidates: int) -> Iterator[StageSpan]:
    """A span named "rerank.stage" around a stage of it, child of the ranking's."""
    if not _in_use():
        yield StageSpan()
        return
    from opentelemetry import trace

    attributes: dict[str, Any] = {"rerank.scorer": name, "rerank.candidates": candidates}
    tracer = trace.get_tracer(_NAME)
    with tracer.start_as_current_span("rerank.stage", attributes=attributes) as span:
        yield _TracedStage(span)


def _usage(spent: Usage) -> dict[str, Any]:
    attributes: dict[str, Any] = {
        "rerank.calls": spent.calls,
        "rerank.rounds": spent.rounds,
        "rerank.retries": spent.retries,
        "rerank.hedged": spent.hedged,
        "rerank.truncated": spent.truncated,
        "gen_ai.usage.input_tokens": spent.prompt_tokens,
        "gen_ai.usage.output_tokens": spent.completion_tokens,
    }
    return attributes if spent.cost is None else {**attributes, "rerank.cost": spent.cost}


def _in_use() -> bool:
    # looked for and not imported, as that would be 50 ms of somebody's deadline
    return "opentelemetry.trace" in sys.modules or "opentelemetry.metrics" in sys.modules


@cache
def _instruments() -> tuple[Histogram, Counter, Counter]:
    from opentelemetry import metrics

    meter = metrics.get_meter(_NAME)
    return (
        meter.create_histogram("rerank.duration", "s", "Wall time of a ranking"),
        meter.create_counter("rerank.calls", "{call}", "Calls that left the process"),
        meter.create_counter("rerank.degraded", "{ranking}", "Degraded rankings, by reason"),
    )
