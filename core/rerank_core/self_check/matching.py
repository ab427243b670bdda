"""Is the answer found, and if not: what do the scores go by instead? Pure.

Of random scores the mean over eight questions of the share of texts below the answer is 0.5, give
or take 0.12: `FOUND` and `TURNED` are three deviations away. What ranks at all, BM25 or a noisy
model with four grades, has 0.95 and more on questions as easy as these.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from statistics import fmean, median

from .answers import Answer, Answers, share
from .plan import Kind, Purpose
from .report import Fault

#: The match from which on the answer counts as found, and below which it is found last.
FOUND, TURNED = 0.87, 0.13
#: … and below which nothing else need be looked for.
SURELY_TURNED = 0.03
#: The same for a few single pairs, of which chance makes more.
FOUND_IN_PAIRS = 0.9
#: The share of what does not answer above the answer, up to which it is ties that hide it.
BEATEN = 0.05
#: Of the largest score: what rounding in single precision makes of equal ones.
ROUNDING = 2e-7
#: The match under another reading of the scores with which that reading is the right one.
EXPLAINED = 0.9
#: … the same where lists have fewer others than this, of which chance makes more …
EXPLAINED_BY_FEW, FEW_OTHERS = 0.97, 2.5
#: … and in so many of the lists, where in the others the answer may have fallen off the end.
IN_MOST = 0.75
#: Rank correlation with which two orders are one.
ALIKE = 0.9
#: … and one with length that says what the scores go by.
BY_LENGTH = 0.75

#: Fault, what was seen, what to change.
Seen = tuple[Fault, str, str]


def find(answers: Answers) -> Seen | None:
    """What keeps the answer from being found; None where it is."""
    if answers.match >= (FOUND_IN_PAIRS if answers.is_pairs else FOUND):
        return None
    seen = f"the passage that answers scores above {answers.match:.0%} of those that do not"
    return (
        _flat(answers)
        or _turned(answers, seen, most=SURELY_TURNED)
        or _beginning_only(answers)
        or _by_length(answers, seen, least=ALIKE)
        or _misplaced(answers, seen)
        or _other_query(answers, seen)
        or _query_ignored(answers, seen)
        or _by_length(answers, seen)
        or _turned(answers, seen)
        or _at_random(answers, seen)
    )


def _flat(answers: Answers) -> Seen | None:
    # what rounding of a narrower kind of number makes of a constant is one too
    same = max(answers.same, ROUNDING * max(abs(answers.low), abs(answers.high)))
    flat = [a for a in answers.lists if len(a.values) > 1 and _range(a.values) <= same]
    if len(flat) >= 0.75 * len(answers.lists):
        return (
            Fault.CONSTANT,
            f"in {len(flat)} of {len(answers.lists)} lists all texts have one score",
            "see that the text reaches the model (its field, its template), that nothing answers "
            "with a default, and that nothing clips or rounds the scores",
        )
    ties = [
        (answer, sum(abs(score - answer.own) <= answers.same for score in answer.off))
        for answer in answers.lists
        if answer.own is not None and answer.off
    ]
    at_top = [
        a for a, tied in ties if tied >= 0.4 * len(a.off) and a.own == max(a.values, default=None)
    ]
    if answers.beaten <= BEATEN and answers.distinct == 2:
        return two_valued(answers)
    if (at_top and len(at_top) >= 0.5 * len(ties)) or answers.beaten <= BEATEN:
        at_top = at_top or [a for a, tied in ties if tied]
        return (
            Fault.SATURATED,
            f"in {len(at_top)} of {len(ties)} lists passages that do not answer have the highest "
            "score too, exactly as the one that does",
            "take the scores before they are clipped, or the logits before the sigmoid; ask for a "
            "finer scale",
        )
    return None


def two_valued(answers: Answers) -> Seen:
    """All of them have one of two scores."""
    return (
        Fault.TWO_VALUED,
        f"{answers.low:.4g} and {answers.high:.4g} are all the scores that there are, over "
        f"{sum(len(a.values) for a in answers.all)} texts from the question itself to noise",
        "ask for a finer scale or for log probabilities, or take the logit: among texts that all "
        "have the higher one the retriever's order stays",
    )


def _range(values: Sequence[float]) -> float:
    return max(values) - min(values)


def _beginning_only(answers: Answers) -> Seen | None:
    """A few first characters tell little, and all that begins alike has one score."""
    late = answers.late
    if late and answers.match > 0.5 and all(_range(a.values) <= answers.same for a in late):
        return truncated(late)
    return None


def truncated(late: Sequence[Answer]) -> Seen:
    """Texts that begin alike cannot be told apart."""
    return (
        Fault.TRUNCATED,
        f"in {len(late)} lists of texts that share their first 170 characters all have one score",
        "raise max_chars= or max_length=; see that the whole text is handed over and not a title",
    )


# -- scores of other texts -------------------------------------------------------------------------

#: Which position a score at this position belongs to, in a list of so many; None: it has gone.
_Reading = Callable[[int, int], int | None]


def _readings() -> Mapping[str, _Reading]:
    found: dict[str, _Reading] = {
        "in reverse order": lambda at, count: count - 1 - at,
        "swapped two by two": lambda at, count: min(at ^ 1, count - 1),
    }
    for by in range(1, 10):
        found[f"{by} further on"] = lambda at, count, by=by: (at + by) % count  # type: ignore[misc]
    for by in (-1, 1):
        where = "on" if by > 0 else "back"
        found[f"one further {where}, and one less"] = lambda at, count, by=by: (  # type: ignore[misc]
            at + by if 0 <= at + by < count else None
        )
    return found


def _misplaced(answers: Answers, seen: str) -> Seen | None:
    whole = [a for a in answers.lists if len(a.told) == len(a.asked.texts) > 3]
    if answers.is_pairs or len(whole) < 4:
        return None
    change = (
        "give every score back to its own text: one for each, in the order of the texts (services "
        "answer best first, with an index to go by)"
    )
    falling = sum(_monotone(a.values, -1) for a in whole)
    rising = sum(_monotone(a.values, 1) for a in whole)
    if max(falling, rising) >= 0.75 * len(whole):
        way = "fall" if falling >= rising else "rise"
        return (
            Fault.MISPLACED,
            f"in {max(falling, rising)} of {len(whole)} lists the scores {way} from the first text "
            "to the last, whatever stands there",
            f"{change}; or, if they were asked to go by position, have the texts read",
        )
    few = sum(len(answer.off) for answer in whole) < FEW_OTHERS * len(whole)
    explained = EXPLAINED_BY_FEW if few else EXPLAINED
    for name, reading in _readings().items():
        if _as_read(answers, whole, _by_position(reading)) >= explained:
            return (
                Fault.MISPLACED,
                f"{seen}, and nearly all once the scores are read {name}",
                change,
            )
    for name, key in _SORTED.items():
        if _as_read(answers, whole, _by_sorting(key)) >= explained:
            return (
                Fault.MISPLACED,
                f"{seen}, and nearly all once the texts are sorted by {name}",
                change,
            )
    if _moved(answers) or (_stands_out(answers) and not _above_alike(answers)):
        return (
            Fault.MISPLACED,
            f"{seen}; one score of a list stands out as an answer's should, at another text",
            change,
        )
    return None


def _monotone(values: Sequence[float], way: int) -> bool:
    steps = [way * (b - a) for a, b in pairwise(values)]
    return all(step >= 0 for step in steps) and any(steps)


_Mapped = Callable[[Answer], list[int | None]]


def _by_position(reading: _Reading) -> _Mapped:
    return lambda answer: [
        reading(at, len(answer.asked.texts)) for at in range(len(answer.asked.texts))
    ]


_SORTED: Mapping[str, Callable[[str], object]] = {"text": lambda text: text, "length": len}


def _by_sorting(key: Callable[[str], object]) -> _Mapped:
    def mapped(answer: Answer) -> list[int | None]:
        texts = [one.text for one in answer.asked.texts]
        return [*sorted(range(len(texts)), key=lambda at: key(texts[at]))]  # type: ignore[arg-type,return-value]

    return mapped


def _as_read(answers: Answers, lists: Sequence[Answer], mapped: _Mapped) -> float:
    """The match if the score at each position is that of the text at the mapped one."""
    found = []
    for answer in lists:
        scores: list[float | None] = [None] * len(answer.scores)
        for score, at in zip(answer.scores, mapped(answer), strict=True):
            if at is not None:
                scores[at] = score
        read = Answer(answer.asked, scores)
        if read.own is not None and read.off:
            found.append(share(read.own, read.off, answers.same))
    return fmean(found) if len(found) >= max(4, IN_MOST * len(lists)) else 0.0


def _moved(answers: Answers) -> bool:
    """The scores of a list are the same again, and stand at other texts."""
    asked_twice = [(answers.first[a.asked.topic], a) for a in answers.by_purpose[Purpose.SHUFFLED]]
    asked_twice += [tuple(answers.by_purpose[Purpose.AGAIN][:2])]  # type: ignore[list-item]
    found = 0
    for one, other in (pair for pair in asked_twice if len(pair) == 2):
        before, now = one.by_text(), other.by_text()
        if len(before) == len(now) > 2 and before.keys() == now.keys():
            ranked = zip(sorted(before.values()), sorted(now.values()), strict=True)
            same = all(abs(a - b) <= answers.same for a, b in ranked)
            found += same and any(abs(before[t] - now[t]) > answers.same for t in now)
    return found >= 2


def _stands_out(answers: Answers) -> bool:
    """The best of every list with an answer is far above the best of those without one."""
    without = [max(a.values) for a in answers.by_purpose[Purpose.WITHOUT] if a.values]
    best = [max(a.values) for a in answers.lists if a.values]
    if not without or not best:
        return False
    middle = median(score for answer in answers.lists for score in answer.values)
    return min(best) - max(without) > 0.5 * (median(best) - middle) > answers.same


# -- scores by something else ----------------------------------------------------------------------


def _other_query(answers: Answers, seen: str) -> Seen | None:
    """The answer to the question before is what scores best."""
    if answers.is_pairs:
        return None
    found = []
    for before, answer in pairwise(answers.lists):
        topic = before.asked.topic
        theirs = [s for t, s in answer.told if t.topic == topic and t.kind is Kind.OTHER]
        rest = [
            s for t, s in answer.told if t.topic not in (topic, answer.asked.topic) or t.topic < 0
        ]
        if theirs and rest:
            found.append(share(theirs[0], rest, answers.same))
    if len(found) >= 3 and fmean(found) >= EXPLAINED and answers.agreement < ALIKE:
        return (
            Fault.STALE,
            f"{seen}; the one that answers the question before scores best",
            "score with the question at hand: a cache, a variable or a connection holds another",
        )
    return None


def _above_alike(answers: Answers) -> bool:
    """Whether the answer is above what is none, but for what is much longer or shorter."""
    alike = [
        share(answer.own, answer.of(Kind.OTHER), answers.same)
        for answer in answers.lists
        if answer.own is not None and answer.of(Kind.OTHER)
    ]
    return bool(alike) and fmean(alike) >= EXPLAINED


def _by_length(answers: Answers, seen: str, least: float = BY_LENGTH) -> Seen | None:
    if answers.is_pairs:
        return None
    change = (
        "use cosines or normalised vectors and not dot products, means over tokens and not sums"
    )
    if least == BY_LENGTH and _above_alike(answers):
        others = "nearly all of those of its length: very long or all but empty texts beat it"
        return Fault.LENGTH, f"{seen}, and above {others}", change
    if abs(answers.by_length) < least:
        return None
    which = "longer" if answers.by_length > 0 else "shorter"
    return (
        Fault.LENGTH,
        f"{seen}; {which} texts score higher (rank correlation {answers.by_length:+.2f})",
        change,
    )


def _query_ignored(answers: Answers, seen: str) -> Seen | None:
    if answers.is_pairs:
        same = [
            max(scores) - min(scores) <= answers.same
            for scores in _by_passage(answers).values()
            if len(scores) > 1
        ]
        ignored = bool(same) and all(same)
    else:
        # a length is the same whatever the question, too
        ignored = answers.agreement >= ALIKE and abs(answers.by_length) < ALIKE
    if not ignored:
        return None
    return (
        Fault.QUERY_IGNORED,
        f"{seen}; the texts come in the same order whatever the question",
        "see that the question is handed to the model, and that a cache's key holds it",
    )


def _by_passage(answers: Answers) -> Mapping[str, list[float]]:
    found: dict[str, list[float]] = {}
    for answer in answers.lists:
        for text, score in answer.told:
            found.setdefault(text.text, []).append(score)
    return found


def _turned(answers: Answers, seen: str, most: float = TURNED) -> Seen | None:
    if answers.match > most:
        return None
    return (
        Fault.WRONG_SIGN,
        seen,
        "negate the scores (or use 1 - distance): higher is better throughout. A model of two "
        "labels may have them the other way round",
    )


def _at_random(answers: Answers, seen: str) -> Seen:
    return (
        Fault.RANDOM,
        f"{seen}: as by chance, {_sample(answers)}",
        "name a model that was trained to rerank: an encoder without a classification head gets a "
        "random one. A causal reranker must be served with its own template and its tokens for yes "
        "and no (vLLM: --hf-overrides and the model's chat template). And see that question and "
        "text reach it, in this order, from the right fields",
    )


def _sample(answers: Answers) -> str:
    answer = answers.lists[0]
    own = "no score" if answer.own is None else f"{answer.own:.3g}"
    rest = f"{min(answer.off):.3g} to {max(answer.off):.3g}" if answer.off else "nothing"
    return f'such as {own} for the answer to "{answer.asked.query}" and {rest} for the others'
