"""What a second try of the slowest call is worth where 1% of the calls take 20 times as long.

    python benchmarks/hedging.py [--rankings 400]

A rerank server on loopback, in a process of its own, takes 50 ms a call, and 1 s for one call in a
hundred, drawn at random. A ranking is 50 documents in 10 calls at once, so that one ranking in ten
meets a slow one. Rankings follow one another, with and without hedging in turn, over the same
server. "more calls" is what hedging cost, as the server counted.
"""

from __future__ import annotations

import argparse
import multiprocessing
import statistics
import sys
import time
from pathlib import Path
from typing import Any

sys.path[:0] = [
    str(Path(__file__).resolve().parents[1] / place) for place in ("core", "tests", ".")
]

from loopback import Latency, RerankAPI, Server  # noqa: E402

from rerank_core import Reranker  # noqa: E402
from rerank_core.scorers import RerankAPIScorer  # noqa: E402

CALL, SHARE, FACTOR = 0.05, 0.01, 20.0
TEXTS = [f"passage {number} about nothing much" for number in range(50)]
AFTER = (None, 0.075, 0.1, 0.2)


def serve(pipe: Any) -> None:
    latency = Latency(call=CALL, tail_share=SHARE, tail_factor=FACTOR, seed=1)
    with Server(RerankAPI("vllm", latency=latency)) as server:
        pipe.send(server.url)
        pipe.recv()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rankings", type=int, default=400)
    count = parser.parse_args().rankings
    spawn = multiprocessing.get_context("spawn")
    ours, theirs = spawn.Pipe()
    spawn.Process(target=serve, args=(theirs,), daemon=True).start()
    url = ours.recv()
    rerankers = {
        after: Reranker(
            RerankAPIScorer(f"{url}/v1/rerank", "any", batch_size=5),
            timeout=None,
            max_concurrency=20,
            hedge_after=after,
        )
        for after in AFTER
    }
    seconds: dict[float | None, list[float]] = {after: [] for after in AFTER}
    calls = dict.fromkeys(AFTER, 0)
    for reranker in rerankers.values():
        reranker.warm_up()
        reranker.rank("warm", TEXTS)
    for number in range(count):
        for after, reranker in rerankers.items():
            started = time.perf_counter()
            report = reranker.rank(f"question {number}", TEXTS).report
            seconds[after].append(time.perf_counter() - started)
            assert report.coverage == 1.0, report
            calls[after] += report.calls

    print(
        f"{count} rankings of 10 calls; {1000 * CALL:g} ms a call, {SHARE:.0%} of them {FACTOR:g}x"
    )
    print(f"{'hedge_after':>12} {'p50 ms':>8} {'p90 ms':>8} {'p99 ms':>8} {'max ms':>8} more calls")
    for after in AFTER:
        cuts = statistics.quantiles(seconds[after], n=100, method="inclusive")
        figures = (cuts[49], cuts[89], cuts[98], max(seconds[after]))
        more = calls[after] / (10 * count) - 1
        name = "none" if after is None else f"{after:g} s"
        print(f"{name:>12} " + " ".join(f"{1000 * f:8.0f}" for f in figures) + f" {more:10.1%}")
    for reranker in rerankers.values():
        reranker.close()
    ours.send("end")


if __name__ == "__main__":
    main()
