"""Signals to one order: scores combined, dates weighed, what is missing estimated. Pure."""

from typing import TYPE_CHECKING

from ..runtime.on_demand import on_demand
from .combination import Combination, ReciprocalRankFusion, WeightedSum

if TYPE_CHECKING:
    from .recency import Recency

__all__ = ["Combination", "Recency", "ReciprocalRankFusion", "WeightedSum"]

#: Most combinations look at no date.
__getattr__, __dir__ = on_demand(__name__, {"Recency": "recency"})
