"""Pipelines with one planted fault each, and healthy ones: what the doctor is held to.

Everything is made up here: words, documents, what they are worth, and a scorer that knows it with
some noise. `how_bad` runs from 0 (nothing) to 1.
"""

from __future__ import annotations

import asyncio
import itertools
import math
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from statistics import NormalDist
from typing import Any

from rerank_core import Candidate, Reranker
from rerank_core.combine import Combination, ReciprocalRankFusion, WeightedSum
from rerank_core.doctor import Cause, Diagnosis, diagnose
from rerank_core.scorers.function import FunctionScorer

_SYLLABLES = ["".join(two) for two in itertools.product("bdfgklmnprstvz", "aeiou")]
#: How far the scorer and the retriever tell relevant documents from others, in deviations.
STRONG, FAIR = 3.4, 2.2


@dataclass(frozen=True)
class World:
    """Candidates by query, which of them are relevant, and what each text is worth."""

    queries: dict[str, list[Candidate]]
    qrels: dict[str, dict[str, int]]
    relevant: dict[str, bool]
    seed: int

    def noise(self, text: str, salt: str = "") -> float:
        """A draw from the normal distribution that belongs to the text."""
        return random.Random(f"{self.seed}{salt}{text}").gauss(0, 1)

    def worth(self, text: str, strength: float = STRONG) -> float:
        """What a scorer of this strength makes of a text, on no particular scale."""
        return strength * self.relevant.get(text, False) + self.noise(text)

    def scorer(self, strength: float = STRONG) -> Callable[[str, Sequence[str]], list[float]]:
        """It knows the texts, and squashes its scores to 0..1 as a cross-encoder does."""
        return lambda query, texts: [squashed(self.worth(text, strength)) for text in texts]


def squashed(worth: float) -> float:
    """The logistic function around what a middling document is worth."""
    return 1 / (1 + math.exp(2 - worth))


