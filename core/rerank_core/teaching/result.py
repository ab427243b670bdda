"""What came of teaching."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from .measuring import DEFAULT, INT8, RETRIEVER, STUDENT, TEACHER


@dataclass(frozen=True, slots=True)
class Teaching:
    """A student, and how good it is.

    `folder`: where it is, ready for `OnnxCrossEncoderScorer`. `means`: the measure of "retriever",
    "default", "teacher", "student" and "student int8" on `queries["held_out"]` queries that
    nothing was learned from; `against`: the student minus retriever and default there. `kept`:
    "fp32" or "int8", the one that wins; None where none does. `share`: of the teacher's gain over
    the retriever, None where that has none. `mixed`: the student is measured with the retriever's
    scores, half and half, which was better on the stopping queries. `rates`: documents a second,
    None where unknown. `queries`: how many to "train", to stop by ("stopping"), "held_out", and
    "unasked" (without a score of the teacher's). `training`: device, steps, best step, loss on the
    stopping queries by step, seconds. `cost`: US dollars for the teacher, None where unknown.
    `config`: the file that was written, None where none was. `notes`: what its reader should know.
    """

    folder: str
    start: str
    teacher: str
    measure: str
    means: Mapping[str, float]
    against: Mapping[str, Mapping[str, Any]]
    kept: str | None
    mixed: bool
    share: float | None
    rates: Mapping[str, float | None]
    queries: Mapping[str, int]
    documents: int
    training: Mapping[str, Any]
    settings: Mapping[str, Any]
    cost: float | None
    date: str
    notes: Sequence[str] = ()
    config: str | None = None

    @property
    def wins(self) -> bool:
        """Whether the student is better than retriever and default, by more than chance."""
        return self.kept is not None

    def verdict(self) -> str:
        """In a sentence."""
        mine, name = self.means[STUDENT], f"{self.measure} on {self.queries['held_out']} queries"
        best = max((RETRIEVER, DEFAULT), key=lambda one: self.means[one])
        beside = f"student {mine:.4f}, {best} {self.means[best]:.4f} ({name})"
        if self.kept is not None:
            return f"The student wins, in {self.kept}: {beside}, p = {self._p():.3f}."
        if mine <= self.means[best]:
            return f"The student does not win: {beside}."
        return f"The student does not win by more than chance: {beside}, p = {self._p():.3f}."

    def to_dict(self) -> dict[str, Any]:
        """As JSON-serialisable values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Teaching:
        """Back from `to_dict`."""
        return cls(**values)

    def rows(self) -> list[tuple[str, float, float | None]]:
        """System, measure, documents a second; the best measure first."""
        names = (RETRIEVER, DEFAULT, TEACHER, STUDENT, INT8)
        found = [(name, self.means[name], self.rates.get(name)) for name in names]
        return sorted(found, key=lambda row: -row[1])

    def __str__(self) -> str:
        told = [
            self.verdict(),
            *(f"{name:14}{mean:.4f}" for name, mean, _ in self.rows()),
            f"written to {self.config}" if self.config else "no configuration was written",
        ]
        return "\n".join(told)

    def _p(self) -> float:
        return max(float(one["p_holm"]) for one in self.against.values())
