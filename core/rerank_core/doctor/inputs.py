"""Is what the scorer is given what it should be? Texts, queries, ids."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence, Set
from itertools import takewhile
from statistics import median

from ..combine.normalize import rank_correlation
from ..runtime.patterns import pattern
from ..text.words import UNSPACED, words
from .chance import surely_positive
from .evidence import Case, Evidence
from .finding import Cause, Finding, Severity
from .scores import win_share

#: A text of fewer words says nothing, nor does one with none but numbers and what all texts say …
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
#: So many characters that nearly all begin or end with, by one of a few instructions.
INSTRUCTION, NEARLY_ALL = 60, 0.8
#: Texts from which on it is no chance that they are short.
FEWEST = 20
#: Queries from which on a common beginning or end is no chance.
SEVERAL = 5
#: Words in more than this share of different texts are a template's. Only so many characters at
#: either end of a text are looked at: behind a long notice there may be something.
COMMON, ENDS = 0.3, 200

_TURN = re.compile(
    r"^\W{0,4}(user|assistant|human|ai|bot|system|chat history|follow[- ]?up)\W{0,4}:",
    re.IGNORECASE | re.MULTILINE,
)
_DIGIT = re.compile(r"\d")
_UNSPACED = pattern(f"[{UNSPACED}]")


def texts(evidence: Evidence) -> Iterator[Finding]:
    """Texts that say nothing, or all the same."""
    every = [hit.text for case in evidence.cases for hit in case.hits]
    if not (evidence.shown or any(every)) or len(every) < FEWEST:
        return  # a run without its texts, or too few of them
    short = [text for text in every if _is_short(text)]
    idle = [text for text, own in zip(every, _own_words(every), strict=True) if not own]
    same = sum(_same(case) for case in evidence.cases)
    if len(short) >= EMPTY * len(every):
        seen = f"{len(short) / len(every):.0%} of {len(every)} texts have fewer than {WORDS} words"
        often = Counter(text.strip() for text in short)
        seen += f' (such as "{often.most_common(1)[0][0][:60]}")'
    elif len(idle) >= EMPTY * len(every) and not _reads(evidence, set(idle)):
        seen = (
            f"{len(idle) / len(every):.0%} of {len(every)} texts have no word of their own, but "
            f'numbers, ids and what most of them say (such as "{idle[0].strip()[:60]}")'
        )
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


def _reads(evidence: Evidence, idle: Set[str]) -> bool:
    """Whether a scorer finds what is relevant, or what the retriever finds, among these texts: they
    say something to it.
    """
    for name in evidence.setup.scorers:
        won, alike = [], []
        for case in evidence.cases:
            told = case.signal(name, combined=evidence.setup.combined)
            among = {
                h.index: told[h.index] for h in case.hits if h.text in idle and h.index in told
            }
            if (share := win_share(case, among)) is not None:
                won.append(share - 0.5)
            if len(among) > 2:
                places = {hit.index: hit.retrieved for hit in case.hits}
                alike.append(rank_correlation([(among[i], -places[i]) for i in among]))
        if surely_positive(won) or surely_positive(alike):
            return True
    return False


def _is_short(text: str) -> bool:
    return len(text.split()) + len(_UNSPACED.findall(text)) // 2 < WORDS


def _own_words(texts: Sequence[str]) -> list[int]:
    """How many words each has that are no numbers or ids, nor in most of the different texts."""
    different = list(dict.fromkeys(texts))
    ends = [
        {word for word in words(f"{text[:ENDS]} {text[-ENDS:]}") if not _DIGIT.search(word)}
        for text in different
    ]
    often = Counter(word for held in ends for word in held)
    limit = COMMON * len(ends) if len(ends) >= FEWEST else len(texts)
    own = {
        text: sum(often[word] <= limit for word in held)
        for text, held in zip(different, ends, strict=True)
    }
    return [own[text] for text in texts]


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
    least = max(PREFIX, PREFIX_SHARE * median(map(len, asked)))
    prefix, end = (_beginning(asked), _end(asked)) if len(asked) >= SEVERAL else ("", "")
    if turns >= MOST * len(asked):
        seen = f"{turns} of {len(asked)} queries are a conversation, with turns of several speakers"
    elif long >= MOST * len(asked):
        seen = f"{long} of {len(asked)} queries have more than {LONG} words"
    elif len(asked) >= SEVERAL and len(set(asked)) == 1:
        seen = f'all {len(asked)} lists were ranked for one query ("{asked[0][:50]}")'
    elif len(prefix) >= least:
        seen = (
            f"all {len(asked)} queries begin with the same {len(prefix)} characters "
            f'("{prefix[:50]}…")'
        )
    elif len(end) >= least:
        seen = f'all {len(asked)} queries end with the same {len(end)} characters ("…{end[-50:]}")'
    elif (shared := _instructed(asked)) >= NEARLY_ALL:
        seen = (
            f"{shared:.0%} of {len(asked)} queries begin or end with the same {INSTRUCTION} "
            "characters as several others"
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


def _end(asked: Sequence[str]) -> str:
    return _beginning([query[::-1] for query in asked])[::-1]


def _instructed(asked: Sequence[str]) -> float:
    """The share of the queries that begin or end as several others do."""
    heads = Counter(query[:INSTRUCTION] for query in asked if len(query) > INSTRUCTION)
    ends = Counter(query[-INSTRUCTION:] for query in asked if len(query) > INSTRUCTION)
    shared = sum(
        max(heads[query[:INSTRUCTION]], ends[query[-INSTRUCTION:]]) >= SEVERAL for query in asked
    )
    return shared / len(asked)
