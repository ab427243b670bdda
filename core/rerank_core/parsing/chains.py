"""Orders in plain text: `[2] > [1]`, lists one per line or in a row, sentences that say it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import zip_longest
from typing import NamedTuple

from .scan import Token, Tokens, tokens, whole
from .words import COUNTED, kind

_ASCENDING = re.compile(
    r"\b(?:least|lowest|worst)\b[^\n>]{0,40}\bto\b[^\n>]{0,40}\b(?:most|highest|best)\b|\bascending\b",
    re.IGNORECASE,
)
_EXAMPLE = re.compile(
    r"\b(?:e\.? ?g\b|for example|for instance|example|such as|format should be|in the form)"
    r"[^\n]{0,12}\Z",
    re.IGNORECASE,
)
_SAYS_ORDER = re.compile(
    r"\b(?:most|more|best|highest|top|better)\b[^\n]{0,30}"
    r"(?:relevan|useful|match|answer|suit|pertinen|helpful|choice|passage|document)"
    r"|\bfollowed by\b|\brank|\border(?:ed)?\b|\bprefer|\bchoose\b|\bchose\b|\bselect|\bpick\b"
    r"|\banswer is"
    r"|\bbest\b|\brelevanteste|\bam relevant|más relevante|mais relevante|plus pertinent"
    r"|più rilevante|наиболее|лучш|最相关|最相關|最も|가장|الأكثر",
    re.IGNORECASE,
)
_SAYS_NOT = re.compile(
    r"\b(?:not|none|no|cannot|neither|irrelevant|unrelated|less|unable)\b|n't\b", re.IGNORECASE
)
_LEAST, _MOST = re.compile(r"\bleast\b", re.I), re.compile(r"\b(?:most|best)\b", re.I)
_GLOSS = re.compile(r" ?\([^()\d\n]{3,80}\)(?= ?(?:[<>,;\n]|\Z))")  # "[3] (names it) > [1]"
_SENTENCE = re.compile(r"[^\n.;!?]*(?:[.;!?](?!\s|\Z)[^\n.;!?]*)*+")
_JOINS = frozenset(
    ("and", "then", "by", "und", "dann", "et", "puis", "y", "luego", "e", "и", "затем")
)
_LIST_WORDS = _JOINS | {"first", "second", "third", "followed", "finally", "lastly", "next", "last"}
_OPEN, _CLOSE = frozenset(("[", "[[", "(", '"', "#", "'")), frozenset(("]", "]]", ")", '"', "'"))


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


def chain(text: str, count: int) -> list[int]:
    """The documents in chains of `>` (or `<`, reversed), in order of mention; else []."""
    text = _without_glosses(text)
    toks = tokens(text)
    for letters in (False, True):
        if letters and (count > 26 or (">" not in text and "<" not in text)):
            break
        found = _chains(toks, text, _without_markers(toks, atoms(toks, letters=letters)))
        if letters:
            found = [name for name in found if name <= count]
        if found:
            return found
    return []


def _without_glosses(text: str) -> str:
    return _GLOSS.sub("", text) if _GLOSS.search(text) else text  # the same text keeps its tokens


def _without_markers(toks: list[Token], found: list[Atom]) -> list[Atom]:
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


def _chains(toks: list[Token], text: str, found: list[Atom]) -> list[int]:
    ids: list[int] = []
    for group, signs in _groups(toks, found):
        if len(group) < 2 or not (signs["<"] or signs[">"]):
            continue
        if group[-1].end >= len(toks) and (
            group[-1].open
            or (not group[-1].sure and sum(atom.sure for atom in group) > len(group) / 2)
        ):
            group.pop()  # cut off within a number
        if _is_example(text, toks[group[0].start].start):
            continue
        if not any(atom.sure or atom.open for atom in group) and len(group) < 3:
            start, end = group[0].start, group[-1].end
            opens = start == 0 or toks[start - 1].kind == "line" or toks[start - 1].text == ":"
            if not opens or (end < len(toks) and toks[end].kind == "word"):
                continue
        names = list(_expanded(toks, group))
        ids += names[::-1] if signs["<"] > signs[">"] else names
    return ids


def _is_example(text: str, start: int) -> bool:
    return bool(_EXAMPLE.search(text[max(0, start - 60) : start].rstrip(" :,\"'(")))


def _groups(toks: list[Token], found: list[Atom]) -> Iterator[tuple[list[Atom], dict[str, int]]]:
    group: list[Atom] = []
    signs = {"<": 0, ">": 0}
    for atom in found:
        sign = _joint(toks, group[-1], atom) if group else ""
        if group and (not sign or (sign in ",-" and not (signs["<"] or signs[">"]))):
            yield group, signs
            group, signs = [], {"<": 0, ">": 0}
        elif sign in signs:
            signs[sign] += 1
        group.append(atom)
    if group:
        yield group, signs


def _joint(toks: list[Token], left: Atom, right: Atom) -> str:
    """What joins two atoms: ">", "<", "=", ",", "-" for a range; "" where nothing does."""
    between = toks[left.end : right.start]
    if len(between) > 6 or any(token.kind in ("word", "number") for token in between):
        return ""
    signs = "".join(token.text for token in between if token.kind == "sign")[:12]
    if ">" in signs:
        return "" if "<" in signs else ">"
    if "<" in signs:
        return "<"
    if any(token.kind == "line" for token in between):
        return ""
    if signs.strip("\"'") in ("=", "~", "≈", ",", "-"):
        return "," if signs.strip("\"'") == "," else "-" if "-" in signs else "="
    return ""


def _expanded(toks: list[Token], group: list[Atom]) -> Iterator[int]:
    """The chain's documents, and what a range in it, such as `[13]-[18]`, spans."""
    last: Atom | None = None
    for atom in group:
        through = last is not None and _joint(toks, last, atom) == "-"
        if last is not None and through and last.id < atom.id <= last.id + 200:
            yield from range(last.id + 1, atom.id)
        yield atom.id
        last = atom


