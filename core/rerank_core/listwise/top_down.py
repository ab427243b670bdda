"""Top-down partitioning.

Parry et al. 2024, "Top-Down Partitioning for Efficient List-Wise Ranking".
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable, Iterator, Sequence
from contextlib import aclosing
from itertools import chain, zip_longest

from ..errors import InvalidInputError
from ..protocols import Judge
from .inquiry import Inquiry, completed
from .order import Order
from .parts import even_parts, part_count
from .plan import Plan, at_least


async def top_down_partitioning(
    query: str,
    texts: Sequence[str],
    judge: Judge,
    *,
    window: int = 20,
    top: int | None = None,
) -> AsyncGenerator[Order, None]:
    """Find the true top `top` from the top down; yields after every answer.

    The first window is ordered, and its `top`-th becomes the pivot. All others are judged beside
    it, in partitions at once; only what is placed above the pivot goes on, of a partition `top`
    at most, since no more can be among the best. When what is left fits one window, that is
    ordered; else it starts again. `top` (default: half the window, less than the window) is all
    that is promised: beneath it, candidates stand by the pivot they fell under.

    With a perfect judge the first `top` are the true ones. What an answer leaves out is beneath
    what it names; a partition whose call fails stays beneath the pivot in the order given. If
    the first window fails, its order stands. Raises the first error if every call failed.

    For n > window, at best 1 + ceil((n - window) / (window - 1)) calls in 2 rounds, when nothing
    beats the pivot; with a useful retriever one more, in 3 rounds; see `plan` for the most.
    """
    top = _top(window, top)
    inquiry = Inquiry(query, texts, judge)
    pool = list(range(len(texts)))
    beneath: list[int] = []
    if len(pool) < 2:
        yield inquiry.order(pool)
        return
    while len(pool) > window:
        head, rest = pool[:window], pool[window:]
        named = await inquiry.one(head)
        if named is not None:
            head = completed(named, head)
            yield inquiry.order(chain(head, rest, beneath))
        pivot = head[top - 1]
        trial = _Trial(head[: top - 1], pivot, head[top:], _partitions(rest, window - 1), top)
        async with aclosing(inquiry.many(trial.groups)) as arriving:
            async for answers in arriving:
                for number, named in answers.items():
                    trial.record_answer(number, named)
                yield inquiry.order(chain(trial.above(), [pivot], trial.below(), beneath))
        pool = [*trial.above(), pivot]
        beneath = [*trial.below(), *beneath]
        if len(pool) == top:  # nothing beat the pivot: the head's order stands
            break
    else:
        named = await inquiry.one(pool)
        if named is not None:
            yield inquiry.order(chain(completed(named, pool), beneath))
    inquiry.close()


def plan(count: int, *, window: int = 20, top: int | None = None, worst: bool = False) -> Plan:
    """Calls and rounds for `count` texts where few beat the first pivot, or the most there can be.

    Raises InvalidInputError on sizes that cannot be.
    """
    top = _top(window, top)
    if count < 2:
        return Plan(0, 0)
    calls = rounds = 0
    while count > window:
        partitions = part_count(count - window, window - 1)
        calls, rounds = calls + 1 + partitions, rounds + 2
        count = min(count - (window - top), (partitions + 1) * top) if worst else window
    return Plan(calls + 1, rounds + 1)


class _Trial:
    """What is known of one pivot's partitions while their answers come in."""

    def __init__(
        self,
        head: list[int],
        pivot: int,
        tail: list[int],
        partitions: list[list[int]],
        top: int,
    ) -> None:
        self._head, self._tail, self._top = head, tail, top
        #: The pivot stands first, where it stood in the order given.
        self.groups = [[pivot, *partition] for partition in partitions]
        self._winners: list[list[int]] = [[] for _ in partitions]
        self._losers = partitions

    def record_answer(self, number: int, named: list[int]) -> None:
        group = self.groups[number]
        order = completed(named, group)
        at = order.index(group[0])
        self._winners[number], self._losers[number] = order[:at], order[at + 1 :]

    def above(self) -> list[int]:
        """What goes on: the best of each, then the second of each, and so forth."""
        return list(_by_turns([self._head, *(won[: self._top] for won in self._winners)]))

    def below(self) -> list[int]:
        """Winners too many, then those beneath the pivot; what is unanswered, where it was."""
        over = _by_turns(won[self._top :] for won in self._winners)
        return list(chain(over, self._tail, *self._losers))


def _by_turns(lists: Iterable[Sequence[int]]) -> Iterator[int]:
    return (item for turn in zip_longest(*lists) for item in turn if item is not None)


def _partitions(positions: list[int], size: int) -> list[list[int]]:
    return [[positions[at] for at in part] for part in even_parts(len(positions), size)]


def _top(window: int, top: int | None) -> int:
    at_least(2, window=window)
    top = window // 2 if top is None else top
    at_least(1, top=top)
    if top >= window:
        raise InvalidInputError(f"top must be less than window {window}, not {top}")
    return top
