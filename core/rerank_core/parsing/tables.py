"""Tables in a reply: Markdown, and comma-, semicolon- or tab-separated with a heading."""

from __future__ import annotations

import re
from collections.abc import Iterator

from .ids import as_id, is_id_key
from .words import kind

_RULE = re.compile(r"[\s|:+=-]{1,400}\Z")
_DIGIT = re.compile(r"\d")
Row = list[str]


def tables(text: str) -> Iterator[list[Row]]:
    """Each run of lines that are split alike: by pipes, else by a separator its heading shows."""
    rows: list[Row] = []
    separator: str | None = None
    for line in text.split("\n"):
        if separator and separator in line:
            rows.append(_cells(line, separator))
            continue
        if separator == "|" and _RULE.match(line):
            continue
        if not line.strip() and rows and separator != "|":
            continue
        if rows:
            yield rows
        rows, separator = [], _separator(line)
        if separator:
            rows.append(_cells(line, separator))
    if rows:
        yield rows


def _separator(line: str) -> str | None:
    if "|" in line:
        return "|"
    if _DIGIT.search(line):
        return None  # a heading has none
    for separator in ("\t", ";", ","):
        if separator in line and _is_heading(_cells(line, separator)):
            return separator
    return None


def _cells(line: str, separator: str) -> Row:
    line = line.strip().removeprefix("|").removesuffix("|") if separator == "|" else line
    return [cell.strip(" \t\"'") for cell in line.split(separator)]


def _is_heading(cells: Row) -> bool:
    kinds = {_column_kind(cell) for cell in cells}
    return {"document", "score"} <= kinds


def _column_kind(heading: str) -> str:
    if len(heading) > 40:
        return ""
    if is_id_key(heading):
        return "document"
    kinds = [kind(word) for word in heading.replace("#", " ").split()[:4]]
    for name in ("other", "score", "document"):
        if name in kinds:
            return name
    return ""


def columns(rows: list[Row]) -> tuple[list[Row], int, int | None, int | None]:
    """The rows without heading; the columns of document, score and rank (None: not there).

    Without a heading the first column is the document, and the score is wherever one stands (-1).
    """
    heading, *body = rows
    body = [row for row in body if not _RULE.match("".join(row) or "-")]
    kinds = [_column_kind(cell) for cell in heading]
    if any(as_id(cell) is not None for cell in heading) or "document" not in kinds:
        if any(as_id(cell) is not None for cell in heading[:1]):
            return [row for row in rows if not _RULE.match("".join(row) or "-")], 0, -1, None
        return body, 0, -1 if "score" not in kinds else kinds.index("score"), None
    rank = next((i for i, cell in enumerate(heading) if "rank" in cell.lower()), None)
    score = kinds.index("score") if "score" in kinds else None
    return body, kinds.index("document"), score, rank
