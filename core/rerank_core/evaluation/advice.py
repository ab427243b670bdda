"""What the reader of an evaluation should know beside the numbers, in sentences."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from .collection import Collection
from .compare import Comparison
from .costs import Costs
from .judged import unjudged
from .run import Run, called
from .verdict import no_room

#: Fewer judged queries than this tell little, whatever the numbers say.
FEW = 25
#: More scores than this share tied, and how ties are broken matters.
MANY_TIES = 0.05
#: Candidates whose best order does not reach this hold every reranker back.
LOW_CEILING = 0.8

#: A difference that takes so many times the queries to show is none.
FAR = 20

System = tuple[Run, Costs | None, Mapping[str, Comparison]]


def advice(
    collection: Collection,
    measure: str,
    systems: Sequence[System],
    *,
    reached: float,
    ceiling: float,
    ideal: float,
) -> list[str]:
    """Sentences on the judgements, and on each system (the base first) in this measure.

    `reached`: what the base has; `ceiling`: what the candidates in their best order would reach;
    `ideal`: what all documents judged relevant would, less than 1 where queries have none.
    """
    found = [*_on_judgements(collection), *_on_ceiling(collection, measure, ceiling, ideal)]
    for run, costs, against in systems:
        found += _on_run(run, collection)
        if run is not systems[0][0]:
            found += on_unjudged(run, collection)
        if costs is not None:
            found += _on_costs(run.name, costs)
        if (compared := against.get(measure)) is not None:
            room = not no_room(reached, max(ceiling, reached + compared.difference.mean))
            found += _on_comparison(run.name, measure, compared, room=room)
    return found


def _on_judgements(collection: Collection) -> Iterator[str]:
    judged, asked = len(collection.qrels), len(collection.candidates)
    if not judged:
        yield (
            "no query is judged: this cannot say which order is better, only how the systems "
            f"agree and what they move. Some {2 * FEW} judged queries would begin to tell"
        )
        return
    if collection.provenance is not None:
        yield collection.provenance.sentence
    if judged < FEW:
        yield (
            f"only {judged} judged queries: too few to tell systems apart unless they are far "
            f"apart; judge {2 * FEW} or more"
        )
    if unjudged := sum(query not in collection.qrels for query in collection.candidates):
        yield f"{unjudged} of {asked} queries are not judged and count for no measure"
    if unanswered := sum(query not in collection.candidates for query in collection.qrels):
        yield f"{unanswered} of {judged} judged queries have no candidates and count as 0"


def _on_ceiling(
    collection: Collection, measure: str, ceiling: float, ideal: float
) -> Iterator[str]:
    """What holds every order back: queries without anything relevant, or the retriever."""
    if without := collection.unanswerable:
        yield (
            f"{without} of {len(collection.qrels)} judged queries have no relevant document and "
            f"count as 0: with them no order of any documents has more than {ideal:.3f} {measure}. "
            "Judge what answers them, or leave them out"
        )
    # of what the judgements allow: a cutoff and queries without anything relevant are not its fault
    if collection.recall < 1 and ceiling < LOW_CEILING * ideal:
        missing = max(0.01, 1 - collection.recall)
        yield (
            f"no order of these candidates has more than {ceiling:.3f} {measure}, as {missing:.0%} "
            "of the relevant documents are not among them: retrieve more of them, or otherwise"
        )


def _on_run(run: Run, collection: Collection) -> Iterator[str]:
    if run.by_score and run.tied > MANY_TIES:
        yield (
            f"{run.name}: {run.tied:.0%} of the scores are shared by another document of the "
            "query; trec_eval, and so this table, breaks such ties by document id, not by rank"
        )
    missing = sum(query not in run.rankings for query in collection.qrels)
    if missing and run is not collection.base:
        yield f"{run.name}: {missing} judged queries are not in the run and count as 0"


def on_unjudged(run: Run, collection: Collection) -> Iterator[str]:
    """That the judgements favour the base over the run, where they do."""
    base = collection.base.orders()
    if (found := unjudged(base, run.orders(), collection.qrels)) is None:
        return
    down_to = f", and nothing below its rank {found.down_to}" if found.down_to else ""
    yield (
        f"{run.name}: {found.run:.0%} of its first ten are judged, {found.base:.0%} of those of "
        f"{called(collection.base.name)}{down_to}: unjudged counts as not relevant, so that its "
        "figures are too low. Judge the first ten of both before you rerank less; until then look "
        'at condensed lists and Bpref, -m "nDCG(judged_only=True)@10 Bpref"'
    )


def _on_costs(name: str, costs: Costs) -> Iterator[str]:
    if costs.degraded:
        reasons = ", ".join(f"{why} {count}×" for why, count in costs.reasons.items())
        yield (
            f"{name}: {costs.degraded:.0%} of the rankings were degraded ({reasons}), coverage "
            f"{costs.coverage:.0%}: its figures are those of a scorer that partly failed"
        )
    if costs.cache_hits:
        yield f"{name}: {costs.cache_hits} scores came from the cache, so latencies are too low"


def _on_comparison(name: str, measure: str, compared: Comparison, *, room: bool) -> Iterator[str]:
    difference = compared.difference
    if compared.significant or not difference.mean:
        return
    if difference.queries < 2:
        yield f"{name}: one query cannot tell a difference of {difference.mean:+.4f} from chance"
        return
    enough = difference.queries_to_tell
    worth = room and enough is not None and enough <= FAR * difference.queries
    more = f"; if it is real, about {enough} queries would show it" if worth else ""
    yield (
        f"{name}: the difference of {difference.mean:+.4f} {measure} may be chance "
        f"(p = {compared.p:.2f}); {difference.queries} queries like these show one of "
        f"{difference.detectable:.3f} or more{more}"
    )
