"""Reranking that keeps its deadline, loses nothing and says how it got there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .errors import (
    ConfigurationError,
    InvalidInputError,
    MissingExtraError,
    MissingKeyError,
    Reason,
    RerankError,
    ScorerError,
)
from .ranking.candidate import Candidate
from .ranking.ranking import DegradedError, RankedCandidate, Ranking
from .ranking.report import Report
from .reranker import Reranker
from .scorers.cascade import Cascade, Stage

if TYPE_CHECKING:
    from .ranking.log import RankingLog

__version__ = "0.1.0"

__all__ = [
    "Candidate",
    "Cascade",
    "ConfigurationError",
    "DegradedError",
    "InvalidInputError",
    "MissingExtraError",
    "MissingKeyError",
    "RankedCandidate",
    "Ranking",
    "RankingLog",
    "Reason",
    "Report",
    "RerankError",
    "Reranker",
    "ScorerError",
    "Stage",
]


def __getattr__(name: str) -> Any:
    if name == "RankingLog":  # few programs keep one
        from .ranking.log import RankingLog

        return RankingLog
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
