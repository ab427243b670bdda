"""A ranking: every candidate, best first, and the report of how it came about."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, overload

from ..errors import RerankError
from .candidate import Candidate
from .hits import Hits
from .report import Report
from .retrieval import Retrieval

if TYPE_CHECKING:
    import pandas

#: Why a candidate stands behind all others: see `rerank_core.engine.selection`.
Dropped = Literal["duplicate", "max_per"]


@dataclass(frozen=True, kw_only=True, repr=False)  # without slots one is made in two thirds of it
class RankedCandidate:
    """A candidate in its place.

    `rank` counts from 1. `score` is a Python float, higher is better; None for a candidate that
    could not be scored and stands where its retrieval rank and the other scores suggest. `estimate`
    is then the number it stands by, on the scale of the scores: never above that of a hit before
    it. Where nothing at all was scored it is by retrieval rank alone, from 1 for the first down to
    just above 0.5 for the last. None where there is a score, or where it was dropped.
    `components` shows the signals: under its name what went into the score, under "name:raw" what
    it was before it was mapped or normalized. `document` is the caller's own object, `index` its
    position in the input, `retrieved` its rank (from 1) in the retriever's order.

    `dropped`: why it stands behind all others, is never among the top_n and has no score:
    "duplicate" of the candidate whose `index` is in `repeats`, or beyond "max_per"; else None.
    """

    rank: int
    score: float | None
    text: str
    document: Any
    index: int
    retrieved: int
    id: str | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)
    components: Mapping[str, float | None] = field(default_factory=dict)
    estimate: float | None = None
    dropped: Dropped | None = None
    repeats: int | None = None

    @property
    def scored(self) -> bool:
        """Whether the score is a score, rather than missing and the rank an estimate."""
        return self.score is not None

    @property
    def movement(self) -> int:
        """How many ranks up (positive) or down (negative) from the retriever's order."""
        return self.retrieved - self.rank

    def to_dict(self) -> dict[str, Any]:
        """The document as a dict: its own keys if it was one, with rank, score and components."""
        own = dict(self.document) if isinstance(self.document, Mapping) else self._plain()
        return {
            **own,
            "rank": self.rank,
            "score": self.score,
            "score_components": dict(self.components),
        }

    def __repr__(self) -> str:
        from .plain import hit  # how it is shown is below its floor, so only when looked at

        return hit(self)

    def _repr_html_(self) -> str:
        from .html import hit_html

        return hit_html(self)

    def _plain(self) -> dict[str, Any]:
        plain: dict[str, Any] = {"text": self.text}
        if self.id is not None:
            plain["id"] = self.id
        if self.metadata:
            plain["metadata"] = dict(self.metadata)
        return plain


@dataclass(slots=True)  # not frozen: one is made in a quarter of the time
class Placed:
    """One candidate in its place: its index in the input, its retrieval rank, its scores.

    `estimate` is what it stands by where nothing was scored. `dropped` and `repeats` are those of
    `RankedCandidate`.
    """

    index: int
    retrieved: int
    score: float | None = None
    components: Mapping[str, float | None] = field(default_factory=dict)
    estimate: float | None = None
    dropped: Dropped | None = None
    repeats: int | None = None


def as_retrieved(retrieval: Retrieval, *, keep_scores: bool = False) -> list[Placed]:
    """Every candidate in the retriever's order, unscored.

    Its own scores, where it ordered by them, are what they stand by if these are to be kept: as
    where nobody was asked to rerank. A cut-off that was chosen for a reranker's scores would make
    little sense of them, so that else it is the rank.
    """
    scores = retrieval.scores if keep_scores and retrieval.distances is None else ()
    kept = bool(scores) and None not in scores
    return [
        Placed(index, rank, estimate=scores[index] if kept else None)
        for rank, index in enumerate(retrieval.order, start=1)
    ]


def estimate_by_rank(rank: int, count: int) -> float:
    """What a candidate stands by where nothing but its retrieval rank is known.

    From 1 down to just above 0.5: what the retriever brought counts as relevant until somebody
    says otherwise, and a cut-off behind an outage does not empty the answer.
    """
    return 1 - (rank - 1) / (2 * count)


