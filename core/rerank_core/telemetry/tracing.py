"""OpenTelemetry: a span and three measurements a ranking, and a span a call of a chat model.

Names follow https://opentelemetry.io/docs/specs/semconv/general/naming/ under `rerank.`, and beside
them OpenInference (`openinference.py`), whose switches hide query, documents and messages. No key
is recorded. Where nobody has imported the API, all this does nothing: whoever sets up a provider
imports it before.
"""

from __future__ import annotations

import sys
from asyncio import CancelledError
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any

from ..errors import RerankError
from ..protocols import Reply
from ..ranking.given import Given
from ..ranking.ranking import Ranking
from ..ranking.report import Report, StageReport
from ..runtime.context import carrying, current
from ..runtime.meter import Usage
from . import openinference

if TYPE_CHECKING:
    from opentelemetry.metrics import Counter, Histogram

_NAME = "rerank_core"


class Span:
    """What a ranking is traced into; does nothing unless there is somebody to trace for."""

    def finish(self, ranking: Ranking) -> None:
        """Put the ranking and its report on the span, and count it."""


class StageSpan:
    """The same for one stage of it."""

    def finish(self, report: StageReport) -> None:
        """Put the report on the span."""


class RequestSpan:
    """The same for a request that a server of ours answers."""

    def finish(self, status: int, model: str | None) -> None:
        """Put what was answered on the span."""


class _TracedRequest(RequestSpan):
    def __init__(self, span: Any) -> None:
        self._span = span

    def finish(self, status: int, model: str | None) -> None:
        from opentelemetry.trace import StatusCode

        self._span.set_attribute("http.response.status_code", status)
        if model is not None:
            self._span.set_attribute("rerank.model", model)
        if status >= 500:  # a client's mistake is none of the server's
            self._span.set_status(StatusCode.ERROR)


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
    """`told`: the span of a framework's tracer that shows the same ranking, if there is one."""

    def __init__(
        self, span: Any, told: Any, scorers: Sequence[str], asked: Given, about: dict[str, Any]
    ) -> None:
        self._span, self._told, self._scorers = span, told, scorers
        self._asked, self._about = asked, about

    def finish(self, ranking: Ranking) -> None:
        report = ranking.report
        found = _report(report)
        if self._told is not None:
            self._told.set_attributes(found)
        elif self._span.is_recording():
            room = openinference.room_in(self._span)
            self._span.set_attributes(openinference.documents_of(self._asked, ranking, room))
        self._span.set_attributes({**self._about, **found})
        duration, calls, degraded = _instruments()
        by: dict[str, Any] = {
            "rerank.scorer": ",".join(self._scorers),
            "rerank.degraded": report.degraded,
        }
        duration.record(report.seconds, by)
        calls.add(report.calls, by)
        for reason in report.reasons:
            degraded.add(1, {**by, "rerank.reason": str(reason)})


def _report(report: Report) -> dict[str, Any]:
    return {
        "rerank.coverage": report.coverage,
        "rerank.degraded": report.degraded,
        "rerank.reasons": [str(reason) for reason in report.reasons],
        "rerank.cache_hits": report.cache_hits,
        **_usage(report),
    }


@contextmanager
def ranking_span(
    name: str, scorers: Sequence[str], asked: Given, top_n: int | None
) -> Iterator[Span]:
    """A span named "rerank" around a ranking, child of the span at hand.

    `name`: what does the scoring, for who reads a trace.
    """
    if not _in_use():
        yield Span()
        return
    from opentelemetry import trace

    told = trace.get_current_span() if current().told else None
    about: dict[str, Any] = {
        "rerank.scorers": list(scorers),
        "rerank.candidates": len(asked.candidates),
        # one that is told of shows what was asked itself: two of a kind would count as two
        **({openinference.KIND: "CHAIN"} if told else openinference.asked_of(name, asked, top_n)),
    }
    with _span("rerank", about) as span:
        yield _Traced(span, told, scorers, asked, about)


@contextmanager
def told_by_framework() -> Iterator[None]:
    """In this block a framework's own tracer shows the ranking as such, in the span at hand."""
    with carrying(told=True):
        yield


@contextmanager
def below(span: Any) -> Iterator[None]:
    """With this span of somebody else's at hand, if it is one."""
    if span is None:
        yield
        return
    from opentelemetry import trace

    with trace.use_span(span, record_exception=False, set_status_on_exception=False):
        yield


@contextmanager
def chat_span(
    provider: str | None, model: str, request: Mapping[str, Any], framework: str | None = None
) -> Iterator[Callable[[Reply], None]]:
    """A span around one call of a chat model, whose reply goes to what this hands over.

    `request` is the body that is sent, or what is known of it: its messages. None is made for a
    model object of a `framework` whose calls have spans already.
    """
    if not _in_use() or (framework is not None and openinference.traces(framework)):
        yield _nobody_hears
        return
    with _span(f"chat {model}", {openinference.KIND: "LLM"}) as span:
        if span.is_recording():
            span.set_attributes(openinference.chat_asked(provider, model, request))
        yield lambda reply: span.set_attributes(openinference.chat_answered(reply))


def name_model(provider: str, model: str, parameters: Mapping[str, Any]) -> None:
    """Say on the span at hand, somebody else's, which model is asked, and how."""
    from opentelemetry import trace

    asked = openinference.chat_asked(provider, model, {**parameters, "messages": ()})
    trace.get_current_span().set_attributes(asked)


def _nobody_hears(reply: Reply) -> None:
    pass


@contextmanager
def _span(name: str, attributes: Mapping[str, Any], **options: Any) -> Iterator[Any]:
    """A span, whose error says what went wrong and not, as OpenTelemetry has it, by what cause.

    An error of somebody else's may be the cause, and hold a request with its key.
    """
    from opentelemetry import trace

    tracer = trace.get_tracer(_NAME)
    with tracer.start_as_current_span(
        name,
        attributes=attributes,
        record_exception=False,
        set_status_on_exception=False,
        **options,
    ) as span:
        try:
            yield span
        except BaseException as error:
            said = str(error) if isinstance(error, RerankError) else type(error).__name__
            said = "given up" if isinstance(error, CancelledError) else said
            span.set_status(trace.StatusCode.ERROR, said)
            told = {"exception.type": type(error).__qualname__, "exception.message": said}
            span.add_event("exception", told)
            raise


@contextmanager
def stage_span(name: str, candidates: int) -> Iterator[StageSpan]:
    """A span named "rerank.stage" around a stage of it, child of the ranking's."""
    if not _in_use():
        yield StageSpan()
        return
    about = {
        "rerank.scorer": name,
        "rerank.candidates": candidates,
        openinference.KIND: "CHAIN",
    }
    with _span("rerank.stage", about) as span:
        yield _TracedStage(span)


@contextmanager
def request_span(method: str, route: str, headers: Mapping[str, str]) -> Iterator[RequestSpan]:
    """A span around a request that a server of ours answers, child of the caller's `traceparent`.

    Attributes by https://opentelemetry.io/docs/specs/semconv/http/http-spans/ (server).
    """
    if not _in_use():
        yield RequestSpan()
        return
    from opentelemetry import propagate, trace

    about = {"http.request.method": method, "http.route": route}
    above = propagate.extract(headers)
    with _span(f"{method} {route}", about, context=above, kind=trace.SpanKind.SERVER) as span:
        yield _TracedRequest(span)


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
