"""What a ranking opens it closes: tasks, sockets and threads are back where they were."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest
from llm_prompts import read_prompt
from loopback import FAULTS, Latency, OpenAIAPI, RerankAPI, Server, scoring

from rerank_core import Reranker
from rerank_core.errors import RerankError
from rerank_core.runtime import loop
from rerank_core.scorers import LLMScorer, RerankAPIScorer

pytest.importorskip("openai")

OPEN = Path("/proc/self/fd")
TEXTS = [f"text {number}" for number in range(50)]
AT_ONCE = 12

pytestmark = pytest.mark.skipif(not OPEN.exists(), reason="open files are counted in /proc")


def open_now() -> dict[str, int]:
    """Open files and sockets, threads, and tasks on the background loop."""
    gc.collect()
    # those that are kept for the next piece of work, and go by themselves
    kept = sum(thread.name == "rerank" for thread in threading.enumerate())
    return {
        "files": len(list(OPEN.iterdir())),
        "threads": threading.active_count() - kept,
        "tasks": len(asyncio.all_tasks(loop.home())),
    }


def settled() -> dict[str, int]:
    """What is open once it has not changed for a while: connections take a moment to go."""
    now, since = open_now(), time.monotonic()
    until = since + 5
    while time.monotonic() - since < 0.2 and time.monotonic() < until:
        time.sleep(0.02)
        if now != (now := open_now()):
            since = time.monotonic()
    return now


def comes_back_to(before: dict[str, int]) -> dict[str, int]:
    """What is open once it is as before, or has not become so within five seconds."""
    until = time.monotonic() + 5
    while (now := open_now()) != before and time.monotonic() < until:
        time.sleep(0.02)
    return now


def llm(url: str) -> LLMScorer:
    return LLMScorer(base_url=f"{url}/v1", api_key="any")


def api(url: str) -> RerankAPIScorer:
    return RerankAPIScorer(f"{url}/v1/rerank", "any", batch_size=10)


@pytest.fixture(params=["llm", "api"])
def reranker_at(request: pytest.FixtureRequest) -> Iterator[tuple[Server, Callable[[], Reranker]]]:
    """A server, and a new reranker that asks it."""
    latency = Latency(call=0.005)
    served = (
        OpenAIAPI(scoring(reader=read_prompt), reader=read_prompt, latency=latency)
        if request.param == "llm"
        else RerankAPI("vllm", latency=latency)
    )
    make = llm if request.param == "llm" else api
    with Server(served) as server:
        yield server, lambda: Reranker(make(server.url), timeout=20)


def many(reranker: Reranker, ending: str) -> None:
    """Rankings at once on a loop of their own, and what becomes of them."""

    async def main() -> None:
        timeout = 0.1 if ending == "deadline" else 20
        tasks = [
            asyncio.create_task(reranker.arank(f"q {number}", TEXTS, timeout=timeout))
            for number in range(AT_ONCE)
        ]
        if ending == "cancelled":
            await asyncio.sleep(0.05)
            for task in tasks:
                task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    asyncio.run(main())


ENDINGS = {"answered": None, "deadline": "silent", "cancelled": "silent", "refused": "unauthorized"}


@pytest.mark.parametrize("ending", ENDINGS)
def test_nothing_is_left_open(
    reranker_at: tuple[Server, Callable[[], Reranker]], ending: str
) -> None:
    """However the rankings ended: answered, at the deadline, cancelled, or by an error."""
    server, make = reranker_at
    server.faults = [FAULTS[fault]] if (fault := ENDINGS[ending]) else []
    with make() as reranker:
        many(reranker, ending)  # whatever is set up once a process is set up now
    before = settled()

    for _ in range(3):
        with make() as reranker:
            many(reranker, ending)

    assert comes_back_to(before) == before


def test_nothing_piles_up_in_a_reranker_that_stays_open(
    reranker_at: tuple[Server, Callable[[], Reranker]],
) -> None:
    """Not after deadlines either, where every call was given up."""
    server, make = reranker_at
    with make() as reranker:
        many(reranker, "answered")
        tasks = settled()["tasks"]
        server.faults = [FAULTS["silent"]]
        for _ in range(3):
            many(reranker, "deadline")
        server.faults = []
        many(reranker, "answered")
        now = settled()

    assert now["tasks"] == tasks
    assert server.connections < 40 + 5 * AT_ONCE * 5


def test_the_server_learns_of_what_was_given_up(
    reranker_at: tuple[Server, Callable[[], Reranker]],
) -> None:
    """Calls under way at the deadline are cancelled, not left to run."""
    server, make = reranker_at
    server.faults = [FAULTS["silent"]]
    with make() as reranker:
        many(reranker, "deadline")

        until = time.monotonic() + 5
        while server.in_flight and time.monotonic() < until:
            time.sleep(0.01)

        assert server.in_flight == 0
        assert server.abandoned == len(server.requests)


def test_an_interrupt_cancels_the_sync_face(
    reranker_at: tuple[Server, Callable[[], Reranker]],
) -> None:
    """Ctrl-C ends the wait at once, and the calls with it."""
    server, make = reranker_at
    server.faults = [FAULTS["silent"]]

    def interrupt() -> None:
        while not server.requests:
            time.sleep(0.01)
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)

    with make() as reranker:
        threading.Thread(target=interrupt).start()
        with pytest.raises(KeyboardInterrupt):
            reranker.rank("q", TEXTS, timeout=60)
        until = time.monotonic() + 5
        while server.in_flight and time.monotonic() < until:
            time.sleep(0.01)

        assert server.in_flight == 0


def test_from_many_threads(reranker_at: tuple[Server, Callable[[], Reranker]]) -> None:
    """One reranker under eight threads, each with the sync face."""
    _, make = reranker_at

    def round_of_rankings() -> list[float]:
        with make() as reranker, ThreadPoolExecutor(8) as pool:
            found = pool.map(lambda n: reranker.rank(f"q {n}", TEXTS), range(2 * AT_ONCE))
            return [ranking.report.coverage for ranking in found]

    round_of_rankings()
    before = settled()
    coverage = round_of_rankings()

    assert set(coverage) == {1.0}
    assert comes_back_to(before) == before


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_in_a_forked_child(reranker_at: tuple[Server, Callable[[], Reranker]]) -> None:
    """A reranker that has worked in the parent works in the child, and leaves nothing there."""
    _, make = reranker_at
    with make() as reranker:
        assert reranker.rank("before", TEXTS).report.coverage == 1.0
        child = os.fork()
        if child == 0:
            with suppress(BaseException):
                os._exit(_in_the_child(reranker))
            os._exit(99)

        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        assert status == 0
        assert reranker.rank("after", TEXTS).report.coverage == 1.0


def _in_the_child(reranker: Reranker) -> int:
    """How many of three things went wrong, as a number that says which."""
    with suppress(RerankError):
        first = reranker.rank("in the child", TEXTS).report.coverage
        reranker.close()
        before = settled()
        many(reranker, "answered")
        reranker.close()
        return (first != 1.0) + 2 * (comes_back_to(before) != before)
    return 4
