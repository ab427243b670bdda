"""What is wrong with a call is said at the door, before anything is sent anywhere."""

from __future__ import annotations

import math

from .errors import ConfigurationError, InvalidInputError


def checked_query(query: object) -> str:
    """The query, if it asks anything."""
    if not isinstance(query, str):
        raise InvalidInputError(f"the query is a string, not {type(query).__name__}")
    if not query.strip():
        raise InvalidInputError("the query is empty: pass the question the documents should answer")
    return query


def checked_top_n(top_n: object) -> int | None:
    """How many to return; None for all."""
    if top_n is None:
        return None
    if isinstance(top_n, bool) or not isinstance(top_n, int):
        raise InvalidInputError(f"top_n is a whole number or None for all, not {top_n!r}")
    if top_n < 1:
        raise InvalidInputError(f"top_n is {top_n}: ask for at least 1, or None for all")
    return top_n


def checked_on_error(on_error: str) -> str:
    """What the world's failures become: an answer that says so, or an exception."""
    if on_error not in ("degrade", "raise"):
        raise ConfigurationError(f'on_error is "degrade" or "raise", not {on_error!r}')
    return on_error


def checked_depth(depth: object) -> int | None:
    """How many candidates to rerank; None for all, 0 for none."""
    if depth is None:
        return None
    if isinstance(depth, bool) or not isinstance(depth, int) or depth < 0:
        raise ConfigurationError(
            f"depth is a whole number of candidates, 0 for the retriever's order, not {depth!r}"
        )
    return depth


def checked_concurrency(limit: object) -> int | None:
    """How many batches may be under way at once; None for what each scorer likes."""
    if limit is None:
        return None
    if isinstance(limit, bool) or not isinstance(limit, int) or limit < 1:
        raise ConfigurationError(f"max_concurrency is a whole number of at least 1, not {limit!r}")
    return limit


def checked_threshold(threshold: object) -> float | None:
    """The least score to return; None for any."""
    if threshold is None:
        return None
    if isinstance(threshold, bool) or not isinstance(threshold, (int, float)):
        raise ConfigurationError(f"threshold is a score or None, not {threshold!r}")
    if not math.isfinite(threshold):
        raise ConfigurationError(f"threshold is {threshold}: give a finite score, or None for any")
    return float(threshold)


def checked_share(share: object) -> float | None:
    """The share of the calls to score in shadow; None for no shadow mode."""
    if share is None:
        return None
    if isinstance(share, bool) or not isinstance(share, (int, float)) or not 0 <= share <= 1:
        raise ConfigurationError(f"shadow is a share of the calls, 0..1, or None, not {share!r}")
    return float(share)


def checked_rate(name: str, rate: object) -> float | None:
    """So many a minute; None for no limit."""
    if rate is None:
        return None
    if isinstance(rate, bool) or not isinstance(rate, (int, float)) or not rate > 0:
        raise ConfigurationError(f"{name} is a number above 0, or None for no limit, not {rate!r}")
    return float(rate)
