"""200 rankings of 50 documents at once in one process, again and again: is anything left behind?

    python benchmarks/load.py [--rankings 200] [--rounds 6]

An LLM grades in groups of ten over the OpenAI protocol; the server is on loopback, in a process of
its own, and takes 50 ms a call. After every round: how many rankings were answered in full, the
wall time, and what the process holds: resident memory, tasks on the background loop, open files
and sockets, threads. Then the same from 8 threads by the sync face, and in a child after a fork;
at last Python's own memory, traced, after smaller rounds (tracing slows everything). Ends with
status 1 if a ranking was not answered, or if at the end there are more tasks, files or threads than
the first rounds had, or over 5% more memory.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import multiprocessing
import os
import resource
import sys
import threading
import time
import tracemalloc
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

sys.path[:0] = [
    str(Path(__file__).resolve().parents[1] / place) for place in ("core", "tests", ".")
]

from llm_prompts import read_prompt  # noqa: E402
from loopback import Latency, OpenAIAPI, Server, scoring  # noqa: E402

from rerank_core import Ranking, Reranker  # noqa: E402
from rerank_core.runtime import loop  # noqa: E402
from rerank_core.scorers import LLMScorer  # noqa: E402

TEXTS = [f"passage {number} says a little of this and that" for number in range(50)]
#: Rounds that may still grow: pools fill, caches warm.
WARM = 2
THREADS = 8


class Held(NamedTuple):
    """What the process holds."""

    memory: float
    tasks: int
    files: int
    threads: int

    @classmethod
    def now(cls) -> Held:
        gc.collect()
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        return cls(
            pages * resource.getpagesize() / 2**20,
            len(asyncio.all_tasks(loop.home())),
            len(list(Path("/proc/self/fd").iterdir())),
            threading.active_count(),
        )


def serve(pipe: Any) -> None:
    api = OpenAIAPI(scoring(reader=read_prompt), reader=read_prompt, latency=Latency(call=0.05))
    with Server(api) as server:
        pipe.send(server.url)
        pipe.recv()


def at_once(reranker: Reranker, count: int) -> Sequence[Ranking]:
    async def main() -> Sequence[Ranking]:
        return await asyncio.gather(
            *(reranker.arank(f"question {number}", TEXTS) for number in range(count))
        )

    return asyncio.run(main())


def from_threads(reranker: Reranker, count: int) -> Sequence[Ranking]:
    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(lambda n: reranker.rank(f"question {n}", TEXTS), range(count)))


def rounds(
    name: str, rank: Callable[[Reranker, int], Sequence[Ranking]], url: str, count: int, times: int
) -> bool:
    """Whether every ranking was answered and nothing grew, on one reranker."""
    held, whole = [], True
    with Reranker(LLMScorer(base_url=f"{url}/v1", api_key="any"), timeout=None) as reranker:
        reranker.warm_up()
        for number in range(times):
            started = time.perf_counter()
            rankings = rank(reranker, count)
            seconds = time.perf_counter() - started
            answered = sum(ranking.report.coverage == 1.0 for ranking in rankings)
            del rankings
            held.append(Held.now())
            whole &= answered == count
            print(
                f"{name:12} {number + 1:5d} {answered:5d}/{count} {seconds:7.2f} "
                f"{held[-1].memory:9.1f} {held[-1].tasks:6d} {held[-1].files:6d} "
                f"{held[-1].threads:8d}",
                flush=True,
            )
    # idle connections come and go, so the most of the first rounds is what may be held
    first, last = [max(values) for values in zip(*held[: WARM + 1], strict=True)], held[-1]
    grown = any(after > before for before, after in zip(first[1:], last[1:], strict=True))
    return whole and not grown and last.memory <= 1.05 * first[0]


def traced(url: str, count: int) -> None:
    """Python's own memory after each of three rounds, by tracemalloc."""
    with Reranker(LLMScorer(base_url=f"{url}/v1", api_key="any"), timeout=None) as reranker:
        at_once(reranker, count)
        tracemalloc.start()
        sizes = []
        for _ in range(3):
            at_once(reranker, count)
            gc.collect()
            sizes.append(tracemalloc.get_traced_memory()[0] / 1024)
        tracemalloc.stop()
    print(f"traced since a warm round, KiB after each of 3 more: {[round(size) for size in sizes]}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rankings", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=6)
    asked = parser.parse_args()
    spawn = multiprocessing.get_context("spawn")
    ours, theirs = spawn.Pipe()
    spawn.Process(target=serve, args=(theirs,), daemon=True).start()
    url = ours.recv()
    names = ("round", "answered", "wall s", "memory MiB", "tasks", "files", "threads")
    print(f"{'':12} {names[0]:>5} {names[1]:>8} {names[2]:>7} {' '.join(names[3:])}")
    well = rounds("one loop", at_once, url, asked.rankings, asked.rounds)
    well &= rounds(f"{THREADS} threads", from_threads, url, asked.rankings, asked.rounds)
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        fine = False
        try:
            fine = rounds("forked", at_once, url, asked.rankings, WARM + 2)
        finally:
            sys.stdout.flush()
            os._exit(0 if fine else 1)
    well &= os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    traced(url, max(1, asked.rankings // 10))
    ours.send("end")
    print("nothing was left behind" if well else "NOT WELL")
    return 0 if well else 1


if __name__ == "__main__":
    sys.exit(main())
