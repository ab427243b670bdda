"""Lines and sentences that give documents their scores, as (document number, value) pairs."""

from __future__ import annotations

from typing import NamedTuple

from .labels import labelled_value, stands
from .mentions import Mention, is_quantity, mentions
from .scan import Token, Tokens, Value, tokens, value_at
from .words import FILLERS, GIVING, kind

_BETWEEN = frozenset(":-=|(>,~*\"'])")


class Record(NamedTuple):
    """What a text says about some documents: a value, or the tokens that might hold a grade."""

    ids: tuple[int, ...]
    value: Value | None
    start: int
    end: int


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
            if not signs and not is_quantity(toks, i) and toks[i - 1].text not in ("]", "]]"):
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
