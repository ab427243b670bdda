"""Are the candidates about what was asked? Queries of another request, or in another language.

A query shares words with its own candidates, and fewer with those of other queries. Where it does
not, and its words are words of these documents, it is not what they were retrieved for.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Set
from statistics import fmean

from ..text.words import words
from .chance import surely_positive
from .evidence import Case, Evidence
from .finding import Cause, Finding, Severity
from .quality import differences, gains
from .scores import closest, lists_of

#: So many of the first candidates are read; queries from which on something is concluded.
FIRST, LEAST = 5, 5
#: With its own candidates a query shares this much more than with others', or they are not its own.
MORE = 1.15
#: Of a query in another language fewer words are in any document, and this share in its own.
KNOWN, SHARED = 0.3, 0.05


def find(evidence: Evidence) -> Iterator[Finding]:
    """Queries that share no more words with their candidates than with those of other queries."""
    cases = [c for c in evidence.cases if c.ranking.query.strip() and _held(c)]
    if len({case.ranking.query for case in cases}) < LEAST:
        return
    wanted = [set(words(case.ranking.query)) for case in cases]
    held = [_held(case) for case in cases]
    if len(set(map(frozenset, held))) < len(cases):
        return  # the same documents for several queries: there are no others to compare with
    every = {text: found for texts in held for text, found in texts.items()}
    often = Counter(word for found in every.values() for word in found)
    worth = {word: math.log(len(every) / n) for word, n in often.items()}
    unknown = math.log(len(every))
    own, others, known = [], [], []
    for at, asked in enumerate(wanted):
        whole = sum(worth.get(word, unknown) for word in asked)
        if not whole:
            continue
        mine = held[at]
        step = max(1, (len(held) - 1) // 4)  # four others, as good as all
        strange = [
            found
            for other in range(step, len(held), step)
            for text, found in held[(at + other) % len(held)].items()
            if text not in mine
        ]
        if not strange:
            continue
        own.append(fmean(_shared(asked, found, worth) for found in mine.values()) / whole)
        others.append(fmean(_shared(asked, found, worth) for found in strange) / whole)
        known.append(fmean(word in worth for word in asked))
    if len(own) < LEAST:
        return
    of_all = fmean(known)
    foreign = of_all < KNOWN and fmean(own) < SHARED
    if foreign and not _is_in_vain(evidence):
        return  # a scorer that reads both languages
    closer = fmean(own) > MORE * fmean(others) or surely_positive(differences(own, others))
    if closer and not foreign:
        return
    yield Finding(
        Cause.QUERY,
        Severity.BROKEN,
        f"over {len(own)} queries the first candidates hold {fmean(own):.1%} of the query (rare "
        f"words counting more), those of other queries {fmean(others):.1%}; "
        f"{of_all:.0%} of its words are in any of the documents"
        + (
            f', such as of "{cases[0].ranking.query[:50]}", and reranking gains nothing'
            if foreign
            else ""
        ),
        "what the scorer is asked is not what these candidates were retrieved for: another "
        "request's query, an id or a language for it that the scorer cannot compare",
        "hand over the text of the question that was retrieved for; translate it, or take a "
        "multilingual scorer, where documents are in another language",
    )


def _held(case: Case) -> Mapping[str, Set[str]]:
    return {hit.text: set(words(hit.text)) for hit in case.retrieved[:FIRST] if hit.text}


def _shared(asked: Set[str], found: Set[str], worth: Mapping[str, float]) -> float:
    return sum(worth[word] for word in asked & found)


def _is_in_vain(evidence: Evidence) -> bool:
    """Whether scores are all alike, or better by no judgement than the retriever's order."""
    lists = [told for name in evidence.setup.scorers for told in lists_of(evidence, name)]
    if lists and fmean(max(told) - min(told) <= closest(told) for told in lists) > 0.5:
        return True
    return bool(evidence.judged) and fmean(gains(evidence)) <= 0
