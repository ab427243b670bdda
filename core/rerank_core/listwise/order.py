"""What a listwise algorithm yields: an order, and how far it got."""

from __future__ import annotations

from collections.abc import Iterable


class NoneRelevant(list[int]):
    """A judge's answer that none of a group is relevant: it names nobody, and is an answer.

    The group counts as judged, and stays in the order it had, behind whom another answer names.
    """


class Order(list[int]):
    """Every position in the texts exactly once, best first: the best order known so far.

    `judged` holds the positions that some answer has named: the others stand where the order
    given put them. `rounds` counts the sequential rounds of calls begun.
    """

    def __init__(
        self, positions: Iterable[int], judged: Iterable[int] = (), rounds: int = 0
    ) -> None:
        super().__init__(positions)
        self.judged = frozenset(judged)
        self.rounds = rounds
