"""What rerank servers answer, read: results by their index, and what they say it cost.

Pure. The servers agree on little: results stand under `results`, `data`, `rankings`, `records`, one
of these in an `output`, or bare; a result names its document by `index` or by an `id` that we gave
it, and its score is a `relevance_score`, `relevanceScore`, `score` or `logit`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ...runtime.numbers import finite

_RESULTS = ("results", "data", "rankings", "records")
_INDEX = ("index", "id")
_SCORE = ("relevance_score", "relevanceScore", "score", "logit")


def results_in(reply: object) -> Sequence[object] | None:
    """The list of results in a reply; None where it holds none."""
    if isinstance(reply, Mapping):
        inside = reply.get("output", reply)
        inside = inside if isinstance(inside, Mapping) else reply
        reply = next((inside[name] for name in _RESULTS if name in inside), None)
    return reply if isinstance(reply, list) else None


def pairs_in(results: Iterable[object]) -> Iterable[tuple[object, object]]:
    """The index and the score that each result states, unchecked; (None, None) for no result."""
    for result in results:
        if isinstance(result, Mapping):
            index = next((result[name] for name in _INDEX if name in result), None)
            if isinstance(index, str) and index.isdecimal() and "index" not in result:
                index = int(index[:9])
            yield index, next((result[name] for name in _SCORE if name in result), None)
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


def spent_in(reply: object) -> tuple[int, int]:
    """The tokens and the search units that a reply says were spent; 0 where it does not.

    Under `usage` as OpenAI has it, `meta.tokens` and `meta.billed_units` as Cohere does,
    `input_token_count` as watsonx does.

    >>> spent_in({"meta": {"billed_units": {"search_units": 2}, "tokens": {"input_tokens": 30}}})
    (30, 2)
    """
    places = [_at(reply, *path) for path in _SPENT]
    tokens = next((n for place in places for name in _TOKENS if (n := _count(place, name))), 0)
    units = next((n for place in places for name in _UNITS if (n := _count(place, name))), 0)
    return tokens, units


_SPENT = (("usage",), ("meta", "tokens"), ("meta", "billed_units"), ())
_TOKENS = ("prompt_tokens", "input_tokens", "total_tokens", "input_token_count")
_UNITS = ("search_units", "rerank_units")


def _at(reply: Any, *path: str) -> Any:
    for name in path:
        reply = reply.get(name) if isinstance(reply, Mapping) else None
    return reply


def _count(place: Any, name: str) -> int:
    count = place.get(name) if isinstance(place, Mapping) else None
    if not isinstance(count, int | float) or isinstance(count, bool) or not 0 < count < 10**15:
        return 0
    return int(count)
