"""What goes through a bulk job: a query with its candidates in, what is to be written out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..errors import InvalidInputError
from ..ranking.candidate import Candidate, to_candidate


@dataclass(frozen=True, slots=True)
class Position:
    """A place between two queries of a source: so many before it, and where the next begins.

    `at`: a byte of a text file, a row of a table.
    """

    number: int = 0
    at: int = 0


#: Before the first query.
START = Position()


@dataclass(frozen=True, slots=True)
class Query:
    """One query with its candidates, best retrieved first. `after`: where the next one begins.

    `unread`: candidates without a text, by position, and why.
    """

    id: str
    text: str
    ids: Sequence[str]
    candidates: Sequence[Candidate]
    after: Position
    unread: Mapping[int, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A record that no query could be made of, and why. `shown`: the begin of it."""

    why: str
    after: Position
    id: str | None = None
    shown: str = ""


Record = Query | Unreadable


@dataclass(frozen=True, slots=True)
class Done:
    """What came of one record: the bytes to write, and what is to be counted.

    `priced`: so many documents its cost is that of; 0: it tells no price of one.
    `failed`: not one of its candidates was scored. `stopped`: it was not asked, as the money would
    not have sufficed; nothing of it counts.
    """

    after: Position
    id: str | None = None
    output: bytes = b""
    dead: bytes = b""
    pairs: int = 0
    priced: int = 0
    unscored: int = 0
    failed: bool = False
    stopped: bool = False
    reasons: Sequence[str] = ()
    why: str = ""
    usage: Mapping[str, Any] = field(default_factory=dict)


def query_of(row: Mapping[str, Any], after: Position) -> Record:
    """The query of a row that brings its documents: `{"query": …, "documents": [...]}`."""
    named = row.get("query_id", row.get("id"))
    name = str(after.number if named is None else named)
    text, documents = row.get("query"), row.get("documents")
    if not isinstance(text, str) or not isinstance(documents, Sequence):
        return Unreadable('it needs "query" (a string) and "documents" (a list)', after, name)
    return query_from(name, text, documents, after)


def query_of_pairs(rows: Sequence[Mapping[str, Any]], after: Position) -> Record:
    """The query of the rows that are its pairs: `{"query_id", "query", "id", "text", "score"}`."""
    first = rows[0]
    name, text = str(pair_key(first)), first.get("query")
    if not isinstance(text, str):
        return Unreadable('its pairs need "query" (a string) and "text"', after, name)
    documents = []
    for row in rows:
        if row.get("query", text) != text:
            return Unreadable(f"query {name!r} has two texts", after, name)
        rest = {key: row[key] for key in row.keys() - {"query", "query_id", "document_id"}}
        documents.append({**rest, "id": row.get("document_id", row.get("id"))})
    return query_from(name, text, documents, after)


def pair_key(row: Mapping[str, Any]) -> Any:
    """What tells one query's pairs from the next one's."""
    named = row.get("query_id")
    return row.get("query") if named is None else named


def query_from(name: str, text: str, documents: Sequence[Any], after: Position) -> Record:
    """The query over these documents, each as `Reranker.rank` takes it."""
    candidates: list[Candidate] = []
    unread: dict[int, str] = {}
    for index, document in enumerate(documents):
        try:
            candidate = to_candidate(document, index)
        except InvalidInputError as error:
            identity = document.get("id") if isinstance(document, Mapping) else None
            candidate = Candidate("", id=None if identity is None else str(identity))
            unread[index] = str(error)
        candidates.append(candidate)
    ids = [
        f"{name}/{index}" if candidate.id is None else candidate.id
        for index, candidate in enumerate(candidates)
    ]
    if len(set(ids)) < len(ids):
        twice = next(one for at, one in enumerate(ids) if one in ids[:at])
        return Unreadable(f"document {twice!r} is there twice", after, name)
    return Query(name, text, ids, candidates, after, unread)
