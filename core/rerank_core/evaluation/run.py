"""What one system answered to every query, and what that cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..ranking.ranking import Ranking
from ..ranking.report import Report

#: What the candidates' own order is called where nobody named it.
RETRIEVER = "retriever"


def called(name: str) -> str:
    """The system's name as a sentence has it."""
    return f"the {name}" if name == RETRIEVER else name


@dataclass(frozen=True, slots=True)
class Ranked:
    """One query's documents, best first, each with its score (None where it has none).

    `components`: the signals behind the scores, by name, in the same order. `report`: how the
    ranking came about; None for a run that was read from a file.
    """

    ids: Sequence[str]
    scores: Sequence[float | None]
    components: Mapping[str, Sequence[float | None]] = field(default_factory=dict)
    report: Report | None = None

    @classmethod
    def of(cls, ranking: Ranking, ids: Sequence[str]) -> Ranked:
        """A ranking of candidates whose ids, in input order, are `ids`."""
        names = {name: None for hit in ranking.all for name in hit.components}
        return cls(
            [ids[hit.index] for hit in ranking.all],
            [hit.score for hit in ranking.all],
            {name: [hit.components.get(name) for hit in ranking.all] for name in names},
            ranking.report,
        )

    def to_dict(self) -> dict[str, Any]:
        """As JSON-serialisable values."""
        return {
            "ids": list(self.ids),
            "scores": list(self.scores),
            "components": {name: list(values) for name, values in self.components.items()},
            "report": None if self.report is None else self.report.to_dict(),
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Ranked:
        """Back from `to_dict`."""
        report = values["report"]
        return cls(
            values["ids"],
            values["scores"],
            values["components"],
            None if report is None else Report.from_dict(report),
        )


@dataclass(frozen=True, slots=True)
class Run:
    """A system's rankings by query id.

    `by_score`: it was read from a TREC file, whose scores decide the order when it is measured,
    as in trec_eval; otherwise the order of the rankings does. `whole_list`: its scores depend on
    what else was in the list, so that they tell nothing of a shorter one.
    """

    name: str
    rankings: Mapping[str, Ranked]
    by_score: bool = False
    whole_list: bool = False

    def to_measure(self) -> dict[str, dict[str, float]]:
        """Query id → document id → a score to sort by, as `ir_measures` takes it."""
        return {
            query: (
                {doc: score or 0.0 for doc, score in zip(ranked.ids, ranked.scores, strict=True)}
                if self.by_score
                else {doc: -float(position) for position, doc in enumerate(ranked.ids)}
            )
            for query, ranked in self.rankings.items()
        }

    def orders(self) -> dict[str, list[str]]:
        """Query id → document ids, best first, as they are measured."""
        return {
            query: sorted(told, key=lambda doc: (told[doc], doc), reverse=True)
            for query, told in self.to_measure().items()
        }

    @property
    def tied(self) -> float:
        """The share of documents (0..1) whose score another document of the query has too."""
        total = shared = 0
        for ranked in self.rankings.values():
            scores = [score for score in ranked.scores if score is not None]
            counts: dict[float, int] = {}
            for score in scores:
                counts[score] = counts.get(score, 0) + 1
            total += len(scores)
            shared += sum(count for count in counts.values() if count > 1)
        return shared / total if total else 0.0
