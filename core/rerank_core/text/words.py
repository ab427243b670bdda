"""Text as words, in any script."""

from __future__ import annotations

import re
from collections.abc import Iterable

#: A word: letters, digits and marks of any script. Han, kana and Thai are written without
#: spaces, so a run of them is taken apart into pairs of characters.
_WORD = re.compile(r"[\w]+", re.UNICODE)
_UNSPACED = re.compile(r"[\u0e00-\u0e7f\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]+")


def words(text: str) -> Iterable[str]:
    """The words of a text, folded to one case, in any script.

    >>> list(words("Größe of 2 cafés"))
    ['grösse', 'of', '2', 'cafés']
    >>> list(words("東京都 ok"))
    ['東京', '京都', 'ok']
    """
    for word in _WORD.findall(text.casefold()):
        if _UNSPACED.search(word):
            for run_ in _UNSPACED.findall(word):
                yield from (run_[i : i + 2] for i in range(max(1, len(run_) - 1)))
            yield from (part for part in _UNSPACED.split(word) if part)
        else:
            yield word
