"""BM25 over the candidates at hand."""

from __future__ import annotations

import logging
import sys
import warnings
from collections.abc import Sequence
from importlib import import_module
from typing import Any

from ..combine.normalize import rank_correlation
from ..protocols import ScorerBase, Scores
from ..runtime.threads import Stop, run
from ..runtime.usage import record
from ..text.words import words

#: Below so many candidates, how often a word occurs among them says little about how rare it is.
FEW = 20
#: From so many candidates on, a rank correlation with the retriever's scores of `LEXICAL` says that
#: the retriever is lexical too: on SciFact 2 of 3 queries over BM25 candidates have it, and none
#: over dense ones.
MANY, LEXICAL = 50, 0.6


class BM25Scorer(ScorerBase):
    """Scores by shared words, rarer ones counting more. Needs no key, model or network.

    Robertson's BM25 (Lucene's variant, by the `bm25s` package) with word frequencies taken from
    the candidates themselves. So it looks at all of them at once (`independent` is False), and
    over few of them, or over candidates that a lexical retriever brought, it has little to add:
    the report says so. Scores are BM25 by min-max over the list: 1 for the best, 0 for the worst,
    and 0 all through if no candidate shares a word with the query.

    >>> import asyncio
    >>> texts = ["Paris is in France", "Rome is in Italy", "no word in common"]
    >>> asyncio.run(BM25Scorer().score("where is Rome", texts))
    [0.32..., 1.0, 0.0]
    """

    name = "bm25"
    independent = False
    calibrated = False
    fingerprint = None
    worth_caching = False  # quicker to score again than to look up

    def __init__(self, *, k1: float = 1.5, b: float = 0.75) -> None:
        self.k1, self.b = k1, b

    async def score(self, query: str, texts: Sequence[str]) -> list[float | None]:
        """BM25 of each text over all of them, by min-max; the BM25 itself in `raw`."""
        if not texts:
            return []
        if len(texts) < FEW:
            record(
                note=f"BM25 over {len(texts)} candidates knows little of word frequencies: "
                f"rerank {FEW} or more, or use another scorer"
            )
        return await run(self._score, query, list(texts))

    def advise(
        self, scores: Sequence[float | None], retrieval: Sequence[float | None]
    ) -> str | None:
        """A word where the retriever seems to have counted words itself, and BM25 says it again."""
        pairs = [
            (mine, theirs)
            for mine, theirs in zip(scores, retrieval, strict=True)
            if mine is not None and theirs is not None
        ]
        if len(pairs) < MANY or rank_correlation(pairs) < LEXICAL:
            return None
        return (
            "the retriever's scores go with shared words already: BM25 over its candidates "
            "adds little, another scorer may add more"
        )

    def _score(self, query: str, texts: list[str], *, stop: Stop) -> list[float | None]:
        raw = self._bm25(query, texts, stop)
        low, high = min(raw), max(raw)
        if high <= 0.0:
            record(note="BM25: no candidate shares a word with the query")
            return Scores([0.0] * len(texts), raw)
        return Scores([(s - low) / (high - low) if high > low else 1.0 for s in raw], raw)

    def _bm25(self, query: str, texts: list[str], stop: Stop) -> list[float]:
        bm25s = _bm25s()
        vocabulary: dict[str, int] = {}
        corpus: list[list[int]] = []
        for text in texts:
            if stop():
                return [0.0] * len(texts)
            corpus.append([vocabulary.setdefault(w, len(vocabulary)) for w in words(text)])
        wanted = [vocabulary[word] for word in words(query) if word in vocabulary]
        if not wanted:
            return [0.0] * len(texts)
        index = bm25s.BM25(k1=self.k1, b=self.b)
        index.index((corpus, vocabulary), create_empty_token=False, show_progress=False)
        return [float(score) for score in index.get_scores(wanted)]


def _bm25s() -> Any:
    """The package, imported without its progress bar's complaint about a bare notebook."""
    if "bm25s" not in sys.modules:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="IProgress not found")
            import_module("bm25s")
        # it sets its own logger to DEBUG, which every application would hear
        logging.getLogger("bm25s").setLevel(logging.NOTSET)
    import bm25s  # waits where another thread is still importing it

    return bm25s
