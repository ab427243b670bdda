"""What a slow rerank server of one's own brings by the deadline, and what a fast one loses.

    python benchmarks/slow_server.py

A server on loopback, in a process of its own, scores so many texts a second on one processor. It
serves its requests in turn, or lets them share it. Each figure is of a fresh reranker over 100
texts: its first ranking, and its second, which knows the server's speed. "all at once" is one
request, "eight at once" are requests of 13 texts, "of five" are requests of five, one at a time.
Then a fast server, interleaved: one request, or what ours makes of it.
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import statistics
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

sys.path[:0] = [
    str(Path(__file__).resolve().parents[1] / place) for place in ("core", "tests", ".")
]

from loopback import RerankAPI, Server  # noqa: E402
from loopback.messages import Request, Response  # noqa: E402

from rerank_core import Reranker  # noqa: E402
from rerank_core.scorers import RerankAPIScorer  # noqa: E402

TEXTS = [f"passage {number} about nothing much" for number in range(100)]
RATES, LIMITS = (10, 25, 100), (1.0, 2.0, 4.0)
#: Between two rankings, for the server to notice who has gone, in seconds.
PAUSE = 0.3
#: What is compared: options of the scorer, and of the reranker.
WAYS: dict[str, tuple[bool, int | None, int]] = {
    "all at once": (False, None, 8),
    "eight at once": (False, 13, 8),
    "of five": (False, 5, 1),
    "ours": (True, None, 8),
}


class OneProcessor(RerankAPI):
    """Scores so many texts a second: requests in turn, or a text of each in turn.

    By an account of its time, so that a busy machine does not slow it. What it has begun in turn
    it finishes, whoever has gone.
    """

    def __init__(self, rate: float, *, in_turn: bool) -> None:
        super().__init__("vllm")
        self.rate, self.in_turn = rate, in_turn
        self.turn, self.busy_until = asyncio.Lock(), 0.0

    async def answer(self, request: Request) -> Response:
        texts = len(request.json["documents"])
        done = time.monotonic()
        if self.in_turn:
            done = self.busy_until = max(self.busy_until, done) + texts / self.rate
            await asyncio.sleep(done - time.monotonic())
        else:
            for _ in range(texts):
                async with self.turn:  # first come, first served
                    done = self.busy_until = max(self.busy_until, done) + 1 / self.rate
                    await asyncio.sleep(max(0.0, done - time.monotonic()))
        return await super().answer(request)


def serve(pipe: Any) -> None:
    """A server for each way, of the speed that is asked for, until the next word."""
    while (asked := pipe.recv()) is not None:
        rate, in_turn = asked
        with ExitStack() as stack:
            servers = [Server(OneProcessor(rate, in_turn=in_turn)) for _ in WAYS]
            pipe.send([stack.enter_context(server).url for server in servers])
            pipe.recv()


def reranker(url: str, way: str, limit: float | None) -> Reranker:
    adaptive, batch_size, at_once = WAYS[way]
    scorer = RerankAPIScorer(f"{url}/v1/rerank", "any", batch_size=batch_size)
    scorer.adaptive_batches = adaptive
    return Reranker(scorer, timeout=limit, max_concurrency=at_once)


def two_rankings(url: str, way: str, limit: float) -> str:
    found = []
    with reranker(url, way, limit) as one:
        one.warm_up()
        for number in range(2):
            found.append(one.rank(f"question {number}", TEXTS).report.coverage)
            time.sleep(PAUSE)
    return f"{found[0]:5.2f} / {found[1]:4.2f}"


def slow(pipe: Any) -> None:
    print("coverage of 100 texts at the deadline: first ranking / second")
    print(f"{'':26} {'could be':>9} " + " ".join(f"{way:>13}" for way in WAYS))
    for rate in RATES:
        for in_turn in (True, False):
            for limit in LIMITS:
                pipe.send((rate, in_turn))
                urls = pipe.recv()
                with ThreadPoolExecutor(len(WAYS)) as pool:  # each has a server of its own
                    figures = list(pool.map(two_rankings, urls, WAYS, [limit] * len(WAYS)))
                pipe.send("end")
                name = f"{rate:4d} texts/s, {'in turn' if in_turn else 'shared'}, {limit:g} s"
                best = min(1.0, rate * limit / len(TEXTS))
                print(f"{name:26} {best:9.2f} " + " ".join(f"{one:>13}" for one in figures))
                sys.stdout.flush()


def fast(pipe: Any, rankings: int) -> None:
    pipe.send((100_000, True))
    url = pipe.recv()[0]
    seconds: dict[str, list[float]] = {"all at once": [], "ours": []}
    first: dict[str, list[float]] = {"all at once": [], "ours": []}
    kept = {way: reranker(url, way, 5.0) for way in seconds}
    for number in range(rankings):
        for way, known in kept.items():
            with reranker(url, way, 5.0) as fresh:
                fresh.warm_up()
                for one, into in ((fresh, first), (known, seconds)):
                    started = time.perf_counter()
                    report = one.rank(f"question {number}", TEXTS).report
                    into[way].append(time.perf_counter() - started)
                    assert report.coverage == 1.0, report
    print(f"\na fast server, ms for 100 texts, median of {rankings}, interleaved")
    for name, times in (("first ranking", first), ("later ones", seconds)):
        medians = {way: 1000 * statistics.median(each) for way, each in times.items()}
        print(f"{name:14} " + "   ".join(f"{way} {ms:.2f}" for way, ms in medians.items()))
    for one in kept.values():
        one.close()
    pipe.send("end")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rankings", type=int, default=200)
    asked = parser.parse_args()
    spawn = multiprocessing.get_context("spawn")
    ours, theirs = spawn.Pipe()
    spawn.Process(target=serve, args=(theirs,), daemon=True).start()
    slow(ours)
    fast(ours, asked.rankings)
    ours.send(None)


if __name__ == "__main__":
    main()
