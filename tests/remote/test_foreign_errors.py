"""Exceptions of other people's code, as they reach the engine."""

from __future__ import annotations

import pytest

from rerank_core.errors import Reason, ScorerError
from rerank_core.remote.foreign_errors import foreign_errors
from rerank_core.remote.http_errors import from_connection


class _Refused(Exception):
    status_code = 401


def _lost(error: Exception) -> ScorerError | None:
    return from_connection(error) if isinstance(error, OSError) else None


def test_the_users_own_stays_as_the_cause() -> None:
    """It is read by its status, and shows them where it came from."""
    with pytest.raises(ScorerError) as caught, foreign_errors():
        raise _Refused("no")

    assert caught.value.reason is Reason.AUTH
    assert isinstance(caught.value.__cause__, _Refused)


def test_an_sdks_is_dropped() -> None:
    """No way leads from ours back to it: not as a cause, a context or a variable of a frame."""
    with pytest.raises(ScorerError) as caught, foreign_errors(_lost):
        raise OSError("the request, headers and all")

    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
    for entry in caught.traceback:
        assert not any(isinstance(one, OSError) for one in entry.frame.f_locals.values())


@pytest.mark.parametrize("error", [ScorerError("said before"), KeyError("a defect")])
def test_what_is_not_foreign_passes(error: Exception) -> None:
    """An error of ours, and a defect that the translation knows nothing of."""
    with pytest.raises(type(error)) as caught, foreign_errors(_lost):
        raise error

    assert caught.value is error
