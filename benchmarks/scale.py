"""The arithmetic of docs/scale.md: from what is measured here and from the table of prices.

    python benchmarks/scale.py [--queries-a-day 10e6] [--candidates 50] [--pairs 1e9] [--skip redis]

Measured: seconds of a core for a pair (CPU time, which other work on the machine does not change
much), ONNX in fp32 and int8 and BM25, on SciFact's abstracts; bytes of Redis for a cached score, by
`INFO memory` before and after 100,000 of them. The model has the shape of ms-marco-MiniLM-L6.
Assumed, and printed as such: tokens of a pair, the load at peak, how full a core may be.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import sys
import tempfile
import time
from pathlib import Path
from statistics import mean
from typing import Any

os.environ.setdefault("HF_HUB_OFFLINE", "1")
HERE = Path(__file__).resolve()
sys.path[:0] = [str(HERE.parents[1] / place) for place in ("core", "tests", ".")]
sys.path.insert(0, str(HERE.parent))

from cache import redis_url  # noqa: E402
from models import add_int8, add_onnx, minilm_cross_encoder  # noqa: E402
from scifact_data import SciFact  # noqa: E402

from rerank_core.chat.prices import Tariff  # noqa: E402
from rerank_core.engine.cache_keys import text_keys  # noqa: E402
from rerank_core.scorers import BM25Scorer, OnnxCrossEncoderScorer  # noqa: E402
from rerank_core.scorers.services.prices import PRICES, RerankTariff  # noqa: E402
from rerank_core.stores import score_store  # noqa: E402

#: The load at its peak, in times the day's mean; the share of a core's time that may be in use, so
#: that queues stay short; tokens of a candidate and of a query where a vendor bills by them.
PEAK, FULL, TOKENS = 3.0, 0.6, 150
#: What an LLM reads and writes of a group of ten: its texts, what it is told, 41 tokens of grades.
GROUP_PROMPT, GROUP_REPLY = 10 * TOKENS + 250, 41
LLMS = ("gpt-4o-mini", "gpt-4.1-nano")
DAY = 86_400


async def warm(scorer: Any, texts: list[str]) -> None:
    await scorer.warm_up()
    await scorer.score("a claim", texts[:4])


def core_seconds(scorer: Any, pairs: int, texts: list[str]) -> float:
    """CPU seconds of a pair."""

    async def all_of() -> None:
        for at in range(0, pairs, 50):
            await scorer.score("a claim about cells and proteins", texts[at : at + 50])

    asyncio.run(warm(scorer, texts))
    began = time.process_time()
    asyncio.run(all_of())
    return (time.process_time() - began) / pairs


def redis_bytes(folder: str, count: int = 100_000) -> float | None:
    """Bytes of a score in a Redis of this script's own."""
    with redis_url(folder) as url:
        if url is None:
            return None
        import redis

        client = redis.Redis.from_url(url)
        store = score_store(url)
        assert store is not None

        async def fill() -> None:
            for at in range(0, count, 1000):
                keys = text_keys("scale", str(at), [str(number) for number in range(1000)])
                await store.set_many(dict.fromkeys(keys, (0.5, 1.5)))
            await store.aclose()

        before = client.info("memory")["used_memory"]
        asyncio.run(fill())
        added = client.info("memory")["used_memory"] - before
        there = client.dbsize()
        client.close()
        return float(added) / int(there)


