"""Where a text names documents: with a word or sign for scores, as atoms of an order."""

from __future__ import annotations

from itertools import zip_longest
from typing import NamedTuple

from .scan import Token, whole
from .words import ORDINALS, kind

_OPENS_ID = frozenset(("[", "[[", "#"))
_BEFORE_ID = frozenset(":#.=[(-_\"'")
_JOINING = frozenset((",", "&", "+", "and", "und", "et", "y", "e", "и", "和", "与", "と", "و"))
_LONGEST_RANGE = 200
_OPEN, _CLOSE = frozenset(("[", "[[", "(", '"', "#", "'")), frozenset(("]", "]]", ")", '"', "'"))


class Mention(NamedTuple):
    """Documents that a text names in one breath, by the tokens `start` to `end` (exclusive)."""

    ids: tuple[int, ...]
    start: int
    end: int


def mentions(toks: list[Token]) -> list[Mention]:
    """Every place that names documents: `Doc 3`, `[3]`, `#3`, `Doc: 1, 3`, `documents 1-3`."""
    found: list[Mention] = []
    i = 0
    while i < len(toks):
        kind_of, sign, *_ = toks[i]
        opens = kind_of == "word" or sign in _OPENS_ID
        mention = _mention_at(toks, i) if opens else None
        if mention is not None:
            found.append(mention)
        i = i + 1 if mention is None else mention.end
    return found


def _mention_at(toks: list[Token], i: int) -> Mention | None:
    token = toks[i]
    if token.kind == "word" and kind(token.text) == "document":
        return _ids_after(toks, i, i + 1)
    ordinal = ORDINALS.get(token.text.lower())
    if ordinal and i + 1 < len(toks) and kind(toks[i + 1].text) == "document":
        return Mention((ordinal,), i, i + 2)
    if (
        token.text.lower() in ("d", "p", "c")
        and i + 1 < len(toks)
        and (toks[i + 1].kind == "number" and toks[i + 1].start == token.end)
    ):
        return _ids_after(toks, i, i + 1)
    if token.text in _OPENS_ID and not _after_label(toks, i):
        return _ids_after(toks, i, i)
    return None


def _after_label(toks: list[Token], bracket: int) -> bool:
    i = bracket - 1
    while i >= 0 and (toks[i].text in (":", "=", '"') or toks[i].text.lower() in ("of", "is")):
        i -= 1
    return i >= 0 and toks[i].kind == "word" and kind(toks[i].text) == "score"


def _ids_after(toks: list[Token], start: int, i: int) -> Mention | None:
    for _ in range(6):
        if i >= len(toks):
            return None
        token = toks[i]
        if token.kind == "number":
            break
        named = token.kind == "word" and kind(token.text) == "document"
        if not named and (token.kind != "sign" or token.text[0] not in _BEFORE_ID):
            return None
        i += 1
    else:
        return None
    ids = _numbers(toks[i].text) if toks[i].kind == "number" else None
    if ids is None or is_quantity(toks, i):
        return None
    i = _closed(toks, i + 1)
    while (more := _next_id(toks, i, ids[-1])) is not None:
        added, i = more
        ids += added
    return Mention(tuple(ids), start, i)


def _numbers(text: str) -> list[int] | None:
    """Document numbers in one token: `3`, or `1,3` without blanks."""
    parts = [whole(part) for part in text.split(",")] if len(text) < 4000 else []
    numbers = [part for part in parts if part is not None]
    return numbers if numbers and len(numbers) == len(parts) else None


def _closed(toks: list[Token], i: int) -> int:
    while i < len(toks) and toks[i].text in ("]", "]]", ")", '"'):
        i += 1
    return i