def ranked(
    placed: Iterable[Placed], candidates: Sequence[Candidate], documents: Sequence[Any]
) -> Hits:
    """What a `Ranking` holds, from its candidates' places, best first.

    `documents` are the caller's own objects that the `candidates` were made of.
    """
    placed = list(placed)
    estimates = _estimates(placed) if any(hit.score is None for hit in placed) else ()
    return Hits(
        _hit(
            rank,
            hit,
            candidates[hit.index],
            documents[hit.index],
            estimates[rank - 1] if hit.score is None and hit.dropped is None else None,
        )
        for rank, hit in enumerate(placed, start=1)
    )


def _hit(
    rank: int, hit: Placed, candidate: Candidate, document: Any, estimate: float | None
) -> RankedCandidate:
    made = object.__new__(RankedCandidate)
    # what its own `__init__` does, in a third of the time: being frozen it sets field by field
    made.__dict__.update(
        rank=rank,
        score=hit.score,
        text=candidate.text,
        document=document,
        index=hit.index,
        retrieved=hit.retrieved,
        id=candidate.id,
        metadata=candidate.metadata.copy(),  # type: ignore[attr-defined]  # of a proxy
        components=hit.components,
        estimate=estimate,
        dropped=hit.dropped,
        repeats=hit.repeats,
    )
    return made


def _estimates(placed: Sequence[Placed]) -> list[float]:
    """What each stands by: its score, else that of the next one that has one, else the last's."""
    numbers: list[float] = []
    known = [hit.score for hit in placed if hit.score is not None]
    if not known:
        count = len(placed)
        by_rank = (estimate_by_rank(hit.retrieved, count) for hit in placed)
        return [
            number if hit.estimate is None else hit.estimate
            for hit, number in zip(placed, by_rank, strict=True)
        ]
    number = known[-1]
    for hit in reversed(placed):
        number = number if hit.score is None else hit.score
        numbers.append(number)
    return numbers[::-1]


@dataclass(frozen=True, slots=True)
class Ranking(Sequence[RankedCandidate]):
    """The best `top_n` candidates, as a sequence; `all` holds every one.

    Where a threshold was set, `top_n` is how many of them reach it, if that is fewer. What was
    dropped (`hit.dropped`) is in `all` alone.

    >>> ranking = Ranking("capital of France", Hits(), 10, Report())
    >>> len(ranking), ranking.report.coverage
    (0, 1.0)
    """

    query: str
    all: Hits
    top_n: int | None
    report: Report
    #: Scored in shadow: not what was returned, but what would have been.
    shadow: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "all", Hits(self.all, self.query))

    @property
    def top(self) -> Hits:
        """The best `top_n`, or all where that is None, but for what was dropped."""
        there = self.all
        if there and there[-1].dropped is not None:  # they stand behind the others
            there = Hits((hit for hit in there if hit.dropped is None), self.query)
        return there if self.top_n is None else there[: self.top_n]

    def __len__(self) -> int:
        return len(self.top)

    def __iter__(self) -> Iterator[RankedCandidate]:
        return iter(self.top)

    @overload
    def __getitem__(self, position: int) -> RankedCandidate: ...
    @overload
    def __getitem__(self, position: slice) -> Hits: ...
    def __getitem__(self, position: int | slice) -> RankedCandidate | Hits:
        return self.top[position]

    def to_dicts(self) -> list[dict[str, Any]]:
        """The top_n as dicts, dicts out for dicts in, each with "score" and "score_components"."""
        return [hit.to_dict() for hit in self]

    def to_df(self) -> pandas.DataFrame:
        """The top_n as a pandas DataFrame, a row for each; `ranking.all.to_df()` has every one.

        Columns: rank, retrieved, movement, score and estimate (NaN where missing), a column for
        each signal, id, text, index (the position in the input) and metadata. Raises
        `MissingExtraError` where pandas is not installed.
        """
        return self.top.to_df()

    def __repr__(self) -> str:
        from .plain import ranking  # how it is shown is below its floor, so only when looked at

        return ranking(self)

    def _repr_html_(self) -> str:
        from .html import to_html

        return to_html(self)


class DegradedError(RerankError):
    """`on_error="raise"`, and the answer would have been degraded. `ranking` is that answer."""

    def __init__(self, message: str, ranking: Ranking) -> None:
        super().__init__(message)
        self.ranking = ranking
