"""From what was scored to an order: signals combined, what is missing placed by estimate.

Pure; every list is in the order so far: the retriever's, or that of the stage before.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from ..ranking.candidate import RAW, RETRIEVAL, Candidate
from .combination import Combination, Evidence, WeightedSum
from .estimate import TRUST
from .estimate import order as estimated_order

Signal = Sequence[float | None]
NOTHING: Mapping[str, Signal] = MappingProxyType({})


class Scoring(NamedTuple):
    """What one scorer found: its scores, and what they were before they were mapped to 0..1."""

    name: str
    scores: Signal
    raw: Signal
    #: How far it trusts them beside other signals, 0..1.
    trust: float = 1.0

    @property
    def empty(self) -> bool:
        """Whether nothing was scored."""
        return self.scores.count(None) == len(self.scores)

    def components(self) -> dict[str, Signal]:
        """The scores under its name, and the raw ones beside them where there are any."""
        if self.raw.count(None) == len(self.raw):
            return {self.name: self.scores}
        return {self.name: self.scores, self.name + RAW: self.raw}


class Fused(NamedTuple):
    """The order (positions, best first), each candidate's score, and the signals behind it."""

    order: Sequence[int]
    scores: Signal
    components: Mapping[str, Signal]
    problems: Sequence[str] = ()
    #: How they were combined, where there is something to say.
    note: str | None = None
    #: Whether the combination wanted the retriever's scores and has them of some alone, or was made
    #: for them and has none.
    lacking: bool = False


def fuse(
    query: str,
    listed: Sequence[Candidate],
    retrieval: Scoring,
    found: Sequence[Scoring],
    fallback: Scoring | None,
    combine: Combination | None,
    *,
    ranks: bool = True,
    ordered: bool = False,
    retrieved: Sequence[int] | None = None,
    earlier: Mapping[str, Signal] = NOTHING,
    order_trust: float = TRUST,
) -> Fused:
    """The best order that the scores at hand allow.

    Where a scorer found nothing, the `fallback` takes its place; where it found something, the
    rest is estimated from the fallback's order instead of the order so far. `retrieved`: each
    one's place in the retriever's order, where that is another one, and `ranks`: whether that may
    stand in where `combine` wants the retriever's scores and some lack one; `ordered`: whether a
    retriever is known to have put that order. `earlier`: what the scorers of stages before this one
    said, which `combine` may weigh too. `order_trust`: in the order so far, as `estimate` takes it.
    """
    used = [fallback if scoring.empty and fallback else scoring for scoring in found]
    components: dict[str, Signal] = {}
    if not retrieval.empty:
        components |= retrieval.components()
    for scoring in (*found, *([fallback] if fallback else [])):
        components |= scoring.components()
    if all(scoring.empty for scoring in used):
        return Fused(range(len(listed)), [None] * len(listed), components)
    if combine is None:
        (only,) = used
        beneath = fallback if fallback is not None and only is not fallback else None
        return Fused(_order(only.scores, beneath, order_trust), only.scores, components)
    known = retrieval.scores
    if ranks and None in known:  # then the retriever's order still says something
        known = _by_rank(range(len(listed)) if retrieved is None else retrieved)
    signals = {**earlier, RETRIEVAL: known}
    said = {asked.name: scoring.scores for asked, scoring in zip(found, used, strict=True)}
    trust = {asked.name: scoring.trust for asked, scoring in zip(found, used, strict=True)}
    lacking = ranks and None in retrieval.scores and _by_scores(combine)
    tuned_in = combine.tuned_in
    combine, note = combine.for_ranking(Evidence(retrieval.scores, ordered, trust))
    combined = _combined(query, listed, {**signals, **said}, found, used, combine, components)
    if lacking and note is None:
        note = _without_scores(retrieval, tuned_in)
    else:  # the embedded default knows what to do for want of any
        lacking = lacking and not retrieval.empty
    return combined._replace(note=note, lacking=lacking)


def _by_scores(combine: Combination) -> bool:
    """Whether it weighs what the retriever's scores say beyond their order."""
    if not isinstance(combine, WeightedSum) or not combine.weights.get(RETRIEVAL):
        return False
    how = combine.normalize
    return (how if isinstance(how, str) else how.get(RETRIEVAL)) != "rank"


def _without_scores(retrieval: Scoring, tuned_in: str | None) -> str:
    missing = "no candidate has" if retrieval.empty else "not every candidate has"
    wanted = "the combination weighs" if tuned_in is None else f"{tuned_in} was tuned with"
    return f"{missing} a retriever's score, which {wanted}: the retriever's order stands in"


def _order(scores: Signal, beneath: Scoring | None, trust: float) -> list[int]:
    if beneath is None:
        return estimated_order(scores, trust=trust)
    base = estimated_order(beneath.scores)
    return [base[position] for position in estimated_order([scores[position] for position in base])]


def _by_rank(retrieved: Sequence[int]) -> list[float]:
    """A number by retrieval rank: the best of n has n, the last 1."""
    numbers = {place: float(len(retrieved) - rank) for rank, place in enumerate(sorted(retrieved))}
    return [numbers[place] for place in retrieved]


def _combined(
    query: str,
    listed: Sequence[Candidate],
    signals: dict[str, Signal],
    found: Sequence[Scoring],
    used: Sequence[Scoring],
    combine: Combination,
    components: dict[str, Signal],
) -> Fused:
    earlier = signals.keys() - {RETRIEVAL, *(scoring.name for scoring in found)}
    names = signals.keys() - {RETRIEVAL}
    static, problems = combine.compute_signals(query, listed)
    signals |= static
    total = combine.combine(signals, estimated=names)
    for name, values in combine.components(signals, estimated=names).items():
        if name in earlier:
            continue  # that is shown as its own stage has it
        if list(values) != list(signals[name]):
            components.setdefault(name + RAW, signals[name])
        components[name] = values
    scores = [
        None if any(scoring.scores[position] is None for scoring in used) else total[position]
        for position in range(len(listed))
    ]
    return Fused(estimated_order(total), scores, components, problems)