def listed(text: str, count: int) -> list[int]:
    """The documents in a list: one a line, with or without rank, or all in a row; else []."""
    text = _without_glosses(text)
    toks = tokens(text)
    for letters in (False, True):
        if letters and count > 26:
            break
        found = atoms(toks, letters=letters)
        lines = list(_lines(toks, found))
        rows = list(_lines(toks, _without_markers(toks, found)))
        ids = _row(toks, text, rows) or _column(toks, text, lines)
        if letters:
            ids = [name for name in ids if name <= count]
        if ids:
            return ids
    return []


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
        if _is_example(text, toks[inside[0].start].start):
            continue
        rows += 1
        if len(ids) > len(best):
            before = text[max(0, toks[line.start].start - 120) : toks[inside[0].start].start]
            best = ids[::-1] if _ASCENDING.search(before) else ids
    return best if rows == 1 or len(best) > 2 else []  # several pairs are a list of ranks


def _is_range(toks: list[Token], pair: list[Atom]) -> bool:
    return any(token.text == "-" for token in toks[pair[0].end : pair[1].start])


def _column(toks: list[Token], text: str, lines: list[_Line]) -> list[int]:
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


def told(text: str, count: int) -> list[int]:
    """The documents in sentences that speak of an order: "the best is [3], followed by [1]"."""
    found: list[int] = []
    for match in _SENTENCE.finditer(text):
        sentence = match[0]
        if len(sentence) < 8 or not _SAYS_ORDER.search(sentence) or _SAYS_NOT.search(sentence):
            continue
        if _LEAST.search(sentence) and not _MOST.search(sentence):
            continue
        toks = tokens(sentence)
        for letters in (False, True):
            if letters and count > 26:
                break
            named = [atom for atom in _mentioned(toks, letters) if not letters or atom.id <= count]
            if named:
                found += [atom.id for atom in named]
                break
    return found


def _mentioned(toks: list[Token], letters: bool) -> list[Atom]:
    kept: list[Atom] = []
    for atom in atoms(toks, letters=letters):
        before = toks[atom.start - 1].text.lower() if atom.start else ""
        if kept and before in ("to", "through", "-"):
            kept.pop()  # "passages 1 to 20" names them all, and so none
            continue
        follows = toks[atom.end].text.lower() if atom.end < len(toks) else ""
        goes_on = bool(kept) and (before in _JOINS or before == ",") and not letters
        is_verdict = before in ("is", "are") and (atom.end >= len(toks) or follows in (",", "and"))
        if atom.sure or (
            (goes_on or is_verdict) and follows not in COUNTED and kind(follows) == ""
        ):
            kept.append(atom)
    return kept
