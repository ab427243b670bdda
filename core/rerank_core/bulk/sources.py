"""Where queries and candidates come from: JSON lines, Parquet, a TREC run over a corpus.

Each is read from any position on, one query after the other, and never as a whole.

- a record a query: `{"query_id", "query", "documents": [{"id", "text", "score"}]}`;
- or a record a pair, those of a query one after the other:
  `{"query_id", "query", "document_id", "text", "score"}`;
- or a TREC run, `query Q0 document rank score name`, with the texts in files of their own.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from pathlib import Path
from typing import Any, Protocol

from ..errors import InvalidInputError, require
from .index import Index
from .records import START, Position, Query, Record, Unreadable, pair_key, query_of, query_of_pairs

JSON_LINES, PARQUET = (".jsonl", ".ndjson"), (".parquet", ".pq")
#: So many characters of what could not be read are shown with it.
SHOWN = 500
#: Rows of a table at once: few enough that long texts do not fill the memory.
ROWS = 256


class Source(Protocol):
    """Queries in a file. It pickles, and reads the file again wherever it is sent."""

    #: What `Position.at` is at the end.
    size: int

    def read(self, start: Position = START, stop: int | None = None) -> Iterator[Record]:
        """The queries from there on, up to that many in all before `stop` (a number)."""
        ...

    def ends(self, start: Position = START) -> Iterator[Position]:
        """Where each query ends, with as little reading as tells it."""
        ...

    def close(self) -> None:
        """Let go of what it keeps open."""


def source(
    path: Path, index: Path, corpus: Path | None = None, queries: Path | None = None
) -> Source:
    """The source in that file, by its ending. `index`: a folder for what finds texts by their ids.

    Raises `InvalidInputError` where the first record cannot be read: then it is the wrong file,
    while a later one is a dead letter.
    """
    found: Source
    ending = path.suffix.lower()
    if ending in JSON_LINES or ending in PARQUET:
        if corpus is not None or queries is not None:
            raise InvalidInputError(f"{path} brings its own texts: leave --corpus, --queries out")
        found = JsonLines(path) if ending in JSON_LINES else Parquet(path)
    else:
        if corpus is None or queries is None:
            raise InvalidInputError(
                f"{path} is read as a TREC run, which has no texts: name --corpus and --queries "
                "(JSON lines or tab-separated), or give .jsonl or .parquet"
            )
        found = TrecRun(path, Index(queries, index), Index(corpus, index))
    first = next(found.read(), None)
    if first is None:
        raise InvalidInputError(f"{path} holds no query")
    if isinstance(first, Unreadable):
        raise InvalidInputError(f"{path}, first record: {first.why}")
    return found


class JsonLines:
    """A record a line, of a query or of a pair, as the first line has it."""

    def __init__(self, path: Path) -> None:
        self.path, self.size = path, path.stat().st_size
        self.pairs = _are_pairs(next((row for _, _, row in self._rows(0)), None))

    def read(self, start: Position = START, stop: int | None = None) -> Iterator[Record]:
        """See `Source`."""
        return _queries(self._rows(start.at), self.pairs, start.number, stop)

    def ends(self, start: Position = START) -> Iterator[Position]:
        """See `Source`."""
        if self.pairs:
            yield from (record.after for record in self.read(start))
            return
        number = start.number
        for at, line in _lines(self.path, start.at):
            if line.strip():
                number += 1
                yield Position(number, at)

    def close(self) -> None:
        """Nothing is kept open."""

    def _rows(self, at: int) -> Iterator[tuple[int, str, Any]]:
        for after, line in _lines(self.path, at):
            if line.strip():
                yield after, line[:SHOWN].decode("utf-8", "replace"), _json(line)


class Parquet:
    """A row a query, with a list of structs `documents`; or a row a pair."""

    def __init__(self, path: Path) -> None:
        require("Parquet", "bulk", "pyarrow")
        from pyarrow import ArrowInvalid
        from pyarrow import parquet as pq

        self.path = path
        try:
            with pq.ParquetFile(path) as file:
                self.size, names = file.metadata.num_rows, set(file.schema_arrow.names)
        except ArrowInvalid as error:
            raise InvalidInputError(f"{path} is no Parquet file: {error}") from None
        self.pairs = _are_pairs(dict.fromkeys(names))

    def read(self, start: Position = START, stop: int | None = None) -> Iterator[Record]:
        """See `Source`."""
        return _queries(self._rows(start.at), self.pairs, start.number, stop)

    def ends(self, start: Position = START) -> Iterator[Position]:
        """See `Source`."""
        if not self.pairs:
            yield from (
                Position(start.number + at - start.at, at)
                for at in range(start.at + 1, self.size + 1)
            )
            return
        columns = ["query_id", "query"]
        number, after = start.number, start.at
        for _, rows in groupby(self._rows(start.at, columns), lambda row: pair_key(row[2])):
            *_, (after, _, _) = rows
            number += 1
            yield Position(number, after)

    def close(self) -> None:
        """Nothing is kept open."""

    def _rows(
        self, at: int, columns: list[str] | None = None
    ) -> Iterator[tuple[int, str, dict[str, Any]]]:
        from pyarrow import parquet as pq

        with pq.ParquetFile(self.path) as file:
            there = set(file.schema_arrow.names)
            wanted = None if columns is None else [name for name in columns if name in there]
            row = 0
            for group in range(file.metadata.num_row_groups):
                rows = file.metadata.row_group(group).num_rows
                if row + rows <= at:
                    row += rows
                    continue
                batches = file.iter_batches(ROWS, [group], wanted, use_threads=False)
                for batch in batches:
                    if row + len(batch) <= at:
                        row += len(batch)
                        continue
                    for value in batch.to_pylist():
                        row += 1
                        if row > at:
                            yield row, "", value


class TrecRun:
    """A TREC run whose lines of a query stand together, with texts found by their ids."""

    def __init__(self, path: Path, queries: Index, corpus: Index) -> None:
        self.path, self.queries, self.corpus = path, queries, corpus
        self.size = path.stat().st_size

    def read(self, start: Position = START, stop: int | None = None) -> Iterator[Record]:
        """See `Source`."""
        for number, (name, rows) in enumerate(self._groups(start.at), start.number + 1):
            if stop is not None and number > stop:
                return
            yield self._query(name, rows, Position(number, rows[-1][0]))

    def ends(self, start: Position = START) -> Iterator[Position]:
        """See `Source`."""
        for number, (_, rows) in enumerate(self._groups(start.at), start.number + 1):
            yield Position(number, rows[-1][0])

    def close(self) -> None:
        """Close the texts."""
        self.queries.close()
        self.corpus.close()

    def _groups(self, at: int) -> Iterator[tuple[str, list[tuple[int, list[str]]]]]:
        lines = (
            (after, line.decode("utf-8", "replace").split())
            for after, line in _lines(self.path, at)
            if line.strip()
        )
        for name, rows in groupby(lines, lambda row: row[1][0]):
            yield name, list(rows)

    def _query(self, name: str, rows: list[tuple[int, list[str]]], after: Position) -> Record:
        ranked: list[tuple[float, int, str]] = []
        for _, fields in rows:
            try:
                _, _, document, rank, score, *_ = fields
                ranked.append((-float(score), int(rank), document))
            except ValueError:
                why = "a run's line is `query Q0 document rank score name`"
                return Unreadable(why, after, name, " ".join(fields)[:SHOWN])
        ranked.sort()
        ids = [document for _, _, document in ranked]
        text = self.queries.texts([name]).get(name)
        if text is None:
            return Unreadable(f"query {name!r} is not in {self.queries.file}", after, name)
        texts = self.corpus.texts(ids)
        documents = [
            {"id": document, "text": texts.get(document), "score": -score}
            for score, _, document in ranked
        ]
        record = query_of({"query_id": name, "query": text, "documents": documents}, after)
        if isinstance(record, Query) and record.unread:
            why = f"it is not in {self.corpus.file}"
            record = Query(
                name, text, ids, record.candidates, after, dict.fromkeys(record.unread, why)
            )
        return record


def _queries(
    rows: Iterable[tuple[int, str, Any]], pairs: bool, number: int, stop: int | None
) -> Iterator[Record]:
    grouped: Iterable[list[tuple[int, str, Any]]] = (
        (list(found) for _, found in groupby(rows, lambda row: _key(row[2])))
        if pairs
        else ([row] for row in rows)
    )
    for group in grouped:
        number += 1
        if stop is not None and number > stop:
            return
        after, shown, first = group[-1][0], group[0][1], group[0][2]
        if not isinstance(first, Mapping):
            yield Unreadable(str(first), Position(number, after), None, shown)
        elif pairs:
            yield query_of_pairs([row for _, _, row in group], Position(number, after))
        else:
            record = query_of(first, Position(number, after))
            if isinstance(record, Unreadable):
                record = Unreadable(record.why, record.after, record.id, shown)
            yield record


def _key(row: Any) -> Any:
    # a line that could not be read belongs to nobody, and is one by itself
    return pair_key(row) if isinstance(row, Mapping) else object()


def _are_pairs(row: Any) -> bool:
    return isinstance(row, Mapping) and "documents" not in row and "text" in row


def _json(line: bytes) -> Any:
    """The object on this line; or, in words, why there is none."""
    try:
        row = json.loads(line.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:  # also what is not UTF-8
        return f"it is not JSON: {error}"
    return row if isinstance(row, dict) else "it is not a JSON object"


def _lines(path: Path, at: int) -> Iterator[tuple[int, bytes]]:
    """The lines from that byte on, each with the byte after it."""
    with path.open("rb") as file:
        file.seek(at)
        for line in file:
            at += len(line)
            yield at, line
