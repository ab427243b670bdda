"""From a teacher's scores to a student, from one end to the other."""

from __future__ import annotations

import hashlib
from collections.abc import Collection as Names
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from .. import config as configuration
from ..errors import InvalidInputError, require
from ..evaluation.collection import Collection
from ..evaluation.evaluation import Evaluation
from ..evaluation.journal import Journal, ranking_key, system_key
from ..evaluation.provenance import own_judge
from ..evaluation.run import Run
from ..evaluation.running import Progress
from ..remote.identity import named_model
from ..reranker import Reranker
from ..scorers.local.cross_encoder import DEFAULT_MODEL
from . import measuring
from .asking import Taught, scores_of
from .card import write
from .examples import Example, examples, fingerprint
from .folder import Folder
from .measuring import INT8, STUDENT, TEACHER
from .result import Teaching
from .settings import Settings
from .splits import LEARNED, Splits, learned_before, mark, refuse_what_was_learned, split

#: What decides whether a student is better.
MEASURE = "nDCG@10"
#: Fewer held-out queries than this seldom tell a student from a retriever.
_FEW = 50
#: What a file that was written here has, in each of its forms.
_OWN = ("[taught]", '"taught":', "\ntaught:")


def teach(
    collection: Collection,
    teacher: Run | Reranker,
    folder: Path | str,
    *,
    start: str = DEFAULT_MODEL,
    config: Path | str | None = None,
    settings: Settings | None = None,
    held_out: Names[str] | None = None,
    name: str = "teacher",
    max_cost: float | None = None,
    at_once: int = 1,
    progress: Progress | None = None,
) -> Teaching:
    """Fine-tune a small cross-encoder on the teacher's scores, measure it, and name it in `config`
    if it wins.

    `collection`: queries with candidates and texts; the judgements that some have are needed to
    measure with, and never learned from. `teacher`: a run that is there already, or a reranker,
    which is asked (what it said is kept in the folder; `max_cost` US dollars over all starts). The
    student is put into `folder` in the shape of a repository on the hub: sentence-transformers'
    files, `onnx/model.onnx`, `onnx/model_int8.onnx`, a model card `README.md`. `start`: the model
    to begin with, on the hub or in a folder; an encoder will do, and needs more data. `held_out`:
    ids of the judged queries to measure on; by default `settings.held_out` of them are drawn.

    It wins where it is better than the retriever and the default (hybrid) on the held-out queries
    by more than chance. Else `config` is not touched. Killed and called again with the same
    arguments it goes on: with the teacher's scores that it has, and the last checkpoint.

    Raises `MissingExtraError`; `InvalidInputError` where texts or judgements are missing, queries
    are too few, a held-out query would be learned from, or folder or file hold something else;
    `ConfigurationError` where the model cannot be had, was taught on a held-out query, or the
    budget cannot be kept; a `ScorerError` where the teacher fails.
    """
    require("teach", "teach", "sentence_transformers", "datasets", "accelerate", "onnx")
    require("teach", "teach", "onnxruntime", "tokenizers", "ir_measures", "scipy")
    settings = settings or Settings()
    target = None if config is None else _own_file(Path(config))
    _refuse_what_cannot_be_measured(collection, name, teacher)
    splits = split(collection, settings, held_out)
    learned = learned_before(start)
    refuse_what_was_learned(start, learned, collection, splits)
    with Folder(Path(folder)) as place:
        place.take(_job(collection, teacher, name, start, settings, splits))
        # what is measured on comes first, so that a small budget leaves a figure
        order = [*splits.held_out, *splits.stopping, *splits.train]
        taught = scores_of(
            teacher,
            name,
            collection,
            order,
            journal=Journal(place.scores),
            max_cost=max_cost,
            at_once=at_once,
            progress=progress,
        )
        learn, stopping = (
            examples(collection, taught.run, queries, settings.documents)
            for queries in (splits.train, splits.stopping)
        )
        _refuse_too_little(taught, learn, stopping, splits)
        mine = fingerprint([*learn, *stopping])
        if (done := place.finished(mine)) is not None:
            return _written(done, target, collection.deepest)
        found = _taught(
            place, collection, taught, splits, learn, stopping, settings, start, name, progress
        )
        record = {"examples": mine, LEARNED: sorted(_marks(collection, splits) | learned)}
        found = _written(found, target, collection.deepest)
        write(place.path, found, record)
        place.tidy()
        return found


def _taught(
    place: Folder,
    collection: Collection,
    taught: Taught,
    splits: Splits,
    learn: list[Example],
    stopping: list[Example],
    settings: Settings,
    start: str,
    name: str,
    progress: Progress | None,
) -> Teaching:
    from .export import save
    from .training import train, without_bars

    checkpoints = place.checkpoints(fingerprint([*learn, *stopping]))
    with without_bars():
        trained = train(start, learn, stopping, checkpoints, settings, progress)
        save(trained.model, place.path)
    mixed = measuring.helps_to_mix(place.path, collection.only(set(splits.stopping)), MEASURE)
    held_out = collection.only(set(splits.held_out))
    evaluation = measuring.measure(
        place.path,
        held_out,
        taught.run,
        measure=MEASURE,
        mixed=mixed,
        progress=progress,
    )
    means = {one.name: one.means[MEASURE] for one in evaluation.results}
    compared = measuring.against(evaluation, STUDENT)
    return Teaching(
        folder=str(place.path),
        start=start,
        teacher=name,
        measure=MEASURE,
        means=means,
        against={one: found.to_dict() for one, found in compared.items()},
        kept=_kept(evaluation, means),
        mixed=mixed,
        share=measuring.share_kept(means),
        rates={one.name: measuring.documents_a_second(one, held_out) for one in evaluation.results},
        queries={
            "train": len(learn),
            "stopping": len(stopping),
            "held_out": len(splits.held_out),
            "unasked": taught.unasked,
        },
        documents=collection.deepest,
        training={
            "device": trained.device,
            "steps": trained.steps,
            "best_step": trained.best_step,
            "losses": {str(step): loss for step, loss in trained.losses.items()},
            "seconds": round(trained.seconds, 1),
        },
        settings=settings.to_dict(),
        cost=taught.cost,
        date=datetime.now(UTC).date().isoformat(),
        notes=_notes(evaluation, means, taught, splits),
    )


