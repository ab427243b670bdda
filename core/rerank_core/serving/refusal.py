"""What is answered in place of a ranking, in the shape that the client's own errors have."""

from __future__ import annotations

import json
from collections.abc import Mapping
from enum import StrEnum


class Shape(StrEnum):
    """Whose words an answer is in."""

    V2 = "v2"  # Cohere's v2 API
    V1 = "v1"  # Cohere's v1 API and Jina's, which vLLM, Infinity and llama.cpp follow
    TEI = "tei"  # Hugging Face's text-embeddings-inference


class Refusal(Exception):
    """No ranking, and why, by a status of HTTP. The message is for whoever asked: it names no file,
    no address and no key.

    `kind` is TEI's `error_type`; `retry_after` in seconds; `close`: what the client still sends is
    not read any more.
    """

    def __init__(
        self,
        status: int,
        message: str,
        *,
        kind: str = "Validation",
        retry_after: int | None = None,
        close: bool = False,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status, self.message, self.kind, self.close = status, message, kind, close
        self.headers = dict(headers or {})
        if retry_after is not None:
            self.headers["Retry-After"] = str(retry_after)
        if close:
            self.headers["Connection"] = "close"

    def body(self, shape: Shape | None) -> bytes:
        """As Cohere says it, as TEI does, or both where nobody knows who asked."""
        said: dict[str, str] = {}
        if shape is not Shape.TEI:
            said["message"] = self.message
        if shape in (Shape.TEI, None):
            said |= {"error": self.message, "error_type": self.kind}
        return json.dumps(said).encode()


def invalid(shape: Shape, message: str) -> Refusal:
    """What was asked cannot be right: TEI says 422, all others 400."""
    return Refusal(422 if shape is Shape.TEI else 400, message)
