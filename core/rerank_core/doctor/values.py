"""What the values of scores tell: defaults, batches that were normalised, length."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from statistics import fmean

from ..combine.normalize import rank_correlation
from .evidence import Evidence
from .finding import Cause, Finding, Severity
from .placing import is_spread, out_of_place
from .quality import helps
from .scores import LEAST, lists_of, win_share

#: The share of all scores that have one and the same value, of scores that are else all different.
DEFAULT = 0.08
#: … at most: what most documents get may well be meant. So many values are looked at.
HALF, VALUES = 0.5, 3
#: Below or above all others by this share of what they span, it is on another scale.
FAR = 0.5
#: The share of other scores that must be different, for a value to stand out.
FINE = 0.5
#: The share of batches that must look so.
NEARLY_ALL = 0.95
#: Batches that are looked for, where nothing tells of them; and the fewest that tell anything.
BATCHES, MANY = range(3, 65), 8
#: The rank correlation with length that is no relevance any more; and where judgements say that
#: relevant documents are not longer, and that reranking does not help.
LENGTH, LENGTH_JUDGED = 0.7, 0.4


def defaults(evidence: Evidence) -> Iterator[Finding]:
    """One value for whatever a parser could not read: in between, where all others differ, or
    anywhere, at documents that are not like those that score about the same.
    """
    for name in evidence.setup.scorers:
        lists = lists_of(evidence, name)
        every = [score for told in lists for score in told]
        if len(every) < 50:
            continue
        often = Counter(every)
        for value, count in often.most_common(VALUES):
            with_it = sum(value in told for told in lists)
            if count < DEFAULT * len(every) or count > HALF * len(every) or with_it < 2:
                continue
            between = value not in (min(every), max(every))
            alone = len(often) - 1 >= FINE * (len(every) - count)
            if alone and (between or _is_far(value, every)) and is_spread(evidence, name, value):
                seen = "where hardly any two others are the same"
            elif out_of_place(evidence, name, value):
                seen = (
                    "at documents that the retriever or the judgements put anywhere, unlike those "
                    "that score about the same"
                )
            else:
                continue
            yield Finding(
                Cause.DEFAULTS,
                Severity.HARMS,
                f"{name}: {count} of {len(every)} scores are exactly {value:.6g}, in {with_it} of "
                f"{len(lists)} queries, {seen}",
                "this is what a parser answers with when it cannot read a reply: documents that "
                "nobody judged stand above, or below, those that were",
                "answer None for what could not be read, and it is placed by an estimate; look at "
                "the raw replies behind these",
            )
            break


def _is_far(value: float, every: Sequence[float]) -> bool:
    """Whether it is far from the scale of all others, as -1 is from 0..1."""
    others = [score for score in every if score != value]
    gap = max(min(others) - value, value - max(others))
    return gap >= FAR * (max(others) - min(others))


def batches(evidence: Evidence) -> Iterator[Finding]:
    """Scores that were normalised over each batch of a list."""
    for name in evidence.setup.scorers:
        known = evidence.setup.group_sizes.get(name)
        for size in (known,) if known else BATCHES:
            if size < 3 or not (how := _normalised(evidence, name, size)):
                continue
            yield Finding(
                Cause.NEIGHBOURS,
                Severity.HARMS,
                f"{name}: {how} of {size} that the list is scored in",
                "scores are normalised over each batch: the best of a poor batch comes out like "
                "the best of all, and what is compared is the luck of its neighbours",
                "give the scores as the model gives them, and have them normalised over the whole "
                'list: WeightedSum(…, normalize="min-max")',
            )
            break


def _normalised(evidence: Evidence, name: str, size: int) -> str:
    parts = []
    for case in evidence.cases:
        told = case.signal(name, combined=evidence.setup.combined)
        listed = [told.get(hit.index) for hit in case.retrieved]
        if len(listed) < size + 3:
            continue  # of one batch alone nothing differs from the whole list's
        for start in range(0, len(listed), size):
            part = [score for score in listed[start : start + size] if score is not None]
            if len(part) >= 3:
                parts.append(part)
    if len(parts) < MANY or fmean(len(set(part)) / len(part) for part in parts) < FINE:
        return ""
    figures: dict[str, Callable[[Sequence[float]], float]] = {
        "the best has the same score in nearly all batches": max,
        "the scores add up to the same in nearly all batches": sum,
        "the scores have the same mean in nearly all batches": fmean,
    }
    for how, figure in figures.items():
        if figure is max and sum(part.count(max(part)) > 1 for part in parts) > len(parts) / 4:
            continue  # that is a ceiling
        often = Counter(_rounded(figure(part), part) for part in parts).most_common(1)[0][1]
        if often >= NEARLY_ALL * len(parts):
            return how
    return ""


def _rounded(figure: float, part: Sequence[float]) -> float:
    """To six digits, whatever the scale; a zero but for the arithmetic is one."""
    return 0.0 if abs(figure) < 1e-9 * (max(part) - min(part)) else float(f"{figure:.6g}")


def length(evidence: Evidence) -> Iterator[Finding]:
    """Scores that go by how long a document is."""
    for name in evidence.setup.scorers:
        found, longer = [], []
        for case in evidence.cases:
            told = case.signal(name, combined=evidence.setup.combined)
            sizes = {hit.index: float(len(hit.text)) for hit in case.hits}
            if len(told) < 2 * LEAST or len(set(sizes.values())) < LEAST:
                continue
            found.append(rank_correlation([(told[i], sizes[i]) for i in told]))
            if (one := win_share(case, sizes)) is not None:
                longer.append(one)
        if len(found) < LEAST:
            continue
        way = 1 if fmean(found) > 0 else -1
        strength = way * fmean(found)
        justified = bool(longer) and way * (fmean(longer) - 0.5) > 0.1
        judged = bool(evidence.judged) and strength >= LENGTH_JUDGED and not helps(evidence)
        if justified or not (strength >= LENGTH or judged):
            continue
        which = "longer" if way > 0 else "shorter"
        yield Finding(
            Cause.LENGTH,
            Severity.HARMS,
            f"{name}: within a query {which} documents score higher: the rank correlation with "
            f"the length is {fmean(found):+.2f} on average"
            + (
                f", though a relevant document is the longer in only {fmean(longer):.0%} of its "
                "pairs with others"
                if longer and way > 0
                else ""
            ),
            "dot products of vectors that are not normalised, sums over tokens or words, and "
            "models that like much text do this",
            "normalise the vectors or take cosines, take means and not sums, or cut documents "
            "into chunks of like size",
        )
