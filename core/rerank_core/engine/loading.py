"""What a scorer must load before it can score: started early, shared by all who wait, never lost.

A ranking waits for it until its deadline; the load goes on, and the next ranking finds it done.
"""

from __future__ import annotations

import asyncio
import threading
import time
from contextvars import Context
from functools import partial

from ..protocols import Scorer, ScorerBase
from ..runtime import loop, retries
from ..runtime.collector import put_off_whole_passes
from ..runtime.deadline import Deadline
from ..runtime.fork import after_fork, before_fork
from ..runtime.per_loop import PerLoop

#: The longest that a fork waits for the loads under way, in seconds.
FORK_SECONDS = 30.0

#: So long after a load the collector still keeps from long passes, as who waited for it is served
#: now; and the longest that it keeps from them for one load.
SERVED_SECONDS, LONG_SECONDS = 1.0, 30.0

#: How a program spares its first caller the wait.
AHEAD = "warm_up() does it ahead"

_under_way: set[threading.Event] = set()


class Loading:
    """One scorer's load. Used on the background loop only, but for `begin`."""

    def __init__(self, scorer: Scorer) -> None:
        self._load_scorer = getattr(scorer, "warm_up", None)
        self._tasks = PerLoop(_Slot)
        #: Whether the scorer says that it has something to load.
        self.heavy = self._load_scorer is not None and (
            getattr(self._load_scorer, "__func__", None) is not ScorerBase.warm_up
        )

    def begin(self) -> None:
        """Start to load, from any thread, and return at once; what fails is told at first use."""
        over = _begun()
        loop.home().call_soon_threadsafe(self._start, over)

    async def within(self, deadline: Deadline) -> bool:
        """Wait for it until the deadline; whether it is there.

        Raises what the load raised: once, the next call tries again.
        """
        if not self.heavy and retries.loaded():
            return True
        task = self._start()
        done, _ = await asyncio.wait({task}, timeout=deadline.left())
        if not done:
            return False
        slot = self._tasks.get()
        if slot.task is task:
            slot.task = None  # asked again next time: cheap when done, and it may have been closed
        task.result()
        return True

    def cancel(self) -> None:
        """Leave off: the scorer is being closed."""
        slot = self._tasks.get()
        if slot.task is not None:
            slot.task.cancel()
            slot.task = None

    def _start(self, over: threading.Event | None = None) -> asyncio.Task[None]:
        slot = self._tasks.get()
        if slot.task is None:
            # in a context of its own: it is no part of the ranking that happens to need it first
            slot.task = asyncio.get_running_loop().create_task(self._load(), context=Context())
            slot.task.add_done_callback(_looked_at)
        slot.task.add_done_callback(partial(_over, over or _begun()))
        return slot.task

    async def _load(self) -> None:
        resume, home = put_off_whole_passes(), asyncio.get_running_loop()
        home.call_later(LONG_SECONDS, resume)  # a load that hangs must not fill the memory
        try:
            await retries.warm_up()
            if self._load_scorer is not None:
                await self._load_scorer()
        finally:
            home.call_later(SERVED_SECONDS, resume)


class _Slot:
    """The load under way, or one that is done and that nobody has looked at."""

    def __init__(self) -> None:
        self.task: asyncio.Task[None] | None = None


def _looked_at(task: asyncio.Task[None]) -> None:
    if not task.cancelled():
        task.exception()  # who needs it is told; else asyncio would complain


def _begun() -> threading.Event:
    over = threading.Event()
    _under_way.add(over)
    return over


def _over(over: threading.Event, task: asyncio.Task[None]) -> None:
    _under_way.discard(over)
    over.set()


@before_fork
def _let_them_finish() -> None:
    # A child would wait for ever for a module that a thread of its parent had half imported.
    until = time.monotonic() + FORK_SECONDS
    if not loop.on_home_loop():
        for over in list(_under_way):
            over.wait(max(0.0, until - time.monotonic()))


@after_fork
def _forget_the_parents() -> None:
    _under_way.clear()
