"""One document, one score."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import TypeAlias

from .cut_off import without_growing_tail
from .fold import fold
from .labels import is_score_key, labelled_value, stands, weight
from .layers import answer, answer_part, final_part, plain
from .none_relevant import says_irrelevant as none_says_irrelevant
from .reading import Reading
from .scale import Scale
from .scan import Token, Tokens, Value, tokens, value_at
from .structure import JSON, plain_number, repaired, strict_blocks, walk, whole_json
from .verdict import Grades, grades, says_irrelevant, yes_or_no
from .words import ANSWER_WORDS, GIVING, MARKS, kind

# A base model goes on after its answer with the next example of the prompt.
_NEXT_EXAMPLE = re.compile(
    r"\n\s{0,8}(?:#{1,4} ?)?(?:query|question|passage|document|user|human|input)\s?\d{0,3}:",
    re.IGNORECASE,
)
_STARS = re.compile(r"[★⭐🌟✭✮][★☆⭐🌟✩✰✭✮ ]{0,20}")

One: TypeAlias = Reading[float | None]
_NOTHING: One = Reading(None)


def parse_score(
    reply: str, scale: tuple[float, float], *, words: Mapping[str, float] | None = None
) -> float | None:
    """The one score that `reply` gives, mapped from `scale` to 0..1 and clamped; None if none.

    `words` are grades that the prompt asked for, with their values on `scale`; without them a
    grade in words is no score. On the scale (0, 1) yes and no are 1 and 0; on any scale a bare
    "not relevant" is its low end. Raises ValueError for a scale that is none, never for a reply.
    """
    return read_score(reply, scale, words=words).values


def read_score(
    reply: str, scale: tuple[float, float], *, words: Mapping[str, float] | None = None
) -> Reading[float | None]:
    """What `parse_score` gives, with the rule that read it."""
    on, named = Scale(scale), grades(words)
    value = whole_json(reply)
    if value is not None and (found := _from_json([value], on, named)):
        return found.within("json")
    text = answer(reply)
    part = answer_part(text)
    for candidate in (part, text) if part is not text else (text,):
        if found := _from_part(candidate, on, named):
            return found
    return Reading(0.0, "not relevant") if none_says_irrelevant(part) else _NOTHING


def _from_part(text: str, on: Scale, words: Grades | None) -> One:
    values = [value for block in strict_blocks(text)[0] for value in block]
    if found := _from_json(reversed(values), on, words):
        return found.within("json")
    if "{" in text:
        if text.rfind("{") > text.rfind("}"):  # cut off
            text = without_growing_tail(text, on)
        fixed = repaired(text, keep_tail=True)
        if fixed is not None and (found := _from_json(reversed(list(walk(fixed, 2))), on, words)):
            return found.within("broken json")
    final = final_part(text)
    if final is not None and (found := _from_text(plain(final), on, words)):
        return found.within("final part")
    return _from_text(plain(text), on, words)


def _from_json(values: Iterable[JSON], on: Scale, words: Grades | None) -> One:
    for value in values:
        for inner in walk(value):
            if isinstance(inner, dict) and (found := _from_dict(inner, on, words)):
                return found
    return _NOTHING


def _from_dict(found: dict[str, JSON], on: Scale, words: Grades | None) -> One:
    for key in sorted((key for key in found if is_score_key(key)), key=weight, reverse=True):
        if (score := _from_leaf(found[key], on, words)) is not None:
            return Reading(score, "score key")
    numbers = [
        value for key, value in found.items() if kind(key) == "" and plain_number(value) is not None
    ]
    if len(numbers) == 1:
        return _one(_from_leaf(numbers[0], on, words), "only number")
    if on.low == 0 and on.high == 1:
        for key, value in found.items():
            if kind(key) != "other" and isinstance(value, bool | str):
                relevant = "relevan" in key.lower() or key.lower() in ANSWER_WORDS
                if relevant and (verdict := _verdict(value)) is not None:
                    return Reading(verdict, "yes or no")
    return _NOTHING


def _one(score: float | None, by: str) -> One:
    return _NOTHING if score is None else Reading(score, by)


def _verdict(value: bool | str) -> float | None:
    if isinstance(value, bool):
        return float(value)
    return yes_or_no(value, tokens(value)) if len(value) < 60 else None


def _from_leaf(value: JSON, on: Scale, words: Grades | None) -> float | None:
    number = plain_number(value)
    if number is not None:
        return on.unit(number)
    if isinstance(value, str):
        return leading_score(value, on, words)
    return None


def leading_score(text: str, on: Scale, words: Grades | None = None) -> float | None:
    """The score that a short text, such as a table cell or JSON string, begins with."""
    text = plain(fold(text[:200]))
    toks = tokens(text)
    at = next((i for i, token in enumerate(toks) if token.kind != "sign"), None)
    if at is None:
        return None
    if toks[at].kind == "number":
        value = value_at(toks, at, text)
        return None if value is None else _accepted(value, on)
    if words and (grade := words.first(text)) is not None:
        return on.unit(grade)
    if kind(toks[at].text) == "score":
        return _labelled(toks, text, on)
    return None


def _accepted(value: Value, on: Scale) -> float | None:
    if value.ends and on.is_itself(*value.ends):
        return None  # "(0-10)" is the scale, not a score
    return on.unit(value.number, value.of)


def _from_text(text: str, on: Scale, words: Grades | None) -> One:
    toks = tokens(text)
    score = _alone(toks, text, on)
    if score is not None:
        return Reading(score, "alone")
    begun = _NEXT_EXAMPLE.search(text, len(text) - len(text.lstrip()))
    if begun and begun.start() > 0:
        head = text[: begun.start()]
        if found := _first(tokens(head), head, on):
            return found.within("first example")
    if found := _first(toks, text, on):
        return found
    grade = words.first(text) if words else None
    if grade is not None and (score := on.unit(grade)) is not None:
        return Reading(score, "grade")
    if on.low == 0 and on.high == 1 and (verdict := yes_or_no(text, toks)) is not None:
        return Reading(verdict, "yes or no")
    if (score := _starred(text, on)) is not None:
        return Reading(score, "stars")
    return Reading(0.0, "not relevant") if says_irrelevant(text) else _NOTHING


def _starred(text: str, on: Scale) -> float | None:
    stars = _STARS.search(text)
    shown = stars[0].replace(" ", "") if stars else ""
    empty = sum(shown.count(star) for star in "☆✩✰")
    return on.unit(len(shown) - empty, max(5, len(shown))) if len(shown) > 1 else None


def _first(toks: Tokens, text: str, on: Scale) -> One:
    for by, rule in _RULES.items():
        if (score := rule(toks, text, on)) is not None:
            return Reading(score, by)
    return _NOTHING


def _alone(toks: list[Token], text: str, on: Scale) -> float | None:
    """The reply is a number, and signs around it."""
    numbers = [i for i, token in enumerate(toks) if token.kind == "number"]
    words = sum(token.kind == "word" for token in toks)
    if not numbers or len(numbers) > 2 or words > 3:
        return None
    value = value_at(toks, numbers[0], text)
    if value is None or any(token.kind in ("word", "number") for token in toks[value.after :]):
        return None
    if any(token.kind == "word" for token in toks[: numbers[0]]):
        return None
    return _accepted(value, on)


def _labelled(toks: Tokens, text: str, on: Scale) -> float | None:
    """The number behind "score:", "relevance is": colons before verbs, final before last."""
    best: tuple[tuple[bool, int, int], float] | None = None
    for i, token in enumerate(toks):
        if token.kind != "word" or kind(token.text) != "score":
            continue
        found = labelled_value(toks, i, text)
        if found is None:
            continue
        value, strong, _ = found
        score = _accepted(value, on)
        if score is None:
            continue
        label = " ".join(t.text for t in toks[max(0, i - 2) : i + 2] if t.kind == "word")
        rank = (strong, weight(label), i)
        if best is None or rank >= best[0]:
            best = (rank, score)
    return None if best is None else best[1]


def _line_alone(toks: Tokens, text: str, on: Scale) -> float | None:
    """A line that is a number: the first line, else the last such."""
    found = None
    for number, (start, end) in enumerate(toks.lines):
        if end - start > 8:
            continue
        line = toks[start:end]
        first = next((i for i, token in enumerate(line) if token.kind == "number"), None)
        if first is None or any(token.kind == "word" for token in line[:first]):
            continue
        value = value_at(line, first, text)
        if value is None or any(t.kind != "sign" for t in line[value.after :]):
            continue
        score = _accepted(value, on)
        if score is not None:
            found = score
            if number == 0:
                break
    return found


def _given(toks: Tokens, text: str, on: Scale) -> float | None:
    """ "I rate this an 8", "it deserves a 3", "it is an 8", "the answer is 8"."""
    for i, token in enumerate(toks):
        low = token.text.lower()
        before = toks[i - 1].text.lower() if i else ""
        is_a = before in ("is", "be") and low in ("a", "an")
        answer_is = before in ANSWER_WORDS and low == "is"
        if token.kind != "word" or not (low in GIVING or is_a or answer_is):
            continue
        for j in range(i + 1, min(i + 10, len(toks))):
            if toks[j].kind == "number":
                value = value_at(toks, j, text)
                if value is not None and stands(toks, value):
                    return _accepted(value, on)
                break
            if toks[j].kind == "line" or toks[j].text in (".", ";"):
                break
    return None


def _fraction_of_scale(toks: Tokens, text: str, on: Scale) -> float | None:
    """ "8/10", "8 out of 10" anywhere, where the most is a scale's end."""
    found = None
    for i, token in enumerate(toks):
        if token.kind == "number":
            value = value_at(toks, i, text)
            if value is None or value.of not in (on.high, 5, 10, 100) or value.number > value.of:
                continue
            if value.of == 100 and on.high != 100 and toks[value.after - 1].text == "%":
                continue  # percentages in prose are seldom the verdict
            found = _accepted(value, on) if found is None or value.of == on.high else found
    return found


