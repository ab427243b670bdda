"""What a judge found: grades, how far they are to be trusted, and the files that say both."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ...errors import InvalidInputError
from ...runtime.replacing import replaced
from ..collection import Collection
from ..provenance import BY_MODEL, BY_PERSON, Provenance, beside
from .agreement import Agreement, agreement
from .ledger import Ledger
from .pool import Pair
from .rubric import CITED, RUBRIC, Grade

#: So far from the grade that it says is the mean of the grades that a model considered, where it
#: wavers: half way to the next one is 0.5.
WAVERS = 0.25


@dataclass(frozen=True, slots=True)
class Judged:
    """One pair, what each pass said of it, and what a person did (None: was not asked).

    `by_chance`: the person was shown it by chance, not because the model was not sure of it.
    """

    pair: Pair
    passes: Sequence[Grade]
    person: int | None = None
    by_chance: bool = True

    @property
    def grade(self) -> int:
        """The person's; else the model's: the mean of its passes, the lower of two middles."""
        return (self.by_model or 0) if self.person is None else self.person

    @property
    def by_model(self) -> int | None:
        """The model's own, whatever a person said; None where it said nothing."""
        if not self.passes:
            return None
        return sum(one.grade for one in self.passes) // len(self.passes)

    @property
    def disputed(self) -> bool:
        """Whether its passes gave different grades."""
        return len({one.grade for one in self.passes}) > 1

    @property
    def borderline(self) -> bool:
        """Whether they agree, and log probabilities show that the model wavered all the same."""
        known = [one.expected - one.grade for one in self.passes if one.expected is not None]
        return not self.disputed and bool(known) and abs(sum(known) / len(known)) > WAVERS

    @property
    def doubtful(self) -> bool:
        """Whether the model was not sure of it, by either."""
        return self.disputed or self.borderline


