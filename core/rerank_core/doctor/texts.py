"""What of the documents is seen, and is it always the same? Truncation, near-duplicates."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence, Set
from functools import lru_cache
from itertools import pairwise
from statistics import fmean

from ..text.words import words
from .chance import LEVEL, surely_positive
from .evidence import Case, Evidence, key
from .finding import Cause, Finding, Severity
from .quality import helps

#: The share of the query's words in a document, the rare ones counting more, that must stand
#: beyond the cut alone …
HIDDEN = 0.6
#: … and the share with which reranking may still help all the same.
ALL_BUT_ALL = 0.85
#: The share of documents that must be cut, and of those that begin alike up to there.
CUT, ALIKE = 0.3, 0.3
#: The share of the top that must repeat another text in it.
REPEATED = 0.3
#: Two texts are near-duplicates that share so much of their words, and of their pairs of words.
SAME_WORDS, SAME_PAIRS = 0.6, 0.4
#: Chunks overlap that share so much of the pairs of words of the shorter one, of so many at least.
SAME_PART, PAIRS = 0.25, 12
#: Words in more than this share of all documents are a template's, and tell nothing …
COMMON = 0.3
#: … which can be seen from so many documents; texts with fewer words of their own are not compared.
MANY, OWN = 20, 4


def truncation(evidence: Evidence) -> Iterator[Finding]:
    """A scorer that reads only the beginning, where the difference comes after it."""
    visible_chars = min(
        (s for s in (evidence.visible_chars, _by_reports(evidence)) if s is not None), default=None
    )
    if visible_chars is None:
        return
    texts = [hit.text for case in evidence.cases for hit in case.hits]
    cut = [text for text in texts if len(text) > visible_chars]
    if len(cut) < CUT * len(texts):
        return
    hidden = _hidden(evidence, visible_chars)
    alike = fmean(_alike(case, visible_chars) for case in evidence.cases if case.hits)
    share = fmean(hidden) if hidden else 0.0
    if share >= HIDDEN and surely_positive([value - HIDDEN / 2 for value in hidden], 0.05):
        if share < ALL_BUT_ALL and alike < ALIKE and helps(evidence, LEVEL):
            return
        seen = f"{share:.0%} of what they share with the query stands after that"
    elif alike >= ALIKE:
        seen = f"{alike:.0%} of the documents begin exactly like another one up to there"
    else:
        return
    yield Finding(
        Cause.TRUNCATION,
        Severity.HARMS,
        f"the scorer reads about the first {visible_chars} characters; {len(cut) / len(texts):.0%} "
        f"of the documents are longer, and {seen}",
        "documents are scored by a beginning that does not tell them apart",
        "raise max_chars= or max_length=, have long documents scored by their best passage "
        '(long_documents="best-passage"), rerank smaller chunks, or strip what all begin with',
    )


def _by_reports(evidence: Evidence) -> int | None:
    """At most where the cut is, from how many documents were cut: these were the longest."""
    bounds = []
    for case in evidence.cases:
        lengths = sorted((len(hit.text) for hit in case.hits), reverse=True)
        if cut := min(case.ranking.report.truncated, len(lengths)):
            bounds.append(lengths[cut - 1] - 1)
    return min(bounds, default=None)


def _hidden(evidence: Evidence, visible_chars: int) -> list[float]:
    """By query: the share of a document's words from the query that stand after the cut alone.

    Of the relevant documents where enough are known, else of all.
    """
    relevant = sum(key(hit) in case.relevant for case in evidence.cases for hit in case.hits)
    found = []
    for case in evidence.cases:
        if not (wanted := set(words(case.ranking.query))):
            continue
        held = {hit.index: wanted & set(words(hit.text)) for hit in case.hits}
        often = Counter(word for inside in held.values() for word in inside)
        worth = {word: math.log(1 + (len(held) - n + 0.5) / (n + 0.5)) for word, n in often.items()}
        shares = []
        for hit in case.hits:
            if (relevant >= 10 and key(hit) not in case.relevant) or len(hit.text) <= visible_chars:
                continue
            whole = sum(worth[word] for word in held[hit.index])
            seen = set(words(hit.text[:visible_chars]))
            if whole:
                shares.append(
                    sum(worth[word] for word in held[hit.index] if word not in seen) / whole
                )
        if shares:
            found.append(fmean(shares))
    return found


def _alike(case: Case, visible_chars: int) -> float:
    """The share of documents that are another's to the cut, though not to the end."""
    heads: dict[str, set[str]] = {}
    for hit in case.hits:
        if len(hit.text) > visible_chars:
            heads.setdefault(" ".join(words(hit.text[:visible_chars])), set()).add(hit.text)
    return sum(len(same) for same in heads.values() if len(same) > 1) / len(case.hits)


