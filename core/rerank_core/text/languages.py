"""Which language a text is in, found cheaply: by its script, and by its commonest words."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import chain, islice

from .frequencies import common_words
from .words import fold, parts

#: How much is read to find out: so many candidates, evenly spread, the start of each.
SAMPLED, SAMPLED_CHARACTERS = 6, 200
#: The share of words that are the language's commonest ones: in running text a third and more.
#: Where it is less (names, code, a language that nobody listed), it is no known language.
TELLING = 0.12

#: What Unicode's names of letters begin with, where one script is one language.
_BY_SCRIPT = {"HANGUL": "ko", "HEBREW": "he", "GREEK": "el", "TAMIL": "ta", "BENGALI": "bn"}
_LATIN = "LATIN"
_KANA = ("HIRAGANA", "KATAKANA")
#: The language of a script where no common word tells. For Latin there is none so likely.
_UNTOLD = {"ARABIC": "ar", "CYRILLIC": "ru", "DEVANAGARI": "hi"}
#: A start for the likeliest language of a script, as a common word or two would give it: two words
#: that are Bulgarian as well as Russian do not tell which.
_LIKELY = {"en": 4.0, "ru": 4.0}


def sample(query: str, texts: Sequence[str]) -> list[str]:
    """Folded stretches of the query and of some texts, enough to tell the language by."""
    step = max(1, len(texts) // SAMPLED)
    some = islice(texts[::step], SAMPLED)
    return [fold(query), *(fold(text[:SAMPLED_CHARACTERS]) for text in some)]


def languages_of(folded: Iterable[str]) -> Mapping[str, str]:
    """The language of each script (see `script`) in these texts; scripts of none are left out.

    Close languages are told apart by little in a short text. Whichever it is found to be, the query
    and its candidates are treated alike, so that the same word stays the same word.
    """
    votes: dict[str, dict[str, float]] = {}
    hits: Counter[str] = Counter()
    totals: Counter[str] = Counter()
    common = common_words()
    for (part, spaced), times in Counter(chain.from_iterable(map(parts, folded))).items():
        if not spaced:
            totals.update(set(map(script, part)))
            continue
        name = _LATIN if part.isascii() and part.isalpha() else script(part[0])
        totals[name] += times
        if (speaking_for := common.get(part)) is not None:
            hits[name] += times
            tally = votes.setdefault(name, {})
            for language, weight in speaking_for.items():
                tally[language] = tally.get(language, 0.0) + weight * times
    found = {name: _BY_SCRIPT[name] for name in totals if name in _BY_SCRIPT}
    if any(name in totals for name in _KANA):
        found |= dict.fromkeys(("CJK", *_KANA), "ja")
    elif "CJK" in totals:
        found["CJK"] = "zh"
    for name, by_language in votes.items():
        if name not in found and hits[name] >= TELLING * totals[name]:
            found[name] = max(by_language, key=lambda one: by_language[one] + _LIKELY.get(one, 0))
    return {**{name: _UNTOLD[name] for name in totals if name in _UNTOLD}, **found}


@lru_cache(maxsize=4096)
def script(letter: str) -> str:
    """The script of a letter, as Unicode names it: LATIN, CYRILLIC, CJK; digits are DIGIT.

    >>> script("a"), script("д"), script("猫")
    ('LATIN', 'CYRILLIC', 'CJK')
    """
    return unicodedata.name(letter, "").partition(" ")[0]