def _next_id(toks: list[Token], i: int, last: int) -> tuple[list[int], int] | None:
    """One more id, or a range's rest, that goes on with the list that ended before token `i`."""
    if i + 1 >= len(toks):
        return None
    joint = toks[i].text.lower()
    through = joint in ("-", "to", "through", "bis")
    if not through and joint not in _JOINING:
        return None
    j = i + 1
    if joint == "," and toks[j].text.lower() in _JOINING:
        j += 1
    named = j < len(toks) and toks[j].kind == "word" and kind(toks[j].text) == "document"
    j += named
    bracketed = j < len(toks) and toks[j].text in ("[", "#", '"')
    j += bracketed
    if j >= len(toks) or toks[j].kind != "number" or is_quantity(toks, j):
        return None
    numbers = _numbers(toks[j].text)
    if numbers is None:
        return None
    after = _closed(toks, j + 1)
    if (
        after < len(toks)
        and toks[after].text in (":", "=")
        and joint == ","
        and not (bracketed or named)
    ):
        return None  # "1: 8, 2: 3": another record
    if not through:
        return numbers, after
    tight = toks[i].text != "-" or (
        toks[i - 1].end == toks[i].start and toks[i].end == toks[i + 1].start
    )
    if not tight or not last < numbers[0] <= last + _LONGEST_RANGE:
        return None
    return list(range(last + 1, numbers[0] + 1)) + numbers[1:], after


def is_quantity(toks: list[Token], i: int) -> bool:
    """Whether the number at `i` is the first of a fraction, or a percentage."""
    return i + 1 < len(toks) and toks[i + 1].text in ("/", "%")


class Atom(NamedTuple):
    """A document as a chain names it: its number and its tokens from `start` to `end`."""

    id: int
    start: int
    end: int
    #: In brackets or behind a word for documents.
    sure: bool
    #: Opened by a bracket that nothing closes.
    open: bool = False


def atoms(toks: list[Token], *, letters: bool = False) -> list[Atom]:
    """Every number (or capital letter: A is 1) that may be a document's, with its brackets."""
    found: list[Atom] = []
    floor = 0
    for i, token in enumerate(toks):
        if letters:
            single = token.kind == "word" and len(token.text) == 1 and "A" <= token.text <= "Z"
            numbers = [ord(token.text) - ord("A") + 1] if single else []
        elif token.kind == "number":
            parts = (
                [whole(part) for part in token.text.split(",")]
                if len(token.text) < 4000
                else [None]
            )
            numbers = [part for part in parts if part is not None]
            if len(numbers) < len(parts):
                continue
        else:
            continue
        if not numbers:
            continue
        start, end = i, i + 1
        bracket = start > floor and toks[start - 1].text in _OPEN
        start -= bracket
        start, named = _before(toks, start, floor)
        if named and not bracket and start > floor and toks[start - 1].text in ("[", "[[", "("):
            start, bracket = start - 1, True
        closed = end < len(toks) and toks[end].text in _CLOSE
        end += closed
        glued = (
            i > 0 and toks[i - 1].end == token.start and toks[i - 1].kind == "word" and not named
        )
        if glued and toks[i - 1].text.lower() in ("d", "p", "c"):  # D3, P3
            start, named, glued = i - 1, True, False
        if glued or (end < len(toks) and toks[end].text == "%"):
            continue
        is_open = bracket and not closed and toks[i - 1].text != "#"
        sure = named or (bracket and closed)
        found += [Atom(number, start, end, sure, is_open) for number in numbers]
        floor = end
    return found


def _before(toks: list[Token], start: int, floor: int) -> tuple[int, bool]:
    """Where a word for documents before `start` begins, and whether there is one."""
    i = start - 1
    if i > floor and (toks[i].text in (":", "_", "#", "-", ".", "=") or toks[i].text == "is"):
        tight = toks[i].text not in ("-", ".") or toks[i - 1].end == toks[i].start
        i -= 1 if tight else 0
    if i >= floor and toks[i].kind == "word" and kind(toks[i].text) == "document":
        return i, True
    return start, False


def without_markers(toks: list[Token], found: list[Atom]) -> list[Atom]:
    """The atoms without the numbers of a list that stand before them: `1. [19]`, `2) Passage 4`."""
    kept: list[Atom] = []
    marker: Atom | None = None
    for atom, after in zip_longest(found, found[1:]):
        if marker is not None:  # what follows a marker begins with it, so that chains close up
            atom, marker = atom._replace(start=marker.start), None
        if after is not None and not atom.sure:
            if toks[atom.end - 1].text == ")":
                listed_next = after.start == atom.end
            else:
                dotted = atom.end < len(toks) and toks[atom.end].text == "."
                listed_next = dotted and after.start == atom.end + 1
            if listed_next:
                marker = atom
                continue
        kept.append(atom)
    return kept
