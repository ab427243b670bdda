"""What is handed over to be ranked, read once, at the door: a query, and one list of documents.

A caller who hands over what cannot be read made a mistake, and is told so. A framework hands over
what some retriever found and some model asked (`Retrieved`), and there one odd document, or a blank
query, must not end the turn of a conversation: it counts as missing, and the report names it.
"""

from __future__ import annotations

from collections.abc import AsyncIterable, Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple, Self, TypeVar

from ..errors import InvalidInputError, Reason
from .candidate import Candidate, Document, to_candidate
from .misspelt import misspelt
from .retrieval import Retrieval, RetrievalScore, retrieval_of

T = TypeVar("T")

#: How tables of rows are to be turned into a list, by the method that does it.
_ROWS = {
    "to_dict": 'df.to_dict("records")',
    "to_dicts": "df.to_dicts()",
    "to_pylist": "t.to_pylist()",
}
#: So many oddities are named in a note, and the rest counted.
_NAMED = 5


class _Unread(NamedTuple):
    why: str


class Found(NamedTuple):
    """What there is of a document: its text, and what its store and its retriever said of it."""

    text: Any
    id: Any
    score: Any
    metadata: Any


class Retrieved(list[Any]):
    """Documents in the order that a framework's retriever put them, best first.

    Of these, one that cannot be read ends no ranking, nor does a blank query: see this module.
    `notes`: what the framework's half found odd about the retriever's scores. `scoreless`: whether
    it is known that there are none.
    """

    notes: Sequence[str] = ()
    scoreless: bool = False

    @classmethod
    def read(
        cls,
        documents: Iterable[T],
        read: Callable[[T], Found | Document],
        notes: Sequence[str] = (),
        *,
        scoreless: bool = False,
    ) -> Self:
        """Each by `read`, which may raise where a document is odd."""
        made = cls()
        made.notes, made.scoreless = notes, scoreless
        for document in documents:
            try:
                found = read(document)
            except Exception as error:
                made.append(_Unread(f"{type(error).__name__}: {error}"))
            else:
                made.append(_candidate(found) if isinstance(found, Found) else found)
        return made


class Given(NamedTuple):
    """One question: the caller's own `documents`, a candidate of each, the retriever's part.

    `unread`: positions of those that have no text to be scored. `notes` and `reasons`: what the
    report has to say of all this.
    """

    query: str
    documents: Sequence[Any]
    candidates: Sequence[Candidate]
    retrieval: Retrieval
    unread: frozenset[int] = frozenset()
    notes: tuple[str, ...] = ()
    reasons: tuple[Reason, ...] = ()

    @property
    def blank(self) -> bool:
        """Whether there is nothing to ask."""
        return Reason.QUERY in self.reasons


def given(
    query: str, documents: Iterable[Document], retrieval_score: RetrievalScore | None = None
) -> Given:
    """Read query and documents, each of these once.

    Raises `InvalidInputError` for a query that is no text, for documents that are no list of them,
    and, but from a framework, for a blank query or a document without text. A score that is no
    number is missing; it raises where not one document has any that is.
    """
    listed = as_list(documents)
    lenient = isinstance(listed, Retrieved)
    blank = not checked_query(query, may_be_blank=lenient).strip()
    candidates: list[Candidate] = []
    unread: dict[int, str] = {}
    odd: dict[int, str] = {}
    for index, document in enumerate(listed):
        if isinstance(document, Candidate):
            candidates.append(document)
            continue
        try:
            candidate, oddity = _read(document, index)
        except InvalidInputError as error:
            if not lenient:
                raise
            candidate, oddity = Candidate(""), None
            unread[index] = str(error)
        candidates.append(candidate)
        if oddity is not None:
            odd[index] = oddity
    if odd and not lenient:
        _refuse_scores(odd, candidates)
    missing: tuple[str, ...] = ()
    scoreless = False
    if isinstance(listed, Retrieved):
        missing, scoreless = tuple(listed.notes), listed.scoreless
    elif listed and type(listed[0]) is dict and (told := misspelt(listed[0])) is not None:
        missing = (told,)
    retrieval = retrieval_of(candidates, retrieval_score, ordered=lenient, scoreless=scoreless)
    notes = (
        "the query is blank: this is the retriever's order" if blank else None,
        *missing,
        _note("could not be read, and is not scored", unread),
        _note("has a retrieval score that is no number, and counts as missing", odd),
        retrieval.note,
    )
    reasons = {Reason.QUERY: blank, Reason.DOCUMENT: unread, Reason.SIGNAL: odd}
    return Given(
        query,
        listed,
        candidates,
        retrieval,
        frozenset(unread),
        tuple(note for note in notes if note),
        tuple(reason for reason, there in reasons.items() if there),
    )


def _candidate(found: Found) -> Candidate | dict[str, Any]:
    identity = None if found.id is None else str(found.id)
    try:
        return Candidate(found.text, identity, found.score, found.metadata)
    except InvalidInputError:  # perhaps it is but its score: `given` looks closer
        return found._asdict()


def as_list(documents: Iterable[T]) -> Sequence[T]:
    """The documents as a list, by position, so that what can be iterated once is.

    Raises `InvalidInputError` for what is no several documents: None, one text, one dict, a table.
    """
    if isinstance(documents, list):
        return documents
    if isinstance(documents, (str, bytes, Mapping)):
        raise InvalidInputError("documents is one document: pass a list of them")
    kind = type(documents).__name__
    if hasattr(documents, "columns"):
        rows = next((how for name, how in _ROWS.items() if hasattr(documents, name)), "its rows")
        raise InvalidInputError(
            f"documents is a {kind}, which is iterated by column: pass {rows}, with the text "
            'under "text"'
        )
    if isinstance(documents, AsyncIterable):
        raise InvalidInputError(
            f"documents is an asynchronous {kind}: pass [document async for document in …]"
        )
    if not isinstance(documents, Iterable):
        raise InvalidInputError(f"documents is a {kind}: pass a list of them")
    return list(documents)


def checked_query(query: object, *, may_be_blank: bool = False) -> str:
    """The query, if it asks anything. Raises `InvalidInputError`."""
    if not isinstance(query, str):
        raise InvalidInputError(f"the query is a string, not {type(query).__name__}")
    if not (may_be_blank or query.strip()):
        raise InvalidInputError("the query is empty: pass the question the documents should answer")
    return query


def _read(document: Any, index: int) -> tuple[Candidate, str | None]:
    """Its candidate, and its score as it is written, if that is no number."""
    if isinstance(document, _Unread):
        raise InvalidInputError(document.why)
    try:
        return to_candidate(document, index), None
    except InvalidInputError:
        if not isinstance(document, Mapping) or document.get("score") is None:
            raise
        # without its score it can be read, or it raises again
        return to_candidate({**document, "score": None}, index), f"{document['score']!r:.40}"


def _refuse_scores(odd: Mapping[int, str], candidates: Sequence[Candidate]) -> None:
    """It is the field that is wrong, not a document, where all of them say something else."""
    said = [told for told in odd.values() if told.strip("'\" ") and told != "<NA>"]
    if len(said) == len(candidates):
        raise InvalidInputError(
            f"a candidate's score is a number or None, not {odd[0]}, as in document 0"
        )


def _note(what: str, which: Mapping[int, str]) -> str | None:
    if not which:
        return None
    told = "; ".join(f"document {index} ({why})" for index, why in [*which.items()][:_NAMED])
    more = f"; and {len(which) - _NAMED} more" if len(which) > _NAMED else ""
    return f"{what}: {told}{more}"
