"""What a job has done so far, and what it is at its end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from enum import IntEnum
from pathlib import Path
from typing import Any

from .records import Done, Position


class Outcome(IntEnum):
    """How a start of a job ended; the exit code of `rerank bulk`."""

    COMPLETE = 0
    #: Complete, but there are dead letters, or rankings by a fallback.
    WITH_FAULTS = 3
    #: The next query might have cost more than was left of `max_cost`.
    OUT_OF_MONEY = 4


@dataclass(slots=True)
class Counts:
    """What is written, and what it took, over all starts of the job.

    `number` and `at`: the position in the source. `output` and `dead`: bytes that are written and
    hold. `dead_letters`: queries with a candidate that was not scored, and records that could not
    be read. `cost` in US dollars, None where it is unknown; `seconds` of wall time.
    """

    number: int = 0
    at: int = 0
    output: int = 0
    dead: int = 0
    queries: int = 0
    pairs: int = 0
    unscored: int = 0
    dead_letters: int = 0
    degraded: int = 0
    cost: float | None = 0.0
    #: What a document cost at most, of a query; None: that is not known yet.
    dearest: float | None = None
    calls: int = 0
    retries: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cache_hits: int = 0
    truncated: int = 0
    seconds: float = 0.0
    reasons: dict[str, int] = field(default_factory=dict)
    #: Every record is written; then, the output is where it belongs.
    finished: bool = False
    complete: bool = False

    @property
    def position(self) -> Position:
        """Where the next query begins."""
        return Position(self.number, self.at)

    def add(self, done: Done) -> None:
        """Count one more record."""
        self.number, self.at = done.after.number, done.after.at
        self.output += len(done.output)
        self.dead += len(done.dead)
        self.queries += bool(done.output)
        self.pairs += done.pairs
        self.unscored += done.unscored
        self.dead_letters += bool(done.dead)
        self.degraded += "fallback" in done.reasons
        if done.priced and (cost := done.usage.get("cost")) is not None:
            self.dearest = max(self.dearest or 0.0, cost / done.priced)
        for name in _ADDED:
            one, more = getattr(self, name), done.usage.get(name, 0)
            setattr(self, name, None if one is None or more is None else one + more)
        for reason in done.reasons:
            self.reasons[reason] = self.reasons.get(reason, 0) + 1

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Counts:
        """Back from `asdict`; what a later version added is left out."""
        known = {one.name for one in fields(cls)}
        return cls(**{name: value for name, value in values.items() if name in known})


_ADDED = (
    "cost",
    "calls",
    "retries",
    "prompt_tokens",
    "completion_tokens",
    "cache_hits",
    "truncated",
)


@dataclass(frozen=True, slots=True)
class Summary:
    """A job after one start of it. `seconds` and `pairs` of this start; `counts` over all."""

    outcome: Outcome
    output: Path
    dead_letters: Path | None
    counts: Counts
    pairs: int
    seconds: float
    #: It was complete when this start began: nothing was asked.
    before: bool = False

    @property
    def rate(self) -> float:
        """Pairs a second, of this start."""
        return self.pairs / self.seconds if self.seconds else 0.0

    def to_dict(self) -> dict[str, Any]:
        """As JSON-serialisable values."""
        counts = asdict(self.counts)
        for name in ("number", "at", "output", "dead", "dearest", "finished", "complete"):
            del counts[name]
        return {
            "outcome": self.outcome.name.lower(),
            "output": str(self.output) if self.counts.complete else None,
            "dead_letters_file": None if self.dead_letters is None else str(self.dead_letters),
            **counts,
            "complete_before": self.before,
            "this_start": {"pairs": self.pairs, "seconds": self.seconds, "rate": self.rate},
        }

    def __str__(self) -> str:
        counts = self.counts
        when = " before this start, which asked nothing" if self.before else ""
        rate = "" if self.before else f"; {self.rate:,.0f} pairs/s in this start"
        lines = [
            {
                Outcome.COMPLETE: f"complete{when}: {self.output}",
                Outcome.WITH_FAULTS: f"complete{when}, with faults: {self.output}",
                Outcome.OUT_OF_MONEY: "stopped, as max_cost is reached; with a higher one it "
                "goes on from here",
            }[self.outcome],
            f"{counts.queries:,} queries, {counts.pairs:,} pairs, {counts.unscored:,} of them "
            f"unscored{rate}",
            f"cost {dollars(counts.cost)}; {counts.calls:,} calls, {counts.cache_hits:,} scores "
            f"from the cache, {counts.prompt_tokens + counts.completion_tokens:,} tokens",
        ]
        if counts.reasons:
            why = ", ".join(f"{name} {count:,}" for name, count in sorted(counts.reasons.items()))
            lines.append(f"reasons, by queries: {why}")
        if self.dead_letters is not None:
            lines.append(f"{counts.dead_letters:,} dead letters: {self.dead_letters}")
        return "\n".join(lines)


def dollars(cost: float | None) -> str:
    """In words: "$0.0123", or that it is unknown."""
    return "unknown" if cost is None else f"${cost:,.4f}" if cost else "$0"
