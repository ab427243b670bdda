"""The keys that callers must have."""

from __future__ import annotations

import hmac
import os
from collections.abc import Iterable, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Self

from ..errors import ConfigurationError
from ..remote.secret import Secret
from .refusal import Refusal

#: The variable of the environment with keys, separated by commas.
VARIABLE = "RERANK_SERVE_KEYS"
#: A shorter one is guessed.
SHORTEST = 8
#: Beside `Authorization: Bearer …`, which all but Pinecone's clients send.
_HEADERS = ("x-api-key", "api-key")


class Keys:
    """What lets a caller in; without any, everybody is. Keeps digests, and no key.

    >>> Keys()
    Keys(0)
    >>> Keys(["correct-horse"]).check({"authorization": "Bearer correct-horse"})
    """

    def __init__(self, keys: Iterable[str] = ()) -> None:
        self._digests: list[bytes] = []
        for number, key in enumerate(keys, start=1):
            if len(key) < SHORTEST:
                raise ConfigurationError(
                    f"API key {number} is shorter than {SHORTEST} characters: make one with "
                    "python -c 'import secrets; print(secrets.token_urlsafe(32))'"
                )
            Secret(key, (), "the server")  # no header can carry it: said now
            self._digests.append(_digest(key))

    @classmethod
    def found(cls, file: Path | None = None) -> Self:
        """From a file, one a line, `#` before a remark; else from `RERANK_SERVE_KEYS`.

        Raises `ConfigurationError` for a file that cannot be read or holds none.
        """
        if file is None:
            listed = os.environ.get(VARIABLE, "").split(",")
            return cls(key.strip() for key in listed if key.strip())
        try:
            lines = file.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigurationError(f"{file} cannot be read: {error}") from None
        keys = [key for line in lines if (key := line.partition("#")[0].strip())]
        if not keys:
            raise ConfigurationError(f"{file} holds no key: one a line")
        return cls(keys)

    def check(self, headers: Mapping[str, str]) -> None:
        """Raise `Refusal` (401) unless the request carries a key, where one is needed."""
        if not self._digests:
            return
        scheme, _, token = headers.get("authorization", "").partition(" ")
        given = [token.strip()] if scheme.lower() == "bearer" else []
        given += [headers[name].strip() for name in _HEADERS if name in headers]
        known = False
        for key in given:
            digest = _digest(key)
            for one in self._digests:  # all of them: the time tells nothing
                known |= hmac.compare_digest(digest, one)
        if not known:
            said = "invalid API key" if given else "no API key: send Authorization: Bearer KEY"
            raise Refusal(
                401, said, kind="Unauthorized", headers={"WWW-Authenticate": "Bearer"}, close=True
            )

    def __len__(self) -> int:
        return len(self._digests)

    def __repr__(self) -> str:
        return f"Keys({len(self)})"


def _digest(key: str) -> bytes:
    return sha256(key.encode("utf-8", "replace")).digest()
