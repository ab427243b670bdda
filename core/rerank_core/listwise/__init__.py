"""Ways to order many texts by a judge that orders few: pure logic, no model in sight.

Each is an async generator over a `rerank_core.protocols.Judge` and yields a better order after
every answer, so that a deadline can take the last one. Closing or cancelling it cancels every call
under way. The judge itself waits where concurrency is limited.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from typing import Literal, get_args

from ..errors import InvalidInputError
from . import blocks, sliding, top_down
from .blocks import overlapping_blocks
from .order import NoneRelevant, Order
from .passes import ShuffledJudge
from .plan import Plan
from .sliding import sliding_window
from .top_down import top_down_partitioning

__all__ = [
    "Algorithm",
    "AlgorithmName",
    "NoneRelevant",
    "Order",
    "Plan",
    "ShuffledJudge",
    "algorithm",
    "overlapping_blocks",
    "sliding_window",
    "top_down_partitioning",
]


AlgorithmName = Literal["top-down", "sliding-window", "blocks"]


@dataclass(frozen=True, slots=True)
class Algorithm:
    """A listwise algorithm by name.

    `run(query, texts, judge, **options)` yields orders; `plan(count, **options)` says what that
    will cost, and refuses options that cannot be: call it to check them ahead of any work.
    """

    name: AlgorithmName
    run: Callable[..., AsyncGenerator[Order, None]]
    plan: Callable[..., Plan]


_ALGORITHMS = {
    known.name: known
    for known in (
        Algorithm("sliding-window", sliding_window, sliding.plan),
        Algorithm("top-down", top_down_partitioning, top_down.plan),
        Algorithm("blocks", overlapping_blocks, blocks.plan),
    )
}


def algorithm(name: AlgorithmName) -> Algorithm:
    """The algorithm of that name."""
    if name not in (known := get_args(AlgorithmName)):
        raise InvalidInputError(f"no listwise algorithm {name!r}; there are {list(known)}")
    return _ALGORITHMS[name]
