"""The one question: why does it not help?"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import fmean
from typing import Any, overload

from ..errors import InvalidInputError
from ..evaluation.collection import Collection
from ..evaluation.judged import counted
from ..evaluation.run import Run
from ..ranking.candidate import Document
from ..ranking.ranking import Ranking
from ..reranker import Reranker
from . import (
    answers,
    astray,
    choice,
    combination,
    depth,
    gathering,
    inputs,
    judgements,
    position,
    relation,
    scores,
    stages,
    steadiness,
    values,
)
from . import texts as seen
from .evidence import Evidence
from .explains import EXPLAINS
from .finding import Cause, Finding
from .quality import as_ranked, ndcg
from .quality import as_retrieved as in_retrieved_order

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
    qrels: gathering.Qrels | None = None,
    *,
    served: gathering.Served | None = None,
    probe: bool = True,
    progress: gathering.Progress | None = None,
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
    asked = gathering.asked(queries, qrels)
    served = served or {}
    if isinstance(subject, Reranker):
        if asked is None:
            raise InvalidInputError("diagnose(reranker, queries): which queries and documents?")
        evidence = gathering.of_reranker(subject, asked, served, probe, progress)
    elif isinstance(subject, Run):
        if not isinstance(queries, Collection):
            raise InvalidInputError("diagnose(run, collection): a run needs its judged collection")
        evidence = gathering.of_rankings(
            list(gathering.from_run(subject, queries)), asked or {}, served
        )
        evidence = replace(evidence, shown=False)
    else:
        named = [(ranking.query, ranking) for ranking in subject]
        known: gathering.Asked = {
            query: (query, [], gathering.grades_of(told)) for query, told in (qrels or {}).items()
        }
        evidence = gathering.of_rankings(named, known, served)
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
