"""Document numbers: from what a reply writes to positions in the prompt."""

from __future__ import annotations

import re
from collections.abc import Iterable

from .fold import fold
from .structure import JSON, plain_number
from .words import kind

_ID = re.compile(r"\W{0,4}([^\W\d_][^\W\d]{0,30})?[\W_]{0,4}(\d{1,9})\W{0,4}\Z")


def as_id(value: JSON) -> int | None:
    """The document number that a JSON value or table cell is: 3, "3", "[3]", "doc_3"."""
    if isinstance(value, str):
        if len(value) > 60:
            return None
        match = _ID.match(fold(value))
        if match is None or "." in value[match.start(2) - 1 : match.start(2)]:
            return None
        return int(match[2])
    number = plain_number(value)
    if number is None or not number.is_integer() or not 0 <= number < 1e9:
        return None
    return int(number)


def is_id_key(key: str) -> bool:
    """Whether a JSON key or table heading says that document numbers follow."""
    return kind(key) == "document" or key.strip() in ("#", "№")


def first_id_used(ids: Iterable[int], count: int, first_id: int) -> int:
    """The number of the first document as the reply counts.

    That of the prompt, unless the reply names as many documents as there are, each once, by the
    other usual count: {0, 1, 2} for three documents can only be meant from zero.
    """
    named = set(ids)
    if len(named) != count or max(named, default=0) - min(named, default=0) != count - 1:
        return first_id
    return min(named) if min(named) in (0, 1) else first_id
