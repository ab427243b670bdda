"""Work in daemon threads: the caller never waits for what it has given up."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
import time
from contextvars import ContextVar
from pathlib import Path

import pytest

from rerank_core.runtime import threads

colour: ContextVar[str] = ContextVar("colour", default="none")


def test_the_result_is_awaited() -> None:
    """What the function returns comes back; it ran in another thread."""

    def work(a: int, *, stop: threads.Stop) -> tuple[int, int, bool]:
        return a + 1, threading.get_ident(), stop()

    result, thread, stopped = asyncio.run(threads.run(work, 1))

    assert (result, stopped) == (2, False)
    assert thread != threading.get_ident()


@pytest.mark.parametrize("error", [ValueError("no"), StopIteration(), SystemExit(3)])
def test_whatever_is_raised_reaches_the_caller(error: BaseException) -> None:
    """Also what a future cannot carry, and what would end a thread."""

    def work(*, stop: threads.Stop) -> None:
        raise error

    with pytest.raises((type(error), RuntimeError)):
        asyncio.run(threads.run(work))


def test_context_variables_go_along() -> None:
    """A thread sees what its caller had set."""

    async def main() -> str:
        colour.set("red")
        return await threads.run(lambda stop: colour.get())

    assert asyncio.run(main()) == "red"


def test_cancelling_returns_at_once_and_sets_the_flag() -> None:
    """The await ends while the work is still under way; the work is told."""
    told, gone_on = threading.Event(), threading.Event()

    def work(*, stop: threads.Stop) -> None:
        gone_on.wait(10)  # deaf, as native code is
        if stop():
            told.set()

    async def main() -> bool:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(threads.run(work), 0.01)
        return told.is_set()

    told_before = asyncio.run(main())
    gone_on.set()

    assert not told_before
    assert told.wait(10)


def test_check_raises_only_in_work_that_nobody_waits_for() -> None:
    """In threads of others it does nothing."""
    threads.check()
    seen: list[type[BaseException]] = []
    over = threading.Event()

    def work(*, stop: threads.Stop) -> None:
        try:
            while True:
                threads.check()
                time.sleep(0.001)
        except threads.Stopped as error:
            seen.append(type(error))
            over.set()

    async def main() -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(threads.run(work), 0.01)

    asyncio.run(main())

    assert over.wait(10)
    assert seen == [threads.Stopped]


def test_many_at_once() -> None:
    """Nothing is held back: all of them meet."""
    barrier = threading.Barrier(20)

    async def main() -> list[int]:
        return await asyncio.gather(
            *(threads.run(lambda stop: barrier.wait(10)) for _ in range(20))
        )

    assert sorted(asyncio.run(main())) == list(range(20))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_forked_child_has_threads_of_its_own() -> None:
    """The parent's idle threads do not exist in the child, and it does not wait for them."""
    asyncio.run(threads.run(lambda stop: None))
    child = os.fork()
    if child == 0:
        os._exit(asyncio.run(asyncio.wait_for(threads.run(lambda stop: 7), 10)))

    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7


@pytest.mark.slow
def test_the_process_does_not_wait_for_deaf_work() -> None:
    """A minute's sleep in a thread that was given up ends with the process."""
    code = (
        "import asyncio, time; from rerank_core.runtime import threads\n"
        "async def main():\n"
        "    try: await asyncio.wait_for(threads.run(lambda stop: time.sleep(60)), 0.01)\n"
        "    except TimeoutError: print('given up')\n"
        "asyncio.run(main())"
    )
    path = {**os.environ, "PYTHONPATH": str(Path(threads.__file__).parents[2])}

    ran = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=path, timeout=30
    )

    assert (ran.stdout.strip(), ran.returncode) == ("given up", 0)


@pytest.mark.parametrize(("said", "cores"), [("1", 1), ("100000", None), ("4,2", None), ("", None)])
def test_a_worker_keeps_to_the_cores_that_are_its_own(
    said: str, cores: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ray and other schedulers say so by OMP_NUM_THREADS, which torch heeds too."""
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    all_of_them = threads.cores()
    monkeypatch.setenv("OMP_NUM_THREADS", said)

    assert threads.cores() == (cores or all_of_them)
