"""An answer that is far too long is not read: to parse it would hold up every other ranking."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import httpx

#: Bytes. Grades, orders and scores of a thousand documents are a tenth of it.
LONGEST = 4_000_000
#: A server may send the documents back, and JSON may write a byte as six ("\\u0000").
ECHO = 6


class TooLongAnswer(ValueError):
    """The server's answer is longer than any that could be meant."""


def plausible_length(sent: int) -> int:
    """The longest answer, in bytes, to a request of so many: its documents may come back in it."""
    return LONGEST + ECHO * sent


async def refuse_too_long(response: Any) -> None:
    """For `event_hooks={"response": […]}` of an httpx client: called before the body is read.

    An answer whose length is not announced is let through. Raises `TooLongAnswer`.
    """
    _check(_announced(response), LONGEST)


async def read_within(response: httpx.Response, longest: int) -> bytes:
    """The body of a streamed response, as long as it stays within so many bytes.

    Closes the response in any case. Raises `TooLongAnswer`.
    """
    try:
        _check(_announced(response), longest)
        parts, length = [], 0
        async for part in response.aiter_bytes():
            length += len(part)
            _check(length, longest)
            parts.append(part)
        return b"".join(parts)
    finally:
        await response.aclose()


def _announced(response: Any) -> int:
    length = response.headers.get("content-length", "")
    return int(length) if length.isdecimal() else 0


def _check(length: int, longest: int) -> None:
    if length > longest:
        raise TooLongAnswer(f"the server's answer is more than {longest / 1e6:.0f} MB long")
