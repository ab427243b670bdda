"""The one question: why does it not help?"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Collection as Several
from dataclasses import dataclass, replace
from statistics import fmean
from typing import Any, overload

from ..errors import InvalidInputError, Reason, ScorerError
from ..evaluation.collection import Collection
from ..evaluation.judged import counted
from ..evaluation.run import Ranked, Run
from ..protocols import Scorer, traits_of
from ..ranking.candidate import RAW, RETRIEVAL, Candidate, Document
from ..ranking.given import given
from ..ranking.ranking import DegradedError, Placed, Ranking, as_retrieved, ranked
from ..ranking.report import Report
from ..ranking.retrieval import retrieval_of
from ..reranker import Reranker
from . import (
    answers,
    astray,
    choice,
    combination,
    depth,
    inputs,
    judgements,
    position,
    probes,
    relation,
    scores,
    stages,
    steadiness,
    values,
)
from . import texts as seen
from .evidence import Case, Evidence, Setup, key, told_again
from .explains import EXPLAINS
from .finding import Cause, Finding
from .quality import as_ranked, ndcg
from .quality import as_retrieved as in_retrieved_order

#: Grades by document id, or just the relevant ones, by query.
Qrels = Mapping[str, Mapping[str, int] | Several[str]]
#: What came out at the end, by query: documents' ids, or their texts.
Served = Mapping[str, Sequence[str]]
#: Told of progress: how many queries are done, of how many.
Progress = Callable[[int, int], object]

_DETECTORS: Sequence[Callable[[Evidence], Iterator[Finding]]] = (
    answers.find,
    choice.idle,
    inputs.texts,
    inputs.queries,
    astray.find,
    inputs.ids,
    choice.find,
    stages.find,
    combination.scales,
    scores.wrong_way,
    seen.truncation,
    relation.unrelated,
    scores.ties,
    values.defaults,
    values.batches,
    steadiness.find,
    values.length,
    relation.echo,
    position.find,
    judgements.unjudged_finds,
    depth.find,
    seen.duplicates,
    combination.weights,
    relation.own_judgements,
    judgements.find,
)


@dataclass(frozen=True, slots=True)
class Diagnosis(Sequence[Finding]):
    """The findings, those that explain others first; none where nothing is wrong that is known.

    `untold`: what could not be looked for, and for want of what. `queries`: how many were looked
    at; `judged`: how many are judged, `unanswerable` of which have no relevant document and count
    as 0; the mean nDCG@10 (0..1) `before` and `after` reranking over all `judged`: all these as
    `rerank eval` counts.
    """

    findings: Sequence[Finding]
    untold: Sequence[str]
    queries: int
    judged: int
    before: float | None
    after: float | None
    unanswerable: int = 0

    def __len__(self) -> int:
        return len(self.findings)

    @overload
    def __getitem__(self, position: int) -> Finding: ...
    @overload
    def __getitem__(self, position: slice) -> Sequence[Finding]: ...
    def __getitem__(self, position: int | slice) -> Finding | Sequence[Finding]:
        return self.findings[position]

    @property
    def counted(self) -> str:
        """How many queries are judged, in words."""
        return counted(self.judged, self.unanswerable)

    @property
    def verdict(self) -> str:
        """What may be said where nothing was found: a loss is a loss, by chance or not."""
        if self.findings:
            return f"{len(self.findings)} found"
        if self.before is None or self.after is None:
            return "nothing found; whether reranking helps takes judgements"
        change = self.after - self.before
        if change < 0:
            return (
                f"no cause found, but reranking does not help here: nDCG@10 {change:+.4f} over "
                f"{self.counted}, which may be chance or a cause that is not known"
            )
        return f"nothing found that would keep it from helping: nDCG@10 {change:+.4f}"

    def __str__(self) -> str:
        return "\n".join(map(str, self.findings)) or self.verdict

    def to_dict(self) -> dict[str, Any]:
        """As JSON-serialisable values."""
        return {
            "queries": self.queries,
            "judged": self.judged,
            "unanswerable": self.unanswerable,
            "ndcg_10_before": self.before,
            "ndcg_10_after": self.after,
            "findings": [finding.to_dict() for finding in self.findings],
            "untold": list(self.untold),
        }


def diagnose(
    subject: Reranker | Run | Iterable[Ranking],
    queries: Collection | Mapping[str, Sequence[Document]] | None = None,
    qrels: Qrels | None = None,
    *,
    served: Served | None = None,
    probe: bool = True,
    progress: Progress | None = None,
) -> Diagnosis:
    """Find out why reranking does not help.

    `subject`: a reranker, which is asked now; rankings that it made (as `on_ranking=` gets them;
    several of the same documents in different orders tell of position bias); or a run over a
    collection. `queries`: documents by the query's text, or a judged collection; a list of
    rankings needs none. `qrels`: by the same keys, grades by document id (by position in the input
    where it has no id), or the relevant ids alone. `served`: what came out at the end of the
    pipeline, by the same keys, as ids or texts.

    With `probe` a reranker is asked some queries again, in other orders and with something added
    to long documents: about 20 rankings more. What is found beyond chance is named, and what
    cannot be known is not guessed. Judgements need the extra `eval`.

    >>> hits = diagnose(Reranker("bm25", top_n=5), {"red apples": ["a red apple", "a pear"]})
    >>> hits[0].cause, hits.judged
    (<Cause.NO_CHOICE: 'nothing_to_choose_from'>, 0)
    """
    asked = _asked(queries, qrels)
    served = served or {}
    if isinstance(subject, Reranker):
        if asked is None:
            raise InvalidInputError("diagnose(reranker, queries): which queries and documents?")
        evidence = _of_reranker(subject, asked, served, probe, progress)
    elif isinstance(subject, Run):
        if not isinstance(queries, Collection):
            raise InvalidInputError("diagnose(run, collection): a run needs its judged collection")
        evidence = _of_rankings(list(_from_run(subject, queries)), asked or {}, served)
        evidence = replace(evidence, shown=False)
    else:
        named = [(ranking.query, ranking) for ranking in subject]
        known: _Asked = {query: (query, [], _grades(told)) for query, told in (qrels or {}).items()}
        evidence = _of_rankings(named, known, served)
    if not evidence.cases:
        raise InvalidInputError("nothing to look at: no query, or none with candidates")
    if isinstance(queries, Collection):
        of, without = len(queries.qrels), queries.unanswerable
    else:
        of = sum(bool(case.grades) for case in evidence.cases)
        without = sum(bool(case.grades) and not case.relevant for case in evidence.cases)
    evidence = replace(evidence, in_all=of, unanswerable=without)
    return _conclude(evidence, probed=isinstance(subject, Reranker) and probe)


def _conclude(evidence: Evidence, *, probed: bool) -> Diagnosis:
    found = [finding for detect in _DETECTORS for finding in detect(evidence)]
    explained = {cause for finding in found for cause in EXPLAINS.get(finding.cause, ())}
    order = list(Cause)
    judged = bool(evidence.judged)
    return Diagnosis(
        sorted(
            (finding for finding in found if finding.cause not in explained),
            key=lambda finding: order.index(finding.cause),
        ),
        tuple(_untold(evidence, probed)),
        len(evidence.cases),
        evidence.in_all,
        fmean(ndcg(evidence, in_retrieved_order)) if judged else None,
        fmean(ndcg(evidence, as_ranked)) if judged else None,
        evidence.unanswerable,
    )


def _untold(evidence: Evidence, probed: bool) -> Iterator[str]:
    if not evidence.judged:
        yield (
            f"{Cause.RECALL}, {Cause.NO_ROOM}, {Cause.PHANTOM}, {Cause.WEIGHTS}, and whether "
            "reranking helps at all: these take judgements"
        )
    if all(case.served is None for case in evidence.cases):
        yield f"{Cause.LATER_STAGE}: this takes what came out at the end of the pipeline"
    if not probed:
        missing = "the reranker itself, to ask it again" if not evidence.shuffled else ""
        if missing:
            yield f"{Cause.POSITION}: this takes {missing}"
    if not any(hit.text for case in evidence.cases for hit in case.hits):
        yield f"{Cause.DUPLICATES}, {Cause.TRUNCATION}: these take the documents' texts"


# -- what to look at -------------------------------------------------------------------------------

#: Query text, documents and grades by the query's key.
_Asked = Mapping[str, tuple[str, Sequence[Document], Mapping[str, int] | None]]


def _asked(
    queries: Collection | Mapping[str, Sequence[Document]] | None, qrels: Qrels | None
) -> _Asked | None:
    if queries is None:
        return None
    if isinstance(queries, Collection):
        return {
            query: (queries.queries.get(query, ""), found, queries.qrels.get(query))
            for query, found in queries.candidates.items()
        }
    judged = {query: _grades(found) for query, found in (qrels or {}).items()}
    if judged and not judged.keys() & queries.keys():
        raise InvalidInputError("no key of qrels is a query: both go by the query's text")
    return {query: (query, documents, judged.get(query)) for query, documents in queries.items()}


def _grades(given: Mapping[str, int] | Several[str]) -> dict[str, int]:
    if isinstance(given, Mapping):
        return {str(doc): int(grade) for doc, grade in given.items()}
    return {str(doc): 1 for doc in given}


def _of_reranker(
    reranker: Reranker, asked: _Asked, served: Served, probe: bool, progress: Progress | None
) -> Evidence:
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


def _of_rankings(
    rankings: Sequence[tuple[str, Ranking]], asked: _Asked, served: Served
) -> Evidence:
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


def _from_run(run: Run, collection: Collection) -> Iterator[tuple[str, Ranking]]:
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