def _leading(toks: Tokens, text: str, on: Scale) -> float | None:
    """The reply opens with a number and goes on about it."""
    at = next((i for i, token in enumerate(toks) if token.kind in ("number", "word")), None)
    if at is None or toks[at].kind == "word":
        return None
    value = value_at(toks, at, text)
    if value is None or not stands(toks, value):
        return None
    follows = toks[value.after : value.after + 1]
    if follows and follows[0].text in (".", ")"):  # "1." of a list?
        starts = [toks[start] for start, _ in toks.lines[1:]]
        if any(token.kind == "number" for token in starts):
            return None
    return _accepted(value, on)


def _trailing(toks: Tokens, text: str, on: Scale) -> float | None:
    """ "Answer: 8", "So: 8": the last line ends in a colon or equals sign and the number.

    Last of all any single line in the shape `words: number` whose words name nothing else.
    """
    for start, end in reversed(toks.lines):
        line = toks[start:end]
        colon = max((i for i, t in enumerate(line) if t.text in (":", "=", ">")), default=None)
        if colon is None or colon + 1 >= len(line):
            continue
        at = next((i for i in range(colon + 1, len(line)) if line[i].kind != "sign"), None)
        if at is None or line[at].kind != "number":
            continue
        label = [t.text for t in line[:colon] if t.kind == "word"]
        if any(kind(word) in ("other", "document") for word in label) or len(label) > 12:
            continue
        value = value_at(line, at, text)
        rest = [] if value is None else [t for t in line[value.after :] if t.kind != "sign"]
        if value is not None and (not rest or line[value.after].text in ("(", "-", ",")):
            return _accepted(value, on)
    return None


def _marked(toks: Tokens, text: str, on: Scale) -> float | None:
    """The last number with a unit that scores have, where none has a label: "打8分"."""
    for i in range(len(toks) - 2, -1, -1):
        if toks[i].kind == "number" and toks[i + 1].text.lower() in MARKS:
            value = value_at(toks, i, text)
            return None if value is None else _accepted(value, on)
    return None


#: The readings of a text that is not a number alone, in the order in which they are tried.
_RULES: dict[str, Callable[[Tokens, str, Scale], float | None]] = {
    "label": _labelled,
    "line alone": _line_alone,
    "given": _given,
    "fraction": _fraction_of_scale,
    "leading": _leading,
    "trailing": _trailing,
    "unit": _marked,
}
