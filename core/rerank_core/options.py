"""What is wrong with a call is said at the door, before anything is sent anywhere."""

from __future__ import annotations

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


def checked_concurrency(limit: object) -> int | None:
    """How many batches may be under way at once; None for what each scorer likes."""
    if limit is None:
        return None
    if isinstance(limit, bool) or not isinstance(limit, int) or limit < 1:
        raise ConfigurationError(f"max_concurrency is a whole number of at least 1, not {limit!r}")
    return limit
