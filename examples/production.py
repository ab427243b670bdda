"""A reranker for production: a deadline, a fallback, a cache, limits, traces and a line in the log.

    pip install '.[openai,otel]' opentelemetry-sdk
    export OPENAI_API_KEY=…
    python examples/production.py "copy a file and keep its permissions"

It asks twice: the second answer comes from the cache, which is the file CACHE (scores.sqlite). In
LangChain and LlamaIndex the same options go to LLMReranker(…).
"""

from __future__ import annotations

import logging
import os
import sys

from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter, SpanExportResult
from stdlib_docs import retrieve

from rerank_core import Ranking, Reranker

log = logging.getLogger("search")
#: Of a span's attributes; query and documents are among the others.
SHOWN = ("rerank.coverage", "rerank.degraded", "rerank.reasons")


class Printed(SpanExporter):
    """Stands in for your collector: OTLPSpanExporter(), Phoenix, Langfuse, …"""

    def export(self, spans: list[ReadableSpan]) -> SpanExportResult:  # type: ignore[override]
        for span in spans:
            told = span.attributes or {}
            print("span", span.name, {name: told[name] for name in SHOWN if name in told})
        return SpanExportResult.SUCCESS


def noted(ranking: Ranking) -> None:
    """Every ranking passes here, also where a framework throws it away: alarm on `degraded`."""
    report = ranking.report
    level = logging.WARNING if report.degraded else logging.INFO
    log.log(
        level,
        "coverage=%.2f degraded=%s reasons=%s calls=%d cached=%d cost=%s",
        report.coverage,
        report.degraded,
        [str(reason) for reason in report.reasons],
        report.calls,
        report.cache_hits,
        report.cost,
    )


def reranker() -> Reranker:
    return Reranker(
        "llm:gpt-4o-mini",
        top_n=5,
        timeout=2.0,  # of the whole call; what is scored by then counts
        fallback="bm25",  # stands in where nothing could be scored: no key, no network
        cache=os.environ.get("CACHE", "scores.sqlite"),  # or redis://…, shared by all workers
        requests_per_minute=500,  # your limit at the vendor's
        on_ranking=noted,
    )


def serve(question: str) -> None:
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(Printed()))
    trace.set_tracer_provider(provider)
    with reranker() as made:
        made.warm_up()  # before the first user comes: imports and connections
        for _ in range(2):
            ranking = made.rank(question, retrieve(question, depth=30))
            for hit in ranking:
                # a hit that nobody scored has an estimate, by which it was placed
                print(hit.rank, f"{hit.score if hit.scored else hit.estimate:.3f}", hit.id)


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s")
    serve(" ".join(sys.argv[1:]))
