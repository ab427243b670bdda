"""One order out of many partial ones: PageRank over who lost to whom."""

from __future__ import annotations

from collections.abc import Sequence

#: How much of a text's weight goes to those it lost to; the usual value.
_DAMPING = 0.85
#: Beyond this the weights move by less than 0.1%.
_ITERATIONS = 40
#: Flattens the prior 1 / (60 + position) as reciprocal rank fusion does.
_PRIOR_OFFSET = 60


def pagerank(count: int, answers: Sequence[tuple[Sequence[int], Sequence[int]]]) -> list[float]:
    """A weight for each of `count` positions; together 1, the greater the better.

    An answer is those it named, best first, and those it left out. In each, a position hands its
    weight on to all that stand above it, in equal shares over all answers; those left out lose
    to those named, and not to each other. Where weight enters, it enters by position, so that
    without any answer the weights fall with the position, and what lost and what was never
    asked about are told apart by nothing else. Linear in the answers' length.
    """
    entries = [1 / (_PRIOR_OFFSET + position) for position in range(count)]
    total = sum(entries)
    entries = [entry / total for entry in entries]
    losses = [0] * count
    for named, left_out in answers:
        for above, position in enumerate(named):
            losses[position] += above
        for position in left_out:
            losses[position] += len(named)
    weights = entries
    for _ in range(_ITERATIONS):
        shares = [
            _DAMPING * weight / lost if lost else 0.0
            for weight, lost in zip(weights, losses, strict=True)
        ]
        # Who has lost to nobody hands its weight back to where weight enters.
        kept = sum(weight for weight, lost in zip(weights, losses, strict=True) if not lost)
        entering = 1 - _DAMPING + _DAMPING * kept
        weights = [entering * entry for entry in entries]
        for named, left_out in answers:
            handed_up = sum(shares[position] for position in left_out)
            for position in reversed(named):
                weights[position] += handed_up
                handed_up += shares[position]
    return weights
