"""Yes, no, and "not relevant": verdicts without a number."""

from __future__ import annotations

import re
from collections.abc import Mapping

from .scan import Token
from .words import several

_YES = several("""
    yes y yeah yep true relevant ja oui si sí sim da да tak evet ναι כן 是 是的 相关 相關 はい
    예 네 نعم हाँ हां""")
_NO = several("""
    no n nope false irrelevant nein non não nao nej nee нет nie hayır όχι לא
    否 不 不是 不相关 不相關
    无关 いいえ 아니오 아니요 لا नहीं""")
_LABEL = re.compile(
    r"(?:\b(?:so|thus|hence|therefore)[:,]\s|(?:answer|judge?ment|verdict|relevant|relevance|decision|output|label|response|antwort"
    r"|réponse|respuesta|ответ|答案|回答)\"?(?:\s{0,3}[:=]| is:?|は)\s{0,3})"
    r"[\"'(]{0,2}([^\W\d_]{1,20})",
    re.IGNORECASE,
)
_NEGATIVE = re.compile(
    r"\b(?:(?:is|are|was|it's|seems|appears|be) (?:[a-z]{2,12} ){0,2}"
    r"(?:not (?:[a-z]{2,10} ){0,2}relevant|irrelevant|unrelated)\b"
    r"|isn't (?:[a-z]{2,10} ){0,2}relevant\b"
    r"|(?:do|does|did)(?:n't| not) (?:contain|provide|include|have|offer|give) (?:any )?relevant\b"
    r"|no relevant (?:information|content|details)\b)"
    r"|\A\W{0,8}(?:(?:completely|totally|entirely|clearly|wholly) )?"
    r"(?:not (?:[a-z]{2,10} ){0,2}relevant|irrelevant|unrelated)\s{0,3}(?:[.,;:!()-]|to\b|\Z)"
    r"|(?:nicht|pas|non|no es|não é|не) (?:relevant|pertinent|rilevante|relevante|релевант)",
    re.IGNORECASE,
)
_POSITIVE = re.compile(
    r"\b(?:is|are|seems|appears) (?:(?!not\b)[a-z]{2,12} ){0,2}relevant\b", re.IGNORECASE
)
_UNSURE = re.compile(
    r"\b(?:cannot|can't|can not|unable|unclear|not sure|unsure|don't know|no idea)\b", re.IGNORECASE
)


def yes_or_no(text: str, toks: list[Token]) -> float | None:
    """1.0 for yes, 0.0 for no: as first word, behind a label, or as a sentence's predicate."""
    head = text[:400]
    if _UNSURE.search(head):
        return None
    first = next((token for token in toks[:6] if token.kind == "word"), None)
    if first is not None and first.text.lower() in ("no", "not") and _NEGATIVE.search(head):
        return 0.0
    labels = _LABEL.findall(text)
    for word in (labels[-1] if labels else "", first.text if first else ""):
        low = word.lower()
        if low in _YES:
            return 1.0
        if low in _NO:
            return 0.0
    negative, positive = bool(_NEGATIVE.search(text)), bool(_POSITIVE.search(text))
    return None if negative == positive else float(positive)


def says_irrelevant(text: str) -> bool:
    """Whether all that a short reply says is that the document is not relevant."""
    return len(text) < 400 and bool(_NEGATIVE.search(text)) and not _POSITIVE.search(text)


def says_relevant(text: str) -> bool:
    """Whether some sentence says of something that it is relevant."""
    return bool(_POSITIVE.search(text))


class Grades:
    """Grades in words, with their values on the prompt's scale."""

    def __init__(self, words: Mapping[str, float]) -> None:
        ordered = sorted((word for word in words if word), key=len, reverse=True)
        pattern = "|".join(re.escape(word) for word in ordered)
        self._pattern = re.compile(rf"(?<!\w)(?:{pattern})(?!\w)", re.IGNORECASE)
        self._values = {word.casefold(): float(value) for word, value in words.items()}

    def first(self, text: str) -> float | None:
        """The value of the grade that `text` names first, the longest where several begin."""
        found = self._pattern.search(text)
        return None if found is None else self._values.get(found[0].casefold())


def grades(words: Mapping[str, float] | None) -> Grades | None:
    """The grades that a prompt asked for; None where it asked for numbers."""
    return Grades(words) if words else None
