"""Scorers with one planted fault each, and healthy ones: what the self-check is held to.

All are made of one `Base`, which says how well question and text go together, -1..1: words in
common in the tests, the cosine of real embeddings in `benchmarks/self_check.py`.
"""

from __future__ import annotations

import hashlib
import math
import random
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from rerank_core.scorers.function import FunctionScorer
from rerank_core.self_check import Fault

Base = Callable[[str, str], float]
Scores = Sequence[float | None]
Scoring = Callable[[str, Sequence[str]], Scores]


@lru_cache(maxsize=4096)
def words_in_common(query: str, text: str) -> float:
    """The share of the question's longer words that the text holds, and a little for its length."""
    wanted = {word for word in query.lower().split() if len(word) > 3}
    held = {word.strip(".,") for word in text.lower().split()}
    return 0.8 * len(wanted & held) / len(wanted) - 0.0001 * len(text)


def hashed(*told: object) -> float:
    """A number of 0..1 that goes by what is told and means nothing."""
    return int.from_bytes(hashlib.sha256(repr(told).encode()).digest()[:6]) / 2**48


def sigmoid(value: float) -> float:
    return 1 / (1 + math.exp(-min(700.0, max(-700.0, value))))


def logit(base: Base, query: str, text: str) -> float:
    """As a cross-encoder has it: 8 for the answer, -8 for what has nothing to do with it."""
    return 20 * base(query, text) - 7


def each(score: Base) -> Callable[[str, Sequence[str]], list[float]]:
    """A score for each text."""
    return lambda query, texts: [score(query, text) for text in texts]


def spanned(values: Sequence[float]) -> list[float]:
    low, high = min(values), max(values)
    return [(v - low) / (high - low) if high > low else 0.5 for v in values]


def softmax(values: Sequence[float]) -> list[float]:
    powers = [math.exp(v) for v in values]
    return [power / sum(powers) for power in powers]


def ranks(values: Sequence[float]) -> list[float]:
    order = sorted(range(len(values)), key=lambda at: -values[at])
    return [1.0 + order.index(at) for at in range(len(values))]


