"""Whether the student is any good: beside the teacher, the retriever and the default, on queries
that neither of them learned from."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

from .. import config
from ..evaluation.collection import Collection
from ..evaluation.compare import Comparison, compare
from ..evaluation.evaluation import Evaluation, Result, evaluate
from ..evaluation.run import Run
from ..evaluation.running import Progress
from ..ranking.candidate import RETRIEVAL
from ..reranker import Reranker
from ..runtime.numbers import is_present

RETRIEVER, DEFAULT, TEACHER, STUDENT, INT8 = (
    "retriever",
    "default",
    "teacher",
    "student",
    "student int8",
)
#: int8 is named in the file where it loses no more than this of the measure to full precision.
SAME_AS_FP32 = 0.005

#: What a student's signal weighs beside the retriever's scores, where both together are better.
_HALVES = {
    "kind": "weighted-sum",
    "weights": {RETRIEVAL: 0.5, "onnx": 0.5},
    "normalize": "z-score",
}


def table(folder: Path, *, int8: bool, mixed: bool, depth: int) -> dict[str, Any]:
    """The student as a configuration file has it: what is measured is what is written."""
    scorer: dict[str, Any] = {"use": f"onnx:{folder.resolve()}"}
    if int8:
        scorer["precision"] = "int8"
    made = {"scorer": scorer, "depth": depth}
    return {**made, "combine": dict(_HALVES)} if mixed else made


def helps_to_mix(folder: Path, stopping: Collection, measure: str) -> bool:
    """Whether student and retriever together beat the student alone on the stopping queries.

    False where these are not judged, or the retriever gave no scores.
    """
    scored = all(is_present(c.score) for found in stopping.candidates.values() for c in found)
    if not stopping.qrels or not scored:
        return False
    systems = {
        mixed: _reranker(folder, int8=True, mixed=mixed, depth=stopping.deepest)
        for mixed in (False, True)
    }
    try:
        found = evaluate(
            stopping, {str(mixed): made for mixed, made in systems.items()}, measures=(measure,)
        )
    finally:
        for made in systems.values():
            made.close()
    alone, mixed = (next(iter(one.means.values())) for one in found.systems)
    return mixed > alone


def measure(
    folder: Path,
    held_out: Collection,
    teacher: Run,
    *,
    measure: str,
    mixed: bool,
    progress: Progress | None = None,
) -> Evaluation:
    """All five of them, the retriever as the base."""
    depth = held_out.deepest
    base = replace(held_out.base, name=RETRIEVER)
    with ExitStack() as stack:
        there = {query: teacher.rankings[query] for query in held_out.candidates}
        systems: dict[str, Reranker | Run] = {TEACHER: replace(teacher, rankings=there)}
        systems[DEFAULT] = stack.enter_context(Reranker(top_n=None))
        for name, int8 in ((STUDENT, False), (INT8, True)):
            made = _reranker(folder, int8=int8, mixed=mixed, depth=depth)
            systems[name] = stack.enter_context(made)
        return evaluate(
            replace(held_out, base=base), systems, measures=(measure,), progress=progress
        )


def against(found: Evaluation, student: str) -> dict[str, Comparison]:
    """The student minus the retriever, and minus the default.

    Each with its own p: both must hold, so that there is nothing to correct for (an
    intersection-union test, Berger 1982).
    """
    by_query = {one.name: one.by_query[found.measures[0]] for one in found.results}
    mine = by_query[student]
    return {name: compare(by_query[name], [mine])[0] for name in (RETRIEVER, DEFAULT)}


def wins(compared: Mapping[str, Comparison]) -> bool:
    """Whether it is better than both, and by more than chance."""
    return all(one.difference.mean > 0 and one.significant for one in compared.values())


def documents_a_second(result: Result, held_out: Collection) -> float | None:
    """How fast it was; None for a run that was read, which does not tell, or a cache's."""
    seconds = pairs = 0.0
    for query, ranked in result.run.rankings.items():
        if ranked.report is None or ranked.report.cache_hits:
            return None
        seconds += ranked.report.seconds
        pairs += len(held_out.candidates[query])
    return pairs / seconds if seconds else None


def share_kept(means: Mapping[str, float]) -> float | None:
    """The student's gain over the retriever as a share of the teacher's; None where that has none.

    >>> share_kept({"retriever": 0.5, "teacher": 0.7, "student": 0.6})
    0.5
    """
    gain = means[TEACHER] - means[RETRIEVER]
    if gain <= 0:
        return None
    return round((means[STUDENT] - means[RETRIEVER]) / gain, 6)


def detectable(found: Evaluation) -> float:
    """The least gain of the student's that as many queries would show, 4 times of 5; inf: none."""
    student = next(one for one in found.systems if one.name == STUDENT)
    return student.against[found.measures[0]].difference.detectable


def _reranker(folder: Path, *, int8: bool, mixed: bool, depth: int) -> Reranker:
    made = table(folder, int8=int8, mixed=mixed, depth=depth)
    return Reranker(**config.options(made, top_n=None))
