"""The same causes made in other ways, and healthy pipelines that look a little like one.

`FAULTS` and `HEALTHY` are those of `planted_causes` and these together.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise

from planted import Healthy, Pipeline, World, _quantile, asked, squashed
from planted_causes import FAULTS as FIRST_FAULTS
from planted_causes import HEALTHY as FIRST_HEALTHY
from planted_causes import _with

from rerank_core import Candidate
from rerank_core.doctor import Cause, Diagnosis


def _shown(world: World, text: Callable[[int, Candidate], str]) -> World:
    """Every document's text is another one, which is worth nothing where it does not say it."""
    found = {
        q: [Candidate(text(at, c), c.id, c.score) for at, c in enumerate(cs)]
        for q, cs in world.queries.items()
    }
    return _with(world, found)


def _asked_as(world: World, query: Callable[[int, str], str]) -> World:
    """Every query is another one."""
    new = {q: query(at, q) for at, q in enumerate(world.queries)}
    found = {new[q]: cs for q, cs in world.queries.items()}
    return _with(world, found, qrels={new[q]: docs for q, docs in world.qrels.items()})


# -- what goes in ----------------------------------------------------------------------------------


def page_numbers(world: World, how_bad: float, judged: bool) -> Diagnosis:
    """Most texts are a line of a template, and no two are the same."""

    def text(at: int, c: Candidate) -> str:
        bad = world.noise(c.text, "field") < _quantile(0.5 + how_bad / 2)
        return f"page {at + 1} of {at + 9}, document {c.id}" if bad else c.text

    made = _shown(world, text)
    return asked(made, made.scorer(), judged=judged)


def no_text(world: World, how_bad: float, judged: bool) -> Diagnosis:
    """The store keeps vectors alone."""
    return asked(_shown(world, lambda at, c: ""), "bm25", judged=judged)


def instruction_behind(world: World, how_bad: float, judged: bool) -> Diagnosis:
    """Every query ends with what the writer of the answer is told."""
    told = " please answer in three sentences, name your sources, and say so if there are none"
    return asked(_asked_as(world, lambda at, q: q + told), world.scorer(), judged=judged)


def one_of_three_instructions(world: World, how_bad: float, judged: bool) -> Diagnosis:
    """There is one for each kind of user."""
    told = [
        f"as {who}, find whatever answers the question below best, and nothing else but that: "
        for who in ("an expert in the field", "a lawyer of the company", "a friend of the house")
    ]
    return asked(_asked_as(world, lambda at, q: told[at % 3] + q), world.scorer(), judged=judged)


def of_another_request(world: World, how_bad: float, judged: bool) -> Diagnosis:
    """The query is the one before."""
    asked_before = [*world.queries][-1:] + [*world.queries][:-1]
    return asked(_asked_as(world, lambda at, q: asked_before[at]), "bm25", judged=judged)


def in_another_language(world: World, how_bad: float, judged: bool) -> Diagnosis:
    """A scorer that compares words, and no word of the query is the documents'."""
    made = _asked_as(world, lambda at, q: " ".join(f"{word[::-1]}x" for word in q.split()))
    return asked(made, "bm25", judged=judged)


# -- what comes out --------------------------------------------------------------------------------


def one_deep(world: World, how_bad: float, judged: bool) -> Diagnosis:
    """One document is reranked."""
    return asked(world, world.scorer(), judged=judged, depth=1)


def lowest_if_unread(world: World, how_bad: float, judged: bool) -> Diagnosis:
    """A parser answers 0 for each document whose score it cannot read."""
    return asked(world, _unless_read(world, 0.15 + 0.2 * how_bad, 0.0), judged=judged)


def minus_one_if_unread(world: World, how_bad: float, judged: bool) -> Diagnosis:
    """It answers -1, which is no score at all."""
    return asked(world, _unless_read(world, 0.1 + 0.2 * how_bad, -1.0), judged=judged)


def _unless_read(
    world: World, share: float, value: float
) -> Callable[[str, Sequence[str]], list[float]]:
    def score(query: str, texts: Sequence[str]) -> list[float]:
        return [
            value if world.noise(t, "read") < _quantile(share) else squashed(world.worth(t))
            for t in texts
        ]

    return score


def unknown_batches(world: World, how_bad: float, judged: bool) -> Diagnosis:
    """A softmax over each batch of a size that nobody is told."""
    size = 5 if how_bad > 0.5 else 7

    def score(query: str, texts: Sequence[str]) -> list[float]:
        found = []
        for start in range(0, len(texts), size):
            batch = [math.exp(world.worth(t)) for t in texts[start : start + size]]
            found += [one / sum(batch) for one in batch]
        return found

    return asked(world, score, judged=judged)


