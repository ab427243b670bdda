"""The queries to measure on: what a retriever brought for each, and what is judged relevant."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ..errors import InvalidInputError
from ..ranking.candidate import Candidate
from .provenance import Provenance
from .run import RETRIEVER, Ranked, Run


@dataclass(frozen=True, slots=True)
class Collection:
    """Queries with their candidates, best retrieved first, and their judgements.

    `queries`: text by query id, "" where it is not known. `candidates`: by query id; each has an
    id, and a text where it is known. `qrels`: grade by query id and document id, 0 and below for
    not relevant; an unjudged document counts as not relevant. `base`: the candidates as a run,
    which is what every reranker is measured against. `fields`: what else is known of a query, by
    its id. `provenance`: who judged, where that was a language model.
    """

    queries: Mapping[str, str]
    candidates: Mapping[str, Sequence[Candidate]]
    qrels: Mapping[str, Mapping[str, int]]
    base: Run
    fields: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    provenance: Provenance | None = None

    @property
    def judged(self) -> list[str]:
        """The queries that have at least one judgement: what every measure is a mean over."""
        return list(self.qrels)

    @property
    def has_texts(self) -> bool:
        """Whether a reranker can be asked: queries and candidates have their texts."""
        return all(self.queries.get(query) for query in self.candidates) and all(
            candidate.text for candidates in self.candidates.values() for candidate in candidates
        )

    @property
    def deepest(self) -> int:
        """The most candidates that any query has."""
        return max(map(len, self.candidates.values()), default=0)

    def best(self) -> Run:
        """The candidates in the best order that the judgements allow: no reranker can beat it."""
        rankings = {}
        for query, candidates in self.candidates.items():
            grades = self.qrels.get(query, {})
            ids = sorted((str(c.id) for c in candidates), key=lambda doc: -grades.get(doc, 0))
            rankings[query] = Ranked(ids, [None] * len(ids))
        return Run("best", rankings)

    def ideal(self) -> Run:
        """What is judged relevant, best first: what a retriever that misses nothing would bring."""
        rankings = {}
        for query, grades in self.qrels.items():
            ids = sorted((doc for doc in grades if grades[doc] > 0), key=lambda doc: -grades[doc])
            rankings[query] = Ranked(ids, [None] * len(ids))
        return Run("ideal", rankings)

    @property
    def unanswerable(self) -> int:
        """How many judged queries have no relevant document at all: every measure of them is 0."""
        return sum(
            not any(grade > 0 for grade in grades.values()) for grades in self.qrels.values()
        )

    @property
    def recall(self) -> float:
        """The share of relevant documents (0..1) that are candidates at all."""
        relevant = {
            (query, doc)
            for query, grades in self.qrels.items()
            for doc, grade in grades.items()
            if grade > 0
        }
        brought = {
            (query, candidate.id)
            for query, candidates in self.candidates.items()
            for candidate in candidates
        }
        return len(relevant & brought) / len(relevant) if relevant else 0.0

    def cut(self, depth: int) -> Collection:
        """The same with the first `depth` candidates of every query."""
        if self.deepest <= depth:
            return self
        rankings = {
            query: Ranked(ranked.ids[:depth], ranked.scores[:depth])
            for query, ranked in self.base.rankings.items()
        }
        return replace(
            self,
            candidates={query: list(found)[:depth] for query, found in self.candidates.items()},
            base=replace(self.base, rankings=rankings),
        )

    def sample(self, count: int, seed: int = 0) -> Collection:
        """The same with `count` queries, judged ones first, drawn without replacement."""
        asked = [query for query in self.candidates if query in self.qrels] or [*self.candidates]
        if count < 1:
            raise InvalidInputError(f"{count} queries: ask for at least 1")
        if count >= len(asked):
            return self
        kept = set(random.Random(seed).sample(asked, count))
        return self.only(kept)

    def only(self, kept: set[str]) -> Collection:
        """The same with these queries alone."""
        return replace(
            self,
            queries={query: text for query, text in self.queries.items() if query in kept},
            candidates={query: found for query, found in self.candidates.items() if query in kept},
            qrels={query: grades for query, grades in self.qrels.items() if query in kept},
            base=replace(
                self.base,
                rankings={q: ranked for q, ranked in self.base.rankings.items() if q in kept},
            ),
            fields={query: known for query, known in self.fields.items() if query in kept},
        )


def of_candidates(
    queries: Mapping[str, str],
    candidates: Mapping[str, Sequence[Candidate]],
    qrels: Mapping[str, Mapping[str, int]],
    name: str = RETRIEVER,
) -> Collection:
    """The collection whose base is the candidates in the order in which they are listed."""
    rankings = {
        query: Ranked([str(c.id) for c in found], [c.score for c in found])
        for query, found in candidates.items()
    }
    return Collection(queries, candidates, qrels, Run(name, rankings))
