"""What a scorer answered, and the numbers that the faults are told by. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from statistics import fmean, median

from ..combine.normalize import rank_correlation
from .plan import Asked, Kind, Purpose, Text

#: Of the separation between answers and others: by how much the score of a pair may differ and be
#: called the same, a tenth of the least that any finding goes by.
SETTLED = 0.001
#: … and the least pairs asked again that it takes to say so.
_FEW = 4

#: Scores with no more levels than this are grades, of 0 to 10.
GRADED = 11

#: What does not answer the question, and is not on its subject either.
_OFF = frozenset({Kind.OTHER, Kind.LONG, Kind.EMPTYISH, Kind.NOISE})


@dataclass(frozen=True)
class Answer:
    """One list with its scores, None where there is none."""

    asked: Asked
    scores: Sequence[float | None]

    @cached_property
    def told(self) -> list[tuple[Text, float]]:
        """The texts that have a score."""
        return [
            (text, score)
            for text, score in zip(self.asked.texts, self.scores, strict=True)
            if score is not None
        ]

    @cached_property
    def values(self) -> list[float]:
        """The scores that there are."""
        return [score for _, score in self.told]

    def of(self, kind: Kind) -> list[float]:
        """The scores of the texts of a kind."""
        return [score for text, score in self.told if text.kind is kind]

    @property
    def own(self) -> float | None:
        """The score of the passage that answers."""
        return next(iter(self.of(Kind.OWN)), None)

    @property
    def off(self) -> list[float]:
        """The scores of what does not."""
        return [score for text, score in self.told if text.kind in _OFF]

    def by_text(self) -> dict[str, float]:
        """Score by text."""
        return {text.text: score for text, score in self.told}


class Answers:
    """All that one scorer answered."""

    def __init__(self, answers: Sequence[Answer]) -> None:
        self.all = answers
        self.by_purpose: dict[Purpose, list[Answer]] = defaultdict(list)
        for answer in answers:
            self.by_purpose[answer.asked.purpose].append(answer)
        values = [score for answer in answers for score in answer.values]
        self.low, self.high = min(values, default=0.0), max(values, default=0.0)
        #: What counts as equal: rounding, as half precision does it, on whatever scale.
        self.same = 1e-6 * max(self.high - self.low, 1e-6 * max(abs(self.low), abs(self.high)))

    @cached_property
    def lists(self) -> list[Answer]:
        """The questions over texts with the answer among them, of pairs put together."""
        return self._whole(Purpose.MATCH)

    @cached_property
    def late(self) -> list[Answer]:
        """The lists whose texts begin alike, with the answer and what is none."""
        return [a for a in self._whole(Purpose.LATE) if a.own is not None and a.off]

    def _whole(self, purpose: Purpose) -> list[Answer]:
        answers = self.by_purpose[purpose]
        if all(len(answer.asked.texts) > 1 for answer in answers):
            return answers
        by_topic: dict[int, list[Answer]] = defaultdict(list)
        for answer in answers:
            by_topic[answer.asked.topic].append(answer)
        return [
            Answer(
                Asked(purpose, topic, tuple(t for a in some for t in a.asked.texts)),
                [score for answer in some for score in answer.scores],
            )
            for topic, some in by_topic.items()
        ]

    @cached_property
    def first(self) -> Mapping[int, Answer]:
        """The list with the answer, by topic."""
        return {answer.asked.topic: answer for answer in self.lists}

    @property
    def is_pairs(self) -> bool:
        """Whether every text was asked for by itself."""
        return all(len(answer.asked.texts) == 1 for answer in self.all)

    @cached_property
    def match(self) -> float:
        """How often (0..1) the answer scores higher than what is none, ties counting half.

        Of pairs also how often it does so for its own question rather than for others: they are
        few, and the scores are of one scale.
        """
        found = [share(a.own, a.off, self.same) for a in self.lists if a.own is not None and a.off]
        if self.is_pairs:
            found += [share(own, others, self.same) for own, others in self._by_passage()]
        return fmean(found) if found else 0.5

    @cached_property
    def beaten(self) -> float:
        """How often (0..1) what does not answer scores higher than the answer, ties not counted."""
        found = [
            fmean(score - a.own > self.same for score in a.off)
            for a in self.lists
            if a.own is not None and a.off
        ]
        return fmean(found) if found else 1.0

    def _by_passage(self) -> Iterator[tuple[float, list[float]]]:
        for own in self.lists:
            others = [
                score
                for answer in self.lists
                for text, score in answer.told
                if text.kind is Kind.OTHER and text.topic == own.asked.topic
            ]
            if own.own is not None and others:
                yield own.own, others

    @cached_property
    def separation(self) -> float:
        """How far what answers stands above what does not, on the scorer's scale; of medians."""
        own = [answer.own for answer in self.lists if answer.own is not None]
        off = [score for answer in self.lists for score in answer.off]
        return median(own) - median(off) if own and off else 0.0

    @cached_property
    def noise(self) -> float:
        """How far apart the scores of one list are the next time, root mean square."""
        return spread(self.changes)

    @cached_property
    def repeats(self) -> list[list[tuple[float, float]]]:
        """Of each list that was asked once more word for word: the scores last time, and now."""
        found = []
        last: dict[tuple[int, tuple[Text, ...]], Answer] = {}
        for answer in self.all:
            asked = (answer.asked.topic, answer.asked.texts)
            if asked in last:
                pairs = zip(last[asked].scores, answer.scores, strict=True)
                found.append([(a, b) for a, b in pairs if a is not None and b is not None])
            last[asked] = answer
        return found

    @cached_property
    def changes(self) -> list[float]:
        """By how much scores differ where a list was asked once more word for word."""
        return [now - before for pairs in self.repeats for before, now in pairs]

    def moves(self) -> list[tuple[float, float]]:
        """By text of the lists in another order: how far it moved, and how much its score did."""
        found = []
        for answer in self.by_purpose[Purpose.SHUFFLED]:
            one = self.first[answer.asked.topic]
            before, now = one.by_text(), answer.by_text()
            was = [text.text for text in one.asked.texts]
            found += [
                (float(at - was.index(text.text)), now[text.text] - before[text.text])
                for at, text in enumerate(answer.asked.texts)
                if text.text in now and text.text in before
            ]
        return found

    def same_pairs(self, *purposes: Purpose) -> Iterator[tuple[float, float]]:
        """Scores of one question and text: in its first list, and in these lists."""
        for purpose in purposes:
            for answer in self.by_purpose[purpose]:
                for first in self.lists:
                    if first.asked.topic == answer.asked.topic:
                        before = first.by_text()
                        for text, score in answer.by_text().items():
                            if text in before:
                                yield before[text], score

    @property
    def settled(self) -> bool:
        """Whether whatever was asked again has the score that it had, and all have one."""
        pairs = self.same_pairs(Purpose.AGAIN, Purpose.WITHOUT, Purpose.ALONE)
        changes = [abs(now - before) for before, now in pairs]
        return (
            all(None not in answer.scores for answer in self.all)
            and len(changes) >= _FEW
            and max(changes) <= max(self.same, SETTLED * self.separation)
        )

    @cached_property
    def distinct(self) -> int:
        """How many scores there are that differ."""
        values = sorted(score for answer in self.all for score in answer.values)
        return len(values) and 1 + sum(b - a > self.same for a, b in pairwise(values))

    @property
    def unread(self) -> bool:
        """Whether none of the longer texts has a score, where there are some of them."""
        longer = [
            score
            for answer in self.all
            for text, score in zip(answer.asked.texts, answer.scores, strict=True)
            if text.kind in (Kind.LONG, Kind.PADDED)
        ]
        return len(longer) > 1 and all(score is None for score in longer)

    @cached_property
    def agreement(self) -> float:
        """How alike (-1..1) different questions order the texts that their lists share."""
        found = []
        for at, one in enumerate(self.lists):
            mine = one.by_text()
            for other in self.lists[at + 1 :]:
                theirs = other.by_text()
                both = [(mine[text], theirs[text]) for text in mine if text in theirs]
                if len(both) > 2:
                    found.append(rank_correlation(both))
        return fmean(found) if found else 0.0

    @cached_property
    def by_length(self) -> float:
        """How the scores of one list go by the lengths of its texts (-1..1), in characters or
        words, whichever they follow more closely."""
        return max((self._along(len), self._along(lambda text: len(text.split()))), key=abs)

    def _along(self, length: Callable[[str], int]) -> float:
        found = []
        for answer in self.lists:
            if len(answer.told) > 2:
                pairs = [(float(length(text.text)), score) for text, score in answer.told]
                found.append(rank_correlation(pairs))
        return fmean(found) if found else 0.0


def share(own: float, others: Sequence[float], same: float) -> float:
    """The share of others that it is above, those within `same` counting half."""
    wins = sum(0.5 if abs(own - other) <= same else float(own > other) for other in others)
    return wins / len(others)


def spread(changes: Sequence[float]) -> float:
    """Root mean square."""
    return (sum(c * c for c in changes) / len(changes)) ** 0.5 if changes else 0.0
