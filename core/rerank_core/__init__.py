"""Reranking that keeps its deadline, loses nothing and says how it got there."""

from __future__ import annotations

from .candidate import Candidate
from .errors import (
    ConfigurationError,
    InvalidInputError,
    MissingExtraError,
    MissingKeyError,
    Reason,
    RerankError,
    ScorerError,
)
from .ranking import DegradedError, RankedCandidate, Ranking
from .report import Report
from .reranker import Reranker

__version__ = "0.1.0"

__all__ = [
    "Candidate",
    "ConfigurationError",
    "DegradedError",
    "InvalidInputError",
    "MissingExtraError",
    "MissingKeyError",
    "RankedCandidate",
    "Ranking",
    "Reason",
    "Report",
    "RerankError",
    "Reranker",
    "ScorerError",
]
