"""Orders in sentences: "the best is [3], followed by [1]"."""

from __future__ import annotations

import re

from .mentions import Atom, atoms
from .reading import Ids, ids_by
from .scan import Token, tokens
from .words import COUNTED, JOINS, kind

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
_SENTENCE = re.compile(r"[^\n.;!?]*(?:[.;!?](?!\s|\Z)[^\n.;!?]*)*+")


def told(text: str, count: int) -> Ids:
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
    return ids_by(found, "told")


def _mentioned(toks: list[Token], letters: bool) -> list[Atom]:
    kept: list[Atom] = []
    for atom in atoms(toks, letters=letters):
        before = toks[atom.start - 1].text.lower() if atom.start else ""
        if kept and before in ("to", "through", "-"):
            kept.pop()  # "passages 1 to 20" names them all, and so none
            continue
        follows = toks[atom.end].text.lower() if atom.end < len(toks) else ""
        goes_on = bool(kept) and (before in JOINS or before == ",") and not letters
        is_verdict = before in ("is", "are") and (atom.end >= len(toks) or follows in (",", "and"))
        if atom.sure or (
            (goes_on or is_verdict) and follows not in COUNTED and kind(follows) == ""
        ):
            kept.append(atom)
    return kept
