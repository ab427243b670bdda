"""What a framework's model object puts off until its first call, done before it.

A LlamaIndex `OpenAI` makes its clients and imports the SDK's resources then: 2.5 s of somebody's
deadline, 0.5 s of them for the TLS context and the transport. Nothing is sent: what is done here is
what the object would do by itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from importlib import import_module
from inspect import iscoroutinefunction
from typing import Any

from ..runtime.threads import run

#: Methods that make a client and keep it (LlamaIndex).
_MAKERS = ("_get_client", "_get_aclient")
#: Where clients are held; some are properties that make them.
_CLIENTS = (
    *("root_client", "root_async_client"),
    *("_client", "_async_client", "_aclient"),
    *("client", "async_client", "aclient"),
)
#: Parts of a client that are imported with the first look at them.
_RESOURCES = ("chat", "embeddings", "messages")
#: What a runnable of LangChain's holds its model in.
_WITHIN = ("bound", "runnable", "first", "last")
#: Imported by httpx with the first request of an async client.
_LATE_IMPORT = "anyio._backends._asyncio"


class StartUp:
    """Starts a model up once, in a thread; in another process, where it was sent, once more."""

    def __init__(self, model: Any) -> None:
        self._model, self._done = model, False

    async def __call__(self) -> None:
        """Let it make its clients, unless it has."""
        if not self._done:
            await run(lambda stop: start_up(self._model))
            self._done = True

    def __reduce__(self) -> tuple[Any, ...]:
        return StartUp, (self._model,)


def start_up(model: Any) -> None:
    """Let it make its clients and import what they need. Blocks; what fails waits for the call."""
    for one in _models(model, depth=4):
        for client in _clients(one):
            for name in _RESOURCES:
                resource = _part(client, name)
                _part(resource, "completions")
    with suppress(ImportError):
        import_module(_LATE_IMPORT)


def _models(model: Any, depth: int) -> Iterator[Any]:
    """It, and those that a chain is made of."""
    yield model
    if depth and type(model).__module__.startswith("langchain"):
        inner = [_part(model, name) for name in _WITHIN]
        steps = _part(model, "steps")
        for part in (*inner, *(steps if isinstance(steps, list) else ())):
            if part is not None:
                yield from _models(part, depth - 1)


def _clients(model: Any) -> Iterator[Any]:
    for name in _MAKERS:
        make = _part(model, name)
        if callable(make) and not iscoroutinefunction(make):
            with suppress(Exception):
                yield make()
    for name in _CLIENTS:
        if (client := _part(model, name)) is not None:
            yield client


def _part(thing: Any, name: str) -> Any:
    """An attribute that may do work, and may fail."""
    try:
        return getattr(thing, name, None)
    except Exception:  # of any make: the call itself will tell
        return None
