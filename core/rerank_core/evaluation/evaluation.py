"""Rerankers and runs, measured over the same queries and compared with the base."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from statistics import fmean
from typing import Any

from ..errors import InvalidInputError
from ..reranker import Reranker
from ..runtime.deadline import Timeout
from .advice import advice
from .collection import Collection
from .compare import Comparison, compare
from .costs import Costs, costs_of
from .idle import said_of_idle
from .journal import Journal
from .judged import condensed, judged_share
from .measures import DEFAULT, PerQuery, parse, per_query
from .pairs import Pair, every_pair, pair_of
from .provenance import own_judge
from .run import Run
from .running import Progress, run_reranker
from .unjudged import Agreement, Movement, agreements, movement
from .verdict import verdict


@dataclass(frozen=True, slots=True)
class Result:
    """One system: its run, its measures (the mean, and by query), what it cost, how it compares.

    `against` has the comparison with the base by measure; empty for the base itself. In the measure
    that decides its p is corrected for all pairs of systems, else for the systems. `judged`: the
    share (0..1) of its first ten that is judged, Judged@10; `condensed`: the mean of the measure
    that decides where the rest is left out. Both None without judgements. `own_judge`: the model
    that both ranked and judged, where one did: these figures say nothing good of it.
    """

    run: Run
    means: Mapping[str, float]
    by_query: Mapping[str, PerQuery]
    costs: Costs | None
    movement: Movement
    against: Mapping[str, Comparison] = field(default_factory=dict)
    judged: float | None = None
    condensed: float | None = None
    own_judge: str | None = None

    @property
    def name(self) -> str:
        """The system's name."""
        return self.run.name

    def to_dict(self) -> dict[str, Any]:
        """As JSON-serialisable values."""
        return {
            "system": self.name,
            "measures": dict(self.means),
            "judged_10": self.judged,
            "condensed": self.condensed,
            "own_judge": self.own_judge,
            "against_base": {name: found.to_dict() for name, found in self.against.items()},
            "costs": None if self.costs is None else self.costs.to_dict(),
            "movement": self.movement.to_dict(),
            "by_query": {name: dict(values) for name, values in self.by_query.items()},
        }


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What came of it: the base, every system, and what its reader should know (`notes`).

    `measures`: their names; the first is the one that decides. `ceiling`: the mean of each that
    the candidates in their best order would have. `overhead`: seconds a query of
    evaluation beside the rerankers' own. `pairs`: every two systems compared in the measure that
    decides. `verdict`: what came of it, in a sentence or two.
    """

    collection: Collection
    measures: Sequence[str]
    base: Result
    systems: Sequence[Result]
    ceiling: Mapping[str, float]
    notes: Sequence[str]
    overhead: float
    pairs: Sequence[Pair] = ()
    verdict: str = ""

    @property
    def results(self) -> list[Result]:
        """The base and the systems."""
        return [self.base, *self.systems]

    def agreements(self) -> list[Agreement]:
        """Between every two of the runs, the base among them."""
        return agreements([result.run for result in self.results])

    def to_dict(self) -> dict[str, Any]:
        """As JSON-serialisable values."""
        provenance = self.collection.provenance
        return {
            "verdict": self.verdict,
            "judged_by": None if provenance is None else provenance.to_dict(),
            "queries": len(self.collection.candidates),
            "judged": len(self.collection.qrels),
            "recall": self.collection.recall,
            "ceiling": dict(self.ceiling),
            "measures": list(self.measures),
            "systems": [result.to_dict() for result in self.results],
            "pairs": [pair.to_dict() for pair in self.pairs],
            "agreements": [agreement.to_dict() for agreement in self.agreements()],
            "notes": list(self.notes),
            "overhead_seconds_per_query": self.overhead,
        }


def evaluate(
    collection: Collection,
    systems: Mapping[str, Reranker | Run],
    *,
    measures: Sequence[str] = DEFAULT,
    journal: Journal | None = None,
    timeout: Timeout = None,
    at_once: int = 1,
    progress: Progress | None = None,
) -> Evaluation:
    """Measure every system over the collection and compare it with the collection's base.

    `systems`: rerankers, which are asked now (see `run_reranker` for `journal`, `timeout` and
    `at_once`), or runs that are there already, by name. A collection without judgements has no
    measures; agreement, movement and costs remain. Raises `InvalidInputError` for a measure that
    there is not.
    """
    started, spent = time.perf_counter(), 0.0
    parsed = parse(measures)
    runs = [collection.base]
    if collection.base.name in systems:  # a run "bm25" as the base of the scorer "bm25"
        runs = [replace(collection.base, name=f"{collection.base.name} (base)")]
    for name, system in systems.items():
        if isinstance(system, Run):
            if not system.rankings.keys() & collection.candidates.keys():
                raise InvalidInputError(
                    f"{name} answers none of the queries: the ids do not match; it has "
                    f"{next(iter(system.rankings), None)!r}, the collection "
                    f"{next(iter(collection.candidates), None)!r}"
                )
            runs.append(Run(name, system.rankings, system.by_score))
            continue
        asked = time.perf_counter()
        runs.append(
            run_reranker(
                name,
                system,
                collection,
                journal=journal,
                timeout=timeout,
                at_once=at_once,
                progress=progress,
            )
        )
        spent += _own_seconds(runs[-1], time.perf_counter() - asked, at_once)
    by_query = [per_query(parsed, collection.qrels, run.to_measure()) for run in runs]
    names = [str(measure) for measure in parsed]
    against = _against(names, by_query) if collection.qrels else [{} for _ in runs[1:]]
    pairs = []
    if collection.qrels:
        decide = {run.name: of[names[0]] for run, of in zip(runs, by_query, strict=True)}
        pairs = every_pair(decide)
        for compared, run in zip(against, runs[1:], strict=True):  # one pair has one p
            if (pair := pair_of(pairs, runs[0].name, run.name)) is not None:
                compared[names[0]] = pair.comparison
    own = [own_judge(collection.provenance, run.name, systems.get(run.name)) for run in runs]
    results = [
        Result(
            run,
            _means(found),
            found,
            costs_of(run),
            movement(collection.base, run),
            compared,
            judged_share(run.orders(), collection.qrels),
            _condensed(parsed[0], run, collection),
            judge,
        )
        for run, found, compared, judge in zip(runs, by_query, [{}, *against], own, strict=True)
    ]
    ceiling, ideal = (
        _means(per_query(parsed, collection.qrels, best.to_measure()))
        for best in (collection.best(), collection.ideal())
    )
    notes = advice(
        collection,
        names[0],
        [(r.run, r.costs, r.against) for r in results],
        reached=results[0].means.get(names[0], 0.0),
        ceiling=ceiling.get(names[0], 1.0),
        ideal=ideal.get(names[0], 1.0),
    )
    idle = {r.name: said_of_idle(r.run, runs[0], systems.get(r.name)) for r in results[1:]}
    overhead = time.perf_counter() - started - spent
    return Evaluation(
        collection,
        names,
        results[0],
        results[1:],
        ceiling,
        notes,
        max(0.0, overhead) / max(1, len(collection.candidates)),
        pairs,
        verdict(
            names[0],
            {result.name: result.means[names[0]] for result in results if result.means},
            pairs,
            {result.name: result.own_judge for result in results if result.own_judge},
            collection.provenance,
            idle={name: said for name, said in idle.items() if said is not None},
            ceiling=ceiling.get(names[0], 1.0),
        ),
    )


def _condensed(measure: Any, run: Run, collection: Collection) -> float | None:
    if not collection.qrels:
        return None
    left = condensed(run.orders(), collection.qrels)
    return fmean(per_query([measure], collection.qrels, left)[str(measure)].values())


def _means(by_query: Mapping[str, PerQuery]) -> dict[str, float]:
    return {name: fmean(values.values()) for name, values in by_query.items() if values}


def _own_seconds(run: Run, wall: float, at_once: int) -> float:
    """How much of the wall time the reranker itself had."""
    reports = [ranked.report for ranked in run.rankings.values() if ranked.report is not None]
    return min(wall, sum(report.seconds for report in reports) / at_once)


def _against(
    names: Sequence[str], by_query: Sequence[Mapping[str, PerQuery]]
) -> list[dict[str, Comparison]]:
    compared = {
        name: compare(by_query[0][name], [found[name] for found in by_query[1:]]) for name in names
    }
    return [
        {name: compared[name][position] for name in names} for position in range(len(by_query) - 1)
    ]
