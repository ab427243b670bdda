"""Exceptions of other people's code, turned into ours."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType

from ..errors import ScorerError
from .http_errors import from_foreign

Translate = Callable[[Exception], ScorerError | None]


class foreign_errors:  # noqa: N801 - reads as what it is about where it stands
    """What is raised in the block leaves it as a `ScorerError`; one of ours leaves it as it is.

    Without `translate` the code is the user's own: `from_foreign` reads its exception, which stays
    as the cause, for them to see where it came from. With `translate` it is an SDK of a client of
    ours, and the exception is dropped: it holds the request, headers and key and all, and would
    carry them wherever ours is logged. Where `translate` returns None the exception is a defect,
    and passes.
    """

    def __init__(self, translate: Translate | None = None) -> None:
        self._translate = translate

    def __enter__(self) -> None:
        pass

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if not isinstance(error, Exception) or isinstance(error, ScorerError):
            return
        if self._translate is None:
            raise from_foreign(error) from error
        ours = self._translate(error)
        if ours is None:
            return
        del error, traceback  # who logs an error with the variables of its frames sees none
        try:
            raise ours
        except ScorerError:  # what it was raised in place of is remembered as its context
            ours.__context__ = None
            raise
