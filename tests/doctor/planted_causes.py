"""More pipelines with one planted fault each: of what goes in, of what scores go by, of chance.

`FAULTS` and `HEALTHY` are those of `planted` and these together.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import Any

from planted import (
    FAIR,
    STRONG,
    Healthy,
    Pipeline,
    World,
    _graded,
    _quantile,
    asked,
    squashed,
)
from planted import FAULTS as FIRST_FAULTS
from planted import HEALTHY as FIRST_HEALTHY

from rerank_core import Candidate
from rerank_core.combine import WeightedSum
from rerank_core.doctor import Cause, Diagnosis
from rerank_core.scorers.function import FunctionScorer


def _with(world: World, queries: Mapping[str, list[Candidate]], **changes: Any) -> World:
    told = {"qrels": world.qrels, "relevant": world.relevant, **changes}
    return World(dict(queries), told["qrels"], told["relevant"], world.seed)


# -- what goes in ----------------------------------------------------------------------------------


def wrong_field(world: World, how_bad: float, judged: bool) -> Diagnosis:
    """The text of most documents is a placeholder, or the name of a file."""

    def shown(c: Candidate) -> str:
        bad = world.noise(c.text, "field") < _quantile(0.5 + how_bad / 2)
        return f"{c.id}.pdf" if bad else c.text

    found = {q: [Candidate(shown(c), c.id, c.score) for c in cs] for q, cs in world.queries.items()}
    relevant = {**world.relevant, **{c.text: False for cs in found.values() for c in cs}}
    relevant.update(world.relevant)
    blind = _with(world, found, relevant=relevant)
    return asked(blind, blind.scorer(), judged=judged)


def one_text_for_all(world: World, how_bad: float, judged: bool) -> Diagnosis:
    """The store hands over the first chunk of a document for all of them."""
    found = {
        q: [Candidate(cs[at // 4 * 4].text, c.id, c.score) for at, c in enumerate(cs)]
        for q, cs in world.queries.items()
    }
    return asked(_with(world, found), world.scorer(), judged=judged)


def conversation(world: World, how_bad: float, judged: bool) -> Diagnosis:
    """The query is the whole chat."""
    history = "User: hello there\nAssistant: good morning, how can I help?\nUser: "
    found = {history * (1 + round(2 * how_bad)) + q: cs for q, cs in world.queries.items()}
    qrels = {history * (1 + round(2 * how_bad)) + q: docs for q, docs in world.qrels.items()}
    return asked(_with(world, found, qrels=qrels), world.scorer(), judged=judged)


def instruction_in_the_query(world: World, how_bad: float, judged: bool) -> Diagnosis:
    """Every query begins with the same instruction."""
    head = "Given the following question, find the passages that answer it best. " * 2
    found = {head + q: cs for q, cs in world.queries.items()}
    qrels = {head + q: docs for q, docs in world.qrels.items()}
    return asked(_with(world, found, qrels=qrels), world.scorer(), judged=judged)


def doubled_ids(world: World, how_bad: float, judged: bool) -> Diagnosis:
    """Chunks have the id of their document."""
    size = 2 + round(2 * how_bad)
    found = {
        q: [Candidate(c.text, f"{q}/{at // size}", c.score) for at, c in enumerate(cs)]
        for q, cs in world.queries.items()
    }
    old = {c.text: str(c.id) for cs in world.queries.values() for c in cs}
    qrels = {
        q: {str(c.id): 1 for c in cs if old[c.text] in world.qrels[q]} for q, cs in found.items()
    }
    return asked(_with(world, found, qrels=qrels), world.scorer(), judged=judged)


# -- what the scores go by -------------------------------------------------------------------------


def shuffled(world: World, how_bad: float, judged: bool) -> Diagnosis:
    """Right scores come back in an order of their own."""
    draw = random.Random(world.seed)

    def score(query: str, texts: Sequence[str]) -> list[float]:
        found = world.scorer()(query, texts)
        return draw.sample(found, len(found))

    return asked(world, score, judged=judged)


def reversed_scores(world: World, how_bad: float, judged: bool) -> Diagnosis:
    """They come back from the last to the first."""
    return asked(world, lambda q, ts: world.scorer()(q, ts)[::-1], judged=judged)


def swapped_ids(world: World, how_bad: float, judged: bool) -> Diagnosis:
    """The judgements' ids are of another version of the index."""
    draw = random.Random(world.seed)
    qrels = {}
    for query, found in world.queries.items():
        ids = [str(c.id) for c in found]
        other = dict(zip(ids, draw.sample(ids, len(ids)), strict=True))
        qrels[query] = {other.get(doc, doc): 1 for doc in world.qrels[query]}
    return asked(_with(world, world.queries, qrels=qrels), world.scorer(), judged=judged)


def stale(world: World, how_bad: float, judged: bool) -> Diagnosis:
    """The scores are those of an earlier version of the texts."""
    return asked(
        world,
        lambda q, ts: [squashed(world.noise(t, "then") + 2) for t in ts],
        judged=judged,
    )


