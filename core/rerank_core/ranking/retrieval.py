"""What the retriever says of its candidates: their order, and scores of which higher is better.

This is the one place that decides it. Candidates arrive best first; so scores that ascend from the
first to the last are distances (FAISS, Chroma, LanceDB and pgvector hand them over), and to sort by
them would turn the retriever's order round.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Literal, NamedTuple

from .candidate import Candidate

#: What the scores that candidates arrive with are.
RetrievalScore = Literal["similarity", "distance", "none"]

#: So many different scores must ascend, without one step down, to be taken for distances: two of
#: them do so every other time.
FEWEST = 3


class Retrieval(NamedTuple):
    """The retriever's part in one ranking.

    `order`: positions in the input, best retrieved first. `scores` by position in the input,
    higher is better, None where there is none; `distances`, what they were before they were turned
    round, if they were. `ranks`: whether the order says anything beyond ties. `guessed`: whether
    nobody said that they are distances. `ordered`: whether it is known that a retriever put the
    order: a framework handed it over, or its user says what its scores are. `scoreless`: whether it
    is known, too, that it has no scores to tell.
    """

    order: Sequence[int]
    scores: Sequence[float | None]
    distances: Sequence[float | None] | None = None
    ranks: bool = True
    guessed: bool = False
    ordered: bool = False
    scoreless: bool = False

    @property
    def note(self) -> str | None:
        """What the reader of the report should know of it."""
        if not self.guessed:
            return None
        return (
            "the retrieval scores ascend from the first candidate to the last: they are taken for "
            'distances, and the order of arrival stands (retrieval_score="distance" says so, '
            '"similarity" or "none" that they are not)'
        )

    def of(self, indices: Sequence[int]) -> Retrieval:
        """The part of these alone, which are given in its order."""
        before = self.distances
        return self._replace(
            order=range(len(indices)),
            scores=[self.scores[index] for index in indices],
            distances=None if before is None else [before[index] for index in indices],
        )

    def without_scores(self) -> Retrieval:
        """The same order, of which neither they nor ranks are to count."""
        return self._replace(scores=[None] * len(self.scores), distances=None, ranks=False)


def retrieval_of(
    candidates: Sequence[Candidate],
    said: RetrievalScore | None = None,
    *,
    ordered: bool = False,
    scoreless: bool = False,
) -> Retrieval:
    """The retriever's part, by what was `said` of its scores; None: by how they look.

    The order is by the scores where every candidate carries one, ties as given; else as given,
    since a score that some lack cannot place the others. Distances are negated. With "none"
    neither scores nor positions count: the order is as given, and only breaks ties.
    """
    given = [candidate.score for candidate in candidates]
    if said == "none":
        return Retrieval(range(len(given)), [None] * len(given), ranks=False)
    ordered = ordered or said is not None
    guessed = said is None and _ascend(given)
    if guessed or said == "distance":
        turned = [None if score is None else 0.0 - score for score in given]
        return Retrieval(_order(turned), turned, given, guessed=guessed, ordered=ordered)
    return Retrieval(_order(given), given, ordered=ordered, scoreless=scoreless)


def _ascend(scores: Sequence[float | None]) -> bool:
    present = [score for score in scores if score is not None]
    return len(set(present)) >= FEWEST and all(one <= next_ for one, next_ in pairwise(present))


def _order(scores: Sequence[float | None]) -> Sequence[int]:
    present = [score for score in scores if score is not None]
    if len(present) < len(scores):
        return range(len(scores))
    return sorted(range(len(scores)), key=lambda position: -present[position])
