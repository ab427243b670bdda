"""Depth, weights and normalization chosen on judged queries, and what that choice is worth."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ..config import combination_table
from ..errors import ConfigurationError, InvalidInputError
from ..ranking.candidate import RETRIEVAL
from ..ranking.retrieval import RetrievalScore
from .advice import FEW, MANY_TIES, on_unjudged
from .collection import Collection
from .costs import Costs, costs_of
from .judged import judged_share
from .measures import parse, per_query
from .packages import package
from .pareto import Offer, front, offer
from .replay import replay, said_of
from .run import Run, called
from .selection import Columns, Table, chance, choose, cross_validate
from .settings import DEPTHS, RETRIEVER_ALONE, Setting, order, settings
from .signals import Signals, signals_of
from .significance import LEVEL
from .threshold import Threshold, fit_threshold

MEASURE = "nDCG@10"
#: By what is decided, in the words of the docs.
RULE = "of all that was tried it is likely to lose least on other queries"


@dataclass(frozen=True, slots=True)
class Tuning:
    """What came of it.

    `kept` is the setting to use, chosen by the rule of `selection` from all queries, and `quality`
    the measure on them of the reranker that it makes. `tuned` and `spread`: what that rule is worth
    on queries that it has not seen: mean and standard deviation over random splits, each query
    ranked by the setting that was chosen without it. `ends`: the measure of the retriever alone
    and of each scorer alone; `defaults`: of half and half, as the shipped default combines. `gain`
    is `tuned` less the better end, with its p. `picks`: how often which setting was chosen.
    `front`: what can be had for what. `said`: what the retriever's scores are. `judged`: of the
    ends, and of what is kept, the share (0..1) of the first ten that is judged.
    """

    measure: str
    queries: int
    ends: Mapping[str, float]
    defaults: Mapping[str, float]
    tuned: float
    spread: float
    gain: float
    p: float
    kept: Setting
    quality: float
    picks: Mapping[str, int]
    front: Sequence[Offer]
    threshold: Threshold | None
    notes: Sequence[str]
    said: RetrievalScore | None = None
    judged: Mapping[str, float] = field(default_factory=dict)

    @property
    def significant(self) -> bool:
        """Whether the gain over the better simple end is more than chance."""
        return self.gain > 0 and self.p < LEVEL

    def to_dict(self) -> dict[str, Any]:
        """As JSON-serialisable values."""
        return {
            "measure": self.measure,
            "queries": self.queries,
            "ends": dict(self.ends),
            "defaults": dict(self.defaults),
            "judged_10": dict(self.judged),
            "tuned": self.tuned,
            "spread": self.spread,
            "gain": self.gain,
            "p": self.p,
            "significant": self.significant,
            "kept": {
                "label": self.kept.label,
                "system": self.kept.system,
                "depth": self.kept.depth,
                "combine": None
                if self.kept.combination is None
                else combination_table(self.kept.combination),
                "quality": self.quality,
            },
            "picks": dict(self.picks),
            "front": [one.to_dict() for one in self.front],
            "threshold": None if self.threshold is None else self.threshold.to_dict(),
            "notes": list(self.notes),
        }


def tune(
    collection: Collection,
    runs: Mapping[str, Run],
    *,
    shallow: Mapping[str, Mapping[int, Run]] | None = None,
    measure: str = MEASURE,
    depths: Sequence[int] | None = None,
    max_seconds: float | None = None,
    max_cost: float | None = None,
    splits: int = 20,
    folds: int = 10,
    seed: int = 0,
    said: RetrievalScore | None = None,
) -> Tuning:
    """Choose how to rank `collection` with the scores in `runs`, by scorer.

    Each run holds one scorer's scores of the candidates: from `run_reranker` over a reranker
    without `combine`, or from a TREC file. `max_seconds` (p50) and `max_cost` (US dollars), both
    a query, leave out settings that take more, as far as the runs tell what they take. A scorer
    that looks at the whole list (`Run.whole_list`) has lesser depths tried only where `shallow`
    has a run of it at that depth, by scorer and depth. `said`: what the retriever's scores are, as
    in `Reranker`; None: by how they look. The same arguments give the same answer. Raises
    `InvalidInputError` where nothing is judged.
    """
    if not runs:
        raise InvalidInputError("nothing to tune: give a run or a scorer")
    if splits < 1:
        raise InvalidInputError(f"splits is {splits}: draw at least 1")
    if RETRIEVAL in runs:
        raise InvalidInputError(f"{RETRIEVAL!r} is the retriever's own signal: rename that run")
    (parsed,) = parse([measure])
    said, shallow = said or said_of(collection), shallow or {}
    signals = signals_of(collection, runs, shallow, said)
    if len(signals.queries) < 2:
        raise InvalidInputError("tuning takes judged queries with candidates, two at the least")
    np = package("numpy")
    costs = {name: costs_of(run) for name, run in runs.items()}
    fixed = {n: list(shallow.get(n, ())) for n, run in runs.items() if run.whole_list}
    tried = [
        setting
        for setting in settings(list(runs), signals.depth, depths, fixed)
        if _affordable(setting, signals.depth, costs, max_seconds, max_cost)
    ]
    values = np.stack([measured(s, signals, parsed, collection.qrels) for s in tried], axis=1)
    columns = Columns(tried)
    held_out, picked = cross_validate(values, columns, splits=splits, folds=folds, seed=seed)
    means = [float(mean) for mean in values.mean(0)]
    kept, end = choose(values, columns), max(columns.ends, key=means.__getitem__)
    gain, p = float(held_out.mean()) - means[end], chance(held_out.mean(0), values[:, end])
    chosen = tried[kept]
    run = _run_of(chosen, runs, shallow, next(iter(runs)))
    ranked = {
        one.label: replay(one, collection, runs.get(one.system or ""), said)
        for one in (tried[position] for position in columns.ends)
    }
    ranked[chosen.label] = replay(chosen, collection, run, said)
    written = _figures(parsed, ranked[chosen.label], collection, signals)
    threshold, on_threshold = fit_threshold(collection, run)
    return Tuning(
        measure=str(parsed),
        queries=len(signals.queries),
        ends={tried[position].label: means[position] for position in columns.ends},
        defaults={_half(tried[position]): means[position] for position in columns.defaults},
        tuned=float(held_out.mean()),
        spread=float(held_out.mean(1).std()),
        gain=gain,
        p=p,
        kept=chosen,
        quality=float(written.mean()),
        picks={tried[position].label: n for position, n in Counter(picked).most_common()},
        front=front(
            [
                offer(
                    position,
                    setting,
                    means[position],
                    signals.depth,
                    costs.get(setting.system or ""),
                )
                for position, setting in enumerate(tried)
            ]
        ),
        threshold=threshold,
        notes=[
            *_on_choice(chosen, tried[end], written, values[:, end]),
            *_on_retriever(chosen, values[:, kept], values[:, 0]),
            *_on_signals(chosen, signals, runs, shallow, said),
            *_on_data(signals, runs),
            *(
                note
                for name, run in runs.items()
                for note in on_unjudged(replace(run, name=name), collection)
            ),
            on_threshold,
        ],
        said=said,
        judged={
            label: share
            for label, one in ranked.items()
            if (share := judged_share(one.orders(), collection.qrels)) is not None
        },
    )


def _run_of(
    chosen: Setting, runs: Mapping[str, Run], shallow: Mapping[str, Mapping[int, Run]], first: str
) -> Run:
    name = chosen.system or first
    return shallow.get(name, {}).get(chosen.depth, runs[name])


def _half(setting: Setting) -> str:
    return f"half and half with {setting.system}"


def measured(
    setting: Setting, signals: Signals, measure: Any, qrels: Mapping[str, Mapping[str, int]]
) -> Table:
    """The measure of every query, ranked by the setting."""
    np = package("numpy")
    # no measure with a cutoff looks further than that
    cutoff = getattr(measure, "params", {}).get("cutoff") or signals.depth
    run = {}
    for query, ids, row in zip(signals.queries, signals.ids, order(setting, signals), strict=True):
        best = [ids[column] for column in row[: cutoff + 1] if column < len(ids)]
        run[query] = {doc: -float(position) for position, doc in enumerate(best)}
    found = per_query([measure], {q: qrels[q] for q in signals.queries}, run)[str(measure)]
    return np.array([found[query] for query in signals.queries])


def _figures(measure: Any, run: Run, collection: Collection, signals: Signals) -> Table:
    """The same for a run."""
    np = package("numpy")
    qrels = {query: collection.qrels[query] for query in signals.queries}
    found = per_query([measure], qrels, run.to_measure())[str(measure)]
    return np.array([found[query] for query in signals.queries])


def _affordable(
    setting: Setting,
    most: int,
    costs: Mapping[str, Costs | None],
    max_seconds: float | None,
    max_cost: float | None,
) -> bool:
    if setting.system is None:
        return True
    price = offer(0, setting, 0.0, most, costs[setting.system])
    for name, limit, asked in (
        ("max_seconds", max_seconds, price.seconds),
        ("max_cost", max_cost, price.cost),
    ):
        if limit is not None and asked is None:
            raise ConfigurationError(
                f"{name} is given, but what {setting.system} takes is not known"
            )
        if limit is not None and asked is not None and asked > limit:
            return False
    return True


def _on_choice(chosen: Setting, end: Setting, written: Table, best: Table) -> Iterator[str]:
    if chosen is end:
        yield f"{called(end.label)} is kept: {RULE}"
    elif float(written.mean() - best.mean()) < 0:
        yield (
            f"{called(end.label)} is a little better on these queries; {called(chosen.label)} "
            f"is kept: {RULE}"
        )
    elif (p := chance(written, best)) >= LEVEL:
        yield (
            f"that {chosen.label} is better than {called(end.label)} may be chance (p = {p:.2f}); "
            f"it is kept: {RULE}"
        )


def _on_retriever(kept: Setting, values: Table, retriever: Table) -> Iterator[str]:
    if kept.system is not None and (p := chance(values, retriever)) >= LEVEL:
        yield (
            f"{kept.label} is not better than {called(RETRIEVER_ALONE.label)} by more than chance "
            f"(p = {p:.2f}), and the retriever costs nothing"
        )


def _on_signals(
    kept: Setting,
    signals: Signals,
    runs: Mapping[str, Run],
    shallow: Mapping[str, Mapping[int, Run]],
    said: RetrievalScore | None,
) -> Iterator[str]:
    if kept.combined:
        yield (
            f"it takes the retriever's scores ({said}): where candidates come without them, their "
            "order stands in and the figure is another"
            if said
            else "candidates have no retrieval scores here, their order stands in: where they come "
            "with scores, the figure is another"
        )
    if kept.system is not None and kept.depth < signals.depth and runs[kept.system].by_score:
        yield (
            f"{kept.system} is taken to score a document alike however many are beside it; one "
            "that looks at the whole list gives another figure"
        )
    for name, run in runs.items():
        if run.whole_list and name not in shallow and signals.depth > min(DEPTHS):
            yield (
                f"{name} looks at the whole list: it is asked about fewer candidates only where "
                "depths are named"
            )


def _on_data(signals: Signals, runs: Mapping[str, Run]) -> Iterator[str]:
    if len(signals.queries) < FEW:
        yield f"only {len(signals.queries)} judged queries: what is chosen on so few may not last"
    for name, run in runs.items():
        known = {query: set(ranked.ids) for query, ranked in run.rankings.items()}
        absent = sum(
            doc not in known.get(query, ())
            for query, ids in zip(signals.queries, signals.ids, strict=True)
            for doc in ids
        )
        if absent:
            yield f"{name} leaves out {absent} candidates, which stay beneath those it has"
        if run.by_score and run.tied > MANY_TIES:
            yield f"{name}: {run.tied:.0%} of its scores are tied; the ranks in its file order them"
