"""A candidate: one document that the retriever brought, as a plain immutable value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, TypeAlias

from ..errors import InvalidInputError
from ..runtime.numbers import measured

#: The name of the retriever's own signal, and what follows a signal's name where its value is the
#: one before it was mapped or normalized.
RETRIEVAL, RAW = "retrieval", ":raw"

_TEXT_KEYS = ("text", "content", "page_content")


@dataclass(frozen=True, slots=True)
class Candidate:
    """One document to be ranked.

    `score` is the retriever's own (any scale, higher is better), if it gave one; NaN and
    infinities count as none. `metadata` is kept as a read-only copy.

    >>> Candidate("Paris is the capital of France.", id="d1", score=0.83)
    Candidate(text='Paris is the capital of France.', id='d1', score=0.83, metadata={})
    """

    text: str
    id: str | None = None
    score: float | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not isinstance(self.text, str):
            raise InvalidInputError(
                f"a candidate's text is a string, not {type(self.text).__name__}"
            )
        if not isinstance(self.metadata, (dict, Mapping)):  # the first is found out at once
            raise InvalidInputError(
                f"a candidate's metadata is a mapping, not {type(self.metadata).__name__}"
            )
        if self.score is not None:
            try:
                object.__setattr__(self, "score", measured(self.score))
            except (TypeError, ValueError):
                raise InvalidInputError(
                    f"a candidate's score is a number or None, not {self.score!r:.80}"
                ) from None
        object.__setattr__(self, "metadata", MappingProxyType(dict(self.metadata)))

    def __repr__(self) -> str:
        return (
            f"Candidate(text={self.text!r}, id={self.id!r}, score={self.score!r}, "
            f"metadata={dict(self.metadata)!r})"
        )

    def __hash__(self) -> int:
        return hash((self.text, self.id, self.score))

    def __reduce__(self) -> tuple[type[Candidate], tuple[Any, ...]]:
        # a mappingproxy does not pickle
        return Candidate, (self.text, self.id, self.score, dict(self.metadata))


#: What `rank` takes for a document.
Document: TypeAlias = str | Mapping[str, Any] | Candidate


def to_candidate(document: Document, index: int = 0) -> Candidate:
    """The candidate for a string, a dict or a Candidate, at this position of the input.

    A dict has its text under "text", "content" or "page_content", and may have "id" and "score";
    a nested "metadata" is merged with its remaining keys.

    Raises `InvalidInputError` for a document without text, or with a score that is no number.
    """
    if isinstance(document, Candidate):
        return document
    if isinstance(document, str):
        return Candidate(document)
    if isinstance(document, Mapping):
        key = next((key for key in _TEXT_KEYS if isinstance(document.get(key), str)), None)
        if key is None:
            raise InvalidInputError(
                f"document {index} has no text: a dict needs a string under "
                f'"text", "content" or "page_content"; its keys are {sorted(map(str, document))}'
            )
        rest = {k: v for k, v in document.items() if k not in (key, "id", "score", "metadata")}
        nested = document.get("metadata")
        if isinstance(nested, Mapping):
            rest = {**nested, **rest}
        elif nested is not None:
            rest["metadata"] = nested
        identity = document.get("id")
        return Candidate(
            document[key],
            id=None if identity is None else str(identity),
            score=document.get("score"),
            metadata=rest,
        )
    raise InvalidInputError(
        f"document {index} is a {type(document).__name__}; pass a string, a dict with its "
        f'text under "text", or a rerank_core.Candidate'
    )
