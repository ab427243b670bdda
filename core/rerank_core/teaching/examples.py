"""What is learned from: a query, documents hard to tell apart, and the teacher's scores."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import product
from statistics import fmean, pstdev

from ..evaluation.collection import Collection
from ..evaluation.run import Run
from .settings import Settings

#: The student's logits for documents a standard deviation of the teacher's scores apart.
_SPREAD = 2.0
#: Of a list, so many of the teacher's best are set against the others for the margin loss.
_BEST = 2


@dataclass(frozen=True, slots=True)
class Example:
    """A query with texts, the teacher's best first, and its scores."""

    query: str
    texts: tuple[str, ...]
    scores: tuple[float, ...]


def examples(
    collection: Collection, teacher: Run, queries: Iterable[str], documents: int
) -> list[Example]:
    """One for each query that the teacher tells documents apart in; see `Settings.documents`."""
    made = []
    for query in queries:
        if (ranked := teacher.rankings.get(query)) is None:
            continue
        scores = {
            doc: score
            for doc, score in zip(ranked.ids, ranked.scores, strict=True)
            if score is not None and math.isfinite(score)
        }
        # in the retriever's order: of those that the teacher likes less, its first are the hard
        found = [
            (scores[str(c.id)], c.text)
            for c in collection.candidates[query]
            if str(c.id) in scores and c.text
        ]
        by_teacher = sorted(found, key=lambda one: -one[0])
        best = by_teacher[: max(1, documents // 2)]
        chosen = set(map(id, best))
        others = [one for one in found if id(one) not in chosen][: documents - len(best)]
        kept = sorted(best + others, key=lambda one: -one[0])
        if len({score for score, _ in kept}) > 1:
            made.append(
                Example(
                    collection.queries[query],
                    tuple(text for _, text in kept),
                    tuple(score for score, _ in kept),
                )
            )
    return made


def columns(found: Sequence[Example], settings: Settings) -> dict[str, list[object]]:
    """As the loss wants them: lists with grades, or triplets with margins."""
    if settings.loss == "listwise":
        return {
            "query": [one.query for one in found],
            "docs": [list(one.texts) for one in found],
            "labels": [_grades(one.scores) for one in found],
        }
    spread = pstdev([s - fmean(one.scores) for one in found for s in one.scores]) or 1.0
    rows = [
        (one.query, one.texts[i], one.texts[j], _SPREAD * (one.scores[i] - one.scores[j]) / spread)
        for one in found
        for i, j in product(range(min(_BEST, len(one.texts))), range(len(one.texts)))
        if one.scores[i] > one.scores[j]
    ]
    names = ("query", "positive", "negative", "label")
    return {name: list(column) for name, column in zip(names, zip(*rows, strict=True), strict=True)}


def fingerprint(found: Sequence[Example]) -> str:
    """Of all that is learned: 16 hexadecimal digits."""
    digest = hashlib.blake2b(digest_size=8)
    for one in found:
        digest.update(repr((one.query, one.texts, one.scores)).encode("utf-8", "surrogatepass"))
    return digest.hexdigest()


def _grades(scores: Sequence[float]) -> list[float]:
    """How many different scores are below each: the order, on a scale of its own."""
    levels = {score: float(level) for level, score in enumerate(sorted(set(scores)))}
    return [levels[score] for score in scores]
