"""The user's own documents: files of text, Markdown or JSON lines, folders, standard input."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import InvalidInputError
from ..ranking.candidate import to_candidate

#: What is read from a folder; a file that is named is read whatever it is called.
SUFFIXES = frozenset({".txt", ".md", ".markdown", ".rst", ".jsonl", ".ndjson"})
_JSON_LINES = frozenset({".jsonl", ".ndjson"})
#: About how long a passage is, in characters: a few paragraphs.
PASSAGE = 1000

_HEADING = re.compile(r"#{1,6} ")


@dataclass(frozen=True, slots=True)
class Found:
    """The documents, and whether their order is a retriever's (or one's own) rather than chance."""

    documents: list[dict[str, Any]]
    ordered: bool


def read(paths: Sequence[Path]) -> Found:
    """The documents of these files and folders; of standard input for none, or for "-".

    Raises `InvalidInputError`, naming the file and line, for what cannot be read as text.
    """
    documents: list[dict[str, Any]] = []
    ordered = True
    for path in paths or [Path("-")]:
        for file in _files(path):
            if str(file) == "-":
                documents += _lines(_decoded(_standard_input(), "standard input"), "-")
            elif file.suffix.lower() in _JSON_LINES:
                documents += _json_lines(_text(file), str(file))
            else:
                documents += _passages(_text(file), str(file))
                ordered = False
    if not documents:
        raise InvalidInputError("there is nothing to rank: no text in what was given")
    return Found(documents, ordered)


def _files(path: Path) -> Iterator[Path]:
    if str(path) == "-" or path.is_file():
        yield path
    elif path.is_dir():
        found = sorted(
            file
            for file in path.rglob("*")
            if file.suffix.lower() in SUFFIXES
            and not any(part.startswith(".") for part in file.relative_to(path).parts)
        )
        if not found:
            raise InvalidInputError(f"{path} holds no {', '.join(sorted(SUFFIXES))} files")
        yield from found
    else:
        raise InvalidInputError(f"there is no file {path}")


def _standard_input() -> bytes:
    return b"" if sys.stdin is None else sys.stdin.buffer.read()  # it may be closed


def _text(file: Path) -> str:
    return _decoded(file.read_bytes(), str(file))


def _decoded(content: bytes, name: str) -> str:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidInputError(f"{name} is not UTF-8 text (byte {error.start})") from None
    if "\0" in text:
        raise InvalidInputError(f"{name} is not text: it holds NUL bytes")
    return text


def _lines(text: str, name: str) -> list[dict[str, Any]]:
    """One document a line; a line that is a JSON object is taken as one."""
    lines = [(number, line) for number, line in enumerate(text.splitlines(), 1) if line.strip()]
    if lines and all(line.lstrip().startswith("{") for _, line in lines):
        return _json_lines(text, name)
    return [{"text": line.strip(), "id": f"{name}:{number}"} for number, line in lines]


def _json_lines(text: str, name: str) -> list[dict[str, Any]]:
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
        try:
            to_candidate(document, number)
        except InvalidInputError as error:
            raise InvalidInputError(f"{name}:{number}: {error}") from None
        documents.append({"id": f"{name}:{number}", **document})
    return documents


def _passages(text: str, name: str) -> list[dict[str, Any]]:
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
