"""Signals to one order: scores combined, dates weighed, what is missing estimated. Pure."""

from typing import TYPE_CHECKING, Any

from .combination import Combination, ReciprocalRankFusion, WeightedSum

if TYPE_CHECKING:
    from .recency import Recency

__all__ = ["Combination", "Recency", "ReciprocalRankFusion", "WeightedSum"]


def __getattr__(name: str) -> Any:
    if name == "Recency":  # most combinations look at no date
        from .recency import Recency

        return Recency
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
