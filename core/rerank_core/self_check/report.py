"""What a check found, and how it shows itself."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any


class Fault(StrEnum):
    """What may be wrong with a scorer that answers."""

    UNANSWERED = "unanswered"  # it did not answer at all
    MISSING = "missing_scores"  # some texts have none, or one that is no number
    CONSTANT = "constant"  # the same score for all of a list
    TWO_VALUED = "two_valued"  # two scores are all that there are
    SATURATED = "saturated"  # what does not answer scores as high as what does
    WRONG_SIGN = "wrong_sign"  # lower is better
    MISPLACED = "misplaced"  # scores stand at other texts than their own
    STALE = "stale_query"  # the scores are those of another question
    QUERY_IGNORED = "query_ignored"  # they are the same whatever the question
    LENGTH = "length"  # they go by how long a text is
    RANDOM = "random"  # they have nothing to do with question and text
    TRUNCATED = "truncated"  # only the beginning of a text is read
    POSITION = "position"  # they depend on the order of the list
    NEIGHBOURS = "neighbours"  # … or on what else is in it
    UNSTABLE = "unstable"  # the same list has other scores the next time
    SCALE = "scale"  # they are not on the scale that they are taken to be on


@dataclass(frozen=True, slots=True)
class Finding:
    """One fault of one scorer: what was seen, with numbers, and what to change."""

    fault: Fault
    scorer: str
    seen: str
    change: str

    def __str__(self) -> str:
        return f"{self.scorer}: {self.fault}: {self.seen}. {self.change}."

    def to_dict(self) -> dict[str, str]:
        """As JSON-serialisable values."""
        return {name: str(value) for name, value in asdict(self).items()}


@dataclass(frozen=True, slots=True)
class CheckReport:
    """What `Reranker.check` found: `findings`, none where nothing is wrong that it knows.

    `scorers`: the names of those that were asked, each at most `calls` times (at most 20);
    `seconds`: how long all of it took. Prints itself.
    """

    findings: tuple[Finding, ...]
    scorers: tuple[str, ...]
    calls: int
    seconds: float

    @property
    def ok(self) -> bool:
        """Whether nothing was found."""
        return not self.findings

    @property
    def summary(self) -> str:
        """In a line: for a log."""
        found = "; ".join(f"{one.scorer}: {one.fault}" for one in self.findings)
        return (
            f"self-check of {', '.join(self.scorers)}: {found or 'nothing found'} "
            f"({self.calls} calls, {self.seconds:.1f} s)"
        )

    def __str__(self) -> str:
        lines = [self.summary]
        for number, one in enumerate(self.findings, start=1):
            lines += [
                "",
                f"{number}. {one.scorer}: {one.fault}",
                f"   seen: {one.seen}",
                f"   what to change: {one.change}",
            ]
        return "\n".join(lines)

    def to_dict(self) -> dict[str, Any]:
        """As JSON-serialisable values."""
        return {
            "findings": [one.to_dict() for one in self.findings],
            "scorers": list(self.scorers),
            "calls": self.calls,
            "seconds": self.seconds,
        }
