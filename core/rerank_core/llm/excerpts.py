"""What of each document the model gets to see: its beginning, or all of it in passages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from ..errors import ConfigurationError
from ..text.truncation import (
    Count,
    beside_query,
    estimate_tokens,
    passages,
    truncate,
    truncate_tokens,
)

#: What becomes of a document that is longer than is shown of one.
LongDocuments = Literal["truncate", "best-passage"]
#: The most passages of one document: what lies beyond them is left out, and counted as such.
MOST_PASSAGES = 16
#: Tokens around a document: its id, its two fences.
FENCE_TOKENS = 24
#: The characters of a passage, where nobody says.
PASSAGE_CHARS = 1_000


@dataclass(frozen=True, slots=True)
class Excerpt:
    """The parts of one document that are shown, and whether that leaves anything out."""

    parts: Sequence[str]
    cut: bool


@dataclass(frozen=True, slots=True)
class Lengths:
    """How much of a document and of all that one call says.

    A document by its first `max_chars` characters (or `document_tokens` tokens; by as much as a
    call has room for, where neither is given), or with `best_passage` in passages of that size.
    `group_tokens`: what query and documents of one call have together; the query comes first, but
    never takes more than half. Tokens are counted by `count`, else estimated.
    """

    max_chars: int | None
    document_tokens: int | None
    group_tokens: int
    best_passage: bool
    count: Count | None

    def __post_init__(self) -> None:
        if any(size is not None and size < 1 for size in (self.max_chars, self.document_tokens)):
            raise ConfigurationError("max_chars and document_tokens are at least 1")
        if self.group_tokens < 100:
            raise ConfigurationError(f"group_tokens is at least 100, not {self.group_tokens}")

    def tokens(self, text: str) -> int:
        """How many tokens a text has."""
        return (self.count or estimate_tokens)(text)

    def query(self, query: str) -> tuple[str, int, bool]:
        """The query, the tokens left for documents beside it, and whether the query was cut."""
        return beside_query(query, self.group_tokens, self.count)

    def excerpt(self, text: str, room: int) -> Excerpt:
        """What is shown of a document, each part of it within `room` tokens."""
        room = max(1, room - FENCE_TOKENS)
        if not self.best_passage:
            part, cut = self._cut(text, room)
            return Excerpt([part], cut)
        # a passage of so many characters; what is denser than usual is cut to its tokens after
        size = self.max_chars or PASSAGE_CHARS
        if self.document_tokens is not None:
            size = 4 * self.document_tokens
        pieces = passages(text, size) or [text]
        shown = [self._cut(piece, room) for piece in pieces[:MOST_PASSAGES]]
        cut = len(pieces) > MOST_PASSAGES or any(was_cut for _, was_cut in shown)
        return Excerpt([part for part, _ in shown], cut)

    def size(self, excerpt: Excerpt) -> int:
        """The tokens it takes in a prompt, fences included."""
        return sum(self.tokens(part) + FENCE_TOKENS for part in excerpt.parts)

    def _cut(self, text: str, room: int) -> tuple[str, bool]:
        if self.document_tokens is not None:
            return truncate_tokens(text, min(room, self.document_tokens), self.count)
        kept, cut = (text, False) if self.max_chars is None else truncate(text, self.max_chars)
        if len(kept) > room:  # a token is a character at least, or all but
            kept, cut_again = truncate_tokens(kept, room, self.count)
            cut = cut or cut_again
        return kept, cut


def best_of(scores: Sequence[float | None], excerpts: Sequence[Excerpt]) -> list[float | None]:
    """The best score of each document's parts, in which order `scores` are; None for none."""
    best: list[float | None] = []
    start = 0
    for excerpt in excerpts:
        known = [s for s in scores[start : start + len(excerpt.parts)] if s is not None]
        best.append(max(known, default=None))
        start += len(excerpt.parts)
    return best
