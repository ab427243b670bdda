"""Several signals to one score: pure logic. The signals of one ranking go in, by candidate.

A signal is a sequence with one number (higher is better) or None per candidate, in retrieval
order. There are three kinds: "retrieval", the retriever's own scores; one per scorer, by its
name; and static ones, functions of a candidate such as `Recency`. What is missing is treated by
what its absence means:

- a static signal that a document lacks (it has no date) is left out of that document's score, and
  the other weights fill its place: no date is neither old nor new;
- a scorer's score is missing because time ran out. It is estimated, as `combine.estimate` does.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from bisect import bisect_left, bisect_right
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from ..errors import ConfigurationError
from ..ranking.candidate import RETRIEVAL
from ..runtime.numbers import is_present
from .estimate import estimate
from .normalize import Normalization, check_normalization, normalize
from .signals import (
    RECENCY,
    SignalFunction,
    checked_signals,
    evaluate,
    signals_from_dict,
    signals_to_dict,
    usual_recency,
)

if TYPE_CHECKING:
    from ..ranking.candidate import Candidate
    from .recency import Recency

__all__ = ["Combination", "ReciprocalRankFusion", "WeightedSum"]

Signal = Sequence[float | None]


class Evidence(NamedTuple):
    """What is known of one ranking before its signals are combined, by candidate.

    `retrieval`: the retriever's scores, and `ordered`: whether it is a retriever that put the
    candidates in order. `trust`: how far each scorer, by name, trusts its scores, 0..1.
    """

    retrieval: Signal
    ordered: bool
    trust: Mapping[str, float]


class Combination(ABC):
    """The weighted mean of signals, each put on a common scale first. An immutable value.

    `WeightedSum` and `ReciprocalRankFusion` differ in that scale alone.
    """

    signals: Mapping[str, SignalFunction]
    weights: Mapping[str, float] | None
    #: The file of `rerank tune` that it was read from, if it was.
    tuned_in: str | None = None

    def combine(
        self, signals: Mapping[str, Signal], estimated: Collection[str] = ()
    ) -> list[float | None]:
        """One score per candidate; None only where it has none of the weighted signals.

        `estimated` names the signals whose missing values are estimated: the scorers'.
        Raises `ConfigurationError` where a weighted signal is not among `signals`.
        """
        scaled = self._scaled(signals, estimated)
        weights = {name: 1.0 if self.weights is None else self.weights[name] for name in scaled}
        return [
            self._total(
                [
                    (weights[name], value)
                    for name, values in scaled.items()
                    if (value := values[position]) is not None
                ],
                weights,
            )
            for position in range(_length(signals))
        ]

    def for_ranking(self, evidence: Evidence) -> tuple[Combination, str | None]:
        """The combination for one ranking, and a word on it for the report: itself, as a rule."""
        return self, None

    def components(
        self, signals: Mapping[str, Signal], estimated: Collection[str] = ()
    ) -> dict[str, list[float | None]]:
        """Each weighted signal on the common scale, unweighted; None where it is missing.

        Estimates are not shown, though they bear on the others' ranks.
        """
        return {
            name: [
                value if is_present(raw) else None
                for value, raw in zip(values, signals[name], strict=True)
            ]
            for name, values in self._scaled(signals, estimated).items()
        }

    def compute_signals(
        self, query: str, candidates: Sequence[Candidate]
    ) -> tuple[dict[str, list[float | None]], list[str]]:
        """The static signals by candidate, and a line for each that could not be computed.

        A function that raises, or returns something that is no number, counts as missing for
        that candidate.
        """
        computed: dict[str, list[float | None]] = {}
        problems: list[str] = []
        for name, function in self._functions().items():
            computed[name], failures = evaluate(function, query, candidates)
            if failures:
                problems.append(
                    f"signal {name!r} could not be computed for {len(failures)} of "
                    f"{len(candidates)} candidates: {failures[0]}"
                )
        return computed, problems

    def check(self, names: Collection[str]) -> None:
        """Raise `ConfigurationError` unless every weight has one signal.

        `names` are the signals that the reranker brings: "retrieval" and its scorers'.
        """
        functions = self._functions()
        twice = sorted(set(functions) & set(names))
        if twice:
            raise ConfigurationError(
                f"{twice[0]!r} names a scorer and another signal: rename one of them"
            )
        _check_there({*names, *functions}, self.weights or ())

    @property
    @abstractmethod
    def calibrated(self) -> bool:
        """Whether a score means the same from one query to the next, if the signals' do."""

    def takes_as_is(self, name: str) -> bool:
        """Whether the signal's values count as they are, and not only beside one another."""
        return False

    @abstractmethod
    def to_dict(self) -> dict[str, Any]:
        """As plain values, for a config file. `ConfigurationError` if it holds a function."""

    @abstractmethod
    def _scale(self, name: str, values: Signal) -> list[float | None]:
        """One signal on the common scale."""

    def _total(
        self, present: Sequence[tuple[float, float]], weights: Mapping[str, float]
    ) -> float | None:
        """The score from (weight, value) of the signals that a candidate has."""
        return _mean(present)

    def _scaled(
        self, signals: Mapping[str, Signal], estimated: Collection[str]
    ) -> dict[str, list[float | None]]:
        names = signals if self.weights is None else self.weights
        _check_there(signals, names)
        return {
            name: self._scale(name, _filled(signals[name], name in estimated)) for name in names
        }

    def _functions(self) -> dict[str, SignalFunction]:
        """The functions given; a weight for "recency" alone means the default `Recency()`."""
        functions = dict(self.signals)
        if self.weights and RECENCY in self.weights:
            functions.setdefault(RECENCY, usual_recency())
        return functions

    def _freeze(self) -> None:
        # checked copies that cannot be written to: threads may share the value
        object.__setattr__(self, "signals", MappingProxyType(checked_signals(self.signals)))
        if self.weights is not None:
            object.__setattr__(self, "weights", MappingProxyType(_checked_weights(self.weights)))


