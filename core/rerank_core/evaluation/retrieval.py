"""Candidates where the user brings none: BM25 over the whole corpus."""

from __future__ import annotations

import logging
import sys
import warnings
from collections.abc import Mapping
from typing import Any

from ..text.words import words
from .packages import package
from .run import RETRIEVER, Ranked, Run


def bm25_run(texts: Mapping[str, str], queries: Mapping[str, str], depth: int) -> Run:
    """The best `depth` documents of each query by BM25 (Lucene's variant, by `bm25s`).

    Words as they are written, unstemmed, as most published runs have them.
    """
    np, bm25s = package("numpy"), _bm25s()
    ids = list(texts)
    vocabulary: dict[str, int] = {}
    corpus = [
        [vocabulary.setdefault(word, len(vocabulary)) for word in words(text)]
        for text in texts.values()
    ]
    index = bm25s.BM25()
    index.index((corpus, vocabulary), create_empty_token=False, show_progress=False)
    rankings = {}
    for query, text in queries.items():
        wanted = [vocabulary[word] for word in words(text) if word in vocabulary]
        scores = index.get_scores(wanted) if wanted else np.zeros(len(ids))
        best = np.argsort(-scores, kind="stable")[:depth]
        rankings[query] = Ranked([ids[i] for i in best], [float(scores[i]) for i in best])
    return Run(RETRIEVER, rankings)


def _bm25s() -> Any:
    """The package, imported without its progress bar's complaint about a bare notebook."""
    if "bm25s" not in sys.modules:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="IProgress not found")
            package("bm25s")
        # it sets its own logger to DEBUG, which every application would hear
        logging.getLogger("bm25s").setLevel(logging.NOTSET)
    return package("bm25s")  # waits where another thread is still importing it
