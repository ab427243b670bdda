"""The user's own documents: files, folders, standard input."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import InvalidInputError
from .forms import Documents, Form, documents_in, form_of

#: What is read from a folder; a file that is named is read whatever it is called.
SUFFIXES = frozenset({".txt", ".md", ".markdown", ".rst", ".csv", ".tsv", ".jsonl", ".ndjson"})
#: What a file's name says of its form, where nobody says another; else its text says it.
FORMS = {
    ".jsonl": Form.JSONL,
    ".ndjson": Form.JSONL,
    ".csv": Form.CSV,
    ".tsv": Form.CSV,
}
#: Documents that are no text: of a folder they are named, and passed over.
OTHERS = frozenset({".pdf", ".docx", ".doc", ".odt", ".rtf", ".epub", ".pptx", ".xlsx", ".html"})
#: Folders that hold what was made, or is somebody else's; those whose name has a dot in front, too.
LEFT_OUT = frozenset(
    {"node_modules", "bower_components", "site-packages", "__pycache__", "venv"}
    | {"build", "_build", "dist", "target"}
)
#: What marks a folder as an environment of Python's, or as a cache (https://bford.info/cachedir/).
_MARKS = ("pyvenv.cfg", "CACHEDIR.TAG")

#: So many are listed of what was passed over.
TOLD = 10

#: What a file begins with that is no text, and what to do about it.
_KINDS = (
    (b"%PDF-", "a PDF", "pdftotext {name} - | rerank rank …"),
    (b"PK\x03\x04", "a Word file, or another archive", "pandoc -t plain {name} | rerank rank …"),
    (b"\xd0\xcf\x11\xe0", "an old Office file", "soffice --convert-to txt:Text {name}"),
    (b"{\\rtf", "rich text", "pandoc -t plain {name} | rerank rank …"),
    (b"\x1f\x8b", "compressed", "gunzip -c {name} | rerank rank …"),
    (b"PAR1", "Parquet", "rerank bulk reads it"),
)


@dataclass(frozen=True, slots=True)
class Found:
    """The documents, and whether their order is a retriever's (or one's own) rather than chance.

    `notes`: what whoever asked should know of what was read, and what was passed over.
    """

    documents: list[dict[str, Any]]
    ordered: bool
    notes: tuple[str, ...] = ()


def read(paths: Sequence[Path], *, form: Form | None = None, field: str | None = None) -> Found:
    """The documents of these files and folders; of standard input for none, or for "-".

    The same text gives the same documents, whichever way it comes. `form` and `field`: as
    `documents_in` has them; None to see. Raises `InvalidInputError`, naming the file and line, for
    what was named and cannot be read as text; in a folder it is passed over, and noted.
    """
    found = _Reading(form, field)
    for path in paths or [Path("-")]:
        if str(path) == "-" or path.is_file():
            found.take(path)
        elif path.is_dir():
            found.take_folder(path)
        else:
            raise InvalidInputError(f"there is no file {path}")
    if not found.documents:
        told = "".join(f"\n  {note}" for note in found.notes)
        raise InvalidInputError(f"there is nothing to rank: no text in what was given{told}")
    return Found(found.documents, found.ordered, tuple(found.notes))


class _Reading:
    def __init__(self, form: Form | None, field: str | None) -> None:
        self.form, self.field = form, field
        self.documents: Documents = []
        self.notes: list[str] = []
        #: Passages, and what stands in a folder, have no order to believe in.
        self.ordered = True

    def take(self, file: Path) -> None:
        text = _text(file)
        form = self.form or FORMS.get(file.suffix.lower()) or form_of(text)
        self.documents += documents_in(text, str(file), form, self.field)
        self.ordered = self.ordered and form is not Form.PARAGRAPHS
        if str(file) == "-" and self.form is None and form in (Form.PARAGRAPHS, Form.CSV):
            self.notes.append(f"standard input was read as {form}: --input lines says otherwise")

    def take_folder(self, folder: Path) -> None:
        passed_over: list[str] = []
        left_out: list[str] = []
        read = 0
        for file in _files(folder, passed_over, left_out):
            read += 1
            try:
                self.take(file)
            except (InvalidInputError, OSError) as error:
                passed_over.append(_why(error))
        self.ordered = False
        self.notes += [f"passed over: {one}" for one in _first(passed_over)]
        if left_out:
            self.notes.append(f"left out: {', '.join(_first(left_out))} (name one to read it)")
        if not read and not passed_over:
            kinds = ", ".join(sorted(SUFFIXES))
            raise InvalidInputError(f"{folder} holds no {kinds} files")


def _files(folder: Path, passed_over: list[str], left_out: list[str]) -> Iterator[Path]:
    """What is read of a folder, in the order of the names, and what is not."""

    def unreadable(error: OSError) -> None:
        passed_over.append(_why(error))

    for at, folders, names in os.walk(folder, onerror=unreadable):
        here = Path(at)
        folders[:] = [name for name in folders if not name.startswith(".")]
        made = [name for name in folders if name in LEFT_OUT or _is_made(here / name)]
        left_out += [str(here / name) for name in sorted(made)]
        folders[:] = sorted(set(folders) - set(made))
        for name in sorted(names):
            suffix = Path(name).suffix.lower()
            if name.startswith("."):
                continue
            if suffix in SUFFIXES:
                yield here / name
            elif suffix in OTHERS:
                passed_over.append(f"{here / name} is no plain text")


def _is_made(folder: Path) -> bool:
    return any((folder / mark).exists() for mark in _MARKS)


def _first(told: list[str]) -> list[str]:
    more = len(told) - TOLD
    return told if more <= 0 else [*told[:TOLD], f"{more} more"]


def _why(error: Exception) -> str:
    if isinstance(error, OSError) and error.filename is not None:
        return f"{error.filename}: {error.strerror}"
    return str(error)


def _text(file: Path) -> str:
    if str(file) == "-":
        # it may be closed
        return _decoded(b"" if sys.stdin is None else sys.stdin.buffer.read(), "standard input")
    return _decoded(file.read_bytes(), str(file))


def _decoded(content: bytes, name: str) -> str:
    for beginning, kind, instead in _KINDS:
        if content.startswith(beginning):
            shown = instead.format(name="FILE" if name == "standard input" else shlex.quote(name))
            raise InvalidInputError(f"{name} is {kind}, not text: {shown}")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidInputError(f"{name} is not UTF-8 text (byte {error.start})") from None
    if "\0" in text:
        raise InvalidInputError(f"{name} is not text: it holds NUL bytes")
    return text
