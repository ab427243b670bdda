"""What introduces a score, `Score: 8`, `"relevance": 8`, and the value that it introduces."""

from __future__ import annotations

import re

from .scan import Token, Value, value_at
from .words import AFTER_SCORE, FILLERS, kind

_LEFT_OUT = re.compile(
    r"irrelevan|(?:not|non|un|no)[ _-]?(?:relevan|rank|order|sort|select|use)|exclu|reject|omit"
    r"|discard|remov|ignor|skipp|left[ _-]?out|off[ _-]?topic",
    re.IGNORECASE,
)


def is_score_key(key: str) -> bool:
    """Whether a JSON key, table heading or label names a score; stray blanks do not matter."""
    return kind(key.replace(" ", "").replace("-", "_")) == "score"


def is_order_key(key: str) -> bool:
    """Whether a JSON key says that an order follows."""
    low = key.lower()
    return any(word in low for word in ("rank", "order", "sorted", "permutation", "result", "ids"))


def names_best(key: str) -> bool:
    """Whether a JSON key says that what follows is the best, or the choice."""
    low = key.lower()
    return any(word in low for word in ("best", "most", "top", "answer", "choice", "selected"))


def is_left_out_key(key: str) -> bool:
    """Whether a JSON key says that what follows is no part of the answer: `"excluded": [3, 5]`."""
    return _LEFT_OUT.search(key) is not None


def weight(label: str) -> int:
    """How much a label says that its score is the one asked for."""
    low = label.lower()
    return (
        4 * ("final" in low or "overall" in low or "total" in low)
        + 2 * ("relevan" in low)
        + ("score" in low)
    )


def labelled_value(toks: list[Token], label: int, text: str) -> tuple[Value, bool, int] | None:
    """The value that the score label at `label` introduces, whether by a colon or alike, and where.

    "Score for document 1: 8" names a document first: its number is passed over.
    """
    i, strong, steps = label + 1, False, 0
    while i < len(toks) and steps < 14:
        token = toks[i]
        if token.kind == "number":
            if _is_id(toks, i):
                i, steps = i + 1, steps + 1
                continue
            value = value_at(toks, i, text)
            if value is None:
                return None
            if toks[i - 1].text == "(" and i - 1 == label + 1 and value.ends:
                i, steps = value.after, steps + 1  # "Score (0-10): 7"
                continue
            loose = strong or toks[i - 1].text.lower() == "of"  # "a score of 8 seems fair"
            return (value, strong, i) if _stands(toks, value, loose=loose) else None
        if token.kind == "line":
            if not strong and steps and toks[i - 1].text != ":":
                return None
            if _next_is_word(toks, i):
                return None
            strong = True
        elif token.kind == "sign":
            if token.text[0] in ":=|":
                strong = True
            elif token.text[0] in ".;!?{}":
                return None
        elif (
            (strong and token.text.lower() not in FILLERS)
            or kind(token.text) == "other"
            or (not strong and token.text.lower() not in FILLERS and not _colon_ahead(toks, i))
        ):
            return None
        i, steps = i + 1, steps + 1
    return None


def _is_id(toks: list[Token], number: int) -> bool:
    before = number - 1
    if before > 0 and toks[before].text in ("[", "#", "_", "("):
        before -= 1
    return toks[before].kind == "word" and kind(toks[before].text) == "document"


def _next_is_word(toks: list[Token], line: int) -> bool:
    i = line + 1
    while i < len(toks) and toks[i].kind in ("line", "sign"):
        i += 1
    return i >= len(toks) or toks[i].kind == "word"


def _colon_ahead(toks: list[Token], i: int) -> bool:
    for token in toks[i : i + 8]:
        if token.kind in ("line", "number"):
            return False
        if token.text in (":", "="):
            return True
    return False


def _stands(toks: list[Token], value: Value, *, loose: bool) -> bool:
    """Whether nothing after a value makes it the number of something else."""
    if value.after >= len(toks) or toks[value.after].kind != "word" or loose:
        return True
    word = toks[value.after].text
    return value.of is not None or word.lower() in AFTER_SCORE or not word.isascii()


def stands(toks: list[Token], value: Value) -> bool:
    """The same for a value without a label before it."""
    return _stands(toks, value, loose=False)
