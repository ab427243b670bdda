"""What do the scores go with: the judgements, the retriever, or nothing at all?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import pairwise
from statistics import fmean

from ..combine.normalize import rank_correlation
from ..ranking.candidate import RETRIEVAL
from .chance import surely_positive
from .evidence import Case, Evidence, key
from .finding import Cause, Finding, Severity
from .scores import LEAST, win_share

#: The share of its pairs in which a relevant document has the higher score: about chance, and what
#: even a weak scorer surely has.
CHANCE, WEAK = (0.38, 0.62), 0.72
#: How much of the list lies behind the best of the one in the order of the other, at least.
AGREED = 0.7
#: The rank correlation with the retriever's order with which a scorer says nothing of its own.
ECHO = 0.98
#: The share of queries; a scorer that changes its mind in more of them says something.
NEARLY_ALL = 0.95
#: Fewer candidates than this agree by chance.
LONG = 8
#: So many relevant documents, over so many queries and so many a query, are never all above all
#: others where somebody else judged.
RELEVANT, QUERIES, EACH = 60, 20, 2.5


def unrelated(evidence: Evidence) -> Iterator[Finding]:
    """Scores that are another document's, or nothing to do with the judgements."""
    for name in evidence.setup.scorers:
        if seen := _moved(evidence, name) or _by_chance(evidence, name):
            yield Finding(
                Cause.UNRELATED,
                Severity.BROKEN,
                f"{name}: {seen}",
                "scores that stand at other documents than their own look like this (a list that "
                "was sorted or shuffled on the way, a stale cache, ids that changed places), and "
                "so do a wrong text field and a model that is no reranker",
                "look up one document by its id in the index, the candidates and the judgements; "
                "empty the cache; run `rerank doctor --quick`, which tells a scorer that cannot "
                "rank from data that do not belong together",
            )


def _moved(evidence: Evidence, name: str) -> str | None:
    """The same scores every time, at other documents."""
    for cases in (evidence.again, evidence.shuffled):
        moved = asked = 0
        for case in cases:
            first = _by_text(case, name, evidence)
            if len(first) < LEAST or len(set(first.values())) < len(first) / 2:
                continue
            for repeat in case.repeats:
                second = _by_text(Case(repeat), name, evidence)
                same = sorted(first.values()) == sorted(second.values())
                elsewhere = sum(first[text] != second.get(text) for text in first)
                asked += 1
                moved += same and elsewhere > len(first) / 2 and not _even(first.values())
        if asked and moved >= 0.8 * asked:
            return (
                f"in {moved} of {asked} lists that were asked for again the same scores came "
                "back, at other documents"
            )
    return None


def _even(values: Iterable[float]) -> bool:
    """Whether the scores are even steps: ranks, which every list has alike."""
    steps = [b - a for a, b in pairwise(sorted(values))]
    return max(steps) - min(steps) < 1e-6


def _by_text(case: Case, name: str, evidence: Evidence) -> dict[str, float]:
    told = case.signal(name, combined=evidence.setup.combined)
    return {hit.text: told[hit.index] for hit in case.hits if hit.index in told}


def _by_chance(evidence: Evidence, name: str) -> str | None:
    mine, theirs, together = [], [], []
    for case in evidence.judged:
        told = case.signal(name, combined=evidence.setup.combined)
        retrieved = {hit.index: -float(hit.retrieved) for hit in case.hits}
        one, other = win_share(case, told), win_share(case, retrieved)
        if one is None or other is None:
            continue
        mine.append(one)
        theirs.append(other)
        best = max(told, key=told.__getitem__)
        place = sum(value < retrieved[best] for value in retrieved.values())
        together.append(place / (len(retrieved) - 1))
    if len(mine) < 2 * LEAST or not _is_weak(mine):
        return None
    seen = (
        f"over {len(mine)} judged queries a relevant document has the higher score in "
        f"{fmean(mine):.0%} of its pairs with others, as by chance"
    )
    if _is_chance(mine) and surely_positive([value - 0.6 for value in theirs]):
        return f"{seen}; in the retriever's order it is {fmean(theirs):.0%}"
    # two that agree on the documents, and not with the judgements
    if _is_weak(theirs) and surely_positive([value - AGREED for value in together]):
        return f"{seen}, and {fmean(theirs):.0%} in the retriever's, though these two agree"
    return None


def _is_chance(shares: list[float]) -> bool:
    """Not above a half beyond chance, and surely below what a weak scorer has."""
    return _is_weak(shares) and not surely_positive([value - 0.5 for value in shares], 0.05)


def _is_weak(shares: list[float]) -> bool:
    return CHANCE[0] <= fmean(shares) <= CHANCE[1] and surely_positive(
        [WEAK - value for value in shares], 0.05
    )


def echo(evidence: Evidence) -> Iterator[Finding]:
    """A scorer that gives the retriever's order back."""
    for name in evidence.setup.scorers:
        found = []
        for case in evidence.cases:
            told = case.signal(name, combined=evidence.setup.combined)
            first = {hit.index: -float(hit.retrieved) for hit in case.hits if hit.index in told}
            if len(told) >= LONG and len(set(told.values())) > len(told) / 2:
                found.append(rank_correlation([(told[i], first[i]) for i in told]))
        if len(found) < LEAST or sum(one >= ECHO for one in found) < NEARLY_ALL * len(found):
            continue
        yield Finding(
            Cause.ECHO,
            Severity.LIMITS,
            f"{name}: in {sum(one >= ECHO for one in found)} of {len(found)} queries its scores "
            f"follow the retriever's order (rank correlation {fmean(found):.3f})",
            "it says what the retriever has said already, so nothing changes: a model that repeats "
            "the order of its prompt, the retriever's own score handed through, or the same "
            f"embedding or words as the retriever's ({RETRIEVAL})",
            "see that the scorer is asked at all, shuffle what an LLM is shown (passes=3), or take "
            "a scorer of another kind than the retriever",
        )


def own_judgements(evidence: Evidence) -> Iterator[Finding]:
    """Judgements that are the reranker's own scores."""
    judged = evidence.judged
    relevant = sum(len(case.relevant & {key(hit) for hit in case.hits}) for case in judged)
    if len(judged) < QUERIES or relevant < max(RELEVANT, EACH * len(judged)):
        return
    for name in evidence.setup.scorers:
        areas = [win_share(c, c.signal(name, combined=evidence.setup.combined)) for c in judged]
        known = [one for one in areas if one is not None]
        if len(known) < QUERIES or min(known) < 1.0:
            continue
        yield Finding(
            Cause.OWN_JUDGEMENTS,
            Severity.UNCLEAR,
            f"{name}: each of {relevant} relevant documents of {len(known)} queries scores above "
            "each that is not, without an exception",
            "nobody agrees so with anybody: these judgements look as if they were made of the "
            "scores that they judge, and so they call any such reranker perfect",
            "judge with another model than the one that is judged, or by hand; a share of the "
            "judgements looked at by a person tells how good they are",
        )
