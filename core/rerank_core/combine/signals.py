"""Static signals: functions of a candidate, beside what retriever and scorers say. Pure logic."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from ..errors import ConfigurationError
from ..ranking.candidate import RETRIEVAL
from ..runtime.numbers import is_present

if TYPE_CHECKING:
    from ..ranking.candidate import Candidate
    from .recency import Recency

#: The signal that needs no function of the user's.
RECENCY = "recency"

#: A function of a candidate, or of the query and a candidate; a number, or None for missing.
SignalFunction = Callable[..., float | None]


def evaluate(
    function: SignalFunction, query: str, candidates: Sequence[Candidate]
) -> tuple[list[float | None], list[str]]:
    """A value per candidate, None where there is none; and a line for each that went wrong."""
    from .recency import Recency  # most combinations look at no date

    if isinstance(function, Recency):
        function = function.at_one_time()
    elif _wants_query(function):
        function = partial(function, query)
    values: list[float | None] = []
    failures: list[str] = []
    for candidate in candidates:
        value = None
        try:
            told = function(candidate)
            value = None if told is None else float(told)
        except Exception as error:  # a signal is an extra: it may not cost the ranking
            failures.append(f"{type(error).__name__}: {error}"[:200])
        values.append(value if is_present(value) else None)
    return values, failures


def checked_signals(signals: Mapping[str, SignalFunction]) -> dict[str, SignalFunction]:
    """A copy; `ConfigurationError` for what is no plain function, or a name that is taken."""
    for name, function in signals.items():
        if name == RETRIEVAL:
            raise ConfigurationError(f"{RETRIEVAL!r} is the retriever's own signal: rename yours")
        if not callable(function):
            raise ConfigurationError(f"signal {name!r} is no function: {function!r}")
        if inspect.iscoroutinefunction(function):
            raise ConfigurationError(
                f"signal {name!r} is async: a signal is a plain function; what waits is a scorer"
            )
    return dict(signals)


def signals_to_dict(signals: Mapping[str, SignalFunction]) -> dict[str, Any]:
    """As plain values, which only `Recency` has: `ConfigurationError` for any other function."""
    from .recency import Recency

    plain: dict[str, Any] = {}
    for name, function in signals.items():
        if not isinstance(function, Recency):
            raise ConfigurationError(
                f"signal {name!r} is a function, which no config file can hold: build it in code"
            )
        plain[name] = function.to_dict()
    return plain


def signals_from_dict(plain: Mapping[str, Any]) -> dict[str, SignalFunction]:
    """Back from `signals_to_dict`."""
    from .recency import Recency

    return {name: Recency.from_dict(values) for name, values in plain.items()}


def usual_recency() -> Recency:
    """What a weight for "recency" stands for."""
    from .recency import Recency

    return Recency()


def _wants_query(function: SignalFunction) -> bool:
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):  # some builtins have none
        return False
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return sum(p.kind in positional and p.default is p.empty for p in parameters) > 1
