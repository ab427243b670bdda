"""Orders in lists: one document a line, with or without rank, or all in a row."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from .chains import is_example, without_glosses
from .mentions import Atom, atoms, without_markers
from .reading import NO_IDS, Ids, ids_by
from .scan import Token, Tokens, tokens
from .words import JOINS, kind

_ASCENDING = re.compile(
    r"\b(?:least|lowest|worst)\b[^\n>]{0,40}\bto\b[^\n>]{0,40}\b(?:most|highest|best)\b|\bascending\b",
    re.IGNORECASE,
)
_LIST_WORDS = JOINS | {"first", "second", "third", "followed", "finally", "lastly", "next", "last"}


def listed(text: str, count: int) -> Ids:
    """The documents in a list: one a line, with or without rank, or all in a row."""
    text = without_glosses(text)
    toks = tokens(text)
    for letters in (False, True):
        if letters and count > 26:
            break
        found = atoms(toks, letters=letters)
        lines = list(_lines(toks, found))
        rows = list(_lines(toks, without_markers(toks, found)))
        ids = ids_by(_row(toks, text, rows), "row") or ids_by(
            _column(toks, text, lines, count), "column"
        )
        if letters:
            ids = ids_by([name for name in ids.values if name <= count], f"{ids.by} of letters")
        if ids:
            return ids
    return NO_IDS


class _Line(NamedTuple):
    start: int
    end: int
    atoms: list[Atom]


def _lines(toks: Tokens, found: list[Atom]) -> Iterator[_Line]:
    at = 0
    for start, end in toks.lines:
        inside = []
        while at < len(found) and found[at].start < end:
            if found[at].start >= start:
                inside.append(found[at])
            at += 1
        yield _Line(start, end, inside)


def _row(toks: list[Token], text: str, lines: list[_Line]) -> list[int]:
    """A line that is nothing but documents, perhaps behind a colon. The longest such counts."""
    best: list[int] = []
    rows = 0
    for line in lines:
        inside = [atom for atom in line.atoms if not atom.open or atom.end < len(toks)]
        if not inside:
            continue
        colon = next(
            (i for i in range(inside[0].start - 1, line.start - 1, -1) if toks[i].text == ":"),
            line.start - 1,
        )
        covered = {i for atom in inside for i in range(atom.start, atom.end)}
        rest = [toks[i] for i in range(colon + 1, line.end) if i not in covered]
        words = [token for token in rest if token.kind == "word"]
        if any(token.kind == "number" for token in rest) or any(
            token.text.lower() not in _LIST_WORDS and kind(token.text) != "document"
            for token in words
        ):
            continue
        if any(token.text == ":" for token in rest):
            continue
        if len(inside) < 4 and any(token.text == "/" for token in rest):
            continue  # a score: 7/10
        alone = len(lines) == 1
        if len(inside) < 2 and not alone:
            continue
        label = [token.text for token in toks[line.start : max(colon, line.start)]]
        ranks = any(word.lower().startswith("rank") for word in label)
        if label and not ranks and kind(label[-1]) in ("other", "score"):
            continue
        ids = [atom.id for atom in inside]
        if len(ids) == 2 and not any(atom.sure for atom in inside) and _is_range(toks, inside):
            continue
        if is_example(text, toks[inside[0].start].start):
            continue
        rows += 1
        if len(ids) > len(best):
            before = text[max(0, toks[line.start].start - 120) : toks[inside[0].start].start]
            best = ids[::-1] if _ASCENDING.search(before) else ids
    return best if rows == 1 or len(best) > 2 else []  # several pairs are a list of ranks


def _is_range(toks: list[Token], pair: list[Atom]) -> bool:
    return any(token.text == "-" for token in toks[pair[0].end : pair[1].start])


def _column(toks: list[Token], text: str, lines: list[_Line], count: int) -> list[int]:
    """One document a line, first thing in it but for bullet and rank."""
    heads: list[list[Atom]] = []
    marked = 0
    for line in lines:
        near = [atom for atom in line.atoms if atom.start - line.start <= 6][:2]
        if not near:
            continue
        heads.append(near)
        marked += toks[line.start].kind == "sign" and toks[line.start].text in ("-", "+")
    if len(heads) < 2:
        return []
    firsts = [near[0].id for near in heads]
    counted = firsts == list(range(firsts[0], firsts[0] + len(firsts))) and firsts[0] in (0, 1)
    if counted:
        seconds = [near[1] for near in heads if len(near) > 1]
        if len(seconds) == len(heads) and all(
            atom.sure or _ends_line(toks, atom) for atom in seconds
        ):
            if _are_scores(toks, [near[0] for near in heads], seconds, count):
                return firsts
            return _turned(toks, text, heads, [atom.id for atom in seconds])
        if not all(_ends_line(toks, near[0]) for near in heads):
            return []  # an echo of the passages, or a list of something else
    good = [
        near[0]
        for near in heads
        if near[0].sure or _ends_line(toks, near[0]) or _dotted(toks, near[0])
    ]
    if len(good) < 2:
        return []
    return _turned(toks, text, heads, [atom.id for atom in good])


def _are_scores(toks: list[Token], firsts: list[Atom], seconds: list[Atom], count: int) -> bool:
    """Whether what stands behind each number is a score of that document, and no document at that
    rank: it is called so, or most are beyond the documents, or one is, or two are alike, behind
    names that are no ranks ("[1] 3").
    """
    if any(atom.sure for atom in seconds):
        return False
    if all(
        any(kind(token.text) == "score" for token in toks[first.end : second.start])
        for first, second in zip(firsts, seconds, strict=True)
    ):
        return True
    beyond = sum(atom.id > count for atom in seconds)
    if not all(atom.sure for atom in firsts):  # a rank, as it seems
        return 2 * beyond > len(seconds)
    return beyond > 0 or len({atom.id for atom in seconds}) < len(seconds)


def _turned(toks: list[Token], text: str, heads: list[list[Atom]], ids: list[int]) -> list[int]:
    start = toks[heads[0][0].start].start
    return ids[::-1] if _ASCENDING.search(text[max(0, start - 160) : start]) else ids


def _ends_line(toks: list[Token], atom: Atom) -> bool:
    i = atom.end
    while i < len(toks) and toks[i].kind == "sign" and i < atom.end + 3:
        i += 1
    return i >= len(toks) or toks[i].kind == "line"


def _dotted(toks: list[Token], atom: Atom) -> bool:
    return atom.end < len(toks) and toks[atom.end].text in (".", ")", ":", "-")
