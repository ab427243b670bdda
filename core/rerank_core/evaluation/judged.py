"""How much of what stands on top was ever judged. Unjudged is not irrelevant. Pure.

A measure counts a document that nobody judged as not relevant. Where judgements were made of what
one system brought, that system looks better than it is beside any other that finds something else
(Zobel, SIGIR 1998). Leaving out what is unjudged, the condensed list (Sakai, SIGIR 2007), favours
neither so; Bpref (Buckley and Voorhees, SIGIR 2004) looks at judged pairs alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import fmean
from typing import Any

from .significance import LEVEL, paired

#: How far down it is looked.
TOP = 10
#: The share of the first ten that must be judged less often than the base's to be worth a word.
LESS = 0.1
#: Fewer judged candidates than this do not tell how deep it was judged.
FEWEST = 20
#: Judgements that end within the first ten, above this share of the list, were made of its head.
HEAD = 0.5

#: Document ids by query, best first; grades by query and document id.
Orders = Mapping[str, Sequence[str]]
Grades = Mapping[str, Mapping[str, int]]


@dataclass(frozen=True, slots=True)
class Unjudged:
    """That a run's figures are too low beside the base's, as it brings up what was not judged.

    `base` and `run`: the share (0..1) of the first ten that is judged. `down_to`: the rank in the
    base's order below which nothing is judged, None where that is not so.
    """

    base: float
    run: float
    down_to: int | None

    def to_dict(self) -> dict[str, Any]:
        """As JSON-serialisable values."""
        return asdict(self)


def counted(queries: int, without: int) -> str:
    """How many queries are judged, every one of which counts, and how many have nothing relevant.

    >>> counted(6, 2)
    '6 judged queries (2 without a relevant document, which count as 0)'
    """
    said = f"{queries} judged {'query' if queries == 1 else 'queries'}"
    if not without:
        return said
    counts = "counts" if without == 1 else "count"
    return f"{said} ({without} without a relevant document, which {counts} as 0)"


def judged_share(orders: Orders, grades: Grades, top: int = TOP) -> float | None:
    """Judged@10: the share of the first ten documents that are judged, the mean over the judged
    queries that have an answer; None where there is none."""
    found = _shares(orders, grades, top)
    return fmean(found.values()) if found else None


def condensed(orders: Orders, grades: Grades) -> dict[str, dict[str, float]]:
    """The orders without what is unjudged, as `ir_measures` takes a run."""
    return {
        query: {
            doc: -float(position)
            for position, doc in enumerate(ids)
            if doc in grades.get(query, ())
        }
        for query, ids in orders.items()
    }


def unjudged(base: Orders, run: Orders, grades: Grades) -> Unjudged | None:
    """Whether judgements favour the base over the run; None where nothing shows it.

    The run's first ten must be judged less often, beyond chance. Where relevant documents alone
    are listed, as in many collections, that just means that fewer were found, unless the judgements
    end with the base's first few.
    """
    before, after = _shares(base, grades), _shares(run, grades)
    queries = [query for query in before if query in after]
    if len(queries) < 2:
        return None
    first, second = [before[q] for q in queries], [after[q] for q in queries]
    shares = Unjudged(fmean(first), fmean(second), _judged_down_to(base, grades))
    refused = any(grade <= 0 for query in queries for grade in grades[query].values())
    if shares.base - shares.run < LESS or not (refused or shares.down_to):
        return None
    return shares if paired(first, second).p < LEVEL else None


def _shares(orders: Orders, grades: Grades, top: int = TOP) -> dict[str, float]:
    return {
        query: fmean(doc in grades[query] for doc in ids[:top])
        for query, ids in orders.items()
        if ids and grades.get(query)
    }


def _judged_down_to(base: Orders, grades: Grades) -> int | None:
    ranks = [
        rank
        for query, ids in base.items()
        for rank, doc in enumerate(ids, start=1)
        if doc in grades.get(query, ())
    ]
    if len(ranks) < FEWEST:
        return None
    longest = max(len(ids) for query, ids in base.items() if query in grades)
    return max(ranks) if max(ranks) <= min(TOP, HEAD * longest) else None