def echo_in_grades(world: World, how_bad: float, judged: bool) -> Diagnosis:
    """Grades that fall down the retriever's list, three or more documents to each."""
    at = {c.text: n for found in world.queries.values() for n, c in enumerate(found)}
    size = 3 + round(2 * how_bad)
    return asked(world, lambda q, ts: [-(at.get(t, 0) // size) for t in ts], judged=judged)


def shuffled_grades(world: World, how_bad: float, judged: bool) -> Diagnosis:
    """Coarse grades come back in an order of their own."""
    draw = random.Random(world.seed)

    def score(query: str, texts: Sequence[str]) -> list[float]:
        found = [round(5 * squashed(world.worth(t) + 1)) for t in texts]
        return draw.sample(found, len(found))

    return asked(world, score, judged=judged)


def own_grades(world: World, how_bad: float, judged: bool) -> Diagnosis:
    """The five that it grades highest were judged relevant, in percent."""

    def grade(text: str) -> int:
        return round(100 * squashed(world.worth(text)))

    qrels = {
        q: {str(c.id): 1 for c in sorted(found, key=lambda c: -grade(c.text))[:5]}
        for q, found in world.queries.items()
    }
    made = _with(world, world.queries, qrels=qrels)
    return asked(made, lambda q, ts: [grade(t) for t in ts], judged=judged)


def nearly_all_deep(world: World, how_bad: float, judged: bool) -> Diagnosis:
    """Most of what was retrieved deep is loved, so that over all pairs it looks like chance."""
    deep = {c.text for found in world.queries.values() for c in found[12:]}

    def score(query: str, texts: Sequence[str]) -> list[float]:
        return [world.worth(t) + (3 + 2 * how_bad) * (t in deep) for t in texts]

    return asked(world, score, judged=judged)


FAULTS: Mapping[str, tuple[Pipeline, Cause, bool]] = {
    **FIRST_FAULTS,
    "page numbers": (page_numbers, Cause.EMPTY_TEXT, False),
    "no text": (no_text, Cause.EMPTY_TEXT, False),
    "instruction behind": (instruction_behind, Cause.QUERY, False),
    "one of three instructions": (one_of_three_instructions, Cause.QUERY, False),
    "another request's query": (of_another_request, Cause.QUERY, False),
    "another language": (in_another_language, Cause.QUERY, False),
    "depth of one": (one_deep, Cause.IDLE, False),
    "lowest if unread": (lowest_if_unread, Cause.DEFAULTS, True),
    "-1 if unread": (minus_one_if_unread, Cause.DEFAULTS, False),
    "unknown batches": (unknown_batches, Cause.NEIGHBOURS, False),
    "echo in grades": (echo_in_grades, Cause.ECHO, False),
    "shuffled grades": (shuffled_grades, Cause.UNRELATED, False),
    "own grades": (own_grades, Cause.OWN_JUDGEMENTS, True),
    "nearly all deep": (nearly_all_deep, Cause.PHANTOM, True),
}


# -- healthy ones ----------------------------------------------------------------------------------


def _in_ideographs(world: World) -> World:
    """No spaces between words: a character for each two letters of a word."""

    def written(text: str) -> str:
        words = "".join(word.strip(".()") for word in text.split())
        return "".join(chr(0x4E00 + ord(a) * 26 % 997 + ord(b)) for a, b in pairwise(words))

    found = {
        written(q): [Candidate(written(c.text), c.id, c.score) for c in cs]
        for q, cs in world.queries.items()
    }
    qrels = {written(q): docs for q, docs in world.qrels.items()}
    relevant = {written(text): told for text, told in world.relevant.items()}
    return _with(world, found, qrels=qrels, relevant=relevant)


def ideographs(world: World, judged: bool) -> Diagnosis:
    """Short texts of one "word"."""
    made = _in_ideographs(world)
    return asked(made, made.scorer(), judged=judged)


def bilingual(world: World, judged: bool) -> Diagnosis:
    """Queries in another language, and a scorer that reads both."""
    made = _asked_as(world, lambda at, q: " ".join(f"{word[::-1]}x" for word in q.split()))
    return asked(made, made.scorer(), judged=judged)


def gated(world: World, judged: bool) -> Diagnosis:
    """What the retriever has last is left out on purpose, with 0."""
    last = {c.text for found in world.queries.values() for c in found[len(found) * 4 // 5 :]}
    return asked(
        world, lambda q, ts: [squashed(world.worth(t)) * (t not in last) for t in ts], judged=judged
    )


def numbered(world: World, judged: bool) -> Diagnosis:
    """Texts of a template and a number, by which the scorer knows them."""
    texts = {
        c.text: f"document {at} of {n}"
        for n, cs in enumerate(world.queries.values())
        for at, c in enumerate(cs)
    }
    found = {
        q: [Candidate(texts[c.text], c.id, c.score) for c in cs] for q, cs in world.queries.items()
    }
    relevant = {texts[text]: told for text, told in world.relevant.items() if text in texts}
    made = _with(world, found, relevant=relevant)
    return asked(made, made.scorer(), judged=judged)


def spread_over_the_list(world: World, judged: bool) -> Diagnosis:
    """Scores are normalised over the whole list, as they should be."""

    def score(query: str, texts: Sequence[str]) -> list[float]:
        found = [world.worth(t) for t in texts]
        return [(one - min(found)) / (max(found) - min(found) or 1.0) for one in found]

    return asked(world, score, judged=judged)


HEALTHY: Mapping[str, Healthy] = {
    **FIRST_HEALTHY,
    "ideographs": ideographs,
    "bilingual": bilingual,
    "a gate": gated,
    "numbered": numbered,
    "spread over the list": spread_over_the_list,
    "tiny probabilities": lambda w, j: asked(
        w, lambda q, ts: [squashed(1.5 * w.worth(t) - 20) for t in ts], judged=j
    ),
    "nothing below a limit": lambda w, j: asked(
        w, lambda q, ts: [max(0.0, w.worth(t) - 1) for t in ts], judged=j
    ),
}
