"""A key of a document that is nearly one which means something, and so goes unread."""

from __future__ import annotations

from collections.abc import Mapping
from numbers import Real
from typing import Any

#: The keys that mean something beside the text, and what is under them.
_KEYS: Mapping[str, type | tuple[type, ...]] = {
    "score": Real,
    "id": (str, int),
    "metadata": Mapping,
}
#: What one that is nearly such a key begins with.
_FIRST = {*"sSiImM_-"}


def misspelt(document: Mapping[Any, Any]) -> str | None:
    """What the report has to say of it: "scores" for "score", say. None, as a rule."""
    for key, value in document.items():
        if key in _KEYS or not isinstance(key, str) or key[:1] not in _FIRST:
            continue
        for name, kind in _KEYS.items():
            if name not in document and _near(key, name) and isinstance(value, kind):
                return f"document 0 has {key!r:.40} and no {name!r}: it is taken for metadata"
    return None


def _near(key: str, name: str) -> bool:
    if abs(len(key) - len(name)) > 2:
        return False
    plain = key.lower().replace("_", "").replace("-", "").removesuffix("s")
    if plain == name:
        return True
    if len(name) < 4 or abs(len(plain) - len(name)) > 1:
        return False
    # one letter left out or put in, or two that have changed places; another one for one, and the
    # first left out, make other words ("store", "core")
    start = next(
        (at for at, (one, other) in enumerate(zip(plain, name, strict=False)) if one != other),
        min(len(plain), len(name)),
    )
    rest, wanted = plain[start:], name[start:]
    return start > 0 and (
        rest[1:] == wanted
        or rest == wanted[1:]
        or (rest[:2] == wanted[1::-1] and rest[2:] == wanted[2:])
    )
