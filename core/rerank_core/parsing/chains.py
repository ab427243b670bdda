"""Orders in chains of `>`: `[2] > [1] > [4]`."""

from __future__ import annotations

import re
from collections.abc import Iterator

from .mentions import Atom, atoms, without_markers
from .reading import NO_IDS, Ids, Reading
from .scan import Token, tokens

_EXAMPLE = re.compile(
    r"\b(?:e\.? ?g\b|for example|for instance|example|such as|format should be|in the form)"
    r"[^\n]{0,12}\Z",
    re.IGNORECASE,
)
_GLOSS = re.compile(r" ?\([^()\d\n]{3,80}\)(?= ?(?:[<>,;\n]|\Z))")  # "[3] (names it) > [1]"


def chain(text: str, count: int) -> Ids:
    """The documents in chains of `>` (or `<`, reversed), in order of mention."""
    text = without_glosses(text)
    toks = tokens(text)
    for letters in (False, True):
        if letters and (count > 26 or (">" not in text and "<" not in text)):
            break
        found = _chains(toks, text, without_markers(toks, atoms(toks, letters=letters)))
        if letters:
            found = [name for name in found if name <= count]
        if found:
            return Reading(found, "chain of letters" if letters else "chain")
    return NO_IDS


def without_glosses(text: str) -> str:
    """`text` without remarks in brackets between documents."""
    return _GLOSS.sub("", text) if _GLOSS.search(text) else text  # the same text keeps its tokens


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
        if is_example(text, toks[group[0].start].start):
            continue
        if not any(atom.sure or atom.open for atom in group) and len(group) < 3:
            start, end = group[0].start, group[-1].end
            opens = start == 0 or toks[start - 1].kind == "line" or toks[start - 1].text == ":"
            if not opens or (end < len(toks) and toks[end].kind == "word"):
                continue
        names = list(_expanded(toks, group))
        ids += names[::-1] if signs["<"] > signs[">"] else names
    return ids


def is_example(text: str, start: int) -> bool:
    """Whether what begins at `start` is shown as an example of the format."""
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
