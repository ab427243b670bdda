"""What do the scores go with: the judgements, the retriever, or nothing at all?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from statistics import fmean

from ..combine.normalize import rank_correlation
from ..ranking.candidate import RETRIEVAL
from .chance import surely_positive
from .evidence import Case, Evidence, key
from .finding import Cause, Finding, Severity
from .quality import helps
from .scores import LEAST, win_share

#: The share of its pairs in which a relevant document has the higher score: what chance does not
#: exceed, and what even a weak scorer surely has.
CHANCE, WEAK = 0.62, 0.72
#: … and what the retriever surely has where it is not at chance.
ABOVE = 0.55
#: Among the first retrieved alone a scorer that has surely more than this is at no chance.
SHALLOW = 0.6
#: How much of the list lies behind the best of the one in the order of the other, at least.
AGREED = 0.7
#: The rank correlation with the retriever's order with which a scorer says nothing of its own; and
#: the one above which two that agree are no two witnesses.
ECHO, AS_ONE = 0.95, 0.9
#: … if it holds among the first, too: a model may order these and leave a long rest as it was.
ECHO_AT_TOP, TOP = 0.85, 10
#: Fewer grades than this may well follow the retriever's order.
GRADES = 3
#: Fewer candidates than this agree by chance.
LONG = 8
#: So many relevant documents, over so many queries and so many a query, are never all above all
#: others where somebody else judged.
RELEVANT, QUERIES, EACH = 60, 20, 2.5
#: … but for ties at the limit: the share of pairs in which they are above, a tie for half of one.
SURE = 0.98


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
            if len(first) < LEAST or len(often := Counter(first.values())) < GRADES:
                continue
            by_chance = len(first) - sum(n * n for n in often.values()) / len(first)
            for repeat in case.repeats:
                second = _by_text(Case(repeat), name, evidence)
                same = sorted(first.values()) == sorted(second.values())
                elsewhere = sum(first[text] != second.get(text) for text in first)
                asked += 1
                moved += same and elsewhere > by_chance / 2 and not _even(first.values())
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
    mine, theirs, together, shallow, alike = [], [], [], [], []
    for case in evidence.judged:
        told = case.signal(name, combined=evidence.setup.combined)
        retrieved = {hit.index: -float(hit.retrieved) for hit in case.hits}
        first = {hit.index for hit in case.retrieved[: max(10, len(case.hits) // 5)]}
        if (near := win_share(case, {i: v for i, v in told.items() if i in first})) is not None:
            shallow.append(near)
        one, other = win_share(case, told), win_share(case, retrieved)
        if one is None or other is None or _says_little(list(told.values())):
            continue
        mine.append(one)
        theirs.append(other)
        best = max(told, key=told.__getitem__)
        place = sum(value < retrieved[best] for value in retrieved.values())
        together.append(place / (len(retrieved) - 1))
        alike.append(rank_correlation([(told[i], retrieved[i]) for i in told]))
    if len(mine) < 2 * LEAST or not _is_weak(mine):
        return None
    if surely_positive([value - SHALLOW for value in shallow]):
        return None  # right scores, and false hits from deep in the list
    seen = (
        f"over {len(mine)} judged queries a relevant document has the higher score in "
        f"{fmean(mine):.0%} of its pairs with others, as by chance"
    )
    better = [other - one for one, other in zip(mine, theirs, strict=True)]
    above = surely_positive([value - ABOVE for value in theirs])
    if _is_chance(mine) and above and surely_positive(better):
        return f"{seen}; in the retriever's order it is {fmean(theirs):.0%}"
    # two that agree on the documents, and not with the judgements
    if not _is_weak(theirs) or fmean(alike) > AS_ONE:
        return None
    chance = _is_chance(mine) and _is_chance(theirs) and surely_positive(alike)
    if chance or surely_positive([value - AGREED for value in together]):
        return f"{seen}, and {fmean(theirs):.0%} in the retriever's, though these two agree"
    return None


def _says_little(scores: Sequence[float]) -> bool:
    """Whether most are one score: that is no chance, but flat."""
    return Counter(scores).most_common(1)[0][1] > len(scores) / 2


def _is_chance(shares: list[float]) -> bool:
    """Not above a half beyond chance, and surely below what a weak scorer has."""
    return _is_weak(shares) and not surely_positive([value - 0.5 for value in shares], 0.05)


def _is_weak(shares: list[float]) -> bool:
    below = surely_positive([0.5 - value for value in shares])  # that is the wrong way round
    return (
        not below
        and fmean(shares) <= CHANCE
        and surely_positive([WEAK - value for value in shares], 0.05)
    )


def echo(evidence: Evidence) -> Iterator[Finding]:
    """A scorer that gives the retriever's order back."""
    if helps(evidence):
        return
    for name in evidence.setup.scorers:
        found, first = [], []
        for case in evidence.cases:
            told = case.signal(name, combined=evidence.setup.combined)
            listed = [told[hit.index] for hit in case.retrieved if hit.index in told]
            if (alike := _alike(listed)) is not None:
                found.append(alike)
                top = _alike(listed[:TOP])
                first.append(alike if top is None else top)
        if len(found) < LEAST or fmean(found) < ECHO or fmean(first) < ECHO_AT_TOP:
            continue
        yield Finding(
            Cause.ECHO,
            Severity.LIMITS,
            f"{name}: over {len(found)} queries its scores follow the retriever's order (rank "
            f"correlation {fmean(found):.3f}, {fmean(first):.3f} among the first {TOP})",
            "it says what the retriever has said already, so nothing changes: a model that repeats "
            "the order of its prompt, the retriever's own score handed through, or the same "
            f"embedding or words as the retriever's ({RETRIEVAL})",
            "see that the scorer is asked at all, shuffle what an LLM is shown (passes=3), or take "
            "a scorer of another kind than the retriever",
        )


