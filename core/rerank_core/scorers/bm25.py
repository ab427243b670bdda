"""BM25 over the candidates at hand, and what is known of their language."""

from __future__ import annotations

import math
from collections.abc import Sequence

from ..combine.normalize import rank_correlation
from ..protocols import ScorerBase, Scores
from ..runtime.threads import Stop, run
from ..runtime.usage import record
from ..text.counting import PIECE, Counted, Term, Terms
from ..text.languages import languages_of, sample
from ..text.words import words

__all__ = ["BM25Scorer", "words"]

#: What is known of a language's word frequencies counts like so many more candidates: enough that
#: ten candidates do not think "the" rare, few enough that a hundred of them know their subject.
PRIOR = 100
#: The share of all words that one has which the table leaves out as rare.
RARE = 5e-6
#: The prior's candidates have at least so many words: "the" is no more telling in a list of titles.
TYPICAL = 100
#: Below so many candidates, how often a word occurs among them says little about how rare it is.
FEW = 20
#: So many characters take a millisecond or two: handing them to a thread would be a tenth of it.
#: Not the first ones, which load the tables of the language.
QUICK = 2 * PIECE
#: From so many candidates on, a rank correlation with the retriever's scores of `LEXICAL` says that
#: the retriever is lexical too: on SciFact 2 of 3 queries over BM25 candidates have it, and none
#: over dense ones.
MANY, LEXICAL = 50, 0.6


class BM25Scorer(ScorerBase):
    """Scores by shared words, rarer ones counting more. Needs no key, model or network.

    Robertson's BM25 with Lucene's idf. `k1`, 0 and up: how much it counts that a word stands there
    again. `b`, 0 to 1: how much a long text must have more of it. Words are compared by their
    stems, whatever script and form they are written in. How rare a word is comes from the
    candidates themselves, mixed with its frequency in the language at large (`PRIOR` candidates'
    worth), so that stop words count for little even among few. So it looks at all candidates at
    once (`independent` is False). Over candidates that a lexical retriever brought it has little to
    add, and over few in a language whose word frequencies it does not have: the report says so.
    Scores are BM25 by min-max over the list: 1 for the best, 0 for the worst, and 0 all through if
    no candidate shares a word with the query.

    Robertson and Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond", 2009.

    >>> import asyncio
    >>> texts = ["Paris is in France", "Rome is in Italy", "no word in common"]
    >>> asyncio.run(BM25Scorer().score("where is Rome", texts))
    [0.0, 1.0, 0.0]
    """

    name = "bm25"
    independent = False
    calibrated = False
    fingerprint = None
    worth_caching = False  # quicker to score again than to look up

    def __init__(self, *, k1: float = 1.5, b: float = 0.75) -> None:
        self.k1, self.b = k1, b
        self._loaded = False

    async def score(self, query: str, texts: Sequence[str]) -> list[float | None]:
        """BM25 of each text over all of them, by min-max; the BM25 itself in `raw`."""
        if not texts:
            return []
        if self._loaded and sum(map(len, texts)) <= QUICK:
            return self._score(query, list(texts), stop=lambda: False)
        scores = await run(self._score, query, list(texts))
        self._loaded = True
        return scores

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
        terms = Terms(query, languages_of(sample(query, texts)))
        counted: list[Counted] = []
        for text in texts:
            if (whole := terms.count(text, stop)) is None:
                return [None] * len(texts)
            counted.append(whole)
        # without a table there are only the candidates to know by
        known = _known(terms.terms)
        trust = known + (1 - known) * min(1.0, len(texts) / PRIOR)
        if len(texts) < FEW and trust <= 0.5:  # else the language at large says it
            record(
                note=f"BM25 weighs less: {len(texts)} candidates are too few to tell rare words "
                "from common ones, and it has no table of this language's"
            )
        raw = self._bm25(terms.terms, counted)
        low, high = min(raw), max(raw)
        if high <= 0.0:
            record(note="BM25: no candidate shares a word with the query")
            return Scores([0.0] * len(texts), raw, trust)
        return Scores([(s - low) / (high - low) if high > low else 1.0 for s in raw], raw, trust)

    def _bm25(self, terms: Sequence[Term], counted: Sequence[Counted]) -> list[float]:
        mean = sum(text.length for text in counted) / len(counted) or 1.0
        weights = [
            term.times * _idf(term, [text.terms[place] for text in counted], mean)
            for place, term in enumerate(terms)
        ]
        scores = []
        for text in counted:
            damping = self.k1 * (1 - self.b + self.b * text.length / mean)
            score = 0.0
            for weight, times in zip(weights, text.terms, strict=True):
                if times:
                    score += weight * times / (times + damping)
            scores.append(score)
        return scores


def _idf(term: Term, counts: Sequence[int], length: float) -> float:
    """How telling a term is, 0 and up: Lucene's idf over the candidates and the prior's."""
    every, having = float(len(counts)), float(sum(map(bool, counts)))
    if term.frequency is not None:
        every += PRIOR
        # the chance that a text of this length has the word
        length = max(length, TYPICAL)
        having += PRIOR * -math.expm1(length * math.log1p(-max(term.frequency, RARE)))
    return math.log1p((every - having + 0.5) / (having + 0.5))


def _known(terms: Sequence[Term]) -> float:
    """The share of the query's words, 0..1, whose frequency in their language is known."""
    spoken = [term for term in terms if not term.keys[0].isdecimal()]
    return sum(term.frequency is not None for term in spoken) / len(spoken) if spoken else 1.0