@dataclass(frozen=True)
class WeightedSum(Combination):
    """The weighted mean of normalized signals: 0..1 where their normalizations are.

    `weights` by signal name need not sum to 1. `signals` are functions of yours, by name: of a
    candidate, or of the query and a candidate. `normalize` is one of "min-max", "rank",
    "z-score", "sigmoid" and "none", for all signals or by name ("min-max" for those not named).
    Raises `ConfigurationError` for what cannot be combined.

    >>> by_both = WeightedSum({"retrieval": 1, "llm": 3})
    >>> by_both.combine({"retrieval": [12.0, 10.0, 8.0], "llm": [0.25, 0.75, 0.0]})
    [0.5, 0.875, 0.0]
    """

    weights: Mapping[str, float]
    signals: Mapping[str, SignalFunction] = field(default_factory=dict)
    normalize: Normalization | Mapping[str, Normalization] = "min-max"

    def __post_init__(self) -> None:
        self._freeze()
        if isinstance(self.normalize, str):
            check_normalization(self.normalize)
            return
        unweighted = sorted(set(self.normalize) - set(self.weights))
        if unweighted:
            raise ConfigurationError(f"normalize names {unweighted}, which have no weight")
        for how in self.normalize.values():
            check_normalization(how)
        object.__setattr__(self, "normalize", MappingProxyType(dict(self.normalize)))

    @classmethod
    def usual(cls, scorer: str, recency: Recency | None = None) -> Self:
        """The usual weights: 0.3 retrieval, 0.5 the scorer of this name, 0.2 recency.

        Recency keeps its own scale: stretched over the list, one day would count like a year.
        Fixed weights rescue a weak scorer and hurt a strong one: tune them where you can.
        """
        return cls(
            {RETRIEVAL: 0.3, scorer: 0.5, RECENCY: 0.2},
            {RECENCY: recency or usual_recency()},
            {RETRIEVAL: "min-max", scorer: "min-max", RECENCY: "none"},
        )

    @property
    def calibrated(self) -> bool:
        """Only where no normalization is by the list at hand."""
        return all(self.takes_as_is(name) for name in self.weights)

    def takes_as_is(self, name: str) -> bool:
        """Where it is not normalized by the list at hand."""
        return name in self.weights and self._how(name) in ("none", "sigmoid")

    def to_dict(self) -> dict[str, Any]:
        """As plain values, for a config file. `ConfigurationError` if it holds a function."""
        weights, signals, how = self._plain()
        return {"weights": weights, "signals": signals_to_dict(signals), "normalize": how}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Back from `to_dict`. Raises `ConfigurationError` for an unknown key."""
        return cls(**_arguments(values, {"signals", "normalize"}, required={"weights"}))

    def __reduce__(self) -> tuple[type[Self], tuple[Any, ...]]:
        return type(self), self._plain()

    def _plain(
        self,
    ) -> tuple[
        dict[str, float], dict[str, SignalFunction], Normalization | dict[str, Normalization]
    ]:
        how = self.normalize if isinstance(self.normalize, str) else dict(self.normalize)
        return dict(self.weights), dict(self.signals), how

    def _scale(self, name: str, values: Signal) -> list[float | None]:
        return normalize(values, self._how(name))

    def _how(self, name: str) -> Normalization:
        how = self.normalize
        return how if isinstance(how, str) else how.get(name, "min-max")


@dataclass(frozen=True)
class ReciprocalRankFusion(Combination):
    """The sum over signals of weight / (k + rank): ranks from 1, equal values share their mean.

    It needs no normalization and no weights (where None: 1 each, for all signals). Its scores are
    small, and only tell an order. A signal that a candidate lacks is not held against it: the
    others count for more. Cormack, Clarke and Büttcher, SIGIR 2009. Raises `ConfigurationError`
    for what cannot be combined.

    >>> fused = ReciprocalRankFusion().combine({"retrieval": [3.0, 2.0], "bm25": [5.0, 1.0]})
    >>> [round(score, 4) for score in fused] == [round(2 / 61, 4), round(2 / 62, 4)]
    True
    """

    k: float = 60
    weights: Mapping[str, float] | None = None
    signals: Mapping[str, SignalFunction] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if isinstance(self.k, bool) or not 0 <= self.k < math.inf:
            raise ConfigurationError(f"k must be 0 or more, such as 60, not {self.k!r}")
        self._freeze()

    @property
    def calibrated(self) -> bool:
        """Never: ranks only tell an order."""
        return False

    def to_dict(self) -> dict[str, Any]:
        """As plain values, for a config file. `ConfigurationError` if it holds a function."""
        k, weights, signals = self._plain()
        return {"k": k, "weights": weights, "signals": signals_to_dict(signals)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Back from `to_dict`. Raises `ConfigurationError` for an unknown key."""
        return cls(**_arguments(values, {"k", "weights", "signals"}))

    def __reduce__(self) -> tuple[type[Self], tuple[Any, ...]]:
        return type(self), self._plain()

    def _plain(self) -> tuple[float, dict[str, float] | None, dict[str, SignalFunction]]:
        return self.k, None if self.weights is None else dict(self.weights), dict(self.signals)

    def _scale(self, name: str, values: Signal) -> list[float | None]:
        descending = sorted(-value for value in values if is_present(value))
        return [
            1 / (self.k + _mean_rank(-value, descending)) if is_present(value) else None
            for value in values
        ]

    def _total(
        self, present: Sequence[tuple[float, float]], weights: Mapping[str, float]
    ) -> float | None:
        mean = _mean(present)
        return None if mean is None else mean * math.fsum(weights.values())


