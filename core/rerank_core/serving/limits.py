"""What one request may take, and how a body is read within it."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..errors import ConfigurationError
from ..runtime.checks import real_number, whole_number
from .refusal import Refusal

if TYPE_CHECKING:
    from starlette.requests import Request

#: So many seconds a client that is refused may go on sending.
LINGER = 2.0


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What one request may take, checked. Times in seconds.

    `max_documents` and `max_bytes` of a request; `timeout`: the longest deadline of a ranking,
    whatever its model's file says (None: that one alone); `capacity`: rankings of a model under way
    at once, at most; `read_timeout`: for a request to arrive, and for an answer to be taken;
    `connections` open at once; `grace`: how long, told to stop, it waits for what is under way.

    Raises `ConfigurationError` naming the option.
    """

    max_documents: int = 1000
    max_bytes: int = 8 * 2**20
    timeout: float | None = 5.0
    capacity: int = 64
    read_timeout: float = 10.0
    connections: int = 1000
    grace: int = 30

    def __post_init__(self) -> None:
        for name in ("max_documents", "max_bytes", "capacity", "connections", "grace"):
            if getattr(self, name) is None:
                raise ConfigurationError(f"{name} is a whole number")
            whole_number(name, getattr(self, name), least=1, none="")
        real_number("timeout", self.timeout, above=0, none="each model's own")
        real_number("read_timeout", self.read_timeout, above=0, none="")


async def body_of(request: Request, limits: Limits) -> bytes:
    """The whole body, at most `max_bytes` of it. Raises `Refusal`."""
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise Refusal(415, "a compressed body is not read: send it as it is", close=True)
    kind = request.headers.get("content-type", "application/json").partition(";")[0].strip()
    if kind and "json" not in kind.lower():
        raise Refusal(415, "the body is application/json", close=True)
    too_large = Refusal(413, f"the body is too large: at most {limits.max_bytes} bytes", close=True)
    declared = request.headers.get("content-length", "0")
    if not declared.isdecimal() or len(declared) > 18 or int(declared) > limits.max_bytes:
        raise too_large
    parts: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(limits.read_timeout):
            async for part in request.stream():
                size += len(part)
                if size > limits.max_bytes:
                    raise too_large
                parts.append(part)
    except TimeoutError:
        raise Refusal(
            408, f"the body did not arrive within {limits.read_timeout:g} s", close=True
        ) from None
    return b"".join(parts)


async def linger(request: Request) -> None:
    """Read what a client still sends, and throw it away: else it would not see the answer.

    For two seconds at most; as web servers do before they close a connection.
    """
    with suppress(TimeoutError):
        async with asyncio.timeout(LINGER):
            async for _ in request.stream():
                pass
