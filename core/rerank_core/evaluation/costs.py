"""What a run cost: latencies, calls, tokens, money, and how much of it was degraded."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from ..runtime.meter import Usage
from .run import Run


@dataclass(frozen=True, slots=True)
class Costs:
    """Over all queries of a run. Latencies are seconds of wall time a query (p50, p95, p99).

    Calls, tokens and cost are totals; `cost` in US dollars, None where a price is unknown.
    `coverage`: the mean share of candidates (0..1) that were scored. `degraded`: the share of
    queries whose ranking was, and `reasons` how often for which. `cache_hits`: scores that needed
    no call, whose latency is not that of the scorer.
    """

    queries: int
    p50: float
    p95: float
    p99: float
    calls: int
    tokens: int
    cost: float | None
    coverage: float
    degraded: float
    cache_hits: int
    reasons: Mapping[str, int] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """As JSON-serialisable values."""
        return asdict(self)


def costs_of(run: Run) -> Costs | None:
    """What the run cost; None for one that was read from a file, which does not tell."""
    reports = [ranked.report for ranked in run.rankings.values() if ranked.report is not None]
    if not reports:
        return None
    seconds = sorted(report.seconds for report in reports)
    spent = sum(reports, Usage())
    return Costs(
        queries=len(reports),
        p50=_percentile(seconds, 0.50),
        p95=_percentile(seconds, 0.95),
        p99=_percentile(seconds, 0.99),
        calls=spent.calls,
        tokens=spent.prompt_tokens + spent.completion_tokens,
        cost=spent.cost,
        coverage=math.fsum(report.coverage for report in reports) / len(reports),
        degraded=sum(report.degraded for report in reports) / len(reports),
        cache_hits=sum(report.cache_hits for report in reports),
        reasons=dict(Counter(str(why) for report in reports for why in report.reasons)),
    )


def _percentile(ascending: Sequence[float], share: float) -> float:
    """The least value that at least this share of them does not exceed: one that was seen."""
    return ascending[max(0, math.ceil(share * len(ascending)) - 1)]
