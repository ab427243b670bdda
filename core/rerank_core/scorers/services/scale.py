"""A server's scores onto 0..1, once for all that a ranking has: pure, and the order is the raw one.

Which scale it is depends on the model behind the server as much as on the server. llama.cpp answers
logits for BERT models and probabilities for Qwen3's rerankers; vLLM likewise; and of some models
the probability is sigmoid(raw / 5). So what is documented is believed as long as the scores of a
whole ranking agree with it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Literal

from ...runtime.numbers import sigmoid
from .providers import ScoreScale

#: So far beyond 0..1 is rounding, as half precision does it.
ROUNDING = 0.01
#: Log-odds to which scores are drawn together whose sigmoids no float tells apart.
LARGEST = 16.0
#: What the scores are a multiple of log-odds by, where a scale is of log-odds.
_DIVISORS: Mapping[str, float] = {"logit": 1.0, "logit/5": 5.0}


def looks_like(raw: Sequence[float | None]) -> Literal["unit", "logit"]:
    """What the scores of a whole ranking are where nobody says: "unit", or else "logit"."""
    within = all(-ROUNDING <= score <= 1 + ROUNDING for score in raw if score is not None)
    return "unit" if within else "logit"


def to_unit(
    raw: Sequence[float | None], scale: ScoreScale | None
) -> tuple[list[float | None], str | None]:
    """Each score on 0..1, by position, and a sentence where the scale was not what was said.

    None is "unit" or "logit", as it looks. No two scores that differ come out the same way round
    or equal, but for what no float tells apart.

    >>> to_unit([1.004, 0.5, None], "unit")[0][1:]
    [0.49800796812749004, None]
    >>> to_unit([3.0, -3.0], "unit")[1]
    'scores beyond 0..1 were taken for log-odds, though the scale is said to be "unit"'
    """
    present = [score for score in raw if score is not None]
    low, high = min(present, default=0.0), max(present, default=0.0)
    found, note = scale or looks_like(raw), None
    bounds = {"unit": (0.0, 1.0), "cosine": (-1.0, 1.0)}.get(found)
    if bounds is not None and (low < bounds[0] - ROUNDING or high > bounds[1] + ROUNDING):
        found = "logit"
        note = (
            f"scores beyond {bounds[0]:g}..1 were taken for log-odds, though the scale is said to "
            f'be "{scale}"'
        )
    elif bounds is not None:
        if low < bounds[0] or high > bounds[1]:
            note = f"scores a hair beyond {bounds[0]:g}..1 were drawn together to be within"
        low, high = min(low, bounds[0]), max(high, bounds[1])
        return _each(raw, lambda score: (score - low) / (high - low)), note
    divisor = _DIVISORS[found]
    scores = _each(raw, lambda score: sigmoid(score / divisor))
    if len(set(scores)) < len(set(raw)):  # too large: their probabilities run together
        divisor = max(divisor, max(map(abs, present)) / LARGEST)
        scores = _each(raw, lambda score: sigmoid(score / divisor))
        note = "scores too large for log-odds were drawn together: they tell an order, no more"
    return scores, note


def _each(raw: Sequence[float | None], mapped: Callable[[float], float]) -> list[float | None]:
    return [None if score is None else mapped(score) for score in raw]
