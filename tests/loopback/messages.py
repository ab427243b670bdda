"""What goes over the wire: a request as recorded, a response as meant."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from http import HTTPStatus
from typing import Any, Protocol


@dataclass(frozen=True)
class Request:
    """One request, read completely. Header names are in lower case."""

    #: Its place in the order of arrival, from 0.
    number: int
    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    #: When it had arrived completely, by `time.monotonic()`.
    arrived: float

    @cached_property
    def json(self) -> Any:
        """The body read as JSON; None where it is none."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None


@dataclass(frozen=True)
class Response:
    """One response, before anything goes wrong with it."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, value: object, status: int = 200, **headers: str) -> Response:
        """A JSON response."""
        body = json.dumps(value, ensure_ascii=False).encode()
        return cls(status, body, {"content-type": "application/json"} | headers)

    def head(self, content_length: int) -> bytes:
        """The status line and the headers."""
        try:
            phrase = HTTPStatus(self.status).phrase
        except ValueError:
            phrase = "Unknown"
        lines = [f"HTTP/1.1 {self.status} {phrase}"]
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        lines += [f"content-length: {content_length}", "", ""]
        return "\r\n".join(lines).encode()


class API(Protocol):
    """A protocol that a server speaks."""

    async def answer(self, request: Request) -> Response:
        """The reply to a request."""
        ...

    def error(self, status: int, message: str, code: str | None = None) -> Response:
        """An error, in the shape that this protocol gives to its errors."""
        ...
