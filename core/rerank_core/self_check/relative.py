"""Are the scores of a list made relative to it? Pure."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from statistics import fmean

from .answers import GRADED, Answer, Answers
from .plan import Purpose

#: Of the span of all scores: what counts as the same. A normalisation is exact.
_EXACT = 1e-4
#: … and the share of it that company must move a score by to be no rounding.
_MOVED = 0.01
#: Lists of one length whose scores are all different, and the same numbers each time: ranks.
_RANKED = 3

#: The fewest texts that do not move together by chance.
_TOGETHER = 3

_View = Callable[[float], float]
#: How to look at scores so that a division, a softmax or a sigmoid of what was normalised is an
#: addition; and what they must all be for that.
_VIEWS: Sequence[tuple[_View, Callable[[float], bool]]] = (
    (lambda score: score, lambda score: True),
    (math.log, lambda score: score > 0),
    (lambda score: math.log(score / (1 - score)), lambda score: 0 < score < 1),
)


def how(answers: Answers) -> str:
    """How the scores of a list were normalised over it; nothing where they were not."""
    lists = [
        answer
        for purpose in (Purpose.MATCH, Purpose.WITHOUT, Purpose.LATE)
        for answer in answers.by_purpose[purpose]
        if len(answer.values) > 2 and None not in answer.scores
    ]
    if sum(answer.asked.purpose is Purpose.WITHOUT for answer in lists) < 2:
        return ""
    if _ranks(lists):
        return "they are always the same few numbers, as ranks are"
    for view, fits in _VIEWS:
        if all(fits(score) for answer in lists for score in answer.values):
            if told := _equal(lists, view):
                return told
            if answers.distinct > GRADED and _shifted(answers, view):
                return "in other company or order all are higher or lower by the same"
    return ""


def _equal(lists: Sequence[Answer], view: _View) -> str:
    made: dict[str, Callable[[Sequence[float]], float]] = {
        "in every list the best has the same score": max,
        "the scores of every list add up to the same": sum,
        "the scores of every list have the same mean": fmean,
    }
    seen = [[view(score) for score in answer.values] for answer in lists]
    tolerance = _EXACT * _span(seen)
    for told, figure in made.items():
        figures = [figure(scores) for scores in seen]
        if max(figures) - min(figures) <= tolerance:
            return told
    return ""


def _shifted(answers: Answers, view: _View) -> bool:
    """Whether the texts of each list that was asked again moved together, and at all."""
    moved = [
        [view(now) - view(before) for before, now in pairs]
        for pairs in _in_other_company(answers)
        if len(pairs) > 1
    ]
    span = _span([[view(score) for score in answer.values] for answer in answers.lists])
    together = all(max(steps) - min(steps) <= _EXACT * span for steps in moved)
    at_all = [len(steps) for steps in moved if abs(steps[0]) > _MOVED * span]
    return together and sum(at_all) >= _TOGETHER


def _in_other_company(answers: Answers) -> Iterator[list[tuple[float, float]]]:
    """By list: the scores that its texts had, and those that they have in other company, or in
    another order."""
    for purpose in (Purpose.WITHOUT, Purpose.SHUFFLED):
        for answer in answers.by_purpose[purpose]:
            before = answers.first[answer.asked.topic].by_text()
            now = answer.by_text()
            yield [(before[text], score) for text, score in now.items() if text in before]


def _ranks(lists: Sequence[Answer]) -> bool:
    """Whether lists of one length add up to the same, whatever stands in them, or have the same
    scores, none of them twice: chance does not do that, and grades repeat themselves."""
    most = max(len(answer.values) for answer in lists)
    longest = [sorted(answer.values) for answer in lists if len(answer.values) == most]
    apart = [scores for scores in longest if len(set(scores)) == most]
    sums = {round(sum(scores), 6) for scores in longest}
    if len(sums) == 1 and len(longest) >= _RANKED and max(len(set(s)) for s in longest) >= _RANKED:
        return True
    return len(apart) >= _RANKED and all(scores == apart[0] for scores in apart)


def _span(seen: Sequence[Sequence[float]]) -> float:
    every = [score for scores in seen for score in scores]
    return max(every) - min(every)
