"""What the doctor looks at: what a reranker does when it is asked, rankings that it made, a run."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from collections.abc import Collection as Several
from dataclasses import replace

from ..errors import InvalidInputError, Reason, ScorerError
from ..evaluation.collection import Collection
from ..evaluation.run import Ranked, Run
from ..protocols import Scorer, traits_of
from ..ranking.candidate import RAW, RETRIEVAL, Candidate, Document
from ..ranking.given import given
from ..ranking.ranking import DegradedError, Placed, Ranking, as_retrieved, ranked
from ..ranking.report import Report
from ..ranking.retrieval import retrieval_of
from ..reranker import Reranker
from . import probes
from .evidence import Case, Evidence, Setup, key, told_again

#: Grades by document id, or just the relevant ones, by query.
Qrels = Mapping[str, Mapping[str, int] | Several[str]]
#: What came out at the end, by query: documents' ids, or their texts.
Served = Mapping[str, Sequence[str]]
#: Told of progress: how many queries are done, of how many.
Progress = Callable[[int, int], object]
#: Query text, documents and grades by the query's key.
Asked = Mapping[str, tuple[str, Sequence[Document], Mapping[str, int] | None]]


def asked(
    queries: Collection | Mapping[str, Sequence[Document]] | None, qrels: Qrels | None
) -> Asked | None:
    """What `diagnose` was given, by query; None where that is nothing.

    Raises `InvalidInputError` for judgements of other queries.
    """
    if queries is None:
        return None
    if isinstance(queries, Collection):
        return {
            query: (queries.queries.get(query, ""), found, queries.qrels.get(query))
            for query, found in queries.candidates.items()
        }
    judged = {query: grades_of(found) for query, found in (qrels or {}).items()}
    if judged and not judged.keys() & queries.keys():
        raise InvalidInputError("no key of qrels is a query: both go by the query's text")
    return {query: (query, documents, judged.get(query)) for query, documents in queries.items()}


def grades_of(given: Mapping[str, int] | Several[str]) -> dict[str, int]:
    """Grades by document id; of relevant ones alone 1 each."""
    if isinstance(given, Mapping):
        return {str(doc): int(grade) for doc, grade in given.items()}
    return {str(doc): 1 for doc in given}


def of_reranker(
    reranker: Reranker, asked: Asked, served: Served, probe: bool, progress: Progress | None
) -> Evidence:
    """What the reranker does now, and with `probe` some queries asked again in other ways."""
    setup = _setup(reranker)
    # nobody who counts rankings hears of these
    quiet = reranker.replace(on_ranking=None, shadow=None)
    cases = []
    for done, (query, (text, documents, grades)) in enumerate(asked.items(), start=1):
        ranking = _rank(quiet, text, [*given(text, documents).candidates])
        if ranking.all:
            cases.append(_case(ranking, grades, served.get(query)))
        if progress is not None:
            progress(done, len(asked))
    if not probe or not any(hit.components for case in cases for hit in case.hits):
        return Evidence(cases, setup)
    again, shuffled = probes.asked_again(quiet, cases)
    return Evidence(cases, setup, shuffled, probes.visible_chars(quiet, setup, cases), again)


def _rank(reranker: Reranker, query: str, candidates: list[Candidate]) -> Ranking:
    try:
        return reranker.rank(query, candidates)
    except DegradedError as error:
        return error.ranking
    except ScorerError as error:  # a refused key or model: what it does is part of the answer
        retrieval = retrieval_of(candidates, reranker.retrieval_score)
        hits = ranked(as_retrieved(retrieval), candidates, candidates)
        reason = error.reason if isinstance(error.reason, Reason) else Reason.SCORER
        report = Report(coverage=0.0, degraded=True, reasons=(reason,), notes=(str(error),))
        return Ranking(query, hits, reranker.top_n, report)


def _setup(reranker: Reranker) -> Setup:
    sizes = {
        name: size
        for name, scorer in reranker.scorers.items()
        if (size := traits_of(scorer).batch_size or _group_size(scorer))
    }
    return Setup(
        scorers=list(reranker.scorers),
        combine=reranker.combine,
        combined=reranker.combine is not None,
        top_n=reranker.top_n,
        threshold=reranker.threshold,
        depth=reranker.depth,
        group_sizes=sizes,
    )


def _group_size(scorer: Scorer) -> int | None:
    """Of its own, or of the strategy by which it asks a model."""
    sizes = (
        getattr(whose, name, None)
        for whose in (scorer, getattr(scorer, "strategy", None))
        for name in ("group_size", "window")
    )
    return next((size for size in sizes if size), None)


def of_rankings(rankings: Sequence[tuple[str, Ranking]], asked: Asked, served: Served) -> Evidence:
    """Rankings by query; those of the same documents are one case and its repeats."""
    cases: list[Case] = []
    known: dict[tuple[str, frozenset[str]], int] = {}
    for query, ranking in rankings:
        if not ranking.all:
            continue
        same = (ranking.query, frozenset(hit.text for hit in ranking.all))
        if same in known and ranking.query:
            first = cases[known[same]]
            cases[known[same]] = replace(first, repeats=(*first.repeats, ranking))
            continue
        known[same] = len(cases)
        grades = asked[query][2] if query in asked else None
        cases.append(_case(ranking, grades, served.get(query)))
    names = {
        name
        for case in cases
        for name in case.hits[0].components
        if not name.endswith(RAW) and name not in (RETRIEVAL, "recency")
    }
    scorers = sorted(names)
    combined = len(scorers) > 1 or any(
        hit.score is not None and hit.components.get(scorers[0], hit.score) != hit.score
        for case in cases
        for hit in case.hits[: 1 if scorers else 0]
    )
    tops = [case.ranking.top_n for case in cases if case.ranking.top_n is not None]
    setup = Setup(
        scorers=scorers, combined=combined, top_n=max(tops) if len(tops) == len(cases) else None
    )
    again, shuffled = told_again(cases)
    return Evidence(cases, setup, shuffled, again=again)


def from_run(run: Run, collection: Collection) -> Iterator[tuple[str, Ranking]]:
    """The run's rankings of the collection's candidates, as the reranker would have given them."""
    for query, candidates in collection.candidates.items():
        if query not in run.rankings:
            continue
        told = run.rankings[query]
        index = {str(candidate.id): n for n, candidate in enumerate(candidates)}
        retrieved = {hit.index: hit.retrieved for hit in as_retrieved(retrieval_of(candidates))}
        score = dict(zip(told.ids, told.scores, strict=True))
        ids = [doc for doc in told.ids if doc in index]
        ids += [doc for doc in index if doc not in score]
        placed = [
            Placed(
                index[doc],
                retrieved[index[doc]],
                score.get(doc),
                _components(told, doc, score, candidates[index[doc]].score, run.name),
            )
            for doc in ids
        ]
        hits = ranked(placed, candidates, candidates)
        report = told.report or Report()
        yield query, Ranking(collection.queries.get(query, ""), hits, None, report)


def _components(
    told: Ranked, doc: str, score: Mapping[str, float | None], retrieval: float | None, name: str
) -> dict[str, float | None]:
    if told.components:
        at = list(told.ids).index(doc) if doc in score else None
        return {
            signal: None if at is None else values[at] for signal, values in told.components.items()
        }
    return {RETRIEVAL: retrieval, name: score.get(doc)}


def _case(ranking: Ranking, grades: Mapping[str, int] | None, served: Sequence[str] | None) -> Case:
    """With judgements and what was served by document keys, where they came by texts."""
    by_text = {hit.text: key(hit) for hit in ranking.all}
    keys = set(by_text.values())
    if grades is not None:
        grades = {
            doc if doc in keys else by_text.get(doc, doc): grade for doc, grade in grades.items()
        }
    if served is not None:
        served = [doc if doc in keys else by_text.get(doc, doc) for doc in map(str, served)]
    return Case(ranking, grades, served)
