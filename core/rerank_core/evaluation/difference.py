"""What another configuration would change, on queries that nobody has judged.

Not which of the two is better: that takes judgements. How much moves, where, by which signal, and
what becomes of a threshold.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from ..errors import InvalidInputError
from ..ranking.candidate import RAW
from .carried import Carried, carry
from .collection import Collection
from .run import Ranked, Run
from .unjudged import overlap

#: As many of the first documents are compared.
TOP = 10


@dataclass(frozen=True, slots=True)
class Standing:
    """One document in one of the two rankings: its rank from 1, its score, its signals.

    `signals`: by name the value, and its rank among the candidates by that signal alone.
    """

    rank: int
    score: float | None
    signals: Mapping[str, tuple[float, int]]


@dataclass(frozen=True, slots=True)
class Move:
    """A document that was or is among the first ones, before and after.

    `by`: the signal that moved it most; "not scored" where the new one has no score for it;
    "weights" where the same signals rank it as before; "others" where none of its own explains it,
    as others rose past it or fell behind. `why`: the same in words.
    """

    document: str
    before: Standing
    after: Standing
    by: str
    why: str

    @property
    def up(self) -> int:
        """Ranks up (positive) or down."""
        return self.before.rank - self.after.rank


@dataclass(frozen=True, slots=True)
class Changed:
    """One query. `change`: 1 minus the rank-biased overlap of the first ones, 0..1.

    `same`: the share of the first ones (0..1) that both have. `moves`: each document that was or is
    among them, as it stands now.
    """

    query: str
    change: float
    same: float
    moves: Sequence[Move]

    @property
    def another_first(self) -> bool:
        """Whether another document stands first."""
        return any(move.after.rank == 1 and move.before.rank != 1 for move in self.moves)


@dataclass(frozen=True, slots=True)
class Difference:
    """The new ranking of every query against the old one; `queries` with the most changed first.

    `change`, `same`: means over the queries. `another_first`: the share of queries (0..1) with
    another first document. `causes`: how many moves by which signal. `carried`: the old threshold
    on the new scale, if there was one to carry; `untold` says why not.
    """

    collection: Collection
    old: Run
    new: Run
    top: int
    queries: Sequence[Changed]
    causes: Mapping[str, int]
    carried: Carried | None = None
    untold: str | None = None

    @property
    def change(self) -> float:
        """The mean change of a query's first documents, 0..1."""
        return fmean(one.change for one in self.queries)

    @property
    def same(self) -> float:
        """The mean share of the first documents that both have, 0..1."""
        return fmean(one.same for one in self.queries)

    @property
    def another_first(self) -> float:
        """The share of queries with another first document, 0..1."""
        return fmean(one.another_first for one in self.queries)

    @property
    def verdict(self) -> str:
        """What changes, in a sentence."""
        count = len(self.queries)
        still = sum(not one.change for one in self.queries)
        if still == count:
            return f"Nothing changes among the first {self.top} of {count} queries."
        return (
            f"On {count} queries the first {self.top} change by {self.change:.2f} (of 1): "
            f"{self.same:.0%} of the documents stay among them, {self.another_first:.0%} of the "
            f"queries have another first document, {still or 'none'} no change at all."
        )

    def to_dict(self) -> dict[str, Any]:
        """As JSON-serialisable values."""
        return {
            "verdict": self.verdict,
            "queries": len(self.queries),
            "top": self.top,
            "change": self.change,
            "same": self.same,
            "another_first": self.another_first,
            "causes": dict(self.causes),
            "threshold": None if self.carried is None else self.carried.to_dict(),
            "threshold_untold": self.untold,
            "by_query": {
                one.query: {
                    "change": one.change,
                    "same": one.same,
                    "moves": [
                        {
                            "document": move.document,
                            "before": move.before.rank,
                            "after": move.after.rank,
                            "by": move.by,
                            "why": move.why,
                        }
                        for move in one.moves
                        if move.up
                    ],
                }
                for one in self.queries
            },
        }


