"""What a scorer is asked: a fixed plan, at most 20 lists. Pure."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import Enum, auto

from .texts import EMPTYISH, FILLER, LEAD, NOISE, TOPICS

#: The most lists that a check asks a scorer for.
MOST_CALLS = 20
#: The longest list, which fits into one prompt of an LLM.
LONGEST = 10


class Kind(Enum):
    """What a text is to the question."""

    OWN = auto()  # the passage that answers it
    BESIDE = auto()  # on the subject, and no answer
    COPY = auto()  # the question itself
    OTHER = auto()  # the passage of another question
    LONG = auto()  # long, on the subject, and no answer
    PADDED = auto()  # the passage that answers, and a lot besides
    EMPTYISH = auto()
    NOISE = auto()


#: Texts of a list: the answer, three other passages, and by question two more. Few and short, for
#: the sake of local models: four lists have a long text, four one that says next to nothing.
_TEXTS = 6
_MORE = (
    (Kind.COPY, Kind.EMPTYISH),
    (Kind.BESIDE, Kind.LONG),
    (Kind.COPY, Kind.PADDED),
    (Kind.BESIDE, Kind.EMPTYISH),
    (Kind.COPY, Kind.LONG),
    (Kind.LONG, Kind.PADDED),
    (Kind.EMPTYISH, Kind.NOISE),
    (Kind.EMPTYISH, Kind.LONG),
)
#: … the fewest that leave room for those two …
_CUT = 4
#: … and of a list whose texts begin alike.
_SHARED = 2


class Purpose(Enum):
    """What a list is asked for."""

    MATCH = auto()  # is the answer found?
    AGAIN = auto()  # a list once more, word for word
    SHUFFLED = auto()  # another list once more, in another order
    WITHOUT = auto()  # no answer among them
    LATE = auto()  # all begin alike, and the answer comes late
    ALONE = auto()  # one text by itself


@dataclass(frozen=True, slots=True)
class Text:
    """A text, what it is, and of which topic (-1: of none)."""

    text: str
    kind: Kind
    topic: int = -1


@dataclass(frozen=True, slots=True)
class Asked:
    """A question (by topic) over a list of texts."""

    purpose: Purpose
    topic: int
    texts: tuple[Text, ...]

    @property
    def query(self) -> str:
        """The question."""
        return TOPICS[self.topic].question

    @property
    def once_more(self) -> Asked:
        """The same, word for word."""
        return replace(self, purpose=Purpose.AGAIN)


def plan(most: int = LONGEST) -> Sequence[Asked]:
    """The lists to ask for, in order, for a scorer that takes so many texts at once.

    One that takes a single text, and so one call for each, is asked for 20 pairs.
    """
    if most == 1:
        return list(_pairs())
    size = min(most, _TEXTS)
    matches = [_match(topic, size) for topic in range(len(TOPICS))]
    again = matches[0].once_more
    return [
        *matches,
        matches[2].once_more,
        *(_turned(matches[topic]) for topic in (3, 6)),
        Asked(Purpose.WITHOUT, 2, (*_others(2, 2), _text(Kind.NOISE, 2))[:size]),
        # … each of them at another place than it had with the answer
        Asked(Purpose.WITHOUT, 5, tuple(_others(5, 3)[:size][::-1])),
        *(_late(topic, size) for topic in (1, 6)),
        Asked(Purpose.ALONE, 4, tuple(_others(4, 1))),
        Asked(Purpose.ALONE, 4, (_own(4),)),
        again,  # once more at the end: what drifts has done so by now
    ]


def in_parts(lists: Sequence[Asked]) -> tuple[Sequence[Asked], Sequence[Asked]]:
    """What tells whether a score hangs on its list at all, and what only tells in which way.

    The first part has every question, and of what is asked again one list of each: three passages
    at other places and in other company, one text alone, and the first list word for word at the
    end. Where all these have the scores that they had, to the last digits, the second part could
    show nothing else. 20 pairs are one part.
    """
    last = {asked.purpose: at for at, asked in enumerate(lists)}
    if Purpose.ALONE not in last:
        return lists, ()
    again = {last[purpose] for purpose in (Purpose.WITHOUT, Purpose.ALONE, Purpose.AGAIN)}
    once = (Purpose.MATCH, Purpose.LATE)
    first = {at for at, asked in enumerate(lists) if asked.purpose in once} | again
    return (
        [asked for at, asked in enumerate(lists) if at in first],
        [asked for at, asked in enumerate(lists) if at not in first],
    )


def further(size: int) -> Sequence[Asked]:
    """More lists of texts that begin alike, for where those of the plan leave it open."""
    return [_late(topic, min(size, _TEXTS)) for topic in (3, 4)]


def _match(topic: int, size: int) -> Asked:
    more = [_text(kind, topic) for kind in _MORE[topic]]
    # a list that is cut short keeps what tells more than another passage does
    others = 3 if size >= _TEXTS or size < _CUT else size - 1 - len(more)
    texts = [_own(topic), *_others(topic, others), *more]
    return Asked(Purpose.MATCH, topic, _placed(texts[:size], topic))


def _placed(texts: Sequence[Text], topic: int) -> tuple[Text, ...]:
    """In an order of no meaning, the answer in each place in turn.

    What says next to nothing comes first: where it is left out, all scores move up by one.
    """
    own, *rest = texts
    random.Random(f"order {topic}").shuffle(rest)
    rest.sort(key=lambda text: text.kind is not Kind.EMPTYISH)
    rest.insert((2 - topic) % len(texts), own)
    return tuple(rest)


def _turned(asked: Asked) -> Asked:
    """The second half first, each half reversed: every text stands somewhere else."""
    half = len(asked.texts) // 2
    texts = (*asked.texts[half:][::-1], *asked.texts[:half])
    return Asked(Purpose.SHUFFLED, asked.topic, texts)


def _late(topic: int, size: int) -> Asked:
    passages = [*_others(topic, _SHARED - 1)[: size - 1], _own(topic)]
    passages = passages[topic % len(passages) :] + passages[: topic % len(passages)]
    texts = (Text(LEAD + one.text, one.kind, one.topic) for one in passages)
    return Asked(Purpose.LATE, topic, tuple(texts))


def _pairs() -> Iterator[Asked]:
    """Four questions over their own passage and two others; of two of them the passage with a lot
    besides, of the other two what begins alike; and two pairs once more."""
    topics = (0, 2, 4, 6)
    for at, topic in enumerate(topics):
        others = (topics[at - 1], topics[at - 2])
        for text in (_own(topic), *map(_passage, others)):
            yield Asked(Purpose.MATCH, topic, (text,))
    for topic in (2, 4):
        yield Asked(Purpose.MATCH, topic, (_text(Kind.PADDED, topic),))
    for topic in (0, 6):
        for text in _late(topic, _SHARED).texts:
            yield Asked(Purpose.LATE, topic, (text,))
    for topic in (2, 0):
        yield Asked(Purpose.AGAIN, topic, (_own(topic),))


def _own(topic: int) -> Text:
    return Text(TOPICS[topic].passage, Kind.OWN, topic)


def _passage(topic: int) -> Text:
    return Text(TOPICS[topic].passage, Kind.OTHER, topic)


def _others(topic: int, count: int) -> list[Text]:
    """Other passages, that of the question before first: a stale one would find it."""
    return [_passage((topic - step) % len(TOPICS)) for step in range(1, count + 1)]


def _text(kind: Kind, topic: int) -> Text:
    """A text of this kind for a question; those of no subject belong to no topic."""
    own = TOPICS[topic]
    text, of = {
        Kind.COPY: (own.question, topic),
        Kind.BESIDE: (own.beside, topic),
        Kind.PADDED: (f"{own.passage} {FILLER}", topic),
        Kind.LONG: (f"{own.beside} {FILLER} {own.beside}", -1),  # the subject at both ends, no use
        Kind.EMPTYISH: (EMPTYISH[topic], -1),
        Kind.NOISE: (NOISE[topic // 2], -1),
    }[kind]
    return Text(text, kind, of)