def faults(base: Base) -> Mapping[str, tuple[Any, set[Fault]]]:
    """By name: a scorer made anew, and what may be said of it."""
    plain = each(base)
    logits = each(lambda q, t: logit(base, q, t))
    unit = each(lambda q, t: sigmoid(logit(base, q, t)))
    draw = random.Random(7)
    calls: list[str] = []
    shuffle = random.Random(5)

    def stale(query: str, texts: Sequence[str]) -> list[float]:
        calls.append(query)
        return unit(calls[-2] if len(calls) > 1 else "nothing yet", texts)

    first: list[str] = []

    def stuck(query: str, texts: Sequence[str]) -> list[float]:
        first.append(query)
        return unit(first[0], texts)

    count = [0]

    def drifting(query: str, texts: Sequence[str]) -> list[float]:
        count[0] += 1
        return [score + 0.01 * count[0] for score in unit(query, texts)]

    def fading(query: str, texts: Sequence[str]) -> list[float]:
        count[0] += 1
        return [(1.2 + score) / (1 + 0.02 * count[0]) for score in plain(query, texts)]

    def shuffled(query: str, texts: Sequence[str]) -> list[float]:
        return shuffle.sample(scores := unit(query, texts), len(scores))

    def by_text(query: str, texts: Sequence[str]) -> list[float]:
        return unit(query, sorted(texts))

    def missing(query: str, texts: Sequence[str]) -> list[float]:
        return [math.nan if draw.random() < 0.08 else score for score in unit(query, texts)]

    def one(score: Base, **options: Any) -> Any:
        return FunctionScorer(each(score), independent=True, **options)

    return {
        "turned, 0..1": (each(lambda q, t: 1 - base(q, t)), {Fault.WRONG_SIGN}),
        "turned logits": (each(lambda q, t: -logit(base, q, t)), {Fault.WRONG_SIGN}),
        "turned, tiny": (each(lambda q, t: -1e-6 * base(q, t)), {Fault.WRONG_SIGN}),
        "turned, huge": (each(lambda q, t: -1e9 * base(q, t)), {Fault.WRONG_SIGN}),
        "ranks, the best 1": (lambda q, ts: ranks(unit(q, ts)), {Fault.WRONG_SIGN}),
        "distances": (
            each(lambda q, t: math.sqrt(max(0.0, 2 - 2 * base(q, t)))),
            {Fault.WRONG_SIGN},
        ),
        "constant": (each(lambda q, t: 0.5), {Fault.CONSTANT}),
        "zero": (each(lambda q, t: 0.0), {Fault.CONSTANT}),
        "document ignored": (each(lambda q, t: hashed(q)), {Fault.CONSTANT}),
        "yes or no": (each(lambda q, t: float(base(q, t) > 0.3)), {Fault.TWO_VALUED}),
        "yes or no, over the list": (
            lambda q, ts: [float(v == max(plain(q, ts))) for v in plain(q, ts)],
            {Fault.TWO_VALUED, Fault.NEIGHBOURS},
        ),
        "nearly always yes": (
            each(lambda q, t: float(base(q, t) > 0.06)),
            {Fault.TWO_VALUED, Fault.SATURATED, Fault.CONSTANT},
        ),
        "constant but for rounding": (
            each(lambda q, t: 0.5 + 1e-9 * hashed(q, t)),
            {Fault.CONSTANT},
        ),
        "rounded away": (each(lambda q, t: round(0.4 * base(q, t))), {Fault.CONSTANT}),
        "rounded sigmoid": (
            each(lambda q, t: round(sigmoid(3 * logit(base, q, t) + 2))),
            {Fault.TWO_VALUED, Fault.SATURATED},
        ),
        "saturated sigmoid": (
            each(lambda q, t: sigmoid(100 * logit(base, q, t) + 1200)),
            {Fault.SATURATED, Fault.CONSTANT, Fault.TWO_VALUED},
        ),
        "sigmoid of percent": (
            each(lambda q, t: sigmoid(100 * (0.6 + base(q, t)))),
            {Fault.SATURATED, Fault.CONSTANT},
        ),
        "clamped": (
            FunctionScorer(each(lambda q, t: 30 + 60 * base(q, t)), scale=(0, 1)),
            {Fault.SATURATED, Fault.CONSTANT, Fault.TWO_VALUED},
        ),
        "hash noise": (each(lambda q, t: hashed(q, t)), {Fault.RANDOM}),
        "narrow noise": (each(lambda q, t: 0.5 + 0.01 * hashed(t, q)), {Fault.RANDOM}),
        "new noise each time": (
            each(lambda q, t: draw.random()),
            {Fault.RANDOM, Fault.UNSTABLE},
        ),
        "query ignored": (
            each(lambda q, t: hashed(t)),
            {Fault.QUERY_IGNORED, Fault.RANDOM, Fault.LENGTH},
        ),
        "empty query": (
            each(lambda q, t: base("what is it", t)),
            {Fault.QUERY_IGNORED, Fault.LENGTH},
        ),
        "always the first question": (stuck, {Fault.QUERY_IGNORED, Fault.STALE}),
        "the question before": (stale, {Fault.STALE}),
        "empty texts": (each(lambda q, t: base(q, "")), {Fault.CONSTANT}),
        "first token": (
            each(lambda q, t: base(q, t[:8])),
            {Fault.RANDOM, Fault.CONSTANT, Fault.TRUNCATED, Fault.LENGTH, Fault.SATURATED},
        ),
        "first 60 characters": (
            each(lambda q, t: base(q, t[:60])),
            {Fault.TRUNCATED, Fault.RANDOM},
        ),
        "first 130 characters": (each(lambda q, t: base(q, t[:130])), {Fault.TRUNCATED}),
        "length": (each(lambda q, t: float(len(t))), {Fault.LENGTH}),
        "brevity": (each(lambda q, t: 1 / (1 + len(t))), {Fault.LENGTH}),
        "last 60 characters": (each(lambda q, t: base(q, t[-60:])), {Fault.TRUNCATED}),
        "shorter in words": (each(lambda q, t: 1 / (1 + len(t.split()))), {Fault.LENGTH}),
        "times length": (each(lambda q, t: base(q, t) * len(t)), {Fault.LENGTH}),
        "plus length": (each(lambda q, t: base(q, t) + 0.003 * len(t)), {Fault.LENGTH}),
        "over length": (each(lambda q, t: (0.1 + base(q, t)) / len(t)), {Fault.LENGTH}),
        "position alone": (
            lambda q, ts: [1 / (1 + at) for at in range(len(ts))],
            {Fault.MISPLACED, Fault.POSITION},
        ),
        "position besides": (
            lambda q, ts: [b - 0.06 * at for at, b in enumerate(plain(q, ts))],
            {Fault.POSITION, Fault.MISPLACED, Fault.RANDOM},
        ),
        "reversed": (lambda q, ts: unit(q, ts)[::-1], {Fault.MISPLACED}),
        "rotated": (lambda q, ts: [*unit(q, ts)[1:], *unit(q, ts)[:1]], {Fault.MISPLACED}),
        "rotated by three": (lambda q, ts: unit(q, [*ts[-3:], *ts[:-3]]), {Fault.MISPLACED}),
        "off by one": (lambda q, ts: [0.0, *unit(q, ts)][: len(ts)], {Fault.MISPLACED}),
        "reversed three by three": (
            lambda q, ts: [
                s for at in range(0, len(ts), 3) for s in unit(q, ts[at : at + 3])[::-1]
            ],
            {Fault.MISPLACED, Fault.RANDOM},
        ),
        "next to empty texts left out": (
            lambda q, ts: [*unit(q, [t for t in ts if len(t) > 9]), *[0.0] * 9][: len(ts)],
            {Fault.MISPLACED, Fault.RANDOM},
        ),
        "sorted": (lambda q, ts: sorted(unit(q, ts), reverse=True), {Fault.MISPLACED}),
        "ascending": (lambda q, ts: sorted(logits(q, ts)), {Fault.MISPLACED}),
        "sorted texts": (by_text, {Fault.MISPLACED}),
        "neighbours swapped": (
            lambda q, ts: [unit(q, ts)[min(at ^ 1, len(ts) - 1)] for at in range(len(ts))],
            {Fault.MISPLACED},
        ),
        "shuffled": (shuffled, {Fault.MISPLACED}),
        "min-max": (lambda q, ts: spanned(plain(q, ts)), {Fault.NEIGHBOURS}),
        "softmax": (lambda q, ts: softmax(logits(q, ts)), {Fault.NEIGHBOURS}),
        "z-score": (
            lambda q, ts: [v - sum(plain(q, ts)) / len(ts) for v in plain(q, ts)],
            {Fault.NEIGHBOURS},
        ),
        "ranks over the list": (
            lambda q, ts: [1 - rank / len(ts) for rank in ranks(plain(q, ts))],
            {Fault.NEIGHBOURS},
        ),
        "log-softmax": (
            lambda q, ts: [math.log(p) for p in softmax(plain(q, ts))],
            {Fault.NEIGHBOURS},
        ),
        "less the first": (
            lambda q, ts: [v - plain(q, ts)[0] for v in plain(q, ts)],
            {Fault.NEIGHBOURS},
        ),
        "over their norm": (
            lambda q, ts: [v / math.hypot(*unit(q, ts)) for v in unit(q, ts)],
            {Fault.NEIGHBOURS},
        ),
        "min-max, said to be independent": (
            FunctionScorer(lambda q, ts: spanned(plain(q, ts)), independent=True),
            {Fault.NEIGHBOURS},
        ),
        "drift": (drifting, {Fault.UNSTABLE}),
        "drift by a factor": (fading, {Fault.UNSTABLE}),
        "a default now and then": (
            each(lambda q, t: -1.0 if draw.random() < 0.15 else base(q, t)),
            {Fault.UNSTABLE, Fault.RANDOM},
        ),
        "dropout": (
            each(lambda q, t: base(q, t) + draw.gauss(0, 0.3)),
            {Fault.UNSTABLE, Fault.RANDOM},
        ),
        "percent of a cosine": (each(lambda q, t: 100.00001 * max(0.0, base(q, t))), {Fault.SCALE}),
        "percent": (each(lambda q, t: 100 * sigmoid(logit(base, q, t))), {Fault.SCALE}),
        "sigmoid twice": (each(lambda q, t: sigmoid(sigmoid(logit(base, q, t)))), {Fault.SCALE}),
        "said to be 0..100": (
            one(lambda q, t: sigmoid(logit(base, q, t)), scale=(0, 100)),
            {Fault.SCALE},
        ),
        "NaN now and then": (missing, {Fault.MISSING}),
        "raises": (_raises, {Fault.UNANSWERED}),
    }