def _filled(values: Signal, is_estimated: bool) -> Signal:
    # a scorer that told nothing at all is missing: there is nothing to estimate from
    if is_estimated and any(is_present(value) for value in values):
        return estimate(values)
    return values


def _mean(weighted: Sequence[tuple[float, float]]) -> float | None:
    """The weighted mean, within its values whatever their size; None of nothing."""
    counted = [(weight, value) for weight, value in weighted if weight]
    if not counted:
        return None
    total = math.fsum(weight for weight, _ in counted)
    mean = sum(weight / total * value for weight, value in counted)
    # rounding may step outside, which 0..1 must not
    return min(max(mean, min(value for _, value in counted)), max(value for _, value in counted))


def _mean_rank(value: float, ascending: Sequence[float]) -> float:
    return (bisect_left(ascending, value) + bisect_right(ascending, value) + 1) / 2


def _length(signals: Mapping[str, Signal]) -> int:
    lengths = {name: len(values) for name, values in signals.items()}
    if len(set(lengths.values())) > 1:
        raise ConfigurationError(f"signals of one ranking are equally long, not {lengths}")
    return next(iter(lengths.values()), 0)


def _check_there(there: Collection[str], wanted: Collection[str]) -> None:
    absent = [name for name in wanted if name not in there]
    if absent:
        raise ConfigurationError(
            f"no signal {', '.join(map(repr, absent))}: there are "
            f"{', '.join(sorted(map(repr, there)))}; add yours with signals={{name: function}}"
        )


def _checked_weights(weights: Mapping[str, float]) -> dict[str, float]:
    if not weights:
        raise ConfigurationError(
            "no weights: name the signals, such as {'retrieval': 0.5, 'bm25': 0.5}"
        )
    checked: dict[str, float] = {}
    for name, weight in weights.items():
        try:
            checked[name] = float(weight)
        except (TypeError, ValueError):
            raise ConfigurationError(f"the weight of {name!r} is no number: {weight!r}") from None
        if not 0 <= checked[name] < math.inf:
            raise ConfigurationError(
                f"the weight of {name!r} is {weight!r}: use a finite number of 0 or more"
            )
    if not any(checked.values()):
        raise ConfigurationError("all weights are 0: give one signal more")
    if math.isinf(sum(checked.values())):
        raise ConfigurationError("the weights add up to infinity: only their ratios count")
    return checked


def _arguments(
    values: Mapping[str, Any], optional: set[str], required: set[str] | None = None
) -> dict[str, Any]:
    required = required or set()
    unknown, absent = set(values) - optional - required, required - set(values)
    if unknown or absent:
        raise ConfigurationError(
            f"unknown keys {sorted(unknown)}, missing keys {sorted(absent)}: "
            f"there are {', '.join(sorted(optional | required))}"
        )
    return {**values, "signals": signals_from_dict(values.get("signals") or {})}
