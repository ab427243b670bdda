"""The sliding window of RankGPT (Sun et al. 2023, "Is ChatGPT Good at Search?")."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence

from ..errors import InvalidInputError
from ..protocols import Judge
from .inquiry import Inquiry, completed
from .order import Order
from .plan import Plan, at_least


async def sliding_window(
    query: str, texts: Sequence[str], judge: Judge, *, window: int = 20, step: int = 10
) -> AsyncGenerator[Order, None]:
    """Order from the back to the front, a window at a time; yields after every answer.

    Each window hands its best `window - step` on to the next, so a perfect judge gives the true
    top `window - step`. What an answer leaves out stays beneath what it names, in the order it
    had; a call that fails leaves its window as it was. Raises the first error if every call
    failed. For n > window: 1 + ceil((n - window) / step) calls, each waiting for the one before.
    It is here for parity: until the last window is in, the top is the retriever's.
    """
    _check(window, step)
    order = list(range(len(texts)))
    inquiry = Inquiry(query, texts, judge)
    if len(texts) < 2:
        yield inquiry.order(order)
        return
    for start in _starts(len(texts), window, step):
        group = order[start : start + window]
        named = await inquiry.one(group)
        if named is not None:
            order[start : start + window] = completed(named, group)
            yield inquiry.order(order)
    inquiry.close()


def plan(count: int, *, window: int = 20, step: int = 10) -> Plan:
    """Calls and rounds for `count` texts; raises InvalidInputError on sizes that cannot be."""
    _check(window, step)
    calls = len(_starts(count, window, step)) if count > 1 else 0
    return Plan(calls, calls)


def _starts(count: int, window: int, step: int) -> list[int]:
    """Where windows begin, the last first; the one at the very top is as large as the others."""
    return [*range(count - window, 0, -step), 0]


def _check(window: int, step: int) -> None:
    at_least(2, window=window)
    at_least(1, step=step)
    if step >= window:
        raise InvalidInputError(f"step must be less than window {window}, not {step}")