def _alike(listed: Sequence[float]) -> float | None:
    """How well scores in the retriever's order fall, -1..1; None of too few, or too few grades."""
    levels = len(set(listed))
    if len(listed) < LONG or levels < GRADES:
        return None
    if levels > len(listed) / 2:
        return rank_correlation([(score, -float(at)) for at, score in enumerate(listed)])
    return _in_order(listed)


def _in_order(grades: Sequence[float]) -> float:
    """The surplus of pairs that fall over those that rise, -1..1, ties left out."""
    falling = rising = 0
    for at, one in enumerate(grades):
        for later in grades[at + 1 :]:
            falling += one > later
            rising += one < later
    return (falling - rising) / (falling + rising)


def own_judgements(evidence: Evidence) -> Iterator[Finding]:
    """Judgements that are the reranker's own scores."""
    judged = evidence.judged
    relevant = sum(len(case.relevant & {key(hit) for hit in case.hits}) for case in judged)
    if len(judged) < QUERIES or relevant < max(RELEVANT, EACH * len(judged)):
        return
    for name in evidence.setup.scorers:
        known = []
        for case in judged:
            told = case.signal(name, combined=evidence.setup.combined)
            if (one := win_share(case, told)) is not None:
                known.append((one, _contradicts(case, told)))
        if len(known) < QUERIES or any(against for _, against in known):
            continue
        if fmean(one for one, _ in known) < SURE:
            continue
        yield Finding(
            Cause.OWN_JUDGEMENTS,
            Severity.UNCLEAR,
            f"{name}: none of {relevant} relevant documents of {len(known)} queries scores below "
            "one that is not, without an exception",
            "nobody agrees so with anybody: these judgements look as if they were made of the "
            "scores that they judge, and so they call any such reranker perfect",
            "judge with another model than the one that is judged, or by hand; a share of the "
            "judgements looked at by a person tells how good they are",
        )


def _contradicts(case: Case, told: Mapping[int, float]) -> bool:
    """Whether a relevant document scores below one that is not."""
    scored = [
        (told[hit.index], key(hit) in case.relevant) for hit in case.hits if hit.index in told
    ]
    lowest = min(score for score, relevant in scored if relevant)
    return any(score > lowest for score, relevant in scored if not relevant)
