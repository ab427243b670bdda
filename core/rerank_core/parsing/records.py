"""Lines and sentences that give documents their scores, as (document number, value) pairs."""

from __future__ import annotations

from typing import NamedTuple

from .scan import Token, Tokens, Value, tokens, value_at, whole
from .score import labelled_value, stands
from .words import FILLERS, GIVING, ORDINALS, kind

_OPENS_ID = frozenset(("[", "[[", "#"))
_BEFORE_ID = frozenset(":#.=[(-_\"'")
_JOINING = frozenset((",", "&", "+", "and", "und", "et", "y", "e", "и", "和", "与", "と", "و"))
_BETWEEN = frozenset(":-=|(>,~*\"'])")
_LONGEST_RANGE = 200


class Mention(NamedTuple):
    """Documents that a text names in one breath, by the tokens `start` to `end` (exclusive)."""

    ids: tuple[int, ...]
    start: int
    end: int


class Record(NamedTuple):
    """What a text says about some documents: a value, or the tokens that might hold a grade."""

    ids: tuple[int, ...]
    value: Value | None
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
    if ids is None or _is_quantity(toks, i):
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
    if j >= len(toks) or toks[j].kind != "number" or _is_quantity(toks, j):
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


def _is_quantity(toks: list[Token], i: int) -> bool:
    return i + 1 < len(toks) and toks[i + 1].text in ("/", "%")


class _Labelled(NamedTuple):
    value: Value
    at: int


def _labelled_values(toks: list[Token], text: str, named: list[Mention]) -> list[_Labelled]:
    taken = {i for mention in named for i in range(mention.start, mention.end)}
    found: dict[int, _Labelled] = {}
    for i, token in enumerate(toks):
        if token.kind == "word" and i not in taken and kind(token.text) == "score":
            reading = labelled_value(toks, i, text)
            if reading is not None and reading[2] not in taken:
                found[reading[2]] = _Labelled(reading[0], reading[2])
    return [found[at] for at in sorted(found)]


def records(text: str) -> tuple[list[Record], list[Value]]:
    """The documents named in `text` with their values, and the labelled values that name none."""
    toks = tokens(text)
    named = mentions(toks)
    values = _labelled_values(toks, text, named)
    order = sorted([(m.start, "D") for m in named] + [(v.at, "V") for v in values])
    shape = "".join(letter for _, letter in order)
    if (
        named
        and shape == "VD" * len(named)
        and not any(_adjacent(toks, text, mention, len(toks)) for mention in named)
    ):
        return [
            Record(mention.ids, value.value, mention.start, mention.end)
            for value, mention in zip(values, named, strict=True)
        ], []
    return _by_line(toks, text, named, values)


def _by_line(
    toks: Tokens, text: str, named: list[Mention], values: list[_Labelled]
) -> tuple[list[Record], list[Value]]:
    found: list[Record] = []
    orphans: list[Value] = []
    heading: Mention | None = None
    in_heading = False  # whether a value under the heading is still awaited
    next_mention = next_value = 0
    leading: list[tuple[int, Record]] = []
    for start, end in toks.parts:
        line_mentions = []
        while next_mention < len(named) and named[next_mention].start < end:
            line_mentions.append(named[next_mention])
            next_mention += 1
        line_values = []
        while next_value < len(values) and values[next_value].at < end:
            line_values.append(values[next_value])
            next_value += 1
        if not line_mentions:
            value = line_values[0].value if line_values else None
            if value is None and in_heading:
                value = _number_line(toks, text, start, end)
            if value is not None and heading is not None and in_heading:
                found.append(Record(heading.ids, value, heading.start, end))
                in_heading = False
            elif value is not None and heading is None:
                orphans.append(value)
            continue
        first = line_mentions[0]
        for mention, until in zip(
            line_mentions, [m.start for m in line_mentions[1:]] + [end], strict=True
        ):
            value = next((v.value for v in line_values if mention.end <= v.at < until), None)
            if value is None:
                value = _adjacent(toks, text, mention, until)
            if value is None:
                value = _within(toks, text, mention.end, until)
            if value is None and len(line_mentions) == 1:
                before = [v.value for v in line_values if v.at < mention.start]
                value = before[0] if before else None
                if value is None and (opening := _opening(toks, text, start, mention)):
                    leading.append((len(found), Record(mention.ids, opening, start, end)))
            found.append(Record(mention.ids, value, mention.end, until))
        last = found[-1]
        if last.value is None and first.start - start <= 4 and len(line_mentions) == 1:
            heading, in_heading = first, True
        else:
            heading, in_heading = heading if heading else first, False
    numbers = [record.value.number for _, record in leading if record.value]
    if numbers != [float(n) for n in range(1, len(numbers) + 1)] or len(numbers) == 1:
        for at, record in leading:  # "9 - Document 3"; but 1, 2, 3 … are ranks
            found[at] = record
    return found, orphans


def _adjacent(toks: list[Token], text: str, mention: Mention, until: int) -> Value | None:
    """The value right behind a mention, with signs or a few plain words between."""
    signs = ""
    for i in range(mention.end, min(mention.end + 7, until)):
        token = toks[i]
        if token.kind == "number":
            if not signs and not _is_quantity(toks, i) and toks[i - 1].text not in ("]", "]]"):
                return None
            value = value_at(toks, i, text)
            return value if value is not None and stands(toks, value) else None
        if token.kind == "line":
            return None
        if token.kind == "sign":
            opens = token.text[0] in _BETWEEN or (token.text == "[" and signs[-1:] in (":", "="))
            if not opens:
                return None
            signs += token.text
            continue
        low = token.text.lower()
        if low not in FILLERS and low not in GIVING and kind(token.text) != "score":
            return None
        signs += "w"
    return None


def _within(toks: list[Token], text: str, start: int, end: int) -> Value | None:
    """The value that stands apart in a sentence: `… is on topic (9/10)`, `… (9)`, `… - 9`."""
    for i in range(start + 1, end):
        before = next((t for t in reversed(toks[max(start, i - 3) : i]) if t.kind == "word"), None)
        if toks[i].kind != "number" or (before and kind(before.text) == "other"):
            continue
        value = value_at(toks, i, text)
        if value is None or value.after > end:
            continue
        bracketed = toks[i - 1].text == "(" and value.after < end and toks[value.after].text == ")"
        last = toks[i - 1].text in ("-", ":", "=") and value.after == end
        if bracketed or last or (value.of in (5, 10, 100) and toks[value.after - 1].text != "%"):
            return value
    return None


def _opening(toks: list[Token], text: str, start: int, mention: Mention) -> Value | None:
    """The number that opens a line before its document: `9 - Document 3`, `8/10: [3]`."""
    if toks[start].kind != "number":
        return None
    value = value_at(toks, start, text)
    if value is None or value.after > mention.start:
        return None
    between = toks[value.after : mention.start]
    if len(between) > 2 or any(token.kind != "sign" for token in between):
        return None
    if between and between[0].text in (".", ")") and value.of is None:
        return None  # a list marker
    return value


def _number_line(toks: list[Token], text: str, start: int, end: int) -> Value | None:
    at = next((i for i in range(start, end) if toks[i].kind != "sign"), None)
    if at is None or toks[at].kind != "number" or at - start > 2:
        return None
    value = value_at(toks, at, text)
    if value is None or any(token.kind != "sign" for token in toks[value.after : end]):
        return None
    return value