def length(world: World, how_bad: float, judged: bool) -> Diagnosis:
    """Long documents score higher: dot products of vectors that are not normalised."""
    return asked(
        world,
        lambda q, ts: [world.worth(t) * 0.3 + (1 + 2 * how_bad) * len(t) / 200 for t in ts],
        judged=judged,
    )


def brevity(world: World, how_bad: float, judged: bool) -> Diagnosis:
    """Short ones do: sums over tokens of log probabilities."""
    return asked(
        world,
        lambda q, ts: [world.worth(t) * 0.3 - (1 + 2 * how_bad) * len(t) / 200 for t in ts],
        judged=judged,
    )


def echo(world: World, how_bad: float, judged: bool) -> Diagnosis:
    """The scorer hands the retriever's score through, with a little noise."""
    known = {c.text: c.score or 0.0 for found in world.queries.values() for c in found}
    return asked(
        world,
        lambda q, ts: [known.get(t, 0.0) / 30 + 0.001 * world.noise(t) for t in ts],
        judged=judged,
    )


def echo_of_the_prompt(world: World, how_bad: float, judged: bool) -> Diagnosis:
    """The model repeats the order that it is shown."""
    return asked(world, lambda q, ts: [1 - at / len(ts) for at in range(len(ts))], judged=judged)


def defaults(world: World, how_bad: float, judged: bool) -> Diagnosis:
    """A parser answers 0.5 for each document whose grade it cannot read."""

    def score(query: str, texts: Sequence[str]) -> list[float]:
        share = 0.1 + 0.25 * how_bad
        return [
            0.5 if world.noise(t, "read") < _quantile(share) else squashed(world.worth(t))
            for t in texts
        ]

    return asked(world, score, judged=judged)


def batch_min_max(world: World, how_bad: float, judged: bool) -> Diagnosis:
    """Each batch is spread over 0..1."""

    def score(query: str, texts: Sequence[str]) -> list[float]:
        found = [world.worth(t) for t in texts]
        low, high = min(found), max(found)
        return [(v - low) / (high - low) if high > low else 1.0 for v in found]

    size = 6 if how_bad > 0.5 else 10
    return asked(world, FunctionScorer(score, independent=True, batch_size=size), judged=judged)


def saturated_but_helpful(world: World, how_bad: float, judged: bool) -> Diagnosis:
    """The best few of each query have the highest score there is."""
    shift = 0.4 + how_bad

    def score(query: str, texts: Sequence[str]) -> list[float]:
        return [min(1.0, max(-9.0, (world.worth(t) + shift) / 2)) for t in texts]

    return asked(world, score, judged=judged)


# -- chance ----------------------------------------------------------------------------------------


def never_the_same(world: World, how_bad: float, judged: bool) -> Diagnosis:
    """A model at a high temperature, or one with its dropout left on."""
    draw = random.Random(world.seed)
    noise = 1.5 + 2 * how_bad
    return asked(
        world,
        lambda q, ts: [world.worth(t) + draw.gauss(0, noise) for t in ts],
        judged=judged,
    )


def own_judgements(world: World, how_bad: float, judged: bool) -> Diagnosis:
    """What the reranker scores high was judged relevant for it."""
    limit = 1.2 - 0.4 * how_bad
    qrels = {
        q: {str(c.id): 1 for c in found if world.worth(c.text, FAIR) > limit}
        for q, found in world.queries.items()
    }
    return asked(_with(world, world.queries, qrels=qrels), world.scorer(FAIR), judged=True)