@dataclass(frozen=True, slots=True)
class Judgements:
    """The judged pairs of a collection.

    `model`: the judge. `cost`: US dollars that all of its answers took, in whichever run (None:
    unknown); `calls`: how many were asked now, `kept` how many answers there were before.
    `unjudged`: pairs without a grade, and `stopped` why, if they were to have one; None for a judge
    that is through. `truncated`: documents of which it saw the beginning. `lost`: questions that
    were under way when a run was killed, counted at the most they can have cost.
    """

    collection: Collection
    judged: Sequence[Judged]
    model: str
    passes: int
    cost: float | None = None
    calls: int = 0
    kept: int = 0
    unjudged: Sequence[Pair] = ()
    stopped: str | None = None
    truncated: int = 0
    lost: int = 0
    at: str = field(default_factory=lambda: datetime.now(UTC).date().isoformat())

    @property
    def qrels(self) -> dict[str, dict[str, int]]:
        """Grade 0 to 3 by query id and document id."""
        found: dict[str, dict[str, int]] = {}
        for one in self.judged:
            found.setdefault(one.pair.query, {})[one.pair.document] = one.grade
        return found

    @property
    def of_passes(self) -> Agreement | None:
        """How far the first two passes agree; None with a single one."""
        both = [one.passes for one in self.judged if len(one.passes) > 1]
        return agreement([p[0].grade for p in both], [p[1].grade for p in both])

    @property
    def with_person(self) -> Agreement | None:
        """How far the model agrees with a person, on pairs that chance drew; None without any."""
        both = [
            (one.by_model, one.person)
            for one in self.judged
            if one.by_model is not None and one.person is not None and one.by_chance
        ]
        return agreement([a for a, _ in both], [b for _, b in both])

    @property
    def to_check(self) -> list[Judged]:
        """What a person should look at: where the passes differ, or the model wavered."""
        return [one for one in self.judged if one.person is None and one.doubtful]

    @property
    def provenance(self) -> Provenance | None:
        """Who judged, as an evaluation says it; None where people did alone."""
        people = sum(one.person is not None for one in self.judged)
        if people == len(self.judged):
            return None
        return Provenance({self.model: len(self.judged) - people}, people, self.to_dict())

    def judged_collection(self) -> Collection:
        """The collection with these judgements: what `evaluate` and `tune` take."""
        return replace(self.collection, qrels=self.qrels, provenance=self.provenance)

    def to_dict(self) -> dict[str, Any]:
        """What is known of the judge, as JSON-serialisable values."""
        passes, person = self.of_passes, self.with_person
        count = max(1, len(self.judged))
        grades = [one.grade for one in self.judged]
        return {
            "judge": self.model,
            "rubric": RUBRIC,
            "rubric_source": CITED,
            "passes": self.passes,
            "date": self.at,
            "queries": len(self.qrels),
            "pairs": len(self.judged),
            "unjudged_pairs": len(self.unjudged),
            "grades": {str(grade): grades.count(grade) for grade in range(4)},
            "agreement_of_passes": None if passes is None else passes.to_dict(),
            "agreement_with_person": None if person is None else person.to_dict(),
            "judged_by_person": sum(one.person is not None for one in self.judged),
            "disputed": sum(one.disputed for one in self.judged),
            "borderline": sum(one.borderline for one in self.judged),
            "to_check": len(self.to_check),
            "share_to_check": len(self.to_check) / count,
            "truncated": self.truncated,
            "cost": self.cost,
            "stopped": self.stopped,
        }

    def write(self, path: Path | str) -> None:
        """Write the qrels, and beside them (`PATH.judge.json`) what is known of the judge.

        TREC's format; the second field, which its readers skip, says who judged. Raises
        `InvalidInputError` for a file that holds judgements of another origin.
        """
        file = Path(path)
        check_output(file)
        model = BY_MODEL + "-".join(self.model.split())
        lines = [
            f"{one.pair.query} {model if one.person is None else BY_PERSON} "
            f"{one.pair.document} {one.grade}\n"
            for one in self.judged
        ]
        replaced(file, "".join(lines))
        replaced(beside(file), json.dumps(self.to_dict(), indent=2, ensure_ascii=False) + "\n")


def check_output(file: Path) -> None:
    """Raise `InvalidInputError` unless judgements can be written there, and none are lost by it."""
    if not file.parent.is_dir():
        raise InvalidInputError(f"there is no folder {file.parent} to write {file.name} into")
    if file.is_dir():
        raise InvalidInputError(f"{file} is a folder: name a file for the judgements")
    if not file.exists() or not file.stat().st_size:
        return
    with file.open(encoding="utf-8-sig", errors="replace") as lines:
        fields = next(lines, "").split()
    if len(fields) != 4 or not fields[1].startswith((BY_MODEL, BY_PERSON)):
        raise InvalidInputError(
            f"{file} is there and is not of a judge's making: name another file with -o"
        )


def checked_ids(pairs: Sequence[Pair]) -> None:
    """Raise `InvalidInputError` for ids that no line of qrels can hold."""
    for pair in pairs:
        for kind, name in (("query", pair.query), ("document", pair.document)):
            if len(name.split()) != 1:
                raise InvalidInputError(
                    f"the {kind} id {name!r} has blanks, which no TREC file can hold: rename it"
                )


def by_pair(
    pairs: Sequence[Pair],
    grades: Mapping[str, Sequence[Grade]],
    ledger: Ledger,
    passes: int,
) -> tuple[list[Judged], list[Pair]]:
    """The pairs that are judged (by every one of the `passes`, or by a person), and the others."""
    judged, unjudged = [], []
    for pair in pairs:
        found, person = grades.get(pair.key, ()), ledger.people.get(pair.key)
        if len(found) >= passes or person is not None:
            by_chance = pair.key not in ledger.doubted
            judged.append(Judged(pair, found[:passes], person, by_chance))
        else:
            unjudged.append(pair)
    return judged, unjudged