def world(
    queries: int = 50,
    candidates: int = 50,
    seed: int = 0,
    *,
    retriever: float = FAIR,
    head: int = 0,
    length: tuple[int, int] = (40, 160),
    shared: float = 5,
) -> World:
    """`head`: words at the beginning of every document before any of the query's. `shared`: how
    many of the query's six words a relevant document has, others about a fifth of that."""
    draw = random.Random(f"world {seed}")
    words = ["".join(draw.sample(_SYLLABLES, draw.choice((2, 3)))) for _ in range(4000)]
    weights = [1 / (rank + 10) for rank in range(len(words))]
    found: dict[str, list[Candidate]] = {}
    qrels: dict[str, dict[str, int]] = {}
    relevant: dict[str, bool] = {}
    for number in range(queries):
        wanted = draw.sample(words[200:], 6)
        query = f"what of {' '.join(wanted)} ({number})"
        good = set(draw.sample(range(candidates), min(draw.choice((1, 1, 2, 3)), candidates // 2)))
        documents = []
        for place in range(candidates):
            told = place in good
            count = min(6, max(0, round(draw.gauss(shared if told else shared / 5, 1))))
            filler = draw.choices(words, weights, k=draw.randint(*length))
            for word in draw.sample(wanted, count):
                filler.insert(draw.randint(min(head, len(filler)), len(filler)), word)
            text = f"{' '.join(filler)}."
            relevant[text] = told
            score = 12 + 3 * (retriever * told + draw.gauss(0, 1))
            documents.append(Candidate(text, id=f"{number}/{place}", score=score))
        documents.sort(key=lambda document: -(document.score or 0))
        found[query] = documents
        qrels[query] = {f"{number}/{place}": 1 for place in good}
    return World(found, qrels, relevant, seed)


@lru_cache(maxsize=4)
def of_size_and_head(queries: int, candidates: int, seed: int, long: bool) -> World:
    """Long documents come to the point late."""
    more: dict[str, Any] = {"head": 150, "length": (150, 250)} if long else {}
    return world(queries, candidates, seed, **more)


def of_size(name: str, queries: int, candidates: int, seed: int) -> World:
    """The world in which the pipeline of this name is faulty, or healthy, and nothing else is."""
    return of_size_and_head(queries, candidates, seed, name == "truncation")


def asked(
    world: World,
    scorer: Any,
    *,
    judged: bool = True,
    served: Mapping[str, Sequence[str]] | None = None,
    **options: Any,
) -> Diagnosis:
    """The diagnosis of a reranker over this world."""
    few = len(next(iter(world.queries.values()))) <= 10
    options = {"top_n": 3 if few else 10, **options}
    with Reranker(scorer, **options) as reranker:
        qrels = world.qrels if judged else None
        return diagnose(reranker, world.queries, qrels, served=served)


# -- one fault each --------------------------------------------------------------------------------


def unreadable(world: World, how_bad: float, judged: bool) -> Diagnosis:
    """Of batches of ten a share have no score at all, as after a reply that did not parse."""

    def score(query: str, texts: Sequence[str]) -> list[float | None]:
        if world.noise(query + texts[0], "reply") < _quantile(how_bad):
            return [None] * len(texts)
        return [*world.scorer()(query, texts)]

    return asked(world, FunctionScorer(score, independent=True, batch_size=10), judged=judged)


def unanswered(world: World, how_bad: float, judged: bool) -> Diagnosis:
    """A share of the queries outlasts the deadline."""

    async def score(query: str, texts: Sequence[str]) -> list[float]:
        if world.noise(query, "late") < _quantile(how_bad):
            await asyncio.sleep(5)
        return world.scorer()(query, texts)

    return asked(world, score, judged=judged, timeout=0.05, fallback="bm25")


def raises(world: World, how_bad: float, judged: bool) -> Diagnosis:
    """The scorer fails for a share of the queries."""

    def score(query: str, texts: Sequence[str]) -> list[float]:
        if world.noise(query, "down") < _quantile(how_bad):
            raise ConnectionError("nobody there")
        return world.scorer()(query, texts)

    return asked(world, score, judged=judged)


def framework_default(world: World, how_bad: float, judged: bool) -> Diagnosis:
    """The retriever brings two, or four."""
    count = 2 if how_bad > 0.5 else 4
    few = World(
        {query: found[:count] for query, found in world.queries.items()},
        world.qrels,
        world.relevant,
        world.seed,
    )
    return asked(few, world.scorer(), judged=judged, top_n=3)


def all_returned(world: World, how_bad: float, judged: bool) -> Diagnosis:
    """As many are returned as there are."""
    count = len(next(iter(world.queries.values())))
    return asked(world, world.scorer(), judged=judged, top_n=count + round(10 * how_bad))


def later_sort(world: World, how_bad: float, judged: bool) -> Diagnosis:
    """A share of the queries comes out with the best at both ends."""

    def reorder(query: str, ids: list[str]) -> list[str]:
        if world.noise(query, "sort") < _quantile(how_bad):
            return ids[::2] + ids[1::2][::-1]
        return ids

    return asked(world, world.scorer(), judged=judged, served=_served(world, reorder))


def later_cut(world: World, how_bad: float, judged: bool) -> Diagnosis:
    """Only what scores above a cutoff comes out."""
    with Reranker(world.scorer(), top_n=10) as reranker:
        served = {
            query: [str(h.id) for h in reranker.rank(query, found) if (h.score or 0) > 1 - 0.1**bad]
            for bad in [1 + how_bad]
            for query, found in world.queries.items()
        }
    return asked(world, world.scorer(), judged=judged, served=served)


def swamped(world: World, how_bad: float, judged: bool) -> Diagnosis:
    """Retrieval scores of 5 to 20 and more are added to scores of 0..1."""
    candidates = {
        query: [Candidate(c.text, c.id, (c.score or 0) * (1 + 10 * how_bad)) for c in found]
        for query, found in world.queries.items()
    }
    scaled = World(candidates, world.qrels, world.relevant, world.seed)
    total = WeightedSum({"retrieval": 0.4, "mine": 0.6}, normalize="none")
    return asked(scaled, {"mine": world.scorer()}, judged=judged, combine=total)


def wrong_way(world: World, how_bad: float, judged: bool) -> Diagnosis:
    """The scorer gives distances, of which the smaller is the better."""
    return asked(
        world,
        lambda query, texts: [-how_bad * world.worth(text) for text in texts],
        judged=judged,
    )


def distances(world: World, how_bad: float, judged: bool) -> Diagnosis:
    """The retriever's scores are distances, summed as if they were likenesses."""
    candidates = {
        query: [Candidate(c.text, c.id, 30 - (c.score or 0)) for c in found]
        for query, found in world.queries.items()
    }
    turned = World(candidates, world.qrels, world.relevant, world.seed)
    total = WeightedSum({"retrieval": 0.5 * how_bad, "mine": 0.5})
    return asked(turned, {"mine": world.scorer()}, judged=judged, combine=total)


def truncated(world: World, how_bad: float, judged: bool) -> Diagnosis:
    """The scorer counts shared words, in the first characters alone."""
    limit = round(800 - 700 * how_bad)

    def score(query: str, texts: Sequence[str]) -> list[float]:
        return [_shared(query, text[:limit]) + 0.05 * world.noise(text[:limit]) for text in texts]

    return asked(world, score, judged=judged)


def tied(world: World, how_bad: float, judged: bool) -> Diagnosis:
    """Most documents get the highest score there is."""

    def score(query: str, texts: Sequence[str]) -> list[float]:
        raised = (0.85 + 0.35 * how_bad + 0.2 * world.worth(text) for text in texts)
        return [min(1.0, max(0.0, score)) for score in raised]

    return asked(world, score, judged=judged)


def default_grade(world: World, how_bad: float, judged: bool) -> Diagnosis:
    """A parser of the user's own that answers 0.5 where it cannot read."""

    def score(query: str, texts: Sequence[str]) -> list[float]:
        unread = world.noise(query, "reply") < _quantile(0.5 + how_bad / 2)
        return [0.5 if unread else squashed(world.worth(text)) for text in texts]

    return asked(world, score, judged=judged)


def position(world: World, how_bad: float, judged: bool) -> Diagnosis:
    """What stands first in the prompt gets more."""

    def score(query: str, texts: Sequence[str]) -> list[float]:
        return [
            squashed(world.worth(text, FAIR) + 4 * how_bad * (0.5 - place / len(texts)))
            for place, text in enumerate(texts)
        ]

    return asked(world, score, judged=judged)


def position_in_groups(world: World, how_bad: float, judged: bool) -> Diagnosis:
    """The same in groups of ten, and the middle is what is lost."""

    def score(query: str, texts: Sequence[str]) -> list[float]:
        return [
            squashed(world.worth(text, FAIR) + 4 * how_bad * (2 * place / len(texts) - 1) ** 2)
            for place, text in enumerate(texts)
        ]

    scorer = FunctionScorer(score, name="groups", independent=False, batch_size=10)
    return asked(world, scorer, judged=judged)


def recall(world: World, how_bad: float, judged: bool) -> Diagnosis:
    """For a share of the queries nothing relevant was retrieved."""
    limit = _quantile(0.3 + 0.7 * how_bad)
    candidates = {
        query: [
            c for c in found if not world.relevant[c.text] or world.noise(query, "found") > limit
        ]
        for query, found in world.queries.items()
    }
    poor = World(candidates, world.qrels, world.relevant, world.seed)
    return asked(poor, world.scorer(), judged=judged)


def phantoms(world: World, how_bad: float, judged: bool) -> Diagnosis:
    """A share of what was retrieved deep gets a high score, whatever it says."""
    deep = {c.text for found in world.queries.values() for c in found[15:]}

    def score(query: str, texts: Sequence[str]) -> list[float]:
        loved = (text in deep and world.noise(text, "p") < _quantile(how_bad) for text in texts)
        return [squashed(world.worth(text) + 5 * so) for text, so in zip(texts, loved, strict=True)]

    return asked(world, score, judged=judged)


def duplicates(world: World, how_bad: float, judged: bool) -> Diagnosis:
    """Every document stands there several times, with a word in twelve another."""
    copies = 2 + round(4 * how_bad)
    candidates: dict[str, list[Candidate]] = {}
    relevant = dict(world.relevant)
    for query, found in world.queries.items():
        candidates[query] = []
        for c in found[: max(4, len(found) // copies)]:
            for number in range(copies):
                draw = random.Random(f"{c.text}{number}")
                words = [w[::-1] if draw.random() < 1 / 12 else w for w in c.text.split()]
                text = " ".join(words) if number else c.text
                relevant[text] = world.relevant[c.text]
                just_below = (c.score or 0) - 0.01 * number
                candidates[query].append(Candidate(text, f"{c.id}-{number}", just_below))
    qrels = {
        query: {f"{doc}-{number}": 1 for doc in docs for number in range(copies)}
        for query, docs in world.qrels.items()
    }
    copied = World(candidates, qrels, relevant, world.seed)

    def score(query: str, texts: Sequence[str]) -> list[float]:
        return [
            squashed(3 * relevant.get(t, False) + world.noise(t[:12]) + 0.1 * world.noise(t))
            for t in texts
        ]

    return asked(copied, score, judged=judged)


def weak_alone(world: World, how_bad: float, judged: bool) -> Diagnosis:
    """A scorer that is weaker than the retriever has the last word."""
    return asked(world, world.scorer(FAIR * (1 - how_bad)), judged=judged)


def strong_held_back(world: World, how_bad: float, judged: bool) -> Diagnosis:
    """A scorer that is far stronger than the retriever is given little weight."""
    total = WeightedSum({"retrieval": 0.7 + 0.25 * how_bad, "mine": 0.3 - 0.25 * how_bad})
    return asked(world, {"mine": world.scorer(2 * STRONG)}, judged=judged, combine=total)


def too_few(world: World, how_bad: float, judged: bool) -> Diagnosis:
    """Only some queries are judged, and the gain is small."""
    kept = list(world.qrels)[: round(14 - 10 * how_bad)]
    some = World(world.queries, {q: world.qrels[q] for q in kept}, world.relevant, world.seed)
    return asked(some, world.scorer(FAIR))


def head_judged(world: World, how_bad: float, judged: bool) -> Diagnosis:
    """Judged is what the retriever put first; a good reranker finds others."""
    first = round(8 - 4 * how_bad)
    qrels = {
        query: {c.id: int(world.relevant[c.text]) for c in found[:first] if c.id is not None}
        for query, found in world.queries.items()
    }
    pooled = World(world.queries, qrels, world.relevant, world.seed)
    return asked(pooled, world.scorer(2 * STRONG), judged=judged)


Pipeline = Callable[[World, float, bool], Diagnosis]

#: By name: the pipeline, the cause it has, and whether that needs judgements to be seen.
FAULTS: Mapping[str, tuple[Pipeline, Cause, bool]] = {
    "unreadable": (unreadable, Cause.UNREADABLE, False),
    "time-outs": (unanswered, Cause.UNANSWERED, False),
    "errors": (raises, Cause.UNANSWERED, False),
    "framework default": (framework_default, Cause.NO_CHOICE, False),
    "all returned": (all_returned, Cause.NO_CHOICE, False),
    "later sort": (later_sort, Cause.LATER_STAGE, False),
    "later cut": (later_cut, Cause.LATER_STAGE, False),
    "another scale": (swamped, Cause.SCALE, False),
    "wrong way": (wrong_way, Cause.WRONG_WAY, False),
    "distances": (distances, Cause.WRONG_WAY, False),
    "truncation": (truncated, Cause.TRUNCATION, False),
    "saturated": (tied, Cause.TIED, False),
    "default grade": (default_grade, Cause.TIED, False),
    "position": (position, Cause.POSITION, False),
    "position in groups": (position_in_groups, Cause.POSITION, False),
    "recall": (recall, Cause.RECALL, True),
    "judged head": (head_judged, Cause.UNJUDGED, True),
    "phantoms": (phantoms, Cause.PHANTOM, True),
    "near-duplicates": (duplicates, Cause.DUPLICATES, False),
    "weak scorer": (weak_alone, Cause.WEIGHTS, True),
    "strong held back": (strong_held_back, Cause.WEIGHTS, True),
    "too few judged": (too_few, Cause.TOO_FEW, True),
}


# -- healthy ones ----------------------------------------------------------------------------------


def _graded(world: World, levels: int) -> Any:
    """A model that grades: many honest ties, most of them at the bottom."""

    def score(query: str, texts: Sequence[str]) -> list[float]:
        grades = (round(levels * squashed(world.worth(text) - 0.5)) for text in texts)
        return [grade / levels for grade in grades]

    return FunctionScorer(score, name="llm", independent=False, batch_size=10)


def _noisy_every_time(world: World) -> Any:
    """A model at a temperature: never twice the same, and no worse for it."""
    draw = random.Random(world.seed)
    return lambda query, texts: [squashed(world.worth(text) + draw.gauss(0, 0.4)) for text in texts]


def _reader(world: World) -> Any:
    """It counts shared words in the whole text."""
    return lambda query, texts: [_shared(query, text) + 0.05 * world.noise(text) for text in texts]


def _by_id(world: World) -> Any:
    """It knows documents by their first words alone, as a table of recorded scores would."""
    known = {text[:25]: squashed(world.worth(text)) for text in world.relevant}
    return lambda query, texts: [known.get(text[:25], 0.0) for text in texts]


def _without_scores(world: World) -> World:
    plain = {q: [Candidate(c.text, c.id) for c in found] for q, found in world.queries.items()}
    return World(plain, world.qrels, world.relevant, world.seed)


def _combined(world: World, combine: Combination) -> dict[str, Any]:
    return {"scorer": {"mine": world.scorer(FAIR + 0.6)}, "combine": combine}


Healthy = Callable[[World, bool], Diagnosis]

HEALTHY: Mapping[str, Healthy] = {
    "cross-encoder": lambda w, j: asked(w, w.scorer(), judged=j),
    "grades 0 to 10": lambda w, j: asked(w, _graded(w, 10), judged=j),
    "grades 0 to 3": lambda w, j: asked(w, _graded(w, 3), judged=j),
    "BM25 over dense candidates": lambda w, j: asked(w, "bm25", judged=j),
    "hybrid": lambda w, j: asked(w, "hybrid", judged=j),
    "weighted sum": lambda w, j: asked(
        w, **_combined(w, WeightedSum({"retrieval": 0.4, "mine": 0.6})), judged=j
    ),
    "z-scores": lambda w, j: asked(
        w,
        **_combined(w, WeightedSum({"retrieval": 0.4, "mine": 0.6}, normalize="z-score")),
        judged=j,
    ),
    "rank fusion": lambda w, j: asked(w, **_combined(w, ReciprocalRankFusion()), judged=j),
    "few, but more than top_n": lambda w, j: asked(_cut(w, 8), w.scorer(), judged=j, top_n=3),
    "noisy but helpful": lambda w, j: asked(w, w.scorer(FAIR + 0.5), judged=j),
    "never twice the same": lambda w, j: asked(w, _noisy_every_time(w), judged=j),
    "reads all of it": lambda w, j: asked(w, _reader(w), judged=j),
    "known by first words": lambda w, j: asked(w, _by_id(w), judged=j),
    "no retrieval scores": lambda w, j: asked(_without_scores(w), w.scorer(), judged=j),
    "logits": lambda w, j: asked(w, lambda q, ts: [4 * w.worth(t) - 11 for t in ts], judged=j),
    "top five served": lambda w, j: asked(
        w, w.scorer(), judged=j, served=_served(w, lambda query, ids: ids[:5])
    ),
    "all for evaluation": lambda w, j: asked(w, w.scorer(), judged=j, top_n=None),
}


# -- their parts -----------------------------------------------------------------------------------


def _served(world: World, stage: Callable[[str, list[str]], list[str]]) -> dict[str, Sequence[str]]:
    with Reranker(world.scorer(), top_n=10) as reranker:
        return {
            query: stage(query, [str(hit.id) for hit in reranker.rank(query, found)])
            for query, found in world.queries.items()
        }


def _cut(world: World, count: int) -> World:
    found = {query: candidates[:count] for query, candidates in world.queries.items()}
    kept = {c.id for candidates in found.values() for c in candidates}
    qrels = {q: {d: g for d, g in docs.items() if d in kept} for q, docs in world.qrels.items()}
    return World(found, {q: d for q, d in qrels.items() if d}, world.relevant, world.seed)


def _shared(query: str, text: str) -> float:
    wanted = set(query.split())
    return len(wanted & set(text.rstrip(".").split())) / len(wanted)


def _quantile(share: float) -> float:
    """What a standard normal draw stays below so often."""
    return NormalDist().inv_cdf(min(0.9999, max(0.0001, share)))