def dollars_a_query(candidates: int) -> dict[str, float]:
    """By the tables, of a query with so many candidates."""
    found = {}
    for row in PRICES:
        cost = RerankTariff(row.price).cost(TOKENS * candidates, 0, candidates)
        where = "" if row.hosts == "*" else f" ({row.hosts})"
        found[f"{row.provider} {row.model}{where}"] = cost or 0.0
    groups = candidates / 10
    for model in LLMS:
        tariff = Tariff(model, provider="openai")
        cost = tariff.cost(round(groups * GROUP_PROMPT), round(groups * GROUP_REPLY))
        if cost is not None:
            found[f"llm:{model}, groups of ten"] = cost
    return found


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--queries-a-day", type=float, default=10e6)
    asked.add_argument("--candidates", type=int, default=50)
    asked.add_argument("--pairs", type=float, default=1e9)
    asked.add_argument("--measured", type=int, default=100, help="pairs that are timed")
    asked.add_argument("--skip", nargs="*", default=[], choices=["redis"])
    options = asked.parse_args()
    logging.disable(logging.WARNING)
    texts = list(SciFact().texts.values())[: options.measured]
    with tempfile.TemporaryDirectory() as folder:
        model = minilm_cross_encoder(Path(folder) / "minilm")
        add_onnx(model)
        add_int8(model)
        scorers = {
            "onnx fp32": OnnxCrossEncoderScorer(str(model)),
            "onnx int8": OnnxCrossEncoderScorer(str(model), precision="int8"),
            "bm25": BM25Scorer(),
        }
        seconds = {n: core_seconds(s, options.measured, texts) for n, s in scorers.items()}
        size = None if "redis" in options.skip else redis_bytes(folder)
    online(options, seconds, size)
    bulk(options, seconds)
    words = mean(len(text.split()) for text in texts)
    print(
        f"\n{words:.0f} words a text; assumed: peak {PEAK:g} times the mean, cores {FULL:.0%} full,"
    )
    print(
        f"{TOKENS} tokens a pair for services; {GROUP_PROMPT} + {GROUP_REPLY} tokens an LLM's group"
    )


def online(options: Any, seconds: dict[str, float], size: float | None) -> None:
    queries, candidates = options.queries_a_day, options.candidates
    mean_rate = queries / DAY
    print(f"\n## {queries:,.0f} queries a day, {candidates} candidates\n")
    print(f"{mean_rate:,.0f} queries/s on average, {PEAK * mean_rate:,.0f} at the peak: ", end="")
    print(f"{PEAK * mean_rate * candidates:,.0f} pairs/s\n")
    hits = (0.0, 0.3, 0.6, 0.9)
    print(f"| scorer | ms of a core a pair | {' | '.join(f'{h:.0%} hits' for h in hits)} |")
    print("|---|---|" + "---|" * len(hits))
    for name, each in seconds.items():
        need = [PEAK * mean_rate * candidates * (1 - hit) * each / FULL for hit in hits]
        told = " | ".join(f"{cores:,.0f} cores" for cores in need)
        print(f"| {name} | {1000 * each:,.2f} | {told} |")
    print("\n| billed | $ a query | $ a day | $ a day at 60% hits |\n|---|---|---|---|")
    for name, cost in sorted(dollars_a_query(candidates).items(), key=lambda one: one[1]):
        day = cost * queries
        print(f"| {name} | {cost:.5f} | {day:,.0f} | {0.4 * day:,.0f} |")
    if size is not None:
        gigabytes = queries * candidates * size / 1e9
        held = 64e9 / size / candidates / 1e6
        print(
            f"\nRedis: {size:.0f} bytes a score. A day of them: {gigabytes:,.0f} GB without hits,"
        )
        print(
            f"{0.4 * gigabytes:,.0f} GB at 60%; 64 GB hold the lists of {held:,.1f} million queries"
        )


def bulk(options: Any, seconds: dict[str, float]) -> None:
    pairs = options.pairs
    print(f"\n## {pairs:,.0f} pairs at once\n\n| scorer | core-hours | on 64 cores | on 1,000 |")
    print("|---|---|---|---|")
    for name, each in seconds.items():
        hours = pairs * each / 3600
        print(f"| {name} | {hours:,.0f} | {hours / 64:,.1f} h | {hours / 1000:,.2f} h |")
    print("\n| billed | $ |\n|---|---|")
    costs = dollars_a_query(100)
    for name, cost in sorted(costs.items(), key=lambda one: one[1]):
        print(f"| {name} | {cost * pairs / 100:,.0f} |")


if __name__ == "__main__":
    main()
