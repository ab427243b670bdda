"""CPU-bound work in daemon threads of our own, which nothing waits for.

asyncio's default executor is joined when the loop closes, and `concurrent.futures` again at exit:
a limit of 0.3 s around three seconds of work then takes three seconds. Here the caller is free at
once when it is cancelled; the work learns of it by asking, between two small steps, and its result
is dropped.
"""

from __future__ import annotations

import asyncio
import atexit
import os
import queue
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import copy_context
from typing import Any, TypeVar

from .fork import after_fork

R = TypeVar("R")

#: Whether the caller has gone. Work asks between two small steps; if so, it returns soon, with
#: anything.
Stop = Callable[[], bool]

#: An idle thread goes after so many seconds.
IDLE_SECONDS = 30.0
#: The longest that the end of the process waits for native code to stop.
EXIT_SECONDS = 2.0

_here = threading.local()


class Stopped(Exception):
    """Nobody waits for this work any more. Raised in our threads only, and seen by nobody."""


class _Job:
    """One piece of work, and where its result goes."""

    def __init__(self, fn: Callable[..., Any], args: tuple[Any, ...]) -> None:
        self.fn, self.args = fn, args
        self.stop = threading.Event()
        self.native = 0
        self.context = copy_context()
        self.loop = asyncio.get_running_loop()
        self.future: asyncio.Future[Any] = self.loop.create_future()

    def do(self) -> None:
        result: Any = None
        error: BaseException | None = None
        _here.job = self
        try:
            result = self.context.run(self.fn, *self.args, stop=self.stop.is_set)
        except StopIteration as exc:  # a future takes anything but this
            error = RuntimeError(f"StopIteration raised: {exc}")
        except BaseException as exc:  # anything else at all: whoever waits must not wait for ever
            error = exc
        finally:
            _here.job = None
        with suppress(RuntimeError):  # the loop has closed: nobody is waiting
            self.loop.call_soon_threadsafe(self._settle, result, error)

    def _settle(self, result: Any, error: BaseException | None) -> None:
        if self.future.done():  # cancelled
            return
        if error is None:
            self.future.set_result(result)
        else:
            self.future.set_exception(error)


class _Pool:
    """Threads that are kept for a while after their work, as numeric libraries keep state in them.

    It never holds work back: how much is under way at once is for the caller to say.
    """

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.idle: list[queue.SimpleQueue[_Job]] = []
        self.running: set[_Job] = set()

    def submit(self, job: _Job) -> None:
        with self.lock:
            self.running.add(job)
            # The thread that was busy last: its memory is warm, and the others may go.
            inbox = self.idle.pop() if self.idle else None
        if inbox is None:
            inbox = queue.SimpleQueue()
            threading.Thread(target=self._serve, args=(inbox,), name="rerank", daemon=True).start()
        inbox.put(job)

    def _serve(self, inbox: queue.SimpleQueue[_Job]) -> None:
        while True:
            try:
                job = inbox.get(timeout=IDLE_SECONDS)
            except queue.Empty:
                with self.lock:
                    if inbox in self.idle:
                        self.idle.remove(inbox)
                        return
                continue  # it was taken in this very moment: a job is on its way
            if not job.stop.is_set():
                job.do()
            with self.lock:
                self.running.discard(job)
                self.idle.append(inbox)
            del job  # an idle thread keeps no texts and no model alive

    def wind_down(self) -> None:
        with self.lock:
            running = list(self.running)
        for job in running:
            job.stop.set()
        until = time.monotonic() + EXIT_SECONDS
        while any(job.native for job in running) and time.monotonic() < until:
            time.sleep(0.002)


_pool = _Pool()


@after_fork
def _after_fork() -> None:
    # The parent's threads do not exist here, and its lock may have been held by one.
    global _pool
    _pool = _Pool()


atexit.register(lambda: _pool.wind_down())


async def run(fn: Callable[..., R], *args: Any) -> R:
    """Await `fn(*args, stop=…)`, called at once in a daemon thread; on any loop.

    Cancelling the await returns immediately, and `stop()` is true from then on. Work that never
    asks goes on unseen, and is cut off when the process ends. Context variables go along.
    """
    job = _Job(fn, args)
    _pool.submit(job)
    try:
        result: R = await job.future
        return result
    finally:
        job.stop.set()


def check() -> None:
    """Raise `Stopped` if nobody waits for the work of this thread; does nothing in others.

    For the inside of a long step, such as between the layers of a model.
    """
    job = getattr(_here, "job", None)
    if job is not None and job.stop.is_set():
        raise Stopped


@contextmanager
def native() -> Iterator[None]:
    """A stretch of native code. The end of the process tells it to stop, and waits until it does.

    Elsewhere a daemon thread just vanishes with the interpreter. Inside C++ it takes the process
    down with it: `terminate called without an active exception`, up to Python 3.13.
    """
    job = getattr(_here, "job", None)
    if job is None:
        yield
        return
    job.native += 1
    try:
        check()
        yield
    finally:
        job.native -= 1


def cores() -> int:
    """How many cores this process may use: its affinity, within its container's quota.

    And within `OMP_NUM_THREADS`, as torch and NumPy have it: Ray and other schedulers tell a worker
    by it how many of a machine's cores are its own.
    """
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    count = allowed or 1
    with suppress(ValueError):  # not set, or a list of levels
        count = min(count, max(1, int(os.environ.get("OMP_NUM_THREADS", ""))))
    with suppress(OSError, ValueError):  # no such file, or "max": no quota
        with open("/sys/fs/cgroup/cpu.max") as limits:
            quota, period = limits.read().split()
        count = min(count, max(1, round(int(quota) / int(period))))
    return count
