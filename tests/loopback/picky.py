"""A server that takes only so much at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from loopback.messages import API, Request, Response

#: The status and the message of a refusal for these texts; None: it takes them.
Refusal = Callable[[Sequence[str]], tuple[int, str] | None]


@dataclass
class Picky:
    """Speaks as `api` does, to requests whose texts it takes; `refused` counts the others."""

    api: API
    refusal: Refusal
    refused: int = 0

    async def answer(self, request: Request) -> Response:
        """The reply, or the refusal in the protocol's own shape."""
        if (said := self.refusal(_texts(request.json))) is None:
            return await self.api.answer(request)
        self.refused += 1
        return self.api.error(*said)

    def error(self, status: int, message: str, code: str | None = None) -> Response:
        """As the protocol has it."""
        return self.api.error(status, message, code)


def _texts(body: Any) -> list[str]:
    body = body if isinstance(body, dict) else {}
    given = next((body[name] for name in ("documents", "texts", "input") if name in body), [])
    given = [given] if isinstance(given, str) else given
    return [one if isinstance(one, str) else str(one.get("text", "")) for one in given]


def more_texts_than(most: int, message: str, status: int = 400) -> Refusal:
    """Refuses more texts; `message` may say {count} and {most}."""

    def refusal(texts: Sequence[str]) -> tuple[int, str] | None:
        count = len(texts)
        return (status, message.format(count=count, most=most)) if count > most else None

    return refusal


def a_longer_text_than(most: int, message: str, status: int = 400) -> Refusal:
    """Refuses all for one text of more characters; `message` may say {count} and {most}."""

    def refusal(texts: Sequence[str]) -> tuple[int, str] | None:
        longest = max(map(len, texts), default=0)
        return (status, message.format(count=longest, most=most)) if longest > most else None

    return refusal


def more_characters_than(most: int, message: str, status: int = 400) -> Refusal:
    """Refuses more characters in all; `message` may say {count} and {most}."""

    def refusal(texts: Sequence[str]) -> tuple[int, str] | None:
        total = sum(map(len, texts))
        return (status, message.format(count=total, most=most)) if total > most else None

    return refusal