def _raises(query: str, texts: Sequence[str]) -> list[float]:
    raise ConnectionError("nobody there")


def healthy(base: Base) -> Mapping[str, Any]:
    """By name: a scorer made anew, of which nothing is to be said."""
    draw = random.Random(3)
    unit = each(lambda q, t: sigmoid(logit(base, q, t)))

    def grades(most: int, noise: float = 0.0) -> Any:
        def grade(query: str, text: str) -> float:
            told = most * min(1.0, max(0.0, 1.2 * base(query, text))) + draw.gauss(0, noise)
            return min(most, max(0, round(told)))

        return FunctionScorer(
            each(grade), name="llm", scale=(0, most), independent=False, batch_size=10
        )

    def forgetful(query: str, texts: Sequence[str]) -> Scores:
        return [None if draw.random() < 0.03 else score for score in unit(query, texts)]

    def over_the_list(query: str, texts: Sequence[str]) -> list[float]:
        """Words that many texts of the list have count for less."""
        wanted = {word for word in query.split() if len(word) > 3}
        often = {word: 1 + sum(word in text.split() for text in texts) for word in wanted}
        return [sum(1 / often[w] for w in wanted if w in text.split()) for text in texts]

    return {
        "bm25": "bm25",
        "hybrid": "hybrid",
        "cosine": each(base),
        "(1 + cosine) / 2": each(lambda q, t: (1 + base(q, t)) / 2),
        "narrow cosines": each(lambda q, t: 0.75 + 0.1 * base(q, t)),
        "logits": each(lambda q, t: logit(base, q, t)),
        "logits / 10": each(lambda q, t: logit(base, q, t) / 10),
        "sigmoid": unit,
        "steep sigmoid": each(lambda q, t: sigmoid(2 * logit(base, q, t))),
        "four decimals": each(lambda q, t: round(sigmoid(logit(base, q, t)), 4)),
        "one decimal": each(lambda q, t: round(max(0.0, base(q, t)), 1)),
        "grades 0 to 10": grades(10),
        "grades 0 to 3": grades(3),
        "grades 1 to 5": each(lambda q, t: 1 + round(4 * min(1, max(0, 1.2 * base(q, t))))),
        "grades 0 to 10 at a temperature": grades(10, 1.2),
        "grades 0 to 3 at a temperature": grades(3, 0.4),
        "raw grades 0 to 10": each(lambda q, t: round(10 * max(0.0, base(q, t)))),
        "words in common": each(words_in_common),
        "split words": each(
            lambda q, t: len(set(q.split()) & set(t.split())) / len(set(q.split()))
        ),
        "words over the list": over_the_list,
        "weak cosines": each(lambda q, t: 0.7 * base(q, t) + 0.15 * hashed(q, t)),
        "half precision": each(lambda q, t: base(q, t) + draw.gauss(0, 0.001)),
        "a little noise": each(lambda q, t: base(q, t) + draw.gauss(0, 0.03)),
        "logits with noise": each(lambda q, t: logit(base, q, t) + draw.gauss(0, 0.6)),
        "a model that forgets": FunctionScorer(forgetful, name="llm", default_timeout=5.0),
        "one text at a time": FunctionScorer(each(base), independent=True, batch_size=1),
        "three texts at a time": FunctionScorer(each(base), independent=True, batch_size=3),
        "first 512 characters": each(lambda q, t: base(q, t[:512])),
        "a little for length": each(lambda q, t: base(q, t) + 0.00005 * len(t)),
        "a little for position": lambda q, ts: [base(q, t) - 0.002 * at for at, t in enumerate(ts)],
        "products": each(lambda q, t: 80 + 9 * base(q, t)),
        "bm25 as it is": each(lambda q, t: 28 * max(0.0, base(q, t))),
        "likelihood of the question": each(lambda q, t: (2 * base(q, t) - 4) * len(q.split())),
        "grades 0 to 5 with chance, one text each": FunctionScorer(
            each(lambda q, t: round(min(5, max(0, 6 * base(q, t) + draw.gauss(0, 0.3))))),
            independent=True,
        ),
        "tiny": each(lambda q, t: 1e-5 * base(q, t)),
        "cascade": "hybrid > bm25@5",
    }
