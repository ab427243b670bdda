"""Reranking that keeps its deadline, loses nothing and says how it got there."""

from __future__ import annotations

from typing import TYPE_CHECKING

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
from .runtime.on_demand import on_demand
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

#: Few programs keep one.
__getattr__, __dir__ = on_demand(__name__, {"RankingLog": "ranking.log"})
