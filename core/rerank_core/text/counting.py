"""How often a query's words occur in texts. Only they are looked for; all else is stepped over."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from .frequencies import frequencies, languages
from .languages import script
from .stems import SNOWBALL, stemmer
from .words import (
    characters,
    fold,
    narrow_and_wide,
    pairs,
    parts,
    plain,
    stretches,
    without_unspaced,
)

#: A long text is taken in pieces of about so many characters: between two of them, which take a
#: millisecond or so, whoever waits may have gone.
PIECE = 1 << 16
#: Languages whose stemmer also takes off what stands before the stem, or writes it otherwise: how a
#: word begins says nothing about its stem.
_PREFIXING = frozenset({"id", "nl"})

#: One word in 250 and more: the twenty or so commonest ("the", "of", "in", "is") tell nothing
#: beside others, and are left out unless they are all there is. They would be most of the work.
UNTELLING = 0.004
#: After the beginning of a word: that is all of it.
END = " "


@dataclass(slots=True)
class Term:
    """One word of a query: its keys (see `stemmer`), how often it is there, and its language.

    `frequency`: its share of all words of that language; 0.0 where it is rare, None where there is
    no table to tell.
    """

    keys: tuple[str, ...]
    times: int
    language: str | None
    frequency: float | None


class Counted(NamedTuple):
    """How often each term occurs in a text, and its length: words, and what stands between them."""

    terms: list[int]
    length: int


class Terms:
    """The words of a query, to be counted in texts. For one thread.

    `spoken` is the language of each script, as `languages_of` finds it. Words of a script without
    spaces are pairs of characters, and single ones where they are Han or all there is.
    """

    def __init__(self, query: str, spoken: Mapping[str, str]) -> None:
        self._spoken = spoken
        self._stemmers: dict[str, Callable[[str], tuple[str, ...]]] = {}
        self.terms: list[Term] = []
        #: The term of a key, and of every word seen so far: -1 for none.
        self._by_key: dict[str, int] = {}
        self._by_word = _ByWord(self._look_up)
        self._grams: dict[str, int] = {}
        heads: set[str] = set()
        found = list(parts(fold(query)))
        for part, spaced in [one for one in found if self._tells(*one)] or found:
            if spaced:
                keys = self._keys(part)
                self._add(keys, part, self._by_key)
                heads.update(_head(part, key, self._language(part)) for key in keys)
            else:
                for gram in dict.fromkeys([*pairs(part), *characters(part)]):
                    self._add((gram,), gram, self._grams)
        self._words = _finder(heads)

    def count(self, text: str, stop: Callable[[], bool]) -> Counted | None:
        """What there is in a text; None if `stop()`, which is asked before each piece of it."""
        found, length = [0] * len(self.terms), 0
        for piece in (text,) if len(text) <= PIECE else _pieces(text):
            if stop():
                return None
            narrow, wide = narrow_and_wide(piece)
            words = self._words(" " + narrow)
            length += 1 + narrow.count(" ")
            if wide:
                for gram, position in self._grams.items():
                    found[position] += wide.count(gram)
                wide, unspaced = without_unspaced(wide)
                words += stretches(wide)
                length += unspaced
            for word in words:
                if (position := self._by_word[word]) >= 0:
                    found[position] += 1
        return Counted(found, length)

    def _add(self, keys: tuple[str, ...], word: str, index: dict[str, int]) -> None:
        known = next((index[key] for key in keys if key in index), None)
        if known is None:
            language = self._language(word)
            known = len(self.terms)
            self.terms.append(Term(keys, 0, language, _frequency(language, keys)))
        self.terms[known].times += 1
        for key in keys:
            index.setdefault(key, known)

    def _tells(self, part: str, spaced: bool) -> bool:
        language = self._language(part)
        return not spaced or (_frequency(language, self._keys(part)) or 0.0) < UNTELLING

    def _look_up(self, word: str) -> int:
        for key in self._keys(word):
            if key in self._by_key:
                return self._by_key[key]
        return -1

    def _keys(self, word: str) -> tuple[str, ...]:
        name = script(word[0])
        if name not in self._stemmers:
            self._stemmers[name] = stemmer(self._spoken.get(name))
        return self._stemmers[name](word)

    def _language(self, word: str) -> str | None:
        return self._spoken.get(script(word[0]))


class _ByWord(dict[str, int]):
    """A word's term, looked up once."""

    def __init__(self, look_up: Callable[[str], int]) -> None:
        super().__init__()
        self._look_up = look_up

    def __missing__(self, word: str) -> int:
        self[word] = position = self._look_up(word)
        return position


def _frequency(language: str | None, keys: tuple[str, ...]) -> float | None:
    if language not in languages():
        return None
    table = frequencies(language)
    return max(table.get(key, 0.0) for key in keys)


def _head(word: str, key: str, language: str | None) -> str:
    """How every word with this key begins, as a pattern.

    Stemmers change the last letter or two of what they leave (happy, happi), no more: of 30,000
    common words of twenty languages but five, all English ("dying", which is "die") or German.
    """
    if language in _PREFIXING:
        return ""
    if language not in SNOWBALL:
        return plain(word) + END
    if len(key) == 1:
        return key + END
    head = key[: max(2, len(key) - 2)]
    written = plain(word)
    while not written.startswith(head):  # at last by ""
        head = head[:-1]
    return head


def _finder(heads: Collection[str]) -> Callable[[str], list[str]]:
    """A function from a folded ASCII text to those of its words that may be among the wanted.

    It wants a space before each word: a pattern that begins with one character is looked for by the
    C library, and only what follows a space is compared.
    """
    if "" in heads:
        return str.split
    ours = [head for head in heads if head.isascii()]
    if not ours:
        return lambda _: []
    return re.compile(f" ({_tree(ours)}[^ ]*)").findall


def _tree(heads: Collection[str]) -> str:
    """A pattern for any of these, each letter looked at once."""
    if "" in heads:
        return ""
    following: dict[str, list[str]] = {}
    for head in heads:
        following.setdefault(head[0], []).append(head[1:])
    branches = [
        "(?![^ ])" if first == END else first + _tree(rest) for first, rest in following.items()
    ]
    return branches[0] if len(branches) == 1 else f"(?:{'|'.join(sorted(branches))})"


def _pieces(text: str) -> Iterator[str]:
    start = 0
    while len(text) - start > PIECE:
        end = max(text.rfind(" ", start, start + PIECE), text.rfind("\n", start, start + PIECE))
        end = end if end > start else start + PIECE  # no space to cut at
        yield text[start:end]
        start = end
    yield text[start:]
