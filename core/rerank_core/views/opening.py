"""The three numbers that matter, with which the page of an evaluation opens."""

from __future__ import annotations

from ..evaluation.evaluation import Evaluation, Result
from .page import Number


def numbers(found: Evaluation) -> list[Number]:
    """Of the best system: how much better, for how many queries, and what it takes.

    Without judgements: how far documents move, how many are new in the first ten, what it takes.
    """
    best = _best(found)
    if best is None:
        return [Number(str(len(found.collection.candidates)), "queries")]
    told = []
    if (compared := best.against.get(found.measures[0])) is not None:
        told += [
            Number(
                f"{compared.difference.mean:+.3f}",
                f"{found.measures[0]}, {best.name}",
                compared.told,
            ),
            Number(
                f"{compared.wins} : {compared.losses}",
                "queries better : worse",
                f"{compared.ties} stay as they are",
            ),
        ]
    else:
        told += [
            Number(f"{best.movement.moved:.1f}", "ranks moved, on the average", best.name),
            Number(f"{best.movement.new:.1f}", "new documents in the first ten", "a query"),
        ]
    return [*told, _taken(best)]


def _taken(best: Result) -> Number:
    costs = best.costs
    if costs is None:
        return Number("unknown", "time and cost", "it was read from a file")
    if costs.cost is None:
        money = "at an unknown price"
    elif costs.cost:
        money = f"${1000 * costs.cost / max(1, costs.queries):.2f} a thousand queries"
    else:
        money = "free of charge"
    return Number(_duration(costs.p50), "a query (median)", f"{money}; {costs.coverage:.0%} scored")


def _duration(seconds: float) -> str:
    return f"{seconds:.2f} s" if seconds >= 1 else f"{1000 * seconds:.3g} ms"


def _best(found: Evaluation) -> Result | None:
    """The best system that another one judged: by its own judgements any model is good."""
    fair = [result for result in found.systems if result.own_judge is None]
    measure = found.measures[0]
    return max(fair, key=lambda result: result.means.get(measure, 0.0), default=None)
