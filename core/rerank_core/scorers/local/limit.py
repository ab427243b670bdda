"""How much of a text a model on this machine reads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...runtime.usage import record

_CUT = (
    "some documents are longer than the model reads, which saw their beginning: split them before "
    "they are indexed, or raise max_length where the model bears it"
)
#: A token is a byte at the least; and as many as that may be a model's own.
_OWN = 8
#: As much is tokenised at first of a very long text: it fills the model but for odd ones.
_BYTES_A_TOKEN = 16


def record_cut(count: int) -> None:
    """Note in the report of the ranking at hand that so many texts were cut, and what to do."""
    if count:
        record(truncated=count, note=_CUT)


class Limit:
    """Tells which texts a model of sentence-transformers has not read to their end.

    Ask it after the model has passed over them: then its tokenizer is set to cut as the model does,
    and here it is only read, since other threads use it too. A tokenizer that does not tell (one in
    Python) has cut nothing that is known of.
    """

    def __init__(self, encoder: Any) -> None:
        tokenizer = getattr(encoder, "tokenizer", None)
        self._tokenizer = getattr(tokenizer, "backend_tokenizer", None)
        self._tokens = _most(encoder)

    def cut(self, query: str, texts: Sequence[str]) -> list[bool]:
        """Of each text beside this query ("" for none), whether it was cut. In a thread."""
        return [self._was_cut(query, text) for text in texts]

    def _was_cut(self, query: str, text: str) -> bool:
        most = self._tokens
        if self._tokenizer is None or most is None or _bytes(query) + _bytes(text) + _OWN <= most:
            return False
        size = _BYTES_A_TOKEN * most
        while True:
            beginning = (query, text[:size]) if query else (text[:size],)
            found = self._tokenizer.encode(*beginning)
            if found.overflowing or len(found.ids) > most or size >= len(text):
                return bool(found.overflowing) or len(found.ids) > most
            size *= 4


def _most(encoder: Any) -> int | None:
    """The model's limit in tokens, by the names that versions of sentence-transformers have."""
    for name in ("max_seq_length", "max_length"):
        if hasattr(encoder, name):  # the first alone: the newest have the other one to warn of it
            most = getattr(encoder, name)
            return most if isinstance(most, int) else None
    return None


def _bytes(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode())
