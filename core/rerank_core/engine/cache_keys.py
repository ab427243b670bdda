"""What a score is kept under: a hash of everything it depends on, so that no text is kept.

Every part goes in behind its length, so that no two requests run together into one key.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b

#: Changes whenever what is hashed does.
_VERSION = b"rerank score 1"
#: 160 bits: nobody writes two documents that share a key.
_SIZE = 20


def text_keys(fingerprint: str, query: str, texts: Sequence[str]) -> list[str]:
    """A key for each text, by the scorer, the query and that text alone."""
    asked = _hash(b"text", fingerprint, query)
    keys = []
    for text in texts:
        key = asked.copy()
        _add(key, text)
        keys.append(key.hexdigest())
    return keys


def group_keys(fingerprint: str, query: str, texts: Sequence[str]) -> list[str]:
    """A key for each text, by the scorer, the query and all the texts in their order."""
    group = _hash(b"group", fingerprint, query, *texts)
    keys = []
    for position in range(len(texts)):
        key = group.copy()
        key.update(b"%d" % position)
        keys.append(key.hexdigest())
    return keys


def _hash(kind: bytes, *parts: str) -> blake2b:
    key = blake2b(_VERSION + b"/" + kind, digest_size=_SIZE)
    for part in parts:
        _add(key, part)
    return key


def _add(key: blake2b, part: str) -> None:
    encoded = part.encode("utf-8", "surrogatepass")  # a document may hold half a surrogate pair
    key.update(b"%d:" % len(encoded))
    key.update(encoded)
