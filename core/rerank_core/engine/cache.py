"""The score cache: what stands between the engine and a store, so that no store can do harm.

A store that fails, hangs or answers nonsense costs a ranking a fraction of a second once, and is
then left alone for a while. The ranking is the one that there would be without it.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any

from ..protocols import ScoreStore, StoredScore
from ..remote.secret import redact
from ..runtime.deadline import Deadline
from ..runtime.numbers import finite
from ..runtime.per_loop import PerLoop
from ..telemetry.log import log
from .batches import Batch

#: How long a ranking waits for the store, to read and again to write: seconds, and at most this
#: share of what its deadline leaves. In less than so many seconds no store has to answer.
STORE_TIMEOUT, SHARE, TOO_SHORT = 0.25, 0.25, 0.05
#: How long a store that failed is left alone, in seconds.
COOLDOWN = 10.0
#: How long a write may take that nobody waits for, and how long closing waits for it, in seconds.
LONGEST, CLOSING = 5.0, 2.0
#: So many scores at most wait to be written; further ones are not kept.
MOST_UNWRITTEN = 100_000

# A store's answer that came too late is dropped, but its task must be held until it ends.
_late: set[asyncio.Task[Any]] = set()


class Cache:
    """Reads scores before they are asked for, and writes them when they are in.

    Used on the background loop only. Nothing here raises but cancellation.
    """

    def __init__(self, store: ScoreStore, *, close_store: bool = True) -> None:
        self.store, self.close_store = store, close_store
        # After a fork the loop is another one, and what was under way is the parent's business.
        self._states = PerLoop(_LoopState)

    @property
    def under_way(self) -> dict[str, Batch]:
        """The batches being scored now, by the keys of their texts."""
        return self._states.get().under_way

    @property
    def problem(self) -> str | None:
        """Why it is not working at the moment, in a sentence."""
        state = self._states.get()
        return state.reading.problem or state.writing.problem

    async def get(self, keys: Iterable[str], deadline: Deadline) -> dict[str, StoredScore]:
        """The scores that it has, as far as the store hands them over in time."""
        state, wanted = self._states.get(), list(dict.fromkeys(keys))
        found = state.not_read_yet(wanted)
        missing = [key for key in wanted if key not in found]
        if missing and state.late_reads:
            if _store_timeout(deadline) >= TOO_SHORT:
                state.reading.late("has not answered yet")
        elif missing and state.reading.may_try():
            state.looking += 1
            try:
                found |= await self._read(state, missing, deadline)
                found |= state.not_read_yet(missing)  # written while we were looking
            finally:
                state.looking -= 1
                state.let_go()
        return found

    def put(self, scores: Mapping[str, StoredScore]) -> None:
        """Start to write them."""
        state = self._states.get()
        if not scores or not state.writing.may_try():
            return
        state.next = state.next or _WriteBatch()
        if len(state.next.scores) + len(scores) <= MOST_UNWRITTEN:
            state.next.scores.update(scores)
        if state.writer is None or state.writer.done():
            state.writer = asyncio.create_task(self._write(state))

    async def written(self, deadline: Deadline) -> None:
        """Wait a moment until all that was put is written; it goes on unseen if it takes longer."""
        state = self._states.get()
        batch = state.next or state.last
        if batch is None or batch.done.is_set() or state.writing.problem is not None:
            return
        limit = _store_timeout(deadline)
        _, in_time = await _wait(batch.done.wait, limit)
        if not in_time and limit >= TOO_SHORT:
            state.writing.late(f"did not take the scores within {limit:.2g} s")

    async def warm_up(self) -> None:
        """Open the store ahead of the first ranking."""
        await _quietly(lambda: self.store.get_many(["00"]), "open")

    async def aclose(self, *, keep_store: bool = False) -> None:
        """Write what is to be written, and close the store if it is ours to close."""
        state = self._states.get()
        batch = state.next or state.last
        if batch is not None:
            await _wait(batch.done.wait, CLOSING)
        for task in (state.writer, *state.late_reads):
            if task is not None:
                task.cancel()
        await self._states.aclose()
        if self.close_store and not keep_store:
            await _quietly(self.store.aclose, "close")

    async def _read(
        self, state: _LoopState, keys: Sequence[str], deadline: Deadline
    ) -> dict[str, StoredScore]:
        limit, was_late = _store_timeout(deadline), state.was_late
        task, in_time = await _wait(lambda: self._get_many(keys), limit, keep=True)
        if not in_time:
            state.note_late(task, limit, again=was_late)
            return {}
        try:
            found = _sound(task.result(), keys)
        except (Exception, asyncio.CancelledError) as error:
            state.reading.fail(_told(error))
            return {}
        state.reading.works()
        state.was_late = False
        return found

    async def _get_many(self, keys: Sequence[str]) -> Mapping[str, StoredScore]:
        try:
            async with asyncio.timeout(LONGEST) as limit:
                return await self.store.get_many(keys)
        except TimeoutError:
            if limit.expired():
                raise TimeoutError(f"no answer within {LONGEST:g} s") from None
            raise

    async def _write(self, state: _LoopState) -> None:
        """Write batch after batch: while one is being written, the next one gathers."""
        while (batch := state.next) is not None:
            state.next, state.last = None, batch
            try:
                async with asyncio.timeout(LONGEST):
                    await self.store.set_many(batch.scores)
            except TimeoutError:
                state.writing.fail(f"took more than {LONGEST:g} s to write")
            except Exception as error:
                state.writing.fail(_told(error))
            else:
                state.writing.works()
            finally:
                batch.done.set()
                state.let_go()


class _WriteBatch:
    """Scores that are written together."""

    def __init__(self) -> None:
        self.scores: dict[str, StoredScore] = {}
        self.done = asyncio.Event()


class _LoopState:
    """What the cache knows on one event loop."""

    def __init__(self) -> None:
        self.under_way: dict[str, Batch] = {}
        self.reading, self.writing = _StoreHealth("read"), _StoreHealth("written")
        self.writer: asyncio.Task[None] | None = None
        self.next: _WriteBatch | None = None
        #: The batch being written; then, for those who looked before it was, the one just written.
        self.last: _WriteBatch | None = None
        #: How many are asking the store at this moment.
        self.looking = 0
        #: Reads that nobody waits for any more. Meanwhile nothing else is asked.
        self.late_reads: set[asyncio.Task[Any]] = set()
        #: Whether the last read was late.
        self.was_late = False

    def not_read_yet(self, keys: Sequence[str]) -> dict[str, StoredScore]:
        """Those of the keys that are on their way into the store."""
        batches = [batch.scores for batch in (self.last, self.next) if batch is not None]
        return {key: batch[key] for batch in batches for key in keys if key in batch}

    def note_late(self, task: asyncio.Task[Any], limit: float, *, again: bool) -> None:
        """A read goes on unseen: a connection that is being opened is then there for the next.

        Once that is no failure; `again`, after another that was late, it is.
        """
        self.late_reads.add(task)
        task.add_done_callback(self._late_read_ended)
        if limit < TOO_SHORT:
            return
        why = f"did not answer within {limit:.2g} s"
        self.was_late = True
        if again:
            self.reading.fail(why)
        else:
            self.reading.late(why)

    def _late_read_ended(self, task: asyncio.Task[Any]) -> None:
        self.late_reads.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self.reading.fail(_told(error))

    def let_go(self) -> None:
        """From now on the store itself is asked for what was written, and may have forgotten it."""
        if not self.looking and self.last is not None and self.last.done.is_set():
            self.last = None


class _StoreHealth:
    """One way to the store, in or out: whether it works, and if not, when to try again."""

    def __init__(self, done: str) -> None:
        self._done = done
        self._failed: str | None = None
        self._late: str | None = None
        self._rests_until = -math.inf

    @property
    def problem(self) -> str | None:
        return self._late if self.may_try() else self._failed

    def may_try(self) -> bool:
        return time.monotonic() >= self._rests_until

    def works(self) -> None:
        self._late, self._rests_until = None, -math.inf

    def late(self, why: str) -> None:
        """It is slow, and may come yet."""
        if self._late is None:
            log.warning("the score cache %s; the ranking is unharmed", why)
        self._late = f"the score cache {why}"

    def fail(self, why: str) -> None:
        """Leave it alone for a while."""
        if self.may_try():  # else several failed at once, and one has said so
            log.warning(
                "the score cache could not be %s and is left alone for %g s: %s",
                *(self._done, COOLDOWN, why),
            )
        self._rests_until = time.monotonic() + COOLDOWN
        self._failed = f"the score cache could not be {self._done}: {why}"


def _sound(found: Any, keys: Sequence[str]) -> dict[str, StoredScore]:
    """What a store answered, without what was not asked for and what is no score."""
    sound: dict[str, StoredScore] = {}
    for key in keys:
        if (value := found.get(key)) is not None:
            score, raw = map(finite, value)
            if score is not None and (raw is not None or value[1] is None):
                sound[key] = (score, raw)
    return sound


def _store_timeout(deadline: Deadline) -> float:
    left = deadline.left()
    return STORE_TIMEOUT if left is None else min(STORE_TIMEOUT, SHARE * left)


async def _wait(
    work: Callable[[], Awaitable[Any]], limit: float, *, keep: bool = False
) -> tuple[asyncio.Task[Any], bool]:
    """Wait so many seconds; the task, and whether it was done in time.

    If not, it is let go: cancelled, or with `keep` left to end unseen.
    """

    async def called() -> Any:  # a store's method may be anything: what it raises stays in here
        return await work()

    task = asyncio.create_task(called())
    waited = False
    try:
        await asyncio.wait({task}, timeout=limit)
        waited = True
    finally:
        in_time = task.done()
        if not in_time:
            if not (keep and waited):
                task.cancel()
            _late.add(task)
            task.add_done_callback(_forget)
    return task, in_time


async def _quietly(work: Callable[[], Awaitable[Any]], what: str) -> None:
    task, in_time = await _wait(work, CLOSING)
    try:
        if not in_time:
            raise TimeoutError(f"no answer within {CLOSING:g} s")
        task.result()
    except (Exception, asyncio.CancelledError) as error:
        log.warning("the score cache did not %s: %s", what, _told(error))


def _told(error: BaseException) -> str:
    return f"{type(error).__name__}: {redact(str(error))}".rstrip(": ")


def _forget(task: asyncio.Task[Any]) -> None:
    _late.discard(task)
    if not task.cancelled():
        task.exception()  # nobody waits for it any more; asyncio would complain
