"""Do documents of one score belong there? They stand where those of about the same score stand.

Higher scores stand higher in the retriever's order, and are more often relevant: documents of one
score are between those that score a little less and a little more. A score that was given for want
of another falls on any document, and where both neighbours are off the mean, it is not.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from statistics import fmean

from .chance import surely_positive
from .evidence import Evidence, key

#: Of what their neighbours are off the mean, any documents may be off so much.
OFF = 0.4
#: Of a list, so many may have one value: else no neighbours are left.
MOST = 0.5
#: Where in the retriever's order (0 first, 1 last) any documents are, on average.
SPREAD = (0.25, 0.75)


def out_of_place(evidence: Evidence, name: str, value: float) -> bool:
    """Whether documents with this score are any documents, and those that score alike are not."""
    by_rank = [
        (case, {hit.index: hit.retrieved / len(case.hits) for hit in case.hits})
        for case in evidence.cases
    ]
    by_grade = [
        (case, {hit.index: float(key(hit) in case.relevant) for hit in case.hits})
        for case in evidence.judged
    ]
    for known in (by_rank, by_grade):
        sides: list[list[tuple[float, float]]] = [[], []]
        for case, place in known:
            told = case.signal(name, combined=evidence.setup.combined)
            for pairs, pair in zip(sides, _offsets(told, value, place), strict=False):
                if pair is not None:
                    pairs.append(pair)
        if any(sides) and any(
            all(_is_nearer(pairs, way) for pairs in sides if pairs) for way in (1, -1)
        ):
            return True
    return False


def _is_nearer(pairs: Sequence[tuple[float, float]], way: int) -> bool:
    """Whether these stand at the mean, and their neighbours on one side are off it, this way."""
    mine, others = fmean(one for one, _ in pairs), fmean(other for _, other in pairs)
    return (
        abs(mine) < OFF * abs(others)
        and surely_positive([way * other for _, other in pairs])
        and surely_positive([way * (other - one) for one, other in pairs])
    )


def is_spread(evidence: Evidence, name: str, value: float) -> bool:
    """Whether documents with this score are retrieved high and low, and not all at one end."""
    places = [
        hit.retrieved / (len(case.hits) + 1)
        for case in evidence.cases
        for told in (case.signal(name, combined=evidence.setup.combined),)
        for hit in case.hits
        if told.get(hit.index) == value
    ]
    return SPREAD[0] <= fmean(places) <= SPREAD[1]


def _offsets(
    told: Mapping[int, float], value: float, place: Mapping[int, float]
) -> Iterator[tuple[float, float] | None]:
    """How far from the mean place those of this value are, and those that score a little less,
    then a little more; None where there are none.
    """
    mine = [index for index, score in told.items() if score == value]
    if not mine or len(mine) > MOST * len(told):
        return
    middle = fmean(place[index] for index in told)
    for side in (-1, 1):
        beyond = [index for index, score in told.items() if side * (score - value) > 0]
        if not beyond:
            yield None
            continue
        # all of a tie: its first are those that were retrieved first
        limit = sorted(side * told[index] for index in beyond)[: len(mine)][-1]
        near = [index for index in beyond if side * told[index] <= limit]
        yield fmean(place[i] for i in mine) - middle, fmean(place[i] for i in near) - middle
