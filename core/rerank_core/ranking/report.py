"""How a ranking came about: what it covers, what went wrong, and what it cost."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from ..errors import Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a ranking says about itself.

    `coverage`: the share of candidates (0..1) that the scorer itself scored; what it did not
    score is placed by estimate. `degraded`: whether the ranking is another than was asked for, and
    `reasons`: why, as `rerank_core.errors.Reason` values, which are strings (a cache that did not
    work, or a date that could not be read, is named there too, and degrades nothing). `notes`: the
    same and more in sentences. `calls`, sequential `rounds` and `retries` of requests that left
    the process; batches that were `hedged` by a second try; `cache_hits`: scores that needed none,
    and `cache_hit_rate`, their share (0..1) of all that were asked for. Tokens as the servers
    reported them. `cost` in US dollars, None where a price is unknown. `seconds` of wall time.
    `truncated`: documents that were scored by a part of their text.
    """

    coverage: float = 1.0
    degraded: bool = False
    reasons: tuple[Reason, ...] = ()
    notes: tuple[str, ...] = ()
    calls: int = 0
    rounds: int = 0
    retries: int = 0
    hedged: int = 0
    cache_hits: int = 0
    cache_hit_rate: float = 0.0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost: float | None = 0.0
    seconds: float = 0.0
    truncated: int = 0

    @property
    def why(self) -> str:
        """The notes as one line, for a log."""
        return "; ".join(self.notes)

    def to_dict(self) -> dict[str, Any]:
        """The report as JSON-serialisable values."""
        return {
            **asdict(self),
            "reasons": [str(reason) for reason in self.reasons],
            "notes": list(self.notes),
        }
