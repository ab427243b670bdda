"""The one home for waiting: a background event loop in a daemon thread.

Clients of SDKs bind their connections to the loop they are first used on. So all of ours live on
this one, whichever thread or loop a ranking is asked for on, and a limit on concurrency holds
across all of them. The hop here and back costs about 0.1 ms.

What is the user's own (their chat model, their scorer function) is not ours to move: it is called
where it belongs, by `call_where_it_belongs`. From the async face that is the caller's loop; from
the sync face its sync method, in a thread.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

from ..errors import RerankError
from . import threads
from .context import carrying, current
from .fork import after_fork

T = TypeVar("T")


class _Loop(asyncio.SelectorEventLoop):
    """Does in our own threads what asyncio does in its executor: look up names, above all.

    That has a handful of threads, so one name server that hangs would hold up every other host;
    and the process would wait for them at its end.
    """

    def run_in_executor(  # type: ignore[override]
        self, executor: Any, func: Callable[..., T], *args: Any
    ) -> asyncio.Future[T]:
        if executor is not None:
            return super().run_in_executor(executor, func, *args)
        return self.create_task(threads.run(lambda stop: func(*args)))


class _Home:
    """The loop and its thread, for one process."""

    def __init__(self) -> None:
        self.loop = _Loop()
        self.thread = threading.Thread(target=self._run, name="rerank-loop", daemon=True)
        self.thread.start()

    def _run(self) -> None:
        asyncio.set_event_loop(self.loop)
        self.loop.run_forever()


_home: _Home | None = None
_lock = threading.Lock()


def home() -> asyncio.AbstractEventLoop:
    """The background loop of this process: started when first asked for, anew after a fork."""
    global _home
    if _home is None:
        with _lock:
            if _home is None:
                _home = _Home()
    return _home.loop


@after_fork
def _after_fork() -> None:
    # The parent's thread does not exist here, and its lock may have been held by it.
    global _home, _lock
    _home, _lock = None, threading.Lock()


def on_home_loop() -> bool:
    """Whether the code at hand already runs on the background loop."""
    return _home is not None and threading.get_ident() == _home.thread.ident


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run it on the background loop and wait for it: the sync face.

    An interrupt (Ctrl-C) cancels it. Raises `RerankError` when called from the background loop
    itself, where waiting would wait for ever.
    """
    if on_home_loop():
        coroutine.close()
        raise RerankError(
            "a scorer called the sync rank() from within a ranking, which would wait for itself; "
            "use `await reranker.arank(...)` there"
        )
    with carrying(caller=None):
        future = asyncio.run_coroutine_threadsafe(coroutine, home())
    try:
        return future.result()
    except BaseException:
        future.cancel()
        raise


async def arun(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run it on the background loop and await it: the async face. Cancellation goes through."""
    if on_home_loop():
        return await coroutine
    with carrying(caller=asyncio.get_running_loop()):
        future = asyncio.run_coroutine_threadsafe(coroutine, home())
    return await asyncio.wrap_future(future)


async def call_where_it_belongs(
    sync: Callable[[], T] | None, native: Callable[[], Awaitable[T]] | None
) -> T:
    """Call what is the user's own: `native` on the caller's loop, or `sync` in a thread.

    With only one of the two, that one: `sync` in a thread always works; `native` without a
    caller's loop runs on the background loop, the only one there is.
    """
    caller = current().caller
    if native is not None and (caller is not None or sync is None):
        if caller is None or caller is asyncio.get_running_loop():
            return await native()

        async def there() -> T:
            return await native()

        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(there(), caller))
    assert sync is not None
    return await threads.run(lambda stop: sync())
