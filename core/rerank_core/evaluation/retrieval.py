"""Candidates where the user brings none: BM25 over the whole corpus."""

from __future__ import annotations

from collections.abc import Mapping

from ..scorers.bm25 import _bm25s
from ..text.words import words
from .packages import package
from .run import Ranked, Run


def bm25_run(texts: Mapping[str, str], queries: Mapping[str, str], depth: int) -> Run:
    """The best `depth` documents of each query by BM25 (Lucene's variant, by `bm25s`)."""
    np = package("numpy")
    ids = list(texts)
    vocabulary: dict[str, int] = {}
    corpus = [
        [vocabulary.setdefault(word, len(vocabulary)) for word in words(text)]
        for text in texts.values()
    ]
    index = _bm25s().BM25()
    index.index((corpus, vocabulary), create_empty_token=False, show_progress=False)
    rankings = {}
    for query, text in queries.items():
        wanted = [vocabulary[word] for word in words(text) if word in vocabulary]
        scores = index.get_scores(wanted) if wanted else np.zeros(len(ids))
        best = np.argsort(-scores, kind="stable")[:depth]
        rankings[query] = Ranked([ids[i] for i in best], [float(scores[i]) for i in best])
    return Run("bm25", rankings)
