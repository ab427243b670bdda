"""Throughput of the score stores, and what the cache adds to a ranking.

    python benchmarks/cache.py

Scores a second, written and read in requests of 1, 20 and 100 (a pointwise call, a page of
candidates, a long list), from one process; for the stores that several may share, also from two
processes at once. Then the milliseconds that a ranking of 100 known candidates takes in all, and
without a cache. Redis is a server of this script's own, where `redis-server` is installed. Medians
of five rounds.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

from rerank_core import Reranker
from rerank_core.engine.cache_keys import text_keys
from rerank_core.scorers.function import FunctionScorer
from rerank_core.stores import score_store

ROUNDS, SCORES = 5, 4000
SIZES = (1, 20, 100)


async def throughput(cache: Any, size: int, name: str) -> tuple[float, float]:
    """Scores a second: written, read."""
    store = score_store(cache)
    assert store is not None
    count = SCORES if size > 1 else SCORES // 10
    await store.get_many(["00" * 20])  # connected, imported
    written, read = [], []
    for turn in range(ROUNDS):
        keys = text_keys(name, str(turn), [str(number) for number in range(count)])
        requests = [keys[at : at + size] for at in range(0, count, size)]
        started = time.perf_counter()
        for some in requests:
            await store.set_many(dict.fromkeys(some, (0.5, 1.5)))
        between = time.perf_counter()
        for some in requests:
            found = await store.get_many(some)
            assert len(found) == len(some)
        written.append(count / (between - started))
        read.append(count / (time.perf_counter() - between))
    await store.aclose()
    return median(written), median(read)


def of_two(cache: str, size: int) -> tuple[float, float]:
    """The sum over two processes that write and read at once."""
    processes = [
        subprocess.Popen(
            [sys.executable, __file__, "--one", cache, str(size), f"process {number}"],
            stdout=subprocess.PIPE,
        )
        for number in range(2)
    ]
    figures = [json.loads(process.communicate()[0]) for process in processes]
    return sum(one[0] for one in figures), sum(one[1] for one in figures)


def milliseconds(rank: Callable[[], object]) -> float:
    rank()
    times = []
    for _ in range(40):
        started = time.perf_counter()
        rank()
        times.append(time.perf_counter() - started)
    return 1000 * median(times)


def rankings(caches: Sequence[tuple[str, str]]) -> None:
    texts = [f"document {number} " + "some words " * 80 for number in range(100)]
    scorer = FunctionScorer(
        lambda query, some: [1 / len(text) for text in some],
        independent=True,
        batch_size=10,
        cache_name="benchmark",
    )
    print("\na ranking of 100 documents, ms", "-" * 40)
    for name, cache in [("no cache", None), *caches]:
        with Reranker(scorer, cache=cache) as reranker:
            fresh = milliseconds(lambda: reranker.rank(str(time.perf_counter_ns()), texts))
            known = milliseconds(lambda: reranker.rank("q", texts))
        print(f"{name:12}  new {fresh:7.2f}   known {known:7.2f}")


@contextmanager
def redis_url(folder: str) -> Iterator[str | None]:
    program = shutil.which("redis-server")
    if program is None:
        print("no redis-server here: left out", file=sys.stderr)
        yield None
        return
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = ["--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", folder]
    server = subprocess.Popen([program, *options], stdout=subprocess.DEVNULL)
    try:
        while True:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        server.terminate()
        server.wait(10)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, redis_url(folder) as url:
        shared = [("sqlite", str(Path(folder) / "scores.sqlite"))]
        shared += [("redis", url)] if url else []
        caches = [("memory", "memory"), *shared]
        print(f"{'store':12} {'at once':>8} {'written/s':>12} {'read/s':>12}")
        for name, cache in caches:
            for size in SIZES:
                written, read = asyncio.run(throughput(cache, size, "alone"))
                print(f"{name:12} {size:8} {written:12,.0f} {read:12,.0f}")
        for name, cache in shared:
            written, read = of_two(cache, 20)
            print(f"{name + ' by two':12} {20:8} {written:12,.0f} {read:12,.0f}")
        rankings(caches)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        _, _, cache, size, name = sys.argv
        print(json.dumps(asyncio.run(throughput(cache, int(size), name))))
    else:
        main()
