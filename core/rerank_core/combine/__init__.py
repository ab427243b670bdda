"""Signals to one order: scores combined, dates weighed, what is missing estimated. Pure."""

from .combination import Combination, ReciprocalRankFusion, WeightedSum
from .recency import Recency

__all__ = ["Combination", "Recency", "ReciprocalRankFusion", "WeightedSum"]
