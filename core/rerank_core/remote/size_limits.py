"""What servers say when a request is too large for them, read: what they take, and how much of it.

There is no status for it that all keep to (400, 413, 422, 500), and no wording either. Pure.

Seen with: OpenAI, Cohere, Voyage and Pinecone (their references), TEI, Infinity, vLLM and llama.cpp
(their source), DashScope and LiteLLM (issues of their users), 2026-11.
"""

from __future__ import annotations

import re

from ..errors import ConfigurationError, SizeLimit
from ..runtime.patterns import pattern

#: What is counted, by the words for it; where several stand in a sentence the nearest counts.
_UNITS = {
    "tokens": r"tokens?|context|physical batch|sequence",
    "characters": r"char(?:acter)?s?|strings?",
    "bytes": r"bytes?|[kmg]i?b|payload|body|entity",
    "texts": r"documents?|docs|texts?|items?|inputs?|sentences?|passages?|elements?|entries|records"
    r"|chunks?|rows|batch[ _-]?size|top_?[nk]|array",
}
_UNIT = pattern("|".join(rf"(?P<{unit}>\b(?:{words})\b)" for unit, words in _UNITS.items()), re.I)
#: How a limit is introduced; the number follows.
_LIMIT = pattern(
    r"(?:at most|at max\w*|\bmax(?:imum|imal)?\b(?: allowed)?|no more than|up to|fewer than"
    r"|(?:not|n't) (?:be )?(?:larger|greater|more|longer|bigger) than|less than(?: or equal to)?"
    r"|exceed(?:s|ed|ing)?|\blimit(?:ed)?\b|<=|≤|current batch size:)"
    r"(?P<between>[^\d;]{0,60}?)(?<![\d.])(?P<number>\d[\d,_]*)(?P<after>[^\d.;]{0,20})",
    re.I,
)
_OR_LESS = pattern(
    r"(?<![\d.])(?P<number>\d[\d,_]*)\s+(?P<unit>\w+) (?:or (?:less|fewer)|max|limit|at most)", re.I
)
_TOO_MANY = pattern(r"too many (?P<unit>\w+)|batch[ _-]?size (?:is )?too (?:big|large)", re.I)
_TOO_LONG = pattern(
    r"too (?:long|large|big)|context[ _-]?(?:length|window|size)|token limit"
    r"|exceeds? (?:the )?(?:max\w*|context|limit)",
    re.I,
)
#: Limits of another kind: how often, how much a reply may hold, how much is paid for.
_OTHERWISE = pattern(
    r"per (?:minute|second|hour|day|month)|rate.?limit|quota|max_(?:completion_)?tokens|completion"
    r"|temperature|logprobs|credit|balance|timed? ?out|retries|concurren",
    re.I,
)
#: A number larger than this is none that a client could have sent.
_LARGEST = 10**9


def size_limit(message: str) -> SizeLimit | None:
    """What a refusal says of size; None where it is about something else.

    >>> size_limit("batch size 64 > maximum allowed batch size 32")
    SizeLimit(unit='texts', most=32, asked=64)
    >>> size_limit("This model's maximum context length is 512 tokens, you sent 793")
    SizeLimit(unit='tokens', most=512, asked=793)
    >>> size_limit("documents: at most 64, please")
    SizeLimit(unit='texts', most=64, asked=None)
    >>> size_limit("no such model") is None
    True
    """
    message = message[:2000]
    if _OTHERWISE.search(message):
        return None
    for found in _LIMIT.finditer(message):
        before = message[max(0, found.start() - 60) : found.end("between")]
        unit = _first_unit(found["after"]) or _last_unit(found[0].split(found["number"])[0])
        unit = unit or _last_unit(before)
        if unit == "texts" and "physical batch" in message:  # llama.cpp's, which is in tokens
            unit = "tokens"
        if unit is not None:
            return _limit(unit, found["number"], message)
    if (found_less := _OR_LESS.search(message)) and (unit := _first_unit(found_less["unit"])):
        return _limit(unit, found_less["number"], message)
    if found_many := _TOO_MANY.search(message):
        return SizeLimit(_first_unit(found_many["unit"] or "") or "texts", None, None)
    if _TOO_LONG.search(message):  # of which text it is said, or of all together, it does not say
        unit = _last_unit(message) or "tokens"
        return SizeLimit("tokens" if unit == "texts" else unit, None, None)
    return None


def checked_batch_size(size: object) -> int:
    """The most texts to send at once. Raises `ConfigurationError` unless it is 1 or more."""
    return _at_least_one("batch_size", size)


def checked_max_chars(size: object) -> int | None:
    """Where a text is cut; None for nowhere. Raises `ConfigurationError` unless it is 1 or more."""
    return None if size is None else _at_least_one("max_chars", size)


def _at_least_one(name: str, size: object) -> int:
    if isinstance(size, bool) or not isinstance(size, int) or size < 1:
        raise ConfigurationError(f"{name} is a whole number of at least 1, not {size!r}")
    return size


def _limit(unit: str, number: str, message: str) -> SizeLimit:
    most = _whole(number)
    if not 0 < most <= _LARGEST:
        return SizeLimit(unit, None, None)
    numbers = [_whole(each) for each in re.findall(r"(?<![\w.])\d[\d,_]*", message)]
    return SizeLimit(unit, most, min((n for n in numbers if most < n <= _LARGEST), default=None))


def _whole(number: str) -> int:
    return int("".join(filter(str.isdigit, number))[:18])


def _first_unit(text: str) -> str | None:
    found = _UNIT.search(text)
    return found.lastgroup if found else None


def _last_unit(text: str) -> str | None:
    return next((found.lastgroup for found in reversed([*_UNIT.finditer(text)])), None)
