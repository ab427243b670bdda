"""Regular expressions that are compiled when they are first used.

A pattern with large classes takes longer to compile than a module takes to load, and most
processes that import the library never meet a refused key or a word of Hebrew.
"""

from __future__ import annotations

import re
from typing import Any, cast


class _OnFirstUse:
    def __init__(self, pattern: str, flags: int) -> None:
        self._pattern, self._flags = pattern, flags

    def __getattr__(self, name: str) -> Any:
        # asked for once: what is found is kept as an attribute of its own
        found = getattr(re.compile(self._pattern, self._flags), name)
        setattr(self, name, found)
        return found


def pattern(regex: str, flags: int = 0) -> re.Pattern[str]:
    """`re.compile(regex, flags)`, in effect, at its first use.

    >>> digits = pattern("[0-9]+")
    >>> digits.findall("1 and 23"), digits.pattern
    (['1', '23'], '[0-9]+')
    """
    return cast("re.Pattern[str]", _OnFirstUse(regex, flags))
