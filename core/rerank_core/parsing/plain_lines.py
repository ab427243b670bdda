"""Lines that name documents by bare numbers, or in words that no list of ours knows."""

from __future__ import annotations

from .labels import labelled_value, stands
from .mentions import mentions
from .scan import Token, Value, to_float, tokens, value_at, whole
from .words import kind

Pair = tuple[int, Value]


def numbered(text: str, *, headed: bool = True) -> list[Pair]:
    """`3: 8`, `3. 8/10`, `1: 8, 2: 3`, `3. Some title, score 8`, or `3.` with a score below it."""
    toks = tokens(text)
    found: list[Pair] = []
    by_comma = 0
    waiting: int | None = None
    for start, end in toks.parts:
        at = next((i for i in range(start, end) if toks[i].kind != "sign"), end)
        number = None
        if at < end and toks[at].kind == "number" and at - start <= 2:
            if pairs := _pairs(toks, text, at, end):
                found.extend(pairs)
                by_comma += "," in toks[at].text or toks[at + 1].text == ","
                waiting = None
                continue
            number = whole(toks[at].text)
            if at + 1 < end and toks[at + 1].text in ("/", "%"):
                number = None
        if number is not None:
            waiting = number if headed else None
            if at + 1 < end and toks[at + 1].text not in (".", ")", ":", "-", "]", "|"):
                waiting = None
        if waiting is None:
            continue
        for i in range(at, end):
            if toks[i].kind == "word" and kind(toks[i].text) == "score":
                reading = labelled_value(toks, i, text)
                if reading is not None and reading[2] < end:
                    found.append((waiting, reading[0]))
                    waiting = None
                    break
    # One line `2, 5` may be two of anything; several are a table without its heading.
    return [] if by_comma == 1 == len(found) else found


def _pairs(toks: list[Token], text: str, at: int, end: int) -> list[Pair]:
    """The line as one or more of `id sign score`, from token `at` on; [] if it is not."""
    found: list[Pair] = []
    i = at
    in_list = at > 0 and toks[at - 1].text == "["
    while i < end:
        if toks[i].kind != "number":
            i += 1
            if toks[i - 1].kind == "word":
                break
            continue
        fused = toks[i].text.split(",")
        if len(fused) == 2 and (name := whole(fused[0])) is not None:  # `1,7` of a plain CSV
            number = to_float(fused[1])
            if number is None or found or in_list:
                return []
            return [(name, Value(number, None, i + 1))]
        name = whole(toks[i].text)
        if name is None:
            break
        j = i + 1
        while j < end and toks[j].kind == "sign" and j - i <= 3 and toks[j].text[0] in ":.)]=->|,(":
            j += 1
        if j >= end or toks[j].kind != "number" or toks[i + 1].text in ("/", "%"):
            break
        value = value_at(toks, j, text)
        if value is None or not (stands(toks, value) or value.after >= end):
            break
        if j == i + 1 and value.after < end and toks[value.after].kind == "number":
            break  # a row of bare numbers
        if (
            toks[i + 1].text == ","
            and (in_list or any(t.kind == "number" for t in toks[value.after : end]))
            and not (i > 0 and toks[i - 1].text == "(")
        ):
            return []
        found.append((name, value))
        i = value.after
        if i < end and toks[i].text not in (",", ";", ")", "|", "]"):
            break
    return found


def alike(text: str) -> list[Pair]:
    """Two or more lines of one shape with two numbers each: the document's, then its score.

    So it reads any language. The first numbers must all differ.
    """
    toks = tokens(text)
    shapes: dict[tuple[str, ...], list[Pair]] = {}
    for start, end in toks.parts:
        line = toks[start:end]
        numbers = [i for i, token in enumerate(line) if token.kind == "number"]
        if not numbers or len(line) > 40:
            continue
        fused = line[numbers[0]].text.split(",")
        name = whole(fused[0])
        if name is None:
            continue
        if len(numbers) == 1 and len(fused) == 2 and (number := to_float(fused[1])) is not None:
            value: Value | None = Value(number, None, numbers[0] + 1)
        elif len(numbers) > 1 and len(fused) == 1:
            value = value_at(line, numbers[1], text)
            if value is not None and any(i >= value.after for i in numbers[2:]):
                value = None
        else:
            continue
        if value is None or any(t.kind == "word" and kind(t.text) == "other" for t in line):
            continue
        if any(m.start > numbers[0] for m in mentions(line)):
            continue  # "1. Document 3": a rank
        shape = tuple(token.text for token in line[: numbers[min(1, len(numbers) - 1)]]
                      if token.kind == "word")  # fmt: skip
        shapes.setdefault(shape, []).append((name, value))
    best = max(shapes.values(), key=len, default=[])
    distinct = {name for name, _ in best}
    return best if len(best) >= 2 and len(distinct) == len(best) else []


def row(text: str) -> list[Value]:
    """The numbers, where a text is a list of them: in one line, or one a line; else []."""
    toks = tokens(text)
    found: list[Value] = []
    for start, end in toks.parts:
        values = _row(toks, text, start, end)
        if not values or (len(values) > 1 and len(toks.parts) > 1):
            return []
        found += values
    return found


def _row(toks: list[Token], text: str, i: int, end: int) -> list[Value]:
    found: list[Value] = []
    if kind(toks[i].text) == "score" and i + 1 < end and toks[i + 1].text == ":":
        i += 2  # "Scores: 9, 5, 2"
    while i < end:
        token = toks[i]
        if token.kind != "number":
            if token.kind == "word" or token.text[0] in ":=>":
                return []
            i += 1
            continue
        parts = [to_float(part) for part in token.text.split(",")] if "," in token.text else []
        if parts:
            if len(token.text) > 4000 or None in parts:
                return []
            found += [Value(part, None, i) for part in parts if part is not None]
            i += 1
            continue
        value = value_at(toks, i, text)
        if value is None or value.ends or value.after > end:
            return []
        found.append(value)
        i = value.after
    return found
