"""An answer that is far too long is not read: to parse it would hold up every other ranking."""

from __future__ import annotations

from typing import Any

#: Bytes. Grades, orders and scores of a thousand documents are a tenth of it.
LONGEST = 4_000_000


class TooLongAnswer(ValueError):
    """The server announced an answer longer than any that could be meant."""


async def refuse_too_long(response: Any) -> None:
    """For `event_hooks={"response": […]}` of an httpx client: called before the body is read.

    An answer whose length is not announced is let through. Raises `TooLongAnswer`.
    """
    length = response.headers.get("content-length", "")
    if length.isdecimal() and int(length) > LONGEST:
        raise TooLongAnswer(f"the server's answer is {int(length) / 1e6:.0f} MB long")
