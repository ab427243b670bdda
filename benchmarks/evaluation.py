"""How long evaluation takes, what it adds to each query, and what tuning brings on published runs.

    python benchmarks/evaluation.py [speed] [tuning]

speed: 300 SciFact queries, 100 BM25 candidates each: a scorer that does nothing (the time is then
all the evaluation's and the reranker's own), BM25, and the same again from the journal.
tuning: BM25 with each of six published rerankers, 20 random splits into ten parts; every query is
ranked by the setting chosen without it.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from scifact_data import DATA

from rerank_core import Reranker
from rerank_core.evaluation import Journal, evaluate, load, read_run, tune
from rerank_core.scorers import FunctionScorer

SCIFACT, DL_2019 = "scifact/qrels.txt", "trec-dl-2019/qrels.txt"
PAIRS = [
    (SCIFACT, "scifact/runs/bm25-top20.trec", "scifact/runs/rerank-qwen2.5-1.5b-pointwise.trec"),
    (SCIFACT, "scifact/runs/bm25-top20.trec", "scifact/runs/rerank-qwen2.5-3b-gccp.trec"),
    (SCIFACT, "scifact/runs/bm25-top20.trec", "scifact/runs/rerank-qwen2.5-3b-pointwise.trec"),
    *(
        (DL_2019, "trec-dl-2019/bm25-top100.trec", f"trec-dl-2019/rerank-{name}-bm25top100.trec")
        for name in ("gpt35turbo-rankgpt", "rankvicuna7b", "vicuna13b-v1.5-zeroshot")
    ),
]


def nothing(query: str, texts: Sequence[str]) -> list[float]:
    return [0.0] * len(texts)


def speed() -> None:
    started = time.perf_counter()
    collection = load(DATA / "scifact", depth=100)
    print(f"load, and BM25 candidates from 5,183 documents: {time.perf_counter() - started:.1f} s")
    print(
        f"{'300 queries x 100 candidates':34} seconds  overhead ms a query  p50 ms  p95 ms  p99 ms"
    )
    with tempfile.TemporaryDirectory() as folder:
        journal = Path(folder) / "journal.jsonl"
        for label, name, kept in (
            ("a scorer that does nothing", "nothing", False),
            ("bm25", "bm25", False),
            ("bm25, written to a journal", "bm25", True),
            ("bm25, all from the journal", "bm25", True),
            ("hybrid", "hybrid", False),
        ):
            scorer = FunctionScorer(nothing, default_timeout=None) if name == "nothing" else name
            started = time.perf_counter()
            with Reranker(scorer, top_n=None) as reranker:
                found = evaluate(
                    collection, {name: reranker}, journal=Journal(journal) if kept else None
                )
            seconds = time.perf_counter() - started
            costs = found.systems[0].costs
            assert costs is not None
            print(
                f"{label:34} {seconds:7.2f}  {found.overhead * 1000:19.2f}"
                f"  {costs.p50 * 1000:6.1f}  {costs.p95 * 1000:6.1f}  {costs.p99 * 1000:6.1f}"
            )


def tuning() -> None:
    print(
        f"{'nDCG@10':36} {'BM25':>6} {'alone':>6} {'held out':>9} {'spread':>6} {'gain':>8}"
        f" {'p':>6} {'s':>4}  kept"
    )
    for qrels, base, reranked in PAIRS:
        collection = load(base=DATA / base, qrels=DATA / qrels)
        started = time.perf_counter()
        found = tune(collection, {"reranker": read_run(DATA / reranked)})
        retriever, alone = found.ends.values()
        print(
            f"{Path(reranked).stem.removeprefix('rerank-')[:36]:36} {retriever:.4f} {alone:.4f}"
            f" {found.tuned:9.4f} {found.spread:.4f} {found.gain:+8.4f} {found.p:.4f}"
            f" {time.perf_counter() - started:4.1f}  {found.kept.label} ({found.quality:.4f})"
        )


if __name__ == "__main__":
    if not (DATA / "scifact").is_dir():
        sys.exit(f"no test collections at {DATA}: set RERANK_DATA")
    for part in sys.argv[1:] or ["speed", "tuning"]:
        {"speed": speed, "tuning": tuning}[part]()
