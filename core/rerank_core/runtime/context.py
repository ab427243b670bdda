"""What a call carries along unseen: into tasks, threads and the caller's own loop.

One frozen record in one context variable. Each room reads its own part of it; who changes a part
does it for a block, and what is started in there keeps it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, NamedTuple

from .meter import Meter
from .retries import Policy


class Context(NamedTuple):
    """Everything is None outside a ranking."""

    #: The bill of the ranking.
    meter: Meter | None = None
    #: How the engine makes the calls of the batch at hand.
    policy: Policy | None = None
    #: The loop of the async face that asked; None for the sync face.
    caller: asyncio.AbstractEventLoop | None = None
    #: Who is told of chat calls: an affair of `telemetry.chat_callbacks`, which lies above.
    observation: Any = None
    #: Whether a framework's own tracer shows this ranking as one: an affair of `telemetry.tracing`.
    told: bool = False


_context: ContextVar[Context] = ContextVar("rerank_context", default=Context())  # noqa: B039 - frozen


def current() -> Context:
    """What the code at hand was called with."""
    return _context.get()


@contextmanager
def carrying(**changes: Any) -> Iterator[None]:
    """With these parts of the `Context` changed, for the block and all that is started in it."""
    token = _context.set(_context.get()._replace(**changes))
    try:
        yield
    finally:
        _context.reset(token)
