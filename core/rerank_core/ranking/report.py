"""How a ranking came about: what it covers, what went wrong, and what it cost."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from ..errors import Reason
from ..runtime.meter import USAGE, Usage


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Report(Usage):
    """What a ranking says about itself, and on top of it what it cost: the fields of `Usage`.

    `coverage`: the share of candidates (0..1) that the scorer itself scored; what it did not
    score is placed by estimate. `degraded`: whether the ranking is another than was asked for, and
    `reasons`: why, as `rerank_core.errors.Reason` values, which are strings (a cache that did not
    work, or a date that could not be read, is named there too, and degrades nothing). `notes`: the
    same and more in sentences. `cache_hits`: scores that needed no call, and `cache_hit_rate`,
    their share (0..1) of all that were asked for. `seconds` of wall time.
    """

    coverage: float = 1.0
    degraded: bool = False
    reasons: tuple[Reason, ...] = ()
    notes: tuple[str, ...] = ()
    cache_hits: int = 0
    cache_hit_rate: float = 0.0
    seconds: float = 0.0

    @property
    def why(self) -> str:
        """The notes as one line, for a log."""
        return "; ".join(self.notes)

    def to_dict(self) -> dict[str, Any]:
        """The report as JSON-serialisable values."""
        return {
            **{name: getattr(self, name) for name in _NAMES},
            "reasons": [str(reason) for reason in self.reasons],
            "notes": list(self.notes),
        }

    def __repr__(self) -> str:
        told = ", ".join(f"{name}={getattr(self, name)!r}" for name in _NAMES)
        return f"Report({told})"


# how the ranking came about is told before what it cost
_NAMES = (*(field.name for field in fields(Report) if field.name not in USAGE), *USAGE)
