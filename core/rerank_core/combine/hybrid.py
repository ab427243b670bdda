"""The embedded default's combination: how far BM25 and the retriever are each to be believed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ..ranking.candidate import RETRIEVAL
from ..runtime.numbers import is_present
from .combination import Evidence, WeightedSum

#: The name of its scorer.
BM25 = "bm25"
#: What BM25 weighs beside the retriever's scores, and beside its mere order: so much more than half
#: that the last one, if it holds the query's words, stands above a first that has none.
BESIDE_SCORES, BESIDE_ORDER = 0.5, 0.7


@dataclass(frozen=True)
class Hybrid(WeightedSum):
    """BM25 and the retriever's own scores, half and half after min-max; less of BM25 if it is due.

    - Where BM25 knows little of the language (`Scores.trust`), it weighs so much less.
    - Where some candidate has no score, there are none to go by. In a `Retrieved` list, as the
      frameworks hand it over, the order stands in, and weighs less than a score would; in any other
      list it means nothing: BM25 decides, and ties stay as given.

    Tried and left out: less of BM25 where it agrees with the retriever, or the candidates are few.
    Over lexical candidates that gains nothing, over dense ones it loses (`benchmarks/
    embedded_default.py` has the figures of what is left).
    """

    weights: Mapping[str, float] = field(
        default_factory=lambda: {BM25: BESIDE_SCORES, RETRIEVAL: 1 - BESIDE_SCORES}
    )

    def for_ranking(self, evidence: Evidence) -> tuple[WeightedSum, str | None]:
        """The weighted sum for one ranking, and which of the retriever's signals it uses."""
        scored = [is_present(score) for score in evidence.retrieval]
        if all(scored):
            weight = BESIDE_SCORES * evidence.trust.get(BM25, 1.0)
            return WeightedSum({BM25: weight, RETRIEVAL: 1 - weight}), None
        missing = "not every candidate has" if any(scored) else "no candidate has"
        note = f"{missing} a retriever's score: "
        if evidence.ordered:
            weights = {BM25: BESIDE_ORDER, RETRIEVAL: 1 - BESIDE_ORDER}
            by_rank = WeightedSum(weights, normalize={BM25: "none", RETRIEVAL: "rank"})
            return by_rank, f"{note}its order counts, for less than BM25"
        alone = WeightedSum({BM25: 1.0}, normalize="none")
        return alone, f"{note}BM25 alone decides, and ties stay as given"
