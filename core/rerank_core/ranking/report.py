"""How a ranking came about: what it covers, what went wrong, and what it cost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from ..errors import Reason
from ..runtime.meter import USAGE, Usage


@dataclass(frozen=True, slots=True, kw_only=True)
class StageReport(Usage):
    """What one stage of a cascade did, and what it cost: the fields of `Usage`.

    `name`: its scorers'. `seen`: how many candidates it was to score, the best so far; `scored`:
    how many it did; `changed`: how many of them stand in another place than before. `skipped`: it
    was not asked, as its `unless` says. `reasons`: why it did not do all. `seconds` of wall time.
    """

    name: str
    seen: int = 0
    scored: int = 0
    changed: int = 0
    skipped: bool = False
    reasons: tuple[Reason, ...] = ()
    seconds: float = 0.0

    def to_dict(self) -> dict[str, Any]:
        """The report as JSON-serialisable values."""
        told = {name: getattr(self, name) for name in _STAGE_NAMES}
        return {**told, "reasons": [str(reason) for reason in self.reasons]}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> StageReport:
        """Back from `to_dict`."""
        return cls(**{**values, "reasons": tuple(map(Reason, values["reasons"]))})


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Report(Usage):
    """What a ranking says about itself, and on top of it what it cost: the fields of `Usage`.

    `coverage`: the share of candidates (0..1) that the scorer itself scored; what it did not
    score is placed by estimate, or by a fallback, whose scores do not count here. In a cascade: of
    those that a stage was shown, the least of any.
    `degraded`: whether the ranking is another than was asked for, and `reasons`: why, as
    `rerank_core.errors.Reason` values, which are strings (a cache that did not work, or a date that
    could not be read, is named there too, and degrades nothing). `notes`: the same and more in
    sentences. `cache_hits`: scores that needed no call, and `cache_hit_rate`, their share (0..1) of
    all that were asked for. `seconds` of wall time. `stages`: a `StageReport` for each stage of the
    cascade; one, where there is none. `duplicates`: near-duplicates that were dropped, and
    `beyond_max_per`: candidates that were too many of one source, where that was asked for.
    """

    coverage: float = 1.0
    degraded: bool = False
    reasons: tuple[Reason, ...] = ()
    notes: tuple[str, ...] = ()
    cache_hits: int = 0
    cache_hit_rate: float = 0.0
    seconds: float = 0.0
    stages: tuple[StageReport, ...] = ()
    duplicates: int = 0
    beyond_max_per: int = 0

    @property
    def covered(self) -> str:
        """The coverage in words: "40% scored", and that a fallback is not counted in it."""
        beside = " without the fallback" if Reason.FALLBACK in self.reasons else ""
        return f"{self.coverage:.0%} scored{beside}"

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
            "stages": [stage.to_dict() for stage in self.stages],
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Report:
        """Back from `to_dict`."""
        several = {
            "reasons": tuple(map(Reason, values["reasons"])),
            "notes": tuple(values["notes"]),
            "stages": tuple(map(StageReport.from_dict, values["stages"])),
        }
        return cls(**{**values, **several})

    def __repr__(self) -> str:
        from .plain import report  # how it is shown is below its floor, so only when looked at

        return report(self)

    def _repr_html_(self) -> str:
        from .html import report_html

        return report_html(self)


# how the ranking came about is told before what it cost
_NAMES, _STAGE_NAMES = (
    (*(field.name for field in fields(kind) if field.name not in USAGE), *USAGE)
    for kind in (Report, StageReport)
)
