"""What a scorer must load before it can score: started early, shared by all who wait, never lost.

A ranking waits for it until its deadline; the load goes on, and the next ranking finds it done.
"""

from __future__ import annotations

import asyncio
from contextvars import Context

from ..protocols import Scorer, ScorerBase
from ..runtime import loop, retries
from ..runtime.deadline import Deadline
from ..runtime.per_loop import PerLoop


class Loading:
    """One scorer's load. Used on the background loop only, but for `begin`."""

    def __init__(self, scorer: Scorer) -> None:
        self._scorer = scorer
        self._tasks = PerLoop(_Slot)

    @property
    def heavy(self) -> bool:
        """Whether the scorer says that it has something to load."""
        declared = getattr(type(self._scorer), "warm_up", None)
        return declared is not None and declared is not ScorerBase.warm_up

    def begin(self) -> None:
        """Start to load, from any thread, and return at once; what fails is told at first use."""
        loop.home().call_soon_threadsafe(self._start)

    async def within(self, deadline: Deadline) -> bool:
        """Wait for it until the deadline; whether it is there.

        Raises what the load raised: once, the next call tries again.
        """
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

    def _start(self) -> asyncio.Task[None]:
        slot = self._tasks.get()
        if slot.task is None:
            # in a context of its own: it is no part of the ranking that happens to need it first
            slot.task = asyncio.get_running_loop().create_task(self._load(), context=Context())
            slot.task.add_done_callback(_looked_at)
        return slot.task

    async def _load(self) -> None:
        await retries.warm_up()
        load = getattr(self._scorer, "warm_up", None)
        if load is not None:
            await load()


class _Slot:
    """The load under way, or one that is done and that nobody has looked at."""

    def __init__(self) -> None:
        self.task: asyncio.Task[None] | None = None


def _looked_at(task: asyncio.Task[None]) -> None:
    if not task.cancelled():
        task.exception()  # who needs it is told; else asyncio would complain
