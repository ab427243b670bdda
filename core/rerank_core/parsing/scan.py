"""Text as tokens: one pass, every character consumed once, so time is linear on any input."""

from __future__ import annotations

import re
from functools import cached_property
from itertools import islice, pairwise
from typing import NamedTuple

from .words import COUNTED, OUT_OF, POINTS

_TOKEN = re.compile(
    r"(?P<number>(?:\d+(?:[.,]\d+)*|\.\d+)(?:[eE][-+]?\d+)?)"
    r"|(?P<word>[^\W\d_]+(?:['_][^\W\d_]+)*)"
    r"|(?P<line>\n)"
    r"|(?P<sign>([^\w\s])\5*|_)"
)
_LONGEST = 24  # characters of a number that can be a score or an id


class Token(NamedTuple):
    """A number, word, line end or run of one sign, and where it stands."""

    kind: str
    text: str
    start: int
    end: int


class Tokens(list[Token]):
    """The tokens of a text and its lines, which are found once, however many readings ask."""

    @cached_property
    def lines(self) -> list[tuple[int, int]]:
        """First token and end of each line that is not empty."""
        return self._between([i for i, token in enumerate(self) if token.kind == "line"])

    @cached_property
    def parts(self) -> list[tuple[int, int]]:
        """The same where braces end a line too."""
        return self._between([i for i, token in enumerate(self) if token.text[0] in "\n{}"])

    def _between(self, ends: list[int]) -> list[tuple[int, int]]:
        bounds = pairwise([-1, *ends, len(self)])
        return [(before + 1, end) for before, end in bounds if before + 1 < end]


class Text(str):
    """A text that is cut into tokens once, however many readings look at it."""

    @cached_property
    def tokens(self) -> Tokens:
        """All of it but its blanks."""
        return _cut(self)


def tokens(text: str) -> Tokens:
    """All of `text` but its blanks."""
    return text.tokens if isinstance(text, Text) else _cut(text)


def _cut(text: str) -> Tokens:
    return Tokens(
        Token(match.lastgroup or "sign", match[0], match.start(), match.end())
        for match in _TOKEN.finditer(text)
    )


def len_of_tokens(text: str, number: int) -> int:
    """Where the first `number` tokens of `text` end."""
    beyond = next(islice(_TOKEN.finditer(text), number, None), None)
    return len(text) if beyond is None else beyond.start()


class Value(NamedTuple):
    """A number as a reply has it: `number`, of at most `of` where it says so ("8/10", "85%")."""

    number: float
    of: float | None
    #: Index of the first token after it.
    after: int
    #: The number stands alone, and its text could go on if the reply was cut off here.
    growing: bool = False
    #: Both ends, where it is a range; `number` is the middle.
    ends: tuple[float, float] | None = None


def whole(text: str) -> int | None:
    """A document number: digits and no more."""
    return int(text) if len(text) <= 9 and text.isdigit() else None


def to_float(text: str) -> float | None:
    """`0.85`, `0,85`, `.85`, `8.5e-1`; None for lists, versions, and what no score can be."""
    if not 0 < len(text) <= _LONGEST or text.count(".") + text.count(",") > 1:
        return None
    number = float(text.replace(",", "."))
    return number if number < 1e18 else None


def value_at(toks: list[Token], at: int, text: str) -> Value | None:
    """The value whose number is token `at`: with sign, range, fraction, percentage; else None.

    None too for what only looks like one: parts of words (`COVID-19`, `3rd`), dates, versions, and
    numbers that count something ("3 reasons", "100% of the passages").
    """
    token = toks[at]
    number = to_float(token.text)
    if number is None:
        return None
    before = text[token.start - 1] if token.start else " "
    if before == "-":
        outer = text[token.start - 2] if token.start > 1 else " "
        if outer.isalnum():
            return None
        if outer in " \n:=(\"'[" and not _is_range_end(toks, at):
            number = -number
    elif before == "/" or (before.isalnum() and before.isascii()):
        return None
    i, of, ends = at + 1, None, None
    if i < len(toks) and toks[i].start == token.end:  # glued to the number
        sign = toks[i].text
        if toks[i].kind == "word" and sign.isascii() and sign.lower() not in ("pts", "points", "p"):
            return None
        if sign == "%":
            of, i = 100.0, i + 1
    elif _is(toks, i, "%"):
        of, i = 100.0, i + 1
    if (upper := _range(toks, at, i)) is not None:
        ends = (number, upper)
        number, i = (number + upper) / 2, i + 2
        if _is(toks, i, "%"):
            of, i = 100.0, i + 1
    if of is None:
        outcome = _fraction(toks, i)
        if outcome is not None:
            of, i = outcome
            if of <= 0 or _is(toks, i, "/"):  # a date
                return None
    if _counts(toks, i):
        return None
    return Value(number, of, i, of is None and i == at + 1, ends)


def _fraction(toks: list[Token], i: int) -> tuple[float, int] | None:
    if _is(toks, i, "/"):
        of = _number(toks, i + 1)
        return None if of is None else (of, i + 2)
    if not (i < len(toks) and toks[i].kind == "word"):
        return None
    word = toks[i].text.lower()
    if word in POINTS:
        return _fraction(toks, i + 1) if i + 1 < len(toks) and toks[i + 1].kind == "word" else None
    if word == "out" and i + 1 < len(toks) and toks[i + 1].text.lower() == "of":
        i += 1
    elif word not in OUT_OF:
        return None
    i += 1
    while i < len(toks) and toks[i].text.lower() in ("a", "maximum", "max", "possible", "total"):
        i += 1
    of = _number(toks, i)
    return None if of is None else (of, i + 1)


def _range(toks: list[Token], at: int, dash: int) -> float | None:
    """The upper end of `7-8`, `7 to 8`, `6 or 7`; None for `9 - 3 reasons`, `8 - 2019`."""
    joint = toks[dash].text if dash < len(toks) else ""
    between = joint == "and" and at > 0 and toks[at - 1].text.lower() == "between"
    if joint not in ("-", "to", "or") and not between:
        return None
    lower, upper = to_float(toks[at].text), _number(toks, dash + 1)
    if lower is None or upper is None or upper <= lower or upper > 100:
        return None
    gaps = (toks[dash].start - toks[at].end, toks[dash + 1].start - toks[dash].end)
    return upper if gaps == ((0, 0) if joint == "-" else (1, 1)) else None


def _is_range_end(toks: list[Token], at: int) -> bool:
    return at > 1 and toks[at - 2].kind == "number" and toks[at - 2].end == toks[at - 1].start


def _counts(toks: list[Token], i: int) -> bool:
    """Whether the words from `i` on are what the number before them counts."""
    if i >= len(toks) or toks[i].kind != "word":
        return False
    word = toks[i].text.lower()
    return word in COUNTED or (word == "of" and _number(toks, i + 1) is None)


def _is(toks: list[Token], i: int, sign: str) -> bool:
    return i < len(toks) and toks[i].text == sign


def _number(toks: list[Token], i: int) -> float | None:
    if i < len(toks) and toks[i].kind == "number":
        return to_float(toks[i].text)
    return None
