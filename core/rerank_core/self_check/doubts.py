"""What is asked for once more before it is held against a scorer. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from . import matching
from .answers import SETTLED, Answers, share
from .plan import MOST_CALLS, Asked, Purpose, further


def in_doubt(answers: Answers, size: int) -> Sequence[Asked]:
    """Lists that tell what looks like a fault from chance, as many as there are calls left.

    Texts that begin alike and have one score, as coarse grades do now and then: two more lists of
    such. Scores that differ in another order or in other company: the two lists that differ most,
    word for word. Else an answer that is not first where others are: its list. What differs then
    as well is chance.
    """
    late = [max(answer.values) - min(answer.values) for answer in answers.late]
    if late and max(late) <= answers.same:
        lists = further(size)
    elif matching.find(answers) is None:
        lists = _moved(answers) or _odd(answers)
    else:
        return []
    return lists[: MOST_CALLS - len(answers.all)]


def _moved(answers: Answers) -> Sequence[Asked]:
    least = max(answers.same, SETTLED * answers.separation)
    found: list[tuple[float, Asked]] = []
    for purpose in (Purpose.SHUFFLED, Purpose.WITHOUT, Purpose.ALONE):
        for answer in answers.by_purpose[purpose]:
            before, now = answers.first[answer.asked.topic].by_text(), answer.by_text()
            by = max((abs(now[text] - before[text]) for text in now if text in before), default=0)
            found.append((by, answer.asked))
    if not found:
        return []
    by, most = max(found, key=lambda one: one[0])
    if by <= least:
        return []
    return [answers.first[most.topic].asked.once_more, most.once_more]


def _odd(answers: Answers) -> Sequence[Asked]:
    found = [
        (share(answer.own, answer.off, answers.same), answer.asked)
        for answer in answers.lists
        if answer.own is not None and answer.off
    ]
    odd = [one for one in found if one[0] < 1]
    return [asked.once_more for _, asked in sorted(odd, key=lambda one: one[0])]
