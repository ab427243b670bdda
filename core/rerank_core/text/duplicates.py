"""Which texts say the same again: by the runs of words that they share, without a model.

Texts are compared by their sets of three-word runs ("shingles", Broder 1997, "On the resemblance
and containment of documents"). Two sets that are nearly the same share one of their rarest runs
(prefix filtering, Bayardo, Ma and Srikant 2007, "Scaling up all pairs similarity search"), so only
texts that do are compared: neither a list without repeats nor a page's frame around each text
makes it slow.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

from .words import words

_Runs: TypeAlias = frozenset[tuple[str, ...]]

#: Words in a run; and the share of runs (Jaccard) from which two texts are nearly the same: in a
#: passage of a hundred words one or two may differ, in a sentence of fifteen none.
RUN, SAME = 3, 0.8
#: Of a longer text so many characters are looked at, half at the beginning and half at the end.
ENOUGH = 40_000


def repeats(texts: Sequence[str], stop: Callable[[], bool] = lambda: False) -> list[int | None]:
    """For each text the position of the earlier one that it repeats; None where it is the first.

    A text that repeats a repeat is said to repeat the first of them, if it is like that one, too.
    Case, spaces and punctuation do not count; texts without words are the same where they are
    equal. Once `stop()` is true nothing more is found.

    >>> repeats(["Tea is hot.", "Coffee is black.", "tea is hot"])
    [None, None, 0]
    """
    runs: list[_Runs] = []
    for text in texts:
        if stop():
            return [None] * len(texts)
        runs.append(_runs(text))
    often = Counter(run for each in runs for run in each)
    found: list[int | None] = [None] * len(texts)
    holders: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for position, mine in enumerate(runs):
        if stop():
            break
        rarest = _rarest(mine, often)
        near = {other for run in rarest for other in holders.get(run, ())}
        length = len(texts[position])
        found[position] = min(
            (o for o in near if _same(mine, runs[o]) and _as_long(length, len(texts[o]))),
            default=None,
        )
        if found[position] is None:
            for run in rarest:
                holders[run].append(position)
    return found


def _rarest(runs: _Runs, often: Mapping[tuple[str, ...], int]) -> list[tuple[str, ...]]:
    """As many of them, the rarest, as two sets that are nearly the same cannot differ in.

    Less those that no other text has, which come first.
    """
    shared = [run for run in runs if often[run] > 1]
    many = len(runs) - math.ceil(SAME * len(runs)) + 1 - (len(runs) - len(shared))
    return sorted(shared, key=lambda run: (often[run], run))[:many] if many > 0 else []


def _same(one: _Runs, other: _Runs) -> bool:
    shared = len(one & other)
    return shared >= SAME * (len(one) + len(other) - shared)


def _as_long(one: int, other: int) -> bool:
    """Of texts that are not looked at as a whole, whether they can be the same."""
    return max(one, other) <= ENOUGH or min(one, other) >= SAME * max(one, other)


def _runs(text: str) -> _Runs:
    if len(text) > ENOUGH:
        text = f"{text[: ENOUGH // 2]} {text[-ENOUGH // 2 :]}"
    told = list(words(text)) or [text.strip()]
    if len(told) < RUN:
        return frozenset([tuple(told)])
    return frozenset(zip(*(told[at:] for at in range(RUN)), strict=False))