def overlapping(world: World, how_bad: float, judged: bool) -> Diagnosis:
    """Chunks of one document share a half with the next."""
    found: dict[str, list[Candidate]] = {}
    relevant = dict(world.relevant)
    for query, candidates in world.queries.items():
        found[query] = []
        for c in candidates[: max(4, len(candidates) // 4)]:
            words = c.text.split()
            size = max(12, len(words) // 2)
            step = max(4, round(size * (0.65 - 0.25 * how_bad)))
            for start in range(0, max(1, len(words) - size + 1), step):
                text = " ".join(words[start : start + size])
                relevant[text] = world.relevant[c.text]
                found[query].append(Candidate(text, f"{c.id}-{start}", c.score))
    parts = {str(c.id).rsplit("-", 1)[0]: [] for cs in found.values() for c in cs}
    for cs in found.values():
        for c in cs:
            parts[str(c.id).rsplit("-", 1)[0]].append(str(c.id))
    qrels = {q: {p: 1 for d in docs for p in parts.get(d, [])} for q, docs in world.qrels.items()}
    origin = {c.text: str(c.id).rsplit("-", 1)[0] for cs in found.values() for c in cs}
    made = _with(world, found, qrels=qrels, relevant=relevant)

    def score(query: str, texts: Sequence[str]) -> list[float]:
        return [
            squashed(
                STRONG * relevant.get(t, False)
                + world.noise(origin.get(t, t))
                + 0.1 * world.noise(t)
            )
            for t in texts
        ]

    return asked(made, score, judged=judged)


def behind_a_header(world: World, how_bad: float, judged: bool) -> Diagnosis:
    """All documents begin with the same notice, and the scorer reads no further."""
    header = "notice of the archive all rights are reserved and nothing may be copied " * 8
    found = {
        q: [Candidate(header + c.text, c.id, c.score) for c in cs]
        for q, cs in world.queries.items()
    }
    limit = round(500 - 300 * how_bad)

    def score(query: str, texts: Sequence[str]) -> list[float]:
        wanted = set(query.split())
        return [len(wanted & set(t[:limit].split())) / len(wanted) for t in texts]

    return asked(_with(world, found), score, judged=judged)


def asleep(world: World, how_bad: float, judged: bool) -> Diagnosis:
    """What `rerank tune` writes where it keeps the retriever."""
    return asked(world, "bm25", judged=judged, depth=0)


def weightless(world: World, how_bad: float, judged: bool) -> Diagnosis:
    """All the weight is the retriever's."""
    combine = WeightedSum({"retrieval": how_bad, "bm25": 0.0})
    return asked(world, "bm25", judged=judged, combine=combine)


def best_already(world: World, how_bad: float, judged: bool) -> Diagnosis:
    """The retriever puts everything relevant first."""
    best = {
        q: sorted(cs, key=lambda c: not world.qrels[q].get(str(c.id)))
        for q, cs in world.queries.items()
    }
    found = {
        q: [Candidate(c.text, c.id, float(-rank)) for rank, c in enumerate(cs)]
        for q, cs in best.items()
    }
    return asked(_with(world, found), world.scorer(), judged=judged)


MORE_FAULTS: Mapping[str, tuple[Pipeline, Cause, bool]] = {
    "asleep": (asleep, Cause.IDLE, False),
    "weightless": (weightless, Cause.IDLE, False),
    "the best order already": (best_already, Cause.NO_ROOM, True),
    "wrong field": (wrong_field, Cause.EMPTY_TEXT, False),
    "one text for all": (one_text_for_all, Cause.EMPTY_TEXT, False),
    "conversation": (conversation, Cause.QUERY, False),
    "instruction in the query": (instruction_in_the_query, Cause.QUERY, False),
    "doubled ids": (doubled_ids, Cause.IDS, False),
    "shuffled scores": (shuffled, Cause.UNRELATED, False),
    "reversed scores": (reversed_scores, Cause.UNRELATED, False),
    "swapped ids": (swapped_ids, Cause.UNRELATED, True),
    "stale scores": (stale, Cause.UNRELATED, True),
    "length": (length, Cause.LENGTH, False),
    "brevity": (brevity, Cause.LENGTH, False),
    "echo": (echo, Cause.ECHO, False),
    "echo of the prompt": (echo_of_the_prompt, Cause.POSITION, False),
    "defaults": (defaults, Cause.DEFAULTS, False),
    "min-max by batch": (batch_min_max, Cause.NEIGHBOURS, False),
    "saturated but helpful": (saturated_but_helpful, Cause.TIED, False),
    "never the same": (never_the_same, Cause.UNSTABLE, False),
    "own judgements": (own_judgements, Cause.OWN_JUDGEMENTS, True),
    "overlapping chunks": (overlapping, Cause.DUPLICATES, False),
    "behind a header": (behind_a_header, Cause.TRUNCATION, False),
}

MORE_HEALTHY: Mapping[str, Healthy] = {
    "rounded scores": lambda w, j: asked(
        w, lambda q, ts: [round(squashed(w.worth(t)), 2) for t in ts], judged=j
    ),
    "a little for length": lambda w, j: asked(
        w, lambda q, ts: [w.worth(t) + len(t) / 2000 for t in ts], judged=j
    ),
    "batches of ten": lambda w, j: asked(
        w, FunctionScorer(w.scorer(), independent=True, batch_size=10), judged=j
    ),
    "grades at a temperature": lambda w, j: asked(w, _warm(w), judged=j),
    "ids by the query": lambda w, j: asked(_numbered(w), w.scorer(), judged=j),
}


def _warm(world: World) -> Any:
    """Grades that now and then are one higher or lower."""
    draw = random.Random(world.seed)
    cold = _graded(world, 10)

    async def score(query: str, texts: Sequence[str]) -> list[float]:
        told = await cold.score(query, texts)
        return [
            min(1.0, max(0.0, grade + draw.choice((-0.1, 0, 0, 0, 0.1)) * (grade > 0)))
            for grade in told
        ]

    return FunctionScorer(score, name="llm", independent=False, batch_size=10)


def _numbered(world: World) -> World:
    """Every query counts its documents from 0."""
    found = {
        q: [Candidate(c.text, str(c.id).rpartition("/")[2], c.score) for c in cs]
        for q, cs in world.queries.items()
    }
    qrels = {q: {d.rpartition("/")[2]: 1 for d in docs} for q, docs in world.qrels.items()}
    return _with(world, found, qrels=qrels)


FAULTS: Mapping[str, tuple[Pipeline, Cause, bool]] = {**FIRST_FAULTS, **MORE_FAULTS}
HEALTHY: Mapping[str, Healthy] = {**FIRST_HEALTHY, **MORE_HEALTHY}
