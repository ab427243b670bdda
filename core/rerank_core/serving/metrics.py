"""What Prometheus scrapes. Labels are names of models and routes: no caller makes one up."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.registry import Collector

from ..ranking.report import Report
from .models import Models

#: Seconds; a reranker answers within tens of milliseconds to some seconds.
_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_COVERAGE = (0.0, 0.25, 0.5, 0.75, 0.9, 0.99, 1.0)


class Metrics:
    """Counters of one server. `text` is what is answered at /metrics."""

    content_type = CONTENT_TYPE_LATEST

    def __init__(self, models: Models) -> None:
        self._registry = registry = CollectorRegistry()
        own: dict[str, Any] = {"registry": registry, "namespace": "rerank"}
        self._requests = Counter(
            "requests", "Requests answered", ["route", "model", "status"], **own
        )
        self._seconds = Histogram(
            "request_seconds", "From the request to its answer", ["model"], buckets=_BUCKETS, **own
        )
        self._documents = Counter("documents", "Documents ranked", ["model"], **own)
        self._hits = Counter("cache_hits", "Scores that needed no call", ["model"], **own)
        self._coverage = Histogram(
            "coverage", "Share of documents scored", ["model"], buckets=_COVERAGE, **own
        )
        self._reasons = Counter(
            "degraded", "Degraded rankings, by reason", ["model", "reason"], **own
        )
        self._cost = Counter("cost_dollars", "What rankings cost, where known", ["model"], **own)
        self._reloads = Counter("reloads", "Files that changed", ["model", "outcome"], **own)
        self._models = models
        registry.register(_OfModels(models))

    def request(self, route: str, model: str | None, status: int, seconds: float) -> None:
        """One request was answered."""
        self._requests.labels(route, model or "", str(status)).inc()
        if model is not None and status == 200:
            self._seconds.labels(model).observe(seconds)

    def ranking(self, model: str, report: Report, documents: int) -> None:
        """One ranking was made."""
        self._documents.labels(model).inc(documents)
        self._hits.labels(model).inc(report.cache_hits)
        self._coverage.labels(model).observe(report.coverage)
        if report.cost:
            self._cost.labels(model).inc(report.cost)
        if report.degraded:
            for reason in report.reasons:
                self._reasons.labels(model, str(reason)).inc()

    def text(self) -> bytes:
        """All of it, as Prometheus reads it."""
        reloads, self._models.reloads = self._models.reloads, []
        for name, outcome in reloads:
            self._reloads.labels(name, outcome).inc()
        return generate_latest(self._registry)


class _OfModels(Collector):
    """What the models say at the moment they are asked."""

    def __init__(self, models: Models) -> None:
        self._models = models

    def collect(self) -> Iterable[GaugeMetricFamily]:
        told: tuple[tuple[str, str, Callable[..., float]], ...] = (
            ("rerank_under_way", "Rankings under way", lambda m: m.admission.under_way),
            ("rerank_limit", "Rankings let in at once", lambda m: m.admission.limit),
            ("rerank_model_loaded", "Whether the model is loaded", lambda m: m.loaded),
        )
        for name, about, value in told:
            family = GaugeMetricFamily(name, about, labels=["model"])
            for model in self._models:
                family.add_metric([model.name], float(value(model)))
            yield family