def duplicates(evidence: Evidence) -> Iterator[Finding]:
    """A top that says the same several times: copies, or else chunks that overlap."""
    if (found := _copies(evidence) or _overlapping(evidence)) is not None:
        yield found


def _tops(evidence: Evidence) -> list[list[str]]:
    """What stands in each ranking's first places, of those with enough to repeat each other."""
    tops = [[h.text for h in c.hits[: evidence.top] if h.text.strip()] for c in evidence.cases]
    return [top for top in tops if len(top) > 2]


def _copies(evidence: Evidence) -> Finding | None:
    whole = {hit.text for case in evidence.cases for hit in case.hits}
    often = Counter(word for text in whole for word in set(_folded(text)))
    common = {w for w, n in often.items() if n > COMMON * len(whole)} if len(whole) >= MANY else {}
    tops = _tops(evidence)
    shares = [_repeated(top, frozenset(common)) for top in tops]
    if not _is_often(shares):
        return None
    kinds = fmean(len(top) * (1 - share) for top, share in zip(tops, shares, strict=True))
    return Finding(
        Cause.DUPLICATES,
        Severity.LIMITS,
        f"{fmean(shares):.0%} of the first {max(map(len, tops))} repeat another text among them, "
        f"all but word for word: they hold {kinds:.1f} different texts on average",
        "a reranker scores copies alike, so they fill the top together and push out what else "
        "there is to know",
        "remove copies from the index, or between retriever and reranker; smaller chunk overlaps",
    )


def _overlapping(evidence: Evidence) -> Finding | None:
    """Chunks: no two the same, and each half of another."""
    tops = _tops(evidence)
    whole = {hit.text for case in evidence.cases for hit in case.hits}
    pairs = {text: set(pairwise(_folded(text))) for top in tops for text in top}
    wanted: set[tuple[str, str]] = set().union(*pairs.values())
    often = Counter(p for text in whole for p in wanted.intersection(pairwise(_folded(text))))
    common = {p for p, n in often.items() if n > max(2, COMMON * len(whole))}
    own = {text: found - common for text, found in pairs.items()}
    shares = []
    for top in tops:
        hit = [
            any(_shares_a_part(own[one], own[other]) for other in top[:at])
            for at, one in enumerate(top)
        ]
        shares.append(sum(hit) / len(hit))
    if not _is_often(shares):
        return None
    return Finding(
        Cause.DUPLICATES,
        Severity.LIMITS,
        f"{fmean(shares):.0%} of the first {evidence.top} share a quarter of their text or more, "
        "word for word, with another one among them",
        "chunks that overlap score alike where they overlap, so they fill the top together and "
        "push out what else there is to know",
        'smaller chunk overlaps, or at most so many chunks of one document: max_per=("parent_id", '
        "2)",
    )


def _is_often(shares: Sequence[float]) -> bool:
    if not shares or fmean(shares) < REPEATED:
        return False
    return len(shares) < 5 or surely_positive([s - REPEATED / 2 for s in shares], 0.05)


def _shares_a_part(one: Set[object], other: Set[object]) -> bool:
    least = min(len(one), len(other))
    return least >= PAIRS and len(one & other) >= SAME_PART * least


def _repeated(texts: Sequence[str], common: frozenset[str]) -> float:
    """The share of the texts that are near-duplicates of one before."""
    folded = [_folded(text) for text in texts]
    own = [set(found) - common for found in folded]
    repeats = 0
    words_of = list(zip(folded, own, strict=True))
    for at, one in enumerate(words_of):
        repeats += any(_near(one, other) for other in words_of[:at])
    return repeats / len(texts)


#: A text's words in order, and those of them that are its own.
_Words = tuple[tuple[str, ...], Set[str]]


def _near(one: _Words, other: _Words) -> bool:
    (mine, own), (theirs, their_own) = one, other
    if mine == theirs:
        return bool(mine)
    if min(len(own), len(their_own)) < OWN or _overlap(own, their_own) < SAME_WORDS:
        return False
    return _overlap(set(pairwise(mine)), set(pairwise(theirs))) >= SAME_PAIRS


def _overlap(one: Set[object], other: Set[object]) -> float:
    return len(one & other) / len(one | other)


@lru_cache(maxsize=4096)
def _folded(text: str) -> tuple[str, ...]:
    return tuple(words(text))
