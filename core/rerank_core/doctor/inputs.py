"""Is what the scorer is given what it should be? Texts, queries, ids."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import takewhile
from statistics import median

from .evidence import Case, Evidence
from .finding import Cause, Finding, Severity

#: A text of fewer words says nothing …
WORDS = 3
#: … and this share of them is a wrong field; or this share of candidates with another one's text.
EMPTY, SAME = 0.3, 0.5
#: The share of queries with two texts of one id.
DOUBLED = 0.05
#: Queries of more words than this, or with turns of a conversation, are no queries.
LONG = 80
#: The share of queries that look so.
MOST = 0.3
#: So many characters, and that share of a query, that all begin with.
PREFIX, PREFIX_SHARE = 30, 0.5
#: Texts from which on it is no chance that they are short.
FEWEST = 20
#: Queries from which on a common beginning is no chance.
SEVERAL = 5

_TURN = re.compile(
    r"^\W{0,4}(user|assistant|human|ai|bot|system|chat history|follow[- ]?up)\W{0,4}:",
    re.IGNORECASE | re.MULTILINE,
)


def texts(evidence: Evidence) -> Iterator[Finding]:
    """Texts that say nothing, or all the same."""
    every = [hit.text for case in evidence.cases for hit in case.hits]
    if not any(every) or len(every) < FEWEST:
        return  # a run without its texts, or too few of them
    empty = sum(len(text.split()) < WORDS for text in every)
    same = sum(_same(case) for case in evidence.cases)
    if empty >= EMPTY * len(every):
        seen = f"{empty / len(every):.0%} of {len(every)} texts have fewer than {WORDS} words"
        often = Counter(text.strip() for text in every if len(text.split()) < WORDS)
        seen += f' (such as "{often.most_common(1)[0][0][:60]}")'
    elif same >= SAME * len(every):
        seen = f"{same / len(every):.0%} of {len(every)} candidates have the text of another one"
    else:
        return
    yield Finding(
        Cause.EMPTY_TEXT,
        Severity.BROKEN,
        seen,
        "the scorer is shown a field that does not say what the document is about: an id, a "
        "title, a placeholder, or nothing",
        "hand over the field with the text (text, content or page_content of a dict; text_key= of "
        "a vector store), and see that the store keeps texts and not vectors alone",
    )


def _same(case: Case) -> int:
    often = Counter(hit.text.strip() for hit in case.hits)
    return sum(count for count in often.values() if count > 1) if len(case.hits) > 2 else 0


def ids(evidence: Evidence) -> Iterator[Finding]:
    """Several documents of one id."""
    doubled = [example for case in evidence.cases if (example := _doubled(case)) is not None]
    if len(doubled) < max(1, DOUBLED * len(evidence.cases)):
        return
    yield Finding(
        Cause.IDS,
        Severity.UNCLEAR,
        f"in {len(doubled)} of {len(evidence.cases)} queries candidates with different texts have "
        f'one id (such as "{doubled[0]}")',
        "judgements, caches and later stages go by the id: they take one document for another, "
        "and every figure is of a mixture",
        "give every chunk an id of its own (document and number), and judge by these",
    )


def _doubled(case: Case) -> str | None:
    known: dict[str, str] = {}
    for hit in case.hits:
        if hit.id is not None and known.setdefault(hit.id, hit.text) != hit.text:
            return hit.id
    return None


def queries(evidence: Evidence) -> Iterator[Finding]:
    """Queries that are a conversation, or mostly the same words."""
    asked = [case.ranking.query for case in evidence.cases if case.ranking.query.strip()]
    if not asked:
        return
    turns = sum(len(_TURN.findall(query)) >= 2 for query in asked)
    long = sum(len(query.split()) > LONG for query in asked)
    prefix = _beginning(asked) if len(asked) >= SEVERAL else ""
    if turns >= MOST * len(asked):
        seen = f"{turns} of {len(asked)} queries are a conversation, with turns of several speakers"
    elif long >= MOST * len(asked):
        seen = f"{long} of {len(asked)} queries have more than {LONG} words"
    elif len(prefix) >= max(PREFIX, PREFIX_SHARE * median(map(len, asked))):
        seen = (
            f"all {len(asked)} queries begin with the same {len(prefix)} characters "
            f'("{prefix[:50]}…")'
        )
    else:
        return
    yield Finding(
        Cause.QUERY,
        Severity.HARMS,
        seen,
        "a scorer weighs every word of the query: history and instructions drown what is asked for",
        "rerank by the question alone: have the model write a standalone question from the "
        "history, and hand instructions over as instruction=",
    )


def _beginning(asked: Sequence[str]) -> str:
    """What all of them begin with."""
    first, last = min(asked), max(asked)  # those in between begin as these two do
    same = takewhile(lambda pair: pair[0] == pair[1], zip(first, last, strict=False))
    return "".join(one for one, _ in same)