def diff(
    collection: Collection,
    old: Run,
    new: Run,
    *,
    top: int = TOP,
    signals: tuple[Set[str], Set[str]] | None = None,
    threshold: float | None = None,
    calibrated: bool = True,
) -> Difference:
    """Compare two rankings of the same candidates, such as `run_reranker` gives.

    `signals`: those that count for a score, of the old and of the new; all that there are by
    default. `threshold`: one on the old scores, to be carried over; where the scores of either only
    tell an order (`calibrated=False`), there is no such thing, and `untold` says so. Raises
    `InvalidInputError` where there is no query that both rank.
    """
    if top < 1:
        raise InvalidInputError(f"top is {top}: compare at least the first document")
    both = [q for q in collection.candidates if q in old.rankings and q in new.rankings]
    both = [query for query in both if old.rankings[query].ids]
    if not both:
        raise InvalidInputError("there is no query with candidates that both rank")
    used = signals or (None, None)
    queries = [_changed(q, old.rankings[q], new.rankings[q], top, used) for q in both]
    queries.sort(key=lambda one: -one.change)
    moved = (move.by for one in queries for move in one.moves if move.up)
    carried, untold = None, None
    if threshold is not None and not calibrated:
        untold = "the scores of one of them only tell an order: no threshold on them means anything"
    elif threshold is not None:
        carried, untold = carry(threshold, old, new)
    return Difference(
        collection, old, new, top, queries, dict(Counter(moved).most_common()), carried, untold
    )


def _changed(
    query: str,
    old: Ranked,
    new: Ranked,
    top: int,
    used: tuple[Set[str] | None, Set[str] | None],
) -> Changed:
    before, after = _standings(old, used[0]), _standings(new, used[1])
    first = dict.fromkeys([*new.ids[:top], *old.ids[:top]])
    moves = [_move(doc, before[doc], after[doc]) for doc in first if doc in before and doc in after]
    moves.sort(key=lambda move: move.after.rank)
    most = min(top, len(old.ids))
    same = len(set(old.ids[:top]) & set(new.ids[:top])) / most
    change = 1 - overlap(old.ids[:top], new.ids[:top])
    return Changed(query, 0.0 if abs(change) < 1e-9 else change, same, moves)


def _standings(ranked: Ranked, used: Set[str] | None) -> dict[str, Standing]:
    """Each document's, with what every signal alone would make of it."""
    values = {
        name: [None if value is None else float(value) for value in of]
        for name, of in ranked.components.items()
        if not name.endswith(RAW) and (used is None or name in used)
    }
    if not values:
        values = {"score": list(ranked.scores)}
    ranks = {name: _ranks(of) for name, of in values.items()}
    standings = {}
    for at, doc in enumerate(ranked.ids):
        signals = {
            name: (value, ranks[name][at])
            for name, of in values.items()
            if (value := of[at]) is not None
        }
        standings[doc] = Standing(at + 1, ranked.scores[at], signals)
    return standings


def _ranks(values: Sequence[float | None]) -> list[int]:
    """From 1, the same for equal values; a missing value has the last."""
    known = sorted((value for value in values if value is not None), reverse=True)
    first = {value: rank for rank, value in reversed(list(enumerate(known, start=1)))}
    return [len(known) + 1 if value is None else first[value] for value in values]


def _move(doc: str, before: Standing, after: Standing) -> Move:
    up = before.rank - after.rank
    if not up:
        return Move(doc, before, after, "", "")
    if after.score is None:
        return Move(doc, before, after, "not scored", "the new one has no score for it")
    sign = 1 if up > 0 else -1
    found = []
    for name, (value, rank) in after.signals.items():
        known = before.signals.get(name)
        # a signal that is new says what it makes of the document beside where that stood
        was = before.rank if known is None else known[1]
        if sign * (was - rank) > 0:
            old = "new" if known is None else f"was {known[0]:.3g}, {_nth(known[1])}"
            found.append((sign * (was - rank), name, f"{name} {value:.3g}, {_nth(rank)} ({old})"))
    if found:
        _, name, why = max(found)
        return Move(doc, before, after, name, why)
    gone = [
        (sign * (before.rank - rank), name, value, rank)
        for name, (value, rank) in before.signals.items()
        if name not in after.signals and sign * (before.rank - rank) < 0
    ]
    if gone:
        _, name, value, rank = min(gone)
        return Move(doc, before, after, name, f"{name} is gone (was {value:.3g}, {_nth(rank)})")
    ranks = [{name: rank for name, (_, rank) in one.signals.items()} for one in (before, after)]
    if ranks[0] == ranks[1] and len(ranks[0]) > 1:
        return Move(doc, before, after, "weights", "the same signals, weighed in another way")
    why = "others fell behind it" if up > 0 else "others rose past it"
    return Move(doc, before, after, "others", why)


def _nth(rank: int) -> str:
    ending = "th" if 10 <= rank % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(rank % 10, "th")
    return f"{rank}{ending}"