def _kept(evaluation: Evaluation, means: Mapping[str, float]) -> str | None:
    if not measuring.wins(measuring.against(evaluation, STUDENT)):
        return None
    close = means[INT8] >= means[STUDENT] - measuring.SAME_AS_FP32
    return "int8" if close and measuring.wins(measuring.against(evaluation, INT8)) else "fp32"


def _notes(
    evaluation: Evaluation, means: Mapping[str, float], taught: Taught, splits: Splits
) -> list[str]:
    notes = []
    if means[TEACHER] <= means[measuring.RETRIEVER]:
        notes.append("the teacher is no better than the retriever here: there is little to learn")
    least = measuring.detectable(evaluation)
    if len(splits.held_out) < _FEW and 0 < least < 1:
        notes.append(
            f"{len(splits.held_out)} held-out queries tell a gain of {least:.3f} or more from "
            "chance, 4 times of 5; less may go unseen"
        )
    if taught.unasked:
        notes.append(f"{taught.unasked} queries have no score of the teacher's")
    return notes


def _written(found: Teaching, target: Path | None, depth: int) -> Teaching:
    """With the configuration written, if the student won."""
    from dataclasses import replace

    if target is None or found.kept is None:
        return replace(found, config=None)
    chosen = measuring.table(
        Path(found.folder), int8=found.kept == "int8", mixed=found.mixed, depth=depth
    )
    told = {
        "teacher": found.teacher,
        "start": found.start,
        "measure": found.measure,
        "held_out_queries": found.queries["held_out"],
        "means": {name: round(mean, 6) for name, mean in found.means.items()},
        "verdict": found.verdict(),
        "date": found.date,
    }
    configuration.save(target, chosen, taught=told)
    return replace(found, config=str(target))


def _own_file(path: Path) -> Path:
    """The file, where it is not there yet or was written here. Raises `InvalidInputError`."""
    if path.exists():
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            text = ""
        if not any(sign in text for sign in _OWN):
            raise InvalidInputError(
                f"{path} is there already, and no file of a student's: name another"
            )
    elif not path.resolve().parent.is_dir():
        raise InvalidInputError(f"there is no folder {path.resolve().parent} to write {path} in")
    return path


def _refuse_what_cannot_be_measured(
    collection: Collection, name: str, teacher: Run | Reranker
) -> None:
    if (own := own_judge(collection.provenance, name, teacher)) is not None:
        raise InvalidInputError(
            f"{own} judged these queries and is the teacher: its own judgements cannot say whether "
            "what it teaches helps; take another judge, or a person's"
        )
    if not collection.has_texts:
        raise InvalidInputError(
            "queries or candidates have no text here, only ids, and a student reads texts: give a "
            "folder with corpus.jsonl and queries.jsonl, or JSON lines"
        )
    if not collection.qrels.keys() & collection.candidates.keys():
        raise InvalidInputError(
            "no query is judged: nothing would tell whether the student helps; judge some of them "
            "(rerank judge, by another model than the teacher's)"
        )


def _refuse_too_little(
    taught: Taught, learn: list[Example], stopping: list[Example], splits: Splits
) -> None:
    missing = [query for query in splits.held_out if query not in taught.run.rankings]
    if missing:
        raise InvalidInputError(
            f"the teacher has no scores for {len(missing)} of {len(splits.held_out)} held-out "
            f"queries, {missing[0]!r} among them: it is to be measured there, too"
        )
    if len(learn) < 2 or not stopping:
        raise InvalidInputError(
            f"the teacher tells documents apart in {len(learn)} of {len(splits.train)} queries to "
            f"learn from and {len(stopping)} of {len(splits.stopping)} to stop by"
            + (f"; {taught.unasked} were not asked within the budget" if taught.unasked else "")
        )


def _job(
    collection: Collection,
    teacher: Run | Reranker,
    name: str,
    start: str,
    settings: Settings,
    splits: Splits,
) -> dict[str, Any]:
    if isinstance(teacher, Run):
        said = repr(
            [
                (query, ranked.ids, ranked.scores)
                for query, ranked in sorted(teacher.rankings.items())
                if query in collection.candidates
            ]
        )
    else:
        said = system_key(name, teacher)
    data = [
        (ranking_key("", collection.queries[query], found), sorted(_grades(collection, query)))
        for query, found in sorted(collection.candidates.items())
    ]
    return {
        "data": _digest(repr(data)),
        "teacher": _digest(said),
        "start": named_model(start),
        "settings": settings.to_dict(),
        "choice of held-out queries": _digest(repr(splits.held_out)),
    }


def _grades(collection: Collection, query: str) -> list[tuple[str, int]]:
    return list(collection.qrels.get(query, {}).items())


def _marks(collection: Collection, splits: Splits) -> set[str]:
    return {mark(collection.queries[query]) for query in (*splits.train, *splits.stopping)}


def _digest(text: str) -> str:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
