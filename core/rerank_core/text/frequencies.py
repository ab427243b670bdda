"""How often words occur in a language: what a list of candidates is too short to know.

The table beside this file is made by `benchmarks/word_frequencies.py` from wordfreq, and is
CC BY-SA 4.0 (its member NOTICE, and docs/scorers.md, say more). A language is read when it is
first asked for, and then kept: a millisecond, and a few hundred kilobytes for English.
"""

from __future__ import annotations

import math
import zipfile
from collections.abc import Mapping
from functools import cache
from importlib.resources import as_file, files

#: The table, and its member with the commonest words of each language.
_TABLE, _COMMON, _NOTICE = "word_frequencies.zip", "common", "NOTICE"


@cache
def frequencies(language: str) -> Mapping[str, float]:
    """The share of all words (0..1) that each key has, for those that are not rare.

    Keys are those of `stems.stemmer`, or characters and pairs of a script without spaces.
    Raises `KeyError` for a language that the table does not have.
    """
    return {
        key: 10 ** (int(number) / 4 - 9)
        for line in _member(language).splitlines()
        for number, *keys in [line.split()]
        for key in keys
    }


@cache
def common_words() -> Mapping[str, Mapping[str, float]]:
    """The commonest words, folded, and how strongly each speaks for which language.

    The logarithm of its frequency over that of a rare word, by Zipf's law from its rank.
    """
    found: dict[str, dict[str, float]] = {}
    for line in _member(_COMMON).splitlines():
        language, *commonest = line.split()
        for rank, word in enumerate(commonest, start=1):
            found.setdefault(word, {})[language] = math.log(1000 / rank)
    return found


@cache
def languages() -> frozenset[str]:
    """The languages of the table."""
    with as_file(files(__package__) / _TABLE) as path, zipfile.ZipFile(path) as table:
        return frozenset(table.namelist()) - {_COMMON, _NOTICE}


def _member(name: str) -> str:
    with as_file(files(__package__) / _TABLE) as path, zipfile.ZipFile(path) as table:
        return table.read(name).decode()
