"""A person's own judgements: which pairs are shown, and what comes of them."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from ...errors import InvalidInputError
from ..collection import Collection
from .judgements import Judgements, by_pair, checked_ids
from .ledger import Ledger
from .pool import Pair
from .rubric import FORMS, Grade


@dataclass(frozen=True, slots=True)
class Sample:
    """What a person is to judge: `left`, in this order, of `asked` in all; the rest is done."""

    left: Sequence[Pair]
    asked: int


def sample(
    pairs: Sequence[Pair], ledger: Ledger, count: int, *, seed: int = 0, doubtful: bool = False
) -> Sample:
    """`count` of the pairs, drawn at random; the same seed draws the same, so that one can go on.

    What a person and a model both judged tells how far the model can be trusted, as long as chance
    drew it. `doubtful`: those first where the model disagreed with itself or wavered. That mends
    the most for the least work, and says nothing of the model's other judgements.
    """
    if count < 1:
        raise InvalidInputError(f"sample is {count}: judge at least 1 pair")
    checked_ids(pairs)
    drawn = list({pair.key: pair for pair in pairs}.values())
    random.Random(seed).shuffle(drawn)
    by_model = _grades(ledger, _model(ledger))
    if doubtful:
        judged, _ = by_pair(drawn, by_model, ledger, max(map(len, by_model.values()), default=1))
        keys = {one.pair.key for one in judged if one.doubtful}
        drawn = [pair for pair in drawn if pair.key in keys]
    elif by_model:  # what the model has judged too
        drawn.sort(key=lambda pair: pair.key not in by_model)
    drawn = drawn[:count]
    return Sample([pair for pair in drawn if pair.key not in ledger.people], len(drawn))


def with_people(collection: Collection, pairs: Sequence[Pair], ledger: Ledger) -> Judgements:
    """What the journal has on these pairs, of people and of the model that answered most."""
    model = _model(ledger)
    grades = _grades(ledger, model)
    passes = max((len(found) for found in grades.values()), default=1)
    judged, unjudged = by_pair(pairs, grades, ledger, passes)
    return Judgements(
        collection,
        judged,
        model or "",
        passes if model else 0,
        cost=ledger.spent(model) if model and model not in ledger.unpriced else None,
        unjudged=unjudged,
    )


def _model(ledger: Ledger) -> str | None:
    return max(ledger.by_model, key=lambda name: len(ledger.by_model[name]), default=None)


def _grades(ledger: Ledger, model: str | None) -> dict[str, list[Grade]]:
    answers = {} if model is None else ledger.by_model[model]
    order = [form.name for form in FORMS]
    return {
        pair: [given[name] for name in order if name in given] for pair, given in answers.items()
    }
