"""Is it a reranker at all? Built-in questions that tell without judgements: `Reranker.check`."""

from .report import CheckReport, Fault, Finding

__all__ = ["CheckReport", "Fault", "Finding"]
