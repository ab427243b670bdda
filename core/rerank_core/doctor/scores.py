"""Do the scores say anything, and the right way round? Ties, saturation, inversion."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby, pairwise
from statistics import fmean

from ..combine.normalize import normalize
from ..ranking.candidate import RETRIEVAL
from ..text.words import words
from .chance import surely_positive
from .evidence import Case, Evidence, key
from .finding import Cause, Finding, Severity
from .quality import gains, helps

#: The share of queries in which the top must be flat.
MOST = 0.5
#: Scores as close as this share of the largest are tied: probabilities may be tiny, and all differ.
SAME = 1e-6
#: The share of pairs in the top that are tied: of ten, nine are alike.
FLAT = 0.75
#: A list whose scores (0..1) span less than this is all but flat.
NARROW = 0.02
#: Documents that share the highest score, where it is a ceiling.
AT_TOP = 3
#: Fewer candidates than this are no list.
LEAST = 5
#: A relevant document is below others more often than this share of the pairs: the wrong way.
INVERTED = 0.4
#: Without judgements: where the scorer puts what the retriever has first (0 last, 1 first), and
#: what shares most words with the query; both below this, or the first alone far below.
AGAINST, ALONE = 0.4, 0.3


def ties(evidence: Evidence) -> Iterator[Finding]:
    """Scores that do not tell the top documents apart: all of them, or those at a ceiling."""
    for name in evidence.setup.scorers:
        if lists := lists_of(evidence, name):
            found = _flat(evidence, name, lists) or _ceiling(evidence, name, lists)
            if found is not None:
                yield found


def lists_of(evidence: Evidence, name: str) -> list[list[float]]:
    """What a scorer said, query by query, of candidates that are enough to be a list."""
    return [
        list(told.values())
        for case in evidence.cases
        if len(told := case.signal(name, combined=evidence.setup.combined)) >= LEAST
    ]


def _flat(evidence: Evidence, name: str, lists: Sequence[Sequence[float]]) -> Finding | None:
    flat = sum(_is_flat(scores, evidence.top) for scores in lists)
    narrow = sum(0 < max(scores) - min(scores) < NARROW for scores in lists)
    if flat >= MOST * len(lists):
        seen = f"in {flat} of {len(lists)} queries nearly all of the top scores are the same"
    elif narrow >= MOST * len(lists) and evidence.judged and fmean(gains(evidence)) <= 0:
        seen = (
            f"in {narrow} of {len(lists)} queries all scores are within {NARROW} of each "
            "other, and their order is no better than the retriever's"
        )
    else:
        return None
    commonest = _commonest(lists)
    return Finding(
        Cause.TIED,
        Severity.BROKEN,
        f"{name}: {seen} (most often {commonest:.4g})",
        "ties are broken by the retriever's order, so nothing is reranked where it counts. "
        "A parser that answers with a default, a saturated sigmoid and a model that likes "
        "one grade all look like this",
        "look at raw replies or logits; ask for a finer scale or for log probabilities, "
        "clip nothing, or have the documents compared (strategy='listwise')",
    )


def _ceiling(evidence: Evidence, name: str, lists: Sequence[Sequence[float]]) -> Finding | None:
    """Several documents at the highest score there is, of a scale that is else fine."""
    long = [told for told in lists if len(told) >= 2 * LEAST]
    at_top = [
        sum(max(told) - score <= closest(told) for score in told) for told in long if _is_fine(told)
    ]
    capped = sum(count >= AT_TOP for count in at_top)
    if not long or capped < MOST * len(long):
        return None
    better = helps(evidence)
    return Finding(
        Cause.TIED,
        Severity.LIMITS if better else Severity.BROKEN,
        f"{name}: in {capped} of {len(long)} queries {AT_TOP} documents or more share the "
        f"highest score ({fmean(at_top):.1f} on average), though the others differ",
        "a saturated sigmoid or a clipped score: among the best, where it counts, the "
        "retriever's order stays" + "; it helps, and could help more" * better,
        "take the logit, or a sigmoid of a part of it; clip nothing",
    )


def _is_fine(told: Sequence[float]) -> bool:
    """Whether, but for the highest, scores are all different: no coarse grades."""
    below = [score for score in told if max(told) - score > closest(told)]
    return len(below) > 1 and len(set(below)) >= 0.8 * len(below)


def _is_flat(scores: Sequence[float], top: int) -> bool:
    """Whether nearly all of the best are alike, other than at the bottom of the scale in use."""
    best = sorted(scores, reverse=True)
    same = closest(scores)
    if best[0] - best[-1] <= same:
        return True
    top = min(top, len(best) // 2)  # of few candidates the whole list is no top
    best, lowest = best[: max(top, LEAST)], best[-1]
    sizes = [
        (level, len(list(tied))) for level, tied in groupby(best, key=lambda s: round(s / same))
    ]
    level, size = max(sizes, key=lambda pair: pair[1])
    tied = size * (size - 1) / (len(best) * (len(best) - 1))
    return tied >= FLAT and level != round(lowest / same)


def closest(scores: Sequence[float]) -> float:
    """Scores that are no further apart than this are tied."""
    return SAME * max(map(abs, scores)) or SAME


def _commonest(lists: Sequence[Sequence[float]]) -> float:
    counts: dict[float, int] = {}
    for scores in lists:
        for score in scores:
            counts[score] = counts.get(score, 0) + 1
    return max(counts, key=counts.__getitem__)


def wrong_way(evidence: Evidence) -> Iterator[Finding]:
    """Signals whose lowest values are the best: the retriever's (distances) and the scorers'."""
    names = [*evidence.setup.scorers, RETRIEVAL]
    for name in names:
        seen = _by_judgements(evidence, name) or _by_agreement(evidence, name)
        if not seen:
            continue
        whose = "the retriever's scores" if name == RETRIEVAL else f"the scores of {name!r}"
        yield Finding(
            Cause.WRONG_WAY,
            Severity.HARMS,
            f"{whose}: {seen}",
            "this is what distances, or scores of which lower is better, look like when they are "
            "sorted as if higher were better: the worst documents come first",
            "negate the scores (or use 1 - distance), or ask the model for relevance and not for "
            "rank; higher is better throughout",
        )


def _values(evidence: Evidence, case: Case, name: str) -> Mapping[int, float]:
    return case.signal(name, combined=evidence.setup.combined)


def _by_judgements(evidence: Evidence, name: str) -> str | None:
    areas = [
        area
        for case in evidence.judged
        if (area := win_share(case, _values(evidence, case, name))) is not None
    ]
    if not areas or fmean(areas) > INVERTED:
        return None
    if not surely_positive([0.5 - area for area in areas]):
        return None
    # right among the first and wrong beneath: that is no inversion
    first = [_shallow(evidence, case, name) for case in evidence.judged]
    shallow = [area for area in first if area is not None]
    if name != RETRIEVAL and shallow and fmean(shallow) > INVERTED:
        return None
    return (
        f"over {len(areas)} judged queries a relevant document has the higher score in only "
        f"{fmean(areas):.0%} of its pairs with others"
    )


def _shallow(evidence: Evidence, case: Case, name: str) -> float | None:
    """The same among the first retrieved alone."""
    first = {hit.index for hit in case.retrieved[: max(10, len(case.hits) // 4)]}
    told = _values(evidence, case, name)
    return win_share(case, {index: value for index, value in told.items() if index in first})


def win_share(case: Case, told: Mapping[int, float]) -> float | None:
    """The share of pairs of a relevant and another candidate in which the relevant is higher."""
    relevant = [told[h.index] for h in case.hits if h.index in told and key(h) in case.relevant]
    others = [told[h.index] for h in case.hits if h.index in told and key(h) not in case.relevant]
    if not relevant or not others:
        return None
    wins = sum((a > b) + (a == b) / 2 for a in relevant for b in others)
    return wins / (len(relevant) * len(others))


def _by_agreement(evidence: Evidence, name: str) -> str | None:
    """Without judgements: against both the retriever and the words shared with the query."""
    if evidence.judged:
        return None
    if name == RETRIEVAL:
        return _listed_ascending(evidence)
    first, lexical = [], []
    for case in evidence.cases:
        told = _values(evidence, case, name)
        if len(told) < LEAST:
            continue
        first.append(_mean_rank(told, {hit.index: -float(hit.retrieved) for hit in case.hits}))
        shared = shared_words(case)
        if len({shared[index] for index in told}) > 1:
            lexical.append(_mean_rank(told, shared))
    if not first or not surely_positive([0.5 - rank for rank in first]):
        return None
    both = (
        fmean(first) < AGAINST
        and bool(lexical)
        and fmean(lexical) < AGAINST
        and surely_positive([0.5 - rank for rank in lexical])
    )
    contradicted = surely_positive([rank - 0.5 for rank in lexical], 0.05)
    if not both and (contradicted or fmean(first) > ALONE):
        return None
    words_too = f", and what shares most words with the query at {fmean(lexical):.0%}" * both
    return (
        "from the lowest (0%) to the highest (100%), what the retriever has first stands at "
        f"{fmean(first):.0%} on average{words_too}"
    )


def _mean_rank(told: Mapping[int, float], other: Mapping[int, float]) -> float:
    """Where the three best of the other signal stand in this one: 0 last, 1 first; a mean."""
    rank = dict(zip(told, normalize(list(told.values()), "rank"), strict=True))
    best = sorted(told, key=lambda index: -other[index])[: 3 if len(told) >= 3 * LEAST else 1]
    return fmean(rank[index] or 0.0 for index in best)


def _listed_ascending(evidence: Evidence) -> str | None:
    """Retrievers list the best first; scores that rise down the list are distances."""
    rising = listed = 0
    for case in evidence.cases:
        told = [value for _, value in sorted(_values(evidence, case, RETRIEVAL).items())]
        if len(told) >= LEAST and told[0] != told[-1]:
            listed += 1
            rising += all(a <= b for a, b in pairwise(told))
    if listed and rising >= 0.8 * listed:
        return f"in {rising} of {listed} queries they rise from the first candidate to the last"
    return None


def shared_words(case: Case) -> dict[int, float]:
    """How many distinct words of the query each candidate has, by input position."""
    wanted = set(words(case.ranking.query))
    return {hit.index: float(len(wanted & set(words(hit.text)))) for hit in case.hits}
