"""Text as it can be sent."""

from __future__ import annotations


def as_utf8(text: str) -> str:
    """The text as UTF-8 can carry it: half a surrogate pair becomes a question mark.

    >>> as_utf8("caf\\u00e9 \\ud83d")
    'café ?'
    """
    return text.encode("utf-8", "replace").decode()
