"""Text to documents: lines, paragraphs, CSV and JSON lines."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Sequence
from enum import StrEnum
from typing import Any

from ..errors import InvalidInputError
from ..ranking.candidate import to_candidate

#: About how long a passage is, in characters: a few paragraphs.
PASSAGE = 1000
#: What a column, or a field, with the text is called where nobody says.
TEXT_FIELDS = ("text", "content", "page_content", "passage", "document", "body")

_HEADING = re.compile(r"#{1,6} ")

Documents = list[dict[str, Any]]


class Form(StrEnum):
    """How text is cut into documents."""

    LINES = "lines"
    PARAGRAPHS = "paragraphs"
    CSV = "csv"
    JSONL = "jsonl"


def form_of(text: str) -> Form:
    """What the text looks like, wherever it came from.

    JSON lines where every line is an object; CSV where the first row names a column of text and
    every row has as many; paragraphs where headings or empty lines part it; else lines.
    """
    lines = [line for line in text.splitlines() if line.strip()]
    if lines and all(line.lstrip().startswith("{") for line in lines):
        return Form.JSONL
    if _is_csv(text):
        return Form.CSV
    inside = text.strip().splitlines()
    parted = any(not line.strip() for line in inside)
    return Form.PARAGRAPHS if parted or any(map(_HEADING.match, inside)) else Form.LINES


def documents_in(text: str, name: str, form: Form, field: str | None = None) -> Documents:
    """The documents, each with an id that says in which line of `name` it begins.

    `field`: of CSV and JSON lines, where the text stands. Raises `InvalidInputError`, naming the
    line.
    """
    match form:
        case Form.LINES:
            return _lines(text, name)
        case Form.PARAGRAPHS:
            return _passages(text, name)
        case Form.CSV:
            return _csv(text, name, field)
        case Form.JSONL:
            return _json_lines(text, name, field)


def _lines(text: str, name: str) -> Documents:
    return [
        {"text": line.strip(), "id": f"{name}:{number}"}
        for number, line in enumerate(text.splitlines(), 1)
        if line.strip()
    ]


def _json_lines(text: str, name: str, field: str | None) -> Documents:
    documents = []
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            document = json.loads(line)
        except (ValueError, RecursionError) as error:  # also a number of too many digits
            raise InvalidInputError(f"{name}:{number} is not JSON: {error}") from None
        if isinstance(document, str):
            document = {"text": document}
        if not isinstance(document, dict):
            raise InvalidInputError(f"{name}:{number} is not a JSON object or string")
        if field is not None and field != "text":
            if not isinstance(document.get(field), str):
                raise InvalidInputError(
                    f"{name}:{number} has no text in {field!r}: there are {_named(list(document))}"
                )
            document = {**document, "text": document[field]}
        try:
            to_candidate(document, number)
        except InvalidInputError as error:
            raise InvalidInputError(f"{name}:{number}: {error}") from None
        documents.append({"id": f"{name}:{number}", **document})
    return documents


def _is_csv(text: str) -> bool:
    head = text.lstrip("\r\n").partition("\n")[0]
    if not any(delimiter in head for delimiter in ",;\t"):
        return False
    try:
        first, *rows = _rows(text)
    except (csv.Error, ValueError):
        return False
    return (
        bool(rows)
        and any(name.strip().lower() in TEXT_FIELDS for name in first[1])
        and all(len(row) == len(first[1]) for _, row in rows)
    )


def _rows(text: str) -> list[tuple[int, list[str]]]:
    """Each row with the line that it begins in; what parts its columns is what the head has."""
    head = text.lstrip("\r\n").partition("\n")[0]
    delimiter = max(",;\t", key=head.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    rows, begins = [], 1
    for row in reader:
        if any(cell.strip() for cell in row):
            rows.append((begins, row))
        begins = reader.line_num + 1
    return rows


def _csv(text: str, name: str, field: str | None) -> Documents:
    csv.field_size_limit(max(csv.field_size_limit(), len(text) + 1))
    try:
        rows = _rows(text)
    except csv.Error as error:
        raise InvalidInputError(f"{name} is not CSV: {error}") from None
    if not rows:
        return []
    (_, head), *rest = rows
    columns = [column.strip() for column in head]
    if len(set(columns)) < len(columns):
        raise InvalidInputError(f"{name} names a column twice: {_named(columns)}")
    column = _text_column(columns, name, field)
    documents = []
    for number, row in rest:
        if len(row) != len(columns):
            raise InvalidInputError(
                f"{name}:{number} has {len(row)} columns, and the first row has {len(columns)}"
            )
        cells = dict(zip(columns, row, strict=True))
        shown = {"id": f"{name}:{number}", **{k: v for k, v in cells.items() if k or v}}
        documents.append({**shown, "text": cells[column]})
    # a row without text is no document
    return [document for document in documents if document["text"].strip()]


def _text_column(columns: Sequence[str], name: str, field: str | None) -> str:
    if field is not None:
        if field not in columns:
            raise InvalidInputError(f"{name} has no column {field!r}: there are {_named(columns)}")
        return field
    if len(columns) == 1:
        return columns[0]
    for wanted in TEXT_FIELDS:
        for column in columns:
            if column.lower() == wanted:
                return column
    raise InvalidInputError(
        f"which column of {name} has the text? --field names it: there are {_named(columns)}"
    )


def _named(names: Sequence[str]) -> str:
    return ", ".join(map(repr, names))


def _passages(text: str, name: str) -> Documents:
    """Paragraphs, short ones joined up to about `PASSAGE` characters, none across a heading.

    Every passage is a stretch of the file as it stands; its id says at which line it begins.
    """
    passages: list[tuple[int, list[str]]] = []
    fenced = False
    fresh = True
    for number, line in enumerate(text.splitlines(), 1):
        heading = not fenced and _HEADING.match(line) is not None
        size = sum(map(len, passages[-1][1])) if passages else 0
        if line.strip() and (heading or not passages or (fresh and size > PASSAGE)):
            passages.append((number, []))
        if passages:
            passages[-1][1].append(line)
        if line.lstrip().startswith(("```", "~~~")):
            fenced = not fenced
        fresh = not fenced and not line.strip()
    return [
        {"text": "\n".join(lines).strip(), "id": f"{name}:{number}"}
        for number, lines in passages
        if any(line.strip() and not _HEADING.match(line) for line in lines)
    ]
