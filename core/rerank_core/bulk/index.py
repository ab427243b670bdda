"""Texts by their ids, from a file that is not read into memory: where each stands is on disk."""

from __future__ import annotations

import json
import os
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from uuid import uuid4

from ..errors import InvalidInputError

#: Ids in one question to SQLite, which takes 999 in its older builds.
_AT_ONCE = 500
_TABLE = "CREATE TABLE texts (id BLOB PRIMARY KEY, at INTEGER, size INTEGER) WITHOUT ROWID"


class Index:
    """The texts of a corpus or of queries: JSON lines (`_id` or `id`, `title`, `text`), or `.tsv`.

    Made once, in `folder`, and taken from there as long as the file is the same. Raises
    `InvalidInputError`, naming file and line, for a line that cannot be read, and for two of one
    id.
    """

    _opened: tuple[sqlite3.Connection, int] | None

    def __init__(self, file: Path, folder: Path) -> None:
        self.file = file
        self.tabs = file.suffix.lower() == ".tsv"
        status = file.stat()
        self.path = folder / f"{file.name}-{status.st_size}-{status.st_mtime_ns}.sqlite"
        self._unopened()
        if not self.path.exists():
            self._make()

    def texts(self, ids: Sequence[str]) -> Mapping[str, str]:
        """The texts of those it has."""
        found: dict[str, str] = {}
        with self._lock:
            self._find(ids, found)
        return found

    def close(self) -> None:
        """Let go of the files; they are opened again when needed."""
        with self._lock:
            if self._opened is not None:
                database, texts = self._opened
                database.close()
                os.close(texts)
                self._opened = None

    def _find(self, ids: Sequence[str], found: dict[str, str]) -> None:
        if self._opened is None:
            address = f"{self.path.resolve().as_uri()}?mode=ro&immutable=1"
            database = sqlite3.connect(address, uri=True, check_same_thread=False)
            self._opened = database, os.open(self.file, os.O_RDONLY)
        database, texts = self._opened
        for start in range(0, len(ids), _AT_ONCE):
            some = [_blob(one) for one in ids[start : start + _AT_ONCE]]
            marks = ",".join("?" * len(some))
            places = database.execute(
                f"SELECT id, at, size FROM texts WHERE id IN ({marks}) ORDER BY at", some
            )
            for name, at, size in places:
                _, text = self._entry(os.pread(texts, size, at), 0)
                found[bytes(name).decode("utf-8", "surrogatepass")] = text

    def _unopened(self) -> None:
        self._lock = threading.Lock()
        self._opened = None

    def __getstate__(self) -> dict[str, Any]:
        return {"file": self.file, "tabs": self.tabs, "path": self.path}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._unopened()
        if not self.path.exists():  # on another machine than the one that made it
            self._make()

    def _make(self) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = self.path.with_suffix(f".{uuid4().hex}")  # others may be making it too
        database = sqlite3.connect(unfinished)
        try:
            database.execute("PRAGMA journal_mode = OFF")
            database.execute("PRAGMA synchronous = OFF")
            database.execute(_TABLE)
            database.executemany("INSERT INTO texts VALUES (?, ?, ?)", self._places())
            database.commit()
        except sqlite3.IntegrityError:
            raise InvalidInputError(f"{self.file} has two entries of one id") from None
        finally:
            database.close()
        os.replace(unfinished, self.path)

    def _places(self) -> Iterable[tuple[bytes, int, int]]:
        for number, at, line in _numbered(self.file):
            name, _ = self._entry(line, number)
            yield _blob(name), at, len(line)

    def _entry(self, line: bytes, number: int) -> tuple[str, str]:
        """The id and the text on this line."""
        try:
            if self.tabs:
                name, _, text = line.decode("utf-8-sig").rstrip("\r\n").partition("\t")
                return name, text.strip()
            row = json.loads(line.decode("utf-8-sig"))
            name = row.get("_id", row.get("id"))
        except (ValueError, RecursionError, AttributeError) as error:
            raise InvalidInputError(f"{self.file}:{number} cannot be read: {error}") from None
        if name is None:
            raise InvalidInputError(f'{self.file}:{number} has no "_id"')
        return str(name), f"{row.get('title') or ''} {row.get('text') or ''}".strip()


class Seen:
    """Which queries were written already, on disk: an id that comes again would double its list."""

    def __init__(self, path: Path, number: int) -> None:
        """`number`: how many queries are written; what was noted beyond them is forgotten."""
        self._database = sqlite3.connect(path, check_same_thread=False)
        self._database.execute("PRAGMA synchronous = OFF")
        self._database.execute(
            "CREATE TABLE IF NOT EXISTS seen (id BLOB PRIMARY KEY, number INTEGER) WITHOUT ROWID"
        )
        self._database.execute("DELETE FROM seen WHERE number > ?", (number,))
        self._database.commit()

    def add(self, name: str, number: int) -> bool:
        """Note it; False if it was there before."""
        added = self._database.execute(
            "INSERT OR IGNORE INTO seen VALUES (?, ?)", (_blob(name), number)
        )
        return added.rowcount == 1

    def commit(self) -> None:
        """Keep what was noted."""
        self._database.commit()

    def close(self) -> None:
        """Let go of the file."""
        self._database.close()


def _blob(name: str) -> bytes:
    return name.encode("utf-8", "surrogatepass")


def _numbered(file: Path) -> Iterator[tuple[int, int, bytes]]:
    at = 0
    with file.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            if line.strip():
                yield number, at, line
            at += len(line)
