"""What the causes are looked for in: rankings with their judgements, and how they were made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from ..combine.combination import Combination
from ..evaluation.judged import counted
from ..ranking.candidate import RAW
from ..ranking.ranking import RankedCandidate, Ranking


def key(hit: RankedCandidate) -> str:
    """What judgements and later stages call a document: its id, else its position in the input."""
    return str(hit.index) if hit.id is None else hit.id


@dataclass(frozen=True)
class Case:
    """One query: its ranking, and what else is known of it.

    `grades`: by document key, None where the query is not judged. `served`: keys of what came out
    at the end of the pipeline, None where that is not known. `repeats`: rankings of the same
    documents, asked for in another order.
    """

    ranking: Ranking
    grades: Mapping[str, int] | None = None
    served: Sequence[str] | None = None
    repeats: Sequence[Ranking] = ()

    @property
    def hits(self) -> tuple[RankedCandidate, ...]:
        """Every candidate, best first."""
        return self.ranking.all

    @cached_property
    def retrieved(self) -> list[RankedCandidate]:
        """Every candidate in the retriever's order."""
        return sorted(self.hits, key=lambda hit: hit.retrieved)

    @cached_property
    def relevant(self) -> frozenset[str]:
        """The documents judged relevant, candidates or not."""
        return frozenset(doc for doc, grade in (self.grades or {}).items() if grade > 0)

    def signal(self, name: str, *, combined: bool) -> dict[int, float]:
        """What a scorer said, by the candidates' input position; what it did not score is absent.

        Where signals are `combined`, their values before they were normalized for the sum.
        """
        found = {}
        for hit in self.hits:
            value = hit.components.get(name)
            if combined:
                value = hit.components.get(name + RAW, value)
            if value is not None:
                found[hit.index] = value
        return found


@dataclass(frozen=True, slots=True)
class Setup:
    """How the rankings were made, as far as that is known."""

    scorers: Sequence[str]
    combine: Combination | None = None
    combined: bool = False
    top_n: int | None = None
    threshold: float | None = None
    depth: int | None = None
    #: How many documents a scorer is shown at once, by its name, where it says so.
    group_sizes: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Evidence:
    """All of it. `shuffled`: cases with `repeats`; `again`: with repeats in the very order of the
    first. `visible_chars`: about how many characters of
    a document the scorer sees, None where it sees all, or that was not tried. `in_all`: how many
    queries are judged, those among them that count as 0 as they have no relevant document
    (`unanswerable`) or no candidates. `shown`: whether the texts are what a scorer was shown, and
    not those of a collection, which may be without.
    """

    cases: Sequence[Case]
    setup: Setup
    shuffled: Sequence[Case] = ()
    visible_chars: int | None = None
    again: Sequence[Case] = ()
    in_all: int = 0
    unanswerable: int = 0
    shown: bool = True

    @cached_property
    def judged(self) -> list[Case]:
        """The cases with a document judged relevant."""
        return [case for case in self.cases if case.relevant]

    @property
    def zeros(self) -> int:
        """How many judged queries are not in `judged`: each of them counts as 0."""
        return max(0, self.in_all - len(self.judged))

    @property
    def counted(self) -> str:
        """How many queries are judged, in words."""
        return counted(len(self.judged) + self.zeros, self.unanswerable)

    @property
    def top(self) -> int:
        """How many ranks count: top_n, at most ten."""
        return min(10, self.setup.top_n or 10)


def told_again(cases: Sequence[Case]) -> tuple[list[Case], list[Case]]:
    """The cases whose repeats are of the very order of the first, and of another one."""
    again, shuffled = [], []
    for case in cases:
        same = [repeat for repeat in case.repeats if _listed(repeat) == _listed(case.ranking)]
        other = [repeat for repeat in case.repeats if _listed(repeat) != _listed(case.ranking)]
        again += [replace(case, repeats=same)] * bool(same)
        shuffled += [replace(case, repeats=other)] * bool(other)
    return again, shuffled


def _listed(ranking: Ranking) -> list[str]:
    """The texts as they were handed over."""
    return [hit.text for hit in sorted(ranking.all, key=lambda hit: hit.index)]
