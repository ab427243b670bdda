"""How fast the embedded default is, beside bm25s over the same texts.

    python benchmarks/bm25_speed.py

A reranker sees each list of candidates once: what counts is reading it and scoring it. For lists of
SciFact's abstracts, `BM25Scorer` beside bm25s (its own tokenizer, index and scores), by turns, one
query after another, after a warm-up: medians in milliseconds of processor time, all threads', since
neither waits for anything, and the median of how many times faster query by query. Then 100
abstracts through LangChain's `HybridReranker`, whole. See scifact_data.py for where the data is
expected.
"""

from __future__ import annotations

import asyncio
import logging
import os
import platform
import time
from collections.abc import Callable
from functools import partial
from statistics import median

import bm25s
from scifact_data import SciFact

from rerank_core.scorers import BM25Scorer

SIZES = {50: 101, 100: 101, 1000: 11, 5000: 5}


def theirs(query: str, texts: list[str]) -> None:
    tokens = bm25s.tokenize(texts, show_progress=False)
    index = bm25s.BM25()
    index.index(tokens, show_progress=False)
    index.get_scores(bm25s.tokenize(query, return_ids=False, show_progress=False)[0])


def elapsed(call: Callable[[], object]) -> float:
    started = time.process_time()
    call()
    return 1000 * (time.process_time() - started)


def main() -> None:
    logging.getLogger("bm25s").setLevel(logging.WARNING)
    data = SciFact()
    texts, queries = list(data.texts.values()), list(data.queries.values())
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    print("| abstracts | bm25s, ms | BM25Scorer, ms | times faster |\n|---|---|---|---|")
    scorer = BM25Scorer()
    loop = asyncio.new_event_loop()

    def ours(query: str, texts: list[str]) -> None:
        loop.run_until_complete(scorer.score(query, texts))

    for size, rounds in SIZES.items():
        taken: dict[Callable[[str, list[str]], None], list[float]] = {theirs: [], ours: []}
        for query in queries[: rounds + 1]:
            for way, times in taken.items():
                times.append(elapsed(partial(way, query, texts[:size])))
        bm25s_ms, ours_ms = (median(times[1:]) for times in taken.values())
        # query by query, as a machine's speed may change from one second to the next
        faster = median(a / b for a, b in zip(taken[theirs][1:], taken[ours][1:], strict=True))
        print(f"| {size} | {bm25s_ms:.1f} | {ours_ms:.1f} | {faster:.1f} |")
    loop.close()
    through_langchain(texts[:100], queries[:42])


def through_langchain(texts: list[str], queries: list[str]) -> None:
    from langchain_core.documents import Document

    from langchain_rerank import HybridReranker

    documents = [Document(text, id=str(n)) for n, text in enumerate(texts)]
    compressor = HybridReranker(top_n=10)
    times = [elapsed(partial(compressor.compress_documents, documents, q)) for q in queries]
    print(f"100 abstracts through LangChain's HybridReranker: {median(times[1:]):.1f} ms")


if __name__ == "__main__":
    main()
