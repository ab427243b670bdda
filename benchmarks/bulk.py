"""`rerank bulk`: its rate beside the model's own, its memory by size, and what a kill leaves.

    python benchmarks/bulk.py [--queries 300] [--documents 100] [--chars N] [--rounds 5] [--quick]
        [--parts rate ray memory kill kill-ray]

rate: SciFact, so many queries with so many candidates each (300 with 100: 30,000 pairs), the texts
whole or their first N characters, and a cross-encoder in ONNX (the real MiniLM encoder under a
random head). In rounds over a share of the queries each: a plain loop over sentence-transformers'
`CrossEncoder.predict`, the ONNX scorer asked directly by as many threads as there are cores, the
model alone (tokens ready), and the job. Ratios are medians over rounds, in which everybody had the
same pairs; by CPU time, other work on the machine matters less. ray: all of them on Ray Data with
two workers beside one process, and the largest difference of a score. memory: the peak resident set
of a process, 3,000 to 300,000 pairs, for a scorer that costs nothing. kill: so many kill -9 at
random moments of its work, on both engines; then the output beside that of a job that was left
alone.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import os
import random
import resource
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

os.environ.setdefault("HF_HUB_OFFLINE", "1")
HERE = Path(__file__).resolve()
PLACES = [str(HERE.parents[1] / place) for place in ("core", "tests", "tests/bulk", ".")]
sys.path[:0] = [str(HERE.parent), *PLACES]
os.environ["PYTHONPATH"] = os.pathsep.join(sys.path[: len(PLACES) + 1])  # for Ray's workers

from bulk_runs import free, made_up, score, write_lines  # noqa: E402
from models import add_onnx, minilm_cross_encoder  # noqa: E402
from scifact_data import SciFact  # noqa: E402

from rerank_core import Reranker  # noqa: E402
from rerank_core.bulk import Ray, run  # noqa: E402
from rerank_core.evaluation.retrieval import bm25_run  # noqa: E402
from rerank_core.runtime.threads import cores  # noqa: E402
from rerank_core.scorers import FunctionScorer, OnnxCrossEncoderScorer  # noqa: E402

Rows = list[dict[str, Any]]
BASE = "OnnxCrossEncoderScorer"


def scifact(queries: int, documents: int, chars: int | None) -> Rows:
    """The first queries with their candidates by BM25, so many characters of each."""
    data = SciFact()
    some = dict(list(data.queries.items())[:queries])
    ranked = bm25_run(data.texts, some, documents).rankings
    return [
        {
            "query_id": query,
            "query": data.queries[query],
            "documents": [
                {"id": doc, "text": data.texts[doc][:chars], "score": score}
                for doc, score in zip(ranked[query].ids, ranked[query].scores, strict=True)
            ],
        }
        for query in ranked
    ]


def pairs_of(rows: Rows) -> list[tuple[str, str]]:
    return [(row["query"], document["text"]) for row in rows for document in row["documents"]]


def plain_loop(model: Path) -> Callable[[Rows], object]:
    from sentence_transformers import CrossEncoder

    encoder = CrossEncoder(str(model), device="cpu")
    return lambda rows: [encoder.predict(pairs_of([row]), show_progress_bar=False) for row in rows]


def asked_directly(scorer: OnnxCrossEncoderScorer) -> Callable[[Rows], object]:
    """Every core asks about its share of the queries."""

    async def share(rows: Rows) -> None:
        for row in rows:
            await scorer.score(row["query"], [document["text"] for document in row["documents"]])

    async def all_of(rows: Rows) -> None:
        await asyncio.gather(*(share(rows[at :: cores()]) for at in range(cores())))

    return lambda rows: asyncio.run(all_of(rows))


def model_alone(scorer: OnnxCrossEncoderScorer) -> Callable[[Rows], Callable[[], object]]:
    from concurrent.futures import ThreadPoolExecutor

    asyncio.run(scorer.warm_up())
    model = scorer._shared.model
    assert model is not None

    def ready(rows: Rows) -> Callable[[], object]:
        feeds = [model._feed(model.tokenizer.encode(*pair)) for pair in pairs_of(rows)]
        pool = ThreadPoolExecutor(cores())
        return lambda: list(pool.map(lambda feed: model.session.run(None, feed), feeds))

    return ready


def rates(model: Path, rows: Rows, rounds: int, folder: Path) -> None:
    scorer = OnnxCrossEncoderScorer(str(model))
    alone, direct, loop = model_alone(scorer), asked_directly(scorer), plain_loop(model)
    reranker = Reranker(scorer)
    reranker.warm_up()

    def job(some: Rows, number: int) -> Callable[[], object]:
        source = write_lines(folder / f"in-{number}.jsonl", some)
        return lambda: run(source, folder / f"out-{number}.jsonl", reranker)

    seconds: dict[str, list[float]] = {}
    processor: dict[str, list[float]] = {}
    loop(rows[:1])
    for number in range(rounds):
        some = rows[number::rounds]
        turns: list[tuple[str, Callable[[], object]]] = [
            ("sentence-transformers, a plain loop", lambda some=some: loop(some)),
            ("the model alone", alone(some)),
            (BASE, lambda some=some: direct(some)),
            ("rerank bulk", job(some, number)),
        ]
        at = number % len(turns)
        for name, turn in turns[at:] + turns[:at]:
            start, used = time.perf_counter(), time.process_time()
            turn()
            count = len(pairs_of(some))
            seconds.setdefault(name, []).append((time.perf_counter() - start) / count)
            processor.setdefault(name, []).append((time.process_time() - used) / count)
    print(f"\n## rate: {len(pairs_of(rows)):,} pairs, {rounds} rounds, {cores()} cores\n")
    print(
        "| | pairs/s | of OnnxCrossEncoderScorer's own | the same by CPU time |\n|---|---|---|---|"
    )
    for name, took in seconds.items():
        by_wall, by_cpu = (
            statistics.median(a / b for a, b in zip(of[BASE], of[name], strict=True))
            for of in (seconds, processor)
        )
        rate = 1 / statistics.median(took)
        print(f"| {name} | {rate:,.1f} | {by_wall:.2f} | {by_cpu:.2f} |", flush=True)


def on_ray(model: Path, rows: Rows, folder: Path) -> None:
    source = write_lines(folder / "all.jsonl", rows)
    engines = {"one": None, "ray": Ray(workers=2, queries_per_task=4)}
    print("\n## ray\n\n| engine | pairs/s, start included | s |\n|---|---|---|")
    for name, engine in engines.items():
        with Reranker(OnnxCrossEncoderScorer(str(model))) as reranker:
            summary = run(source, folder / f"{name}.jsonl", reranker, engine=engine)
        print(f"| {name} | {summary.rate:,.1f} | {summary.seconds:,.0f} |", flush=True)
    one, ray = (scores(folder / f"{name}.jsonl") for name in engines)
    differences = [abs(one[pair] - ray[pair]) for pair in one]
    same = one.keys() == ray.keys()
    print(f"\nsame pairs: {same}; largest difference of a score: {max(differences):.1e}")


def scores(path: Path) -> dict[tuple[str, str], float]:
    rows = map(json.loads, path.open())
    return {(row["query_id"], hit["id"]): hit["score"] for row in rows for hit in row["documents"]}


def memory(sizes: Sequence[int], folder: Path) -> None:
    print("\n## memory\n\n| pairs | peak, MB | pairs/s |\n|---|---|---|")
    for size in sizes:
        source = folder / f"{size}.jsonl"
        with source.open("w") as file:  # never as a whole here either
            for number in range(size // 100):
                (row,) = made_up(1, 100)
                file.write(json.dumps({**row, "query_id": f"q{number}"}) + "\n")
        command = [sys.executable, HERE, "--one", source, folder / f"{size}.trec"]
        told = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
        print(f"| {size:,} | {told['peak'] / 1e6:.0f} | {told['rate']:,.0f} |", flush=True)


def slow(query: str, texts: Sequence[str]) -> list[float]:
    time.sleep(0.02)
    return score(query, texts)


def one(source: str, output: str, engine: str = "free") -> None:
    """A job in a process of its own."""
    scorer = free()
    if engine != "free":
        scorer = FunctionScorer(slow, name="free", independent=True, cache_name="free")
    chosen = Ray(workers=2, queries_per_task=4) if engine == "ray" else None
    with Reranker(scorer) as reranker:
        summary = run(source, output, reranker, engine=chosen)
    peak = 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(json.dumps({"peak": peak, "rate": summary.rate}))


def killed(engine: str, kills: int, queries: int, limit: float, folder: Path) -> None:
    """Kill it so often while it is at work, or until it is done; then leave it alone."""
    source = write_lines(folder / "kill.jsonl", made_up(queries, 50))
    with Reranker(free()) as reranker:
        run(source, folder / f"{engine}-whole.jsonl", reranker)
    output = folder / f"{engine}.jsonl"
    command = [sys.executable, str(HERE), "--one", str(source), str(output), engine]
    moments, began, code = random.Random(7), time.monotonic(), None
    reached: list[int] = []
    while code is None:
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        if len(reached) < kills and time.monotonic() - began < limit:
            before = _reached(output)
            while process.poll() is None and _reached(output) == before:
                time.sleep(0.05)
            time.sleep(moments.uniform(0, 2.0))
            process.send_signal(signal.SIGKILL)
        process.wait()
        code = None if process.returncode == -signal.SIGKILL else process.returncode
        if code is None:
            reached.append(_reached(output))
    same = output.read_bytes() == (folder / f"{engine}-whole.jsonl").read_bytes()
    told = " ".join(map(str, reached))
    print(f"| {engine} | {len(reached)} | {code} | {same} | {told} |", flush=True)


def _reached(output: Path) -> int:
    try:
        state = output.with_name(f"{output.name}.bulk") / "state.json"
        return int(json.loads(state.read_text())["number"])
    except FileNotFoundError:
        return 0


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--queries", type=int, default=300)
    asked.add_argument("--documents", type=int, default=100, help="candidates a query")
    asked.add_argument("--chars", type=int, help="of each text; all of them where left out")
    asked.add_argument("--rounds", type=int, default=5)
    asked.add_argument("--kills", type=int, default=20)
    asked.add_argument("--limits", type=float, nargs=2, default=[60, 600], help="seconds of kills")
    parts = ["rate", "ray", "memory", "kill", "kill-ray"]
    asked.add_argument("--parts", nargs="+", choices=parts, default=parts)
    asked.add_argument("--quick", action="store_true", help="a size for a test of this script")
    options = asked.parse_args()
    if options.quick:
        options.queries, options.rounds, options.kills, options.limits = 2, 2, 2, [6, 60]
    logging.disable(logging.WARNING)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if {"rate", "ray"} & set(options.parts):
            model = minilm_cross_encoder(folder / "minilm")
            add_onnx(model)
            rows = scifact(options.queries, options.documents, options.chars)
        if "rate" in options.parts:
            rates(model, rows, options.rounds, folder)
        if "ray" in options.parts:
            on_ray(model, rows, folder)
        if "memory" in options.parts:
            memory([3_000] if options.quick else [3_000, 30_000, 300_000], folder)
        if {"kill", "kill-ray"} & set(options.parts):
            print("\n## kill\n\n| engine | kills | exit code | the same | queries by then |")
            print("|---|---|---|---|---|")
        queries = 200 if options.quick else 3000
        if "kill" in options.parts:
            killed("local", options.kills, queries, options.limits[0], folder)
        if "kill-ray" in options.parts:
            killed("ray", options.kills, queries, options.limits[1], folder)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        one(*sys.argv[2:])
    else:
        main()
