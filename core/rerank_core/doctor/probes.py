"""Questions to the reranker itself that its rankings do not answer. Each costs some more calls."""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

from ..protocols import traits_of
from ..ranking.candidate import Candidate
from ..ranking.ranking import DegradedError, Ranking
from ..reranker import Reranker
from ..scorers.llm import LLMScorer
from .evidence import Case, Setup

#: Queries that are asked again in other orders, and how many comparisons these should give.
QUERIES, COMPARISONS = 8, 12
#: Queries that are asked again as they were.
SAME_AGAIN = 5
#: Candidates asked of scorers that look at one text at a time, or order a window.
FEW = 20
#: Queries and documents in which something is put at several offsets, to see whether it is seen.
LOOKED_AT, DOCUMENTS = 2, 8
#: Where it is put: characters from the beginning. Before the first of these stand titles and ids.
OFFSETS = (20, 50, *(100 * 2**n for n in range(10)))


def asked_again(
    reranker: Reranker, cases: Sequence[Case], seed: int = 0
) -> tuple[list[Case], list[Case]]:
    """The first cases with their candidates ranked again: in the same order, a few of them, and in
    two or more random orders.
    """
    scorers = [traits_of(scorer) for scorer in reranker.scorers.values()]
    # what is shown one document at a time knows of no positions
    alone = all(scorer.independent and scorer.batch_size == 1 for scorer in scorers)
    enough = not any(scorer.independent or scorer.ordinal for scorer in scorers)
    draw = random.Random(seed)
    again: list[Case] = []
    shuffled: list[Case] = []
    chosen = [case for case in cases if len(case.hits) > 2][:QUERIES]
    for case in chosen[: SAME_AGAIN if alone else None]:
        listed = [
            Candidate(hit.text, id=hit.id, metadata=hit.metadata)
            for hit in case.retrieved[: None if enough else FEW]
        ]
        first = _rank(reranker, case.ranking.query, listed)
        if len(again) < SAME_AGAIN:
            second = _rank(reranker, case.ranking.query, listed)
            again.append(replace(case, ranking=first, repeats=(second,)))
        if alone:
            continue
        orders = [
            draw.sample(listed, len(listed))
            for _ in range(max(2, math.ceil(COMPARISONS / len(chosen))))
        ]
        repeats = [_rank(reranker, case.ranking.query, order) for order in orders]
        shuffled.append(replace(case, ranking=first, repeats=repeats))
    return again, shuffled


def visible_chars(reranker: Reranker, setup: Setup, cases: Sequence[Case]) -> int | None:
    """About how many characters of a document the scorer reads; None if all, or unknown."""
    longest = sorted(cases, key=lambda case: -sum(len(hit.text) for hit in case.hits))[:LOOKED_AT]
    told = [_by_report(reranker, case) for case in longest[:1]]
    if told and told[0] is not None:
        return told[0]
    if any(isinstance(scorer, LLMScorer) for scorer in reranker.scorers.values()):
        return None  # it tells what it cuts
    limits = [_by_insertion(reranker, setup, case) for case in longest]
    return min((limit for limit in limits if limit is not None), default=None)


def _by_report(reranker: Reranker, case: Case) -> int | None:
    """Beginnings of one long text: how many of them were cut says where."""
    text = max((hit.text for hit in case.hits), key=len, default="")
    lengths = [int(50 * math.sqrt(2) ** n) for n in range(20)]
    lengths = [length for length in lengths if length < len(text)]
    if not lengths:
        return None
    pieces = [text[:length].strip() + "." for length in lengths]
    cut = _rank(reranker, case.ranking.query, list(map(Candidate, pieces))).report.truncated
    if not cut:
        return None
    return lengths[-cut - 1] if cut < len(lengths) else lengths[0] // 2


def _by_insertion(reranker: Reranker, setup: Setup, case: Case) -> int | None:
    """The query itself, put into each text at an offset: does the score notice?

    Only what is noticed near the beginning and not at the end tells anything: a scorer that does
    not read words, or one that fails on an unknown text, tells nothing.
    """
    query = case.ranking.query
    texts = sorted({hit.text for hit in case.hits}, key=len)[-DOCUMENTS:]
    texts = [text for text in texts if len(text) > 2 * OFFSETS[0]]
    if len(texts) < 2:
        return None
    plain = _scores(reranker, setup, query, texts)
    if plain != _scores(reranker, setup, query, texts):
        return None  # it never says the same twice
    often = Counter(plain.values())
    if len(often) > 1:  # the tied tell little, unless all are: then that is what they tell
        plain = {n: scores for n, scores in plain.items() if often[scores] == 1}

    def heard(offset: int) -> dict[int, tuple[float, ...]]:
        scores = _scores(reranker, setup, query, [_with(text, query, offset) for text in texts])
        return {
            n: scores[n]
            for n, text in enumerate(texts)
            if len(text) > offset and n in plain and n in scores and plain[n] != scores[n]
        }

    # what counts distinct words does not hear what it has read already
    listening = heard(OFFSETS[0])
    if len(set(listening.values())) < 2:
        # one answer to all that is new: it looks texts up; but where all begin alike, it may read
        part = query.split()[-1]
        other = _scores(reranker, setup, query, [_with(text, part, OFFSETS[0]) for text in texts])
        if len(often) > 1 or not any(other.get(n) != score for n, score in listening.items()):
            return None
    at_the_end = _scores(reranker, setup, query, [f"{text} {query}" for text in texts])
    deaf = {n for n in listening if at_the_end.get(n) == plain[n]}
    if len(deaf) < max(2, 0.8 * len(listening)):
        return None
    limit = OFFSETS[0]
    for offset in OFFSETS[1:]:
        asked = {n for n in deaf if len(texts[n]) > offset}
        if len(heard(offset).keys() & asked) < max(1, 0.5 * len(asked)):
            break
        limit = offset
    return int(limit * 1.5)


def _with(text: str, inserted: str, offset: int) -> str:
    end = text.rfind(" ", 0, offset + 1)
    end = end if end > offset // 2 else offset
    return f"{text[:end]} {inserted} {text[end:]}"


def _scores(
    reranker: Reranker, setup: Setup, query: str, texts: Sequence[str]
) -> Mapping[int, tuple[float, ...]]:
    """What the scorers said, by position; texts that one of them did not score are absent."""
    case = Case(_rank(reranker, query, [Candidate(text) for text in texts]))
    told = [case.signal(name, combined=setup.combined) for name in setup.scorers]
    return {
        n: tuple(signal[n] for signal in told)
        for n in range(len(texts))
        if all(n in signal for signal in told)
    }


def _rank(reranker: Reranker, query: str, candidates: list[Candidate]) -> Ranking:
    try:
        return reranker.rank(query, candidates, top_n=None)
    except DegradedError as error:
        return error.ranking
