"""What a real encoder is worth as a scorer: SciFact, the top 100 by BM25, all-MiniLM-L6-v2.

    python benchmarks/embedding_scifact.py

prints nDCG@10 (by ir_measures) of BM25 over the whole corpus (bm25s), of `EmbeddingScorer` over
its candidates, of what sentence-transformers itself gives on the same candidates, and of BM25 and
EmbeddingScorer summed half and half after min-max. A text is encoded once, by the scorer's own
embedder, and kept in `.cache/`; that takes minutes. See scifact_data.py for where the data is.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Mapping
from typing import Any

import numpy as np
from scifact_data import CACHE, SciFact, minilm_folder, ndcg_10

from rerank_core import Reranker
from rerank_core.combine import WeightedSum
from rerank_core.scorers.embedding import EmbeddingScorer
from rerank_core.text.words import words

DEPTH = 100

Candidates = dict[str, list[tuple[str, float]]]


def bm25(data: SciFact) -> Candidates:
    """The best documents of each query by BM25 over the whole corpus, best first."""
    import bm25s

    vocabulary: dict[str, int] = {}
    corpus = [
        [vocabulary.setdefault(word, len(vocabulary)) for word in words(text)]
        for text in data.texts.values()
    ]
    index = bm25s.BM25()
    index.index((corpus, vocabulary), create_empty_token=False, show_progress=False)
    ids = list(data.texts)
    found: Candidates = {}
    for query, text in data.queries.items():
        scores = index.get_scores([vocabulary[word] for word in words(text) if word in vocabulary])
        best = np.argsort(-scores, kind="stable")[:DEPTH]
        found[query] = [(ids[place], float(scores[place])) for place in best]
    return found


def vectors(data: SciFact) -> Mapping[str, Any]:
    """A vector for each text of the corpus, by the scorer's own embedder."""
    file = CACHE / "scifact-minilm-by-scorer.npy"
    texts = list(data.texts.values())
    if not file.exists():
        print(f"encoding {len(texts)} documents (once)", file=sys.stderr)
        embedder = EmbeddingScorer(minilm_folder(), device="cpu")._embedder
        start, made = time.perf_counter(), []
        for at in range(0, len(texts), 128):
            made += asyncio.run(embedder.embed("", texts[at : at + 128]))[1]
        print(f"{time.perf_counter() - start:.0f} s", file=sys.stderr)
        CACHE.mkdir(exist_ok=True)
        np.save(file, np.stack(made))
    return dict(zip(texts, np.load(file), strict=True))


def reranked(reranker: Reranker, data: SciFact, candidates: Candidates) -> float:
    run: dict[str, dict[str, float]] = {}
    with reranker:
        for query, found in candidates.items():
            documents = [{"id": i, "text": data.texts[i], "score": score} for i, score in found]
            hits = reranker.rank(data.queries[query], documents).all
            run[query] = {str(hit.id): -float(hit.rank) for hit in hits}
    return ndcg_10(data.qrels, run)


def by_sentence_transformers(data: SciFact, candidates: Candidates) -> float:
    """Cosines of vectors that sentence-transformers encoded with its own defaults."""
    cosine = {query: dict(best) for query, best in data.dense(depth=len(data.texts)).items()}
    return ndcg_10(
        data.qrels,
        {query: {i: cosine[query][i] for i, _ in found} for query, found in candidates.items()},
    )


def main() -> None:
    data = SciFact()
    candidates = bm25(data)
    scorer = EmbeddingScorer(minilm_folder(), device="cpu", vectors=vectors(data))
    half = WeightedSum({"embedding": 0.5, "retrieval": 0.5}, normalize="min-max")
    table = {
        "BM25": ndcg_10(data.qrels, {query: dict(found) for query, found in candidates.items()}),
        "sentence-transformers": by_sentence_transformers(data, candidates),
        "EmbeddingScorer": reranked(Reranker(scorer=scorer), data, candidates),
        "BM25 + EmbeddingScorer": reranked(Reranker(scorer=scorer, combine=half), data, candidates),
    }
    print(f"| SciFact, {len(candidates)} queries, top {DEPTH} by BM25 | nDCG@10 |\n|---|---|")
    for name, value in table.items():
        print(f"| {name} | {value:.4f} |")


if __name__ == "__main__":
    main()
