"""Calls, sequential rounds and nDCG@10 of the listwise algorithms, without any model.

The judge answers a group as a published reranker would: by its order of the same candidates
(TREC DL 2019, BM25 top-100, GPT-3.5 by RankGPT), exactly or perturbed. For 1,000 candidates,
where no published order is at hand, the table has calls, rounds and how many of the true top 10
are found, over made-up candidates whose true order agrees with the retriever's as loosely as
BM25's does.

    python benchmarks/listwise_algorithms.py [folder with the collections]

The folder is $RERANK_DATA, or ../shared/data beside the project.
"""

from __future__ import annotations

import asyncio
import math
import os
import random
import sys
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

from rerank_core.listwise import Order, algorithm

ASKED: list[tuple[str, dict[str, Any]]] = [
    ("sliding-window", {}),
    ("top-down", {}),
    ("blocks", {"replicas": 1}),
    ("blocks", {"replicas": 2}),
    ("blocks", {"replicas": 2, "refine": True}),
    ("blocks", {"replicas": 3}),
    ("blocks", {"replicas": 3, "refine": True}),
]
RERANKER = "rerank-gpt35turbo-rankgpt-bm25top100.trec"


class FixedJudge:
    """Orders a group by fixed values plus Gaussian noise, and counts what it was asked.

    Values are ranks; noise of s places means that each answer sees each rank off by s or so.
    """

    def __init__(self, values: Mapping[str, float], noise: float = 0.0, seed: int = 0) -> None:
        self.values, self.noise, self.calls = values, noise, 0
        self._chance = random.Random(seed)

    async def order(self, query: str, texts: Sequence[str]) -> list[int]:
        self.calls += 1
        seen = [self.values[text] + self._chance.gauss(0, self.noise) for text in texts]
        return sorted(range(len(texts)), key=seen.__getitem__)


def ndcg(ranked: Sequence[str], grades: Mapping[str, int], cutoff: int = 10) -> float:
    """As trec_eval has it: the gain of a document is its grade, not 2^grade - 1."""

    def gain(values: Sequence[int]) -> float:
        return sum(value / math.log2(rank + 2) for rank, value in enumerate(values[:cutoff]))

    best = gain(sorted(grades.values(), reverse=True))
    return gain([grades.get(document, 0) for document in ranked]) / best if best else 0.0


def read_run(path: Path) -> dict[str, list[str]]:
    run: dict[str, list[tuple[int, str]]] = defaultdict(list)
    for line in path.read_text().splitlines():
        query, _, document, rank, *_ = line.split()
        run[query].append((int(rank), document))
    return {query: [document for _, document in sorted(rows)] for query, rows in run.items()}


def read_qrels(path: Path) -> dict[str, dict[str, int]]:
    qrels: dict[str, dict[str, int]] = defaultdict(dict)
    for line in path.read_text().splitlines():
        query, _, document, grade = line.split()
        qrels[query][document] = int(grade)
    return dict(qrels)


async def last(name: str, texts: Sequence[str], judge: FixedJudge, **options: Any) -> Order:
    orders = [order async for order in algorithm(name).run("", texts, judge, **options)]
    return orders[-1]


def label(name: str, options: Mapping[str, Any]) -> str:
    return " ".join([name, *(f"{option}={value}" for option, value in options.items())])


async def on_published(folder: Path) -> None:
    bm25 = read_run(folder / "bm25-top100.trec")
    reranked = read_run(folder / RERANKER)
    qrels = read_qrels(folder / "qrels.txt")
    queries = sorted(bm25.keys() & reranked.keys() & qrels.keys())
    print("nDCG@10 where each answer sees ranks off by 0 / 5 / 20 places; mean calls and rounds")
    for count in (20, 50, 100):
        found = fmean(ndcg(bm25[query][:count], qrels[query]) for query in queries)
        ideal = []
        for query in queries:
            mine = set(bm25[query][:count])
            ideal.append(ndcg([d for d in reranked[query] if d in mine], qrels[query]))
        print(
            f"\n{count} candidates: retriever {found:.3f}, the judge's own order {fmean(ideal):.3f}"
        )
        for name, options in ASKED:
            cells, calls, rounds = [], 0.0, 0.0
            for noise in (0, 5, 20):
                values, judges, orders = [], [], []
                for seed, query in enumerate(queries):
                    texts = bm25[query][:count]
                    places = {document: place for place, document in enumerate(reranked[query])}
                    for missing in texts:
                        places.setdefault(missing, len(places))
                    judges.append(FixedJudge(places, noise, seed))
                    orders.append(await last(name, texts, judges[-1], **options))
                    values.append(ndcg([texts[p] for p in orders[-1]], qrels[query]))
                cells.append(f"{fmean(values):.3f}")
                if not noise:
                    calls = fmean(judge.calls for judge in judges)
                    rounds = fmean(order.rounds for order in orders)
            print(f"  {label(name, options):34} {'  '.join(cells)}  {calls:5.1f} {rounds:4.1f}")


async def on_made_up(count: int = 1000, draws: int = 5) -> None:
    print(
        f"\n{count} made-up candidates: share of the true top 10 found, calls, rounds, own seconds"
    )
    for name, options in ASKED:
        recalls, calls, rounds, seconds = [], [], [], []
        for seed in range(draws):
            chance = random.Random(seed)
            values = {str(n): n / count + chance.gauss(0, 0.3) for n in range(count)}
            texts = list(values)
            judge = FixedJudge(values)
            started = time.perf_counter()
            order = await last(name, texts, judge, **options)
            seconds.append(time.perf_counter() - started)
            best = sorted(texts, key=values.__getitem__)[:10]
            recalls.append(len({texts[p] for p in order[:10]}.intersection(best)) / 10)
            calls.append(judge.calls)
            rounds.append(order.rounds)
        print(
            f"  {label(name, options):34} {fmean(recalls):.2f}  {fmean(calls):6.1f}"
            f" {fmean(rounds):4.1f}  {fmean(seconds):.3f}"
        )


if __name__ == "__main__":
    beside = Path(__file__).resolve().parents[2] / "shared" / "data"
    data = Path(sys.argv[1] if len(sys.argv) > 1 else os.environ.get("RERANK_DATA", beside))
    if (data / "trec-dl-2019").is_dir():
        asyncio.run(on_published(data / "trec-dl-2019"))
    else:
        print(f"no test collections at {data}: nDCG@10 is left out")
    asyncio.run(on_made_up())
