"""What rerank servers answer, read: results by their index, and errors as a sentence.

Pure. The servers agree on little: results stand under `results`, under `data` or bare, scores are
called `relevance_score` or `score`, and errors come in five shapes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ...runtime.numbers import finite


def results_in(reply: object) -> Sequence[object] | None:
    """The list of results in a reply; None where it holds none."""
    if isinstance(reply, Mapping):
        reply = next((reply[name] for name in ("results", "data") if name in reply), None)
    return reply if isinstance(reply, list) else None


def pairs_in(results: Iterable[object]) -> Iterable[tuple[object, object]]:
    """The index and the score that each result states, unchecked; (None, None) for no result."""
    for result in results:
        if isinstance(result, Mapping):
            yield result.get("index"), result.get("relevance_score", result.get("score"))
        else:
            yield None, None


def by_index(pairs: Iterable[tuple[object, object]], count: int) -> tuple[list[float | None], int]:
    """The score of each of `count` documents, and how many results were about none of them.

    An index that is no whole number within the range is ignored, one that is repeated counts
    where it stands first, and a document that no result names has None. So has one whose score is
    null, no number, or not finite.

    >>> by_index([(1, 0.9), (0, None), (7, 0.8), (1, 0.1)], 3)
    ([None, 0.9, None], 1)
    >>> by_index([(0, 10**400), (1, True)], 2)
    ([None, None], 0)
    """
    scores: list[float | None] = [None] * count
    named: set[int] = set()
    strange = 0
    for index, score in pairs:
        if not isinstance(index, int) or isinstance(index, bool) or not 0 <= index < count:
            strange += 1
        elif index not in named:
            named.add(index)
            if isinstance(score, int | float) and not isinstance(score, bool):
                scores[index] = finite(score)
    return scores, strange


def tokens_in(reply: object) -> int:
    """The tokens that a reply says were read; 0 where it does not."""
    usage: Any = reply.get("usage") if isinstance(reply, Mapping) else None
    if not isinstance(usage, Mapping):
        return 0
    tokens = usage.get("prompt_tokens") or usage.get("total_tokens")
    return tokens if isinstance(tokens, int) else 0
