"""What the teacher says of every query: read, remembered, or asked within a budget."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ..errors import ConfigurationError, InvalidInputError
from ..evaluation.collection import Collection
from ..evaluation.journal import Journal
from ..evaluation.run import Ranked, Run
from ..evaluation.running import Progress, run_reranker
from ..reranker import Reranker


@dataclass(frozen=True, slots=True)
class Taught:
    """The teacher's run. `cost`: US dollars over all starts, None where unknown; `unasked`: how
    many queries the budget did not reach, or the run does not have.
    """

    run: Run
    cost: float | None
    unasked: int


def scores_of(
    teacher: Run | Reranker,
    name: str,
    collection: Collection,
    order: Sequence[str],
    *,
    journal: Journal,
    max_cost: float | None = None,
    at_once: int = 1,
    progress: Progress | None = None,
) -> Taught:
    """The teacher's scores, the queries asked in this order until the budget would not do.

    What is in the journal is not asked again, and counts for what it did cost. Raises
    `ConfigurationError` where there is a budget and the teacher's price is not known.
    """
    if max_cost is not None and not max_cost > 0:
        raise ConfigurationError(f"max_cost is US dollars above 0, not {max_cost}")
    if at_once < 1:
        raise InvalidInputError(f"at_once is {at_once}: ask at least 1 query at a time")
    if isinstance(teacher, Run):
        there = {query: teacher.rankings[query] for query in order if query in teacher.rankings}
        return Taught(Run(name, there, teacher.by_score), 0.0, len(order) - len(there))
    rankings: dict[str, Ranked] = {}
    spent, dearest = 0.0, 0.0

    def told(system: str, done: int, _: int) -> None:
        if progress is not None:
            progress(system, len(rankings) + done, len(order))

    waiting = list(order)
    while waiting:
        # where money counts a few at a time, and the first alone: to see what one costs
        many = len(waiting) if max_cost is None else at_once if rankings else 1
        chunk = waiting[:many]
        if max_cost is not None and spent + dearest * len(chunk) > max_cost:
            break
        asked = run_reranker(
            name,
            teacher,
            collection.only(set(chunk)),
            journal=journal,
            at_once=at_once,
            progress=told,
        )
        for cost in _costs(asked.rankings.values()):
            if cost is None:
                if max_cost is not None:
                    raise ConfigurationError(
                        "max_cost cannot be kept: nobody knows what this teacher costs; give it a "
                        "price="
                    )
                spent = float("nan")
            else:
                spent, dearest = spent + cost, max(dearest, cost)
        rankings |= asked.rankings
        waiting = waiting[many:]
    return Taught(Run(name, rankings), None if spent != spent else spent, len(waiting))


def _costs(rankings: Iterable[Ranked]) -> list[float | None]:
    return [ranked.report.cost for ranked in rankings if ranked.report is not None]
