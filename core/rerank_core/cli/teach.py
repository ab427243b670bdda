"""`rerank teach`: a small cross-encoder of your own, taught by a large one or an LLM."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from .. import config
from ..errors import ConfigurationError, InvalidInputError
from ..evaluation.loading import load
from ..evaluation.run import Run
from ..evaluation.running import Progress
from ..evaluation.trec import read_run
from ..reranker import Reranker
from ..scorers.local.cross_encoder import DEFAULT_MODEL
from ..teaching.distillation import teach
from ..teaching.result import Teaching
from ..teaching.settings import Settings
from . import judged, stdout, waiting
from .table import plain_table

#: Seconds between two lines of progress where there is no terminal.
_EVERY = 30.0
_SET = Settings()


def teaching(
    data: judged.Data = None,
    student: Annotated[
        Path,
        typer.Option("--student", help="The student's folder: model, ONNX files, model card."),
    ] = Path("student"),
    teacher: Annotated[
        str | None,
        typer.Option("--teacher", "-s", help="A scorer to ask, as for rank.", show_default=False),
    ] = None,
    teacher_config: Annotated[
        Path | None,
        typer.Option("--teacher-config", "-c", help="A reranker's file.", show_default=False),
    ] = None,
    teacher_run: Annotated[
        str | None,
        typer.Option(
            "--teacher-run",
            "-r",
            help="What it said already: FILE or NAME=FILE, a TREC run.",
            show_default=False,
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            help="The reranker's file to write if the student wins: TOML, JSON or YAML.",
            show_default="none",
        ),
    ] = None,
    start: Annotated[
        str, typer.Option("--start", help="The model to begin with: on the hub, or a folder.")
    ] = DEFAULT_MODEL,
    qrels: judged.Qrels = None,
    base: judged.Base = None,
    max_cost: Annotated[
        float | None,
        typer.Option(
            "--max-cost", help="US dollars for the teacher, over all starts.", show_default="none"
        ),
    ] = None,
    loss: Annotated[
        str, typer.Option("--loss", help="listwise: the teacher's order; margin: its distances.")
    ] = _SET.loss,
    documents: Annotated[
        int, typer.Option("--documents", help="So many of a query are learned from.")
    ] = _SET.documents,
    epochs: Annotated[int, typer.Option("--epochs", help="Times over all.")] = _SET.epochs,
    steps: Annotated[
        int | None, typer.Option("--steps", help="At most so many.", show_default="none")
    ] = None,
    learning_rate: Annotated[
        float, typer.Option("--learning-rate", help="At its highest.")
    ] = _SET.learning_rate,
    max_length: Annotated[
        int, typer.Option("--max-length", help="Tokens of query and document together.")
    ] = _SET.max_length,
    held_out: Annotated[
        float, typer.Option("--held-out", help="Share of the judged queries to measure on.")
    ] = _SET.held_out,
    depth: judged.Depth = 100,
    queries: judged.Queries = None,
    split: judged.Split = "test",
    at_once: judged.AtOnce = 1,
    seed: judged.Seed = 0,
    as_json: judged.Json = False,
) -> None:
    """Teach a small cross-encoder what a large model says, and use it if it is better.

    Fine-tuned on the teacher's scores, exported to ONNX (int8 too), measured on judged queries
    that were held out. The file is written only if the student beats retriever and default there
    by more than chance. Stopped or killed, the same command goes on.

    rerank teach my-data/ --teacher llm:gpt-4o-mini --max-cost 2 -o rerank.toml

    rerank teach my-data/ --base bm25.trec --teacher-run gpt=gpt.trec --student my-student
    """
    settings = Settings(
        loss=loss,  # type: ignore[arg-type]
        documents=documents,
        epochs=epochs,
        steps=steps,
        learning_rate=learning_rate,
        max_length=max_length,
        held_out=held_out,
        seed=seed,
    )
    name, asked = _teacher(teacher, teacher_config, teacher_run)
    try:
        collection = load(data, base=base, qrels=qrels, depth=depth, split=split)
        if queries is not None:
            collection = collection.sample(queries, seed)
        with waiting.progress(not as_json) as bar:
            found = teach(
                collection,
                asked,
                student,
                start=start,
                config=output,
                settings=settings,
                name=name,
                max_cost=max_cost,
                at_once=at_once,
                progress=bar or (None if as_json else _lines()),
            )
    finally:
        if isinstance(asked, Reranker):
            asked.close()
    if as_json:
        print(stdout.as_json(found.to_dict()))
        return
    _show(found, asked=output)


def _teacher(scorer: str | None, file: Path | None, run: str | None) -> tuple[str, Run | Reranker]:
    given = [one for one in (scorer, file, run) if one is not None]
    if len(given) != 1:
        raise ConfigurationError(
            "name one teacher: --teacher SCORER, --teacher-config FILE or --teacher-run FILE"
        )
    if scorer is not None:
        return scorer, Reranker(scorer, top_n=None)
    if file is not None:
        return file.stem, Reranker(**config.options(config.load(file), top_n=None))
    name, equals, path = str(run).partition("=")
    at = Path(path if equals else str(run))
    if not at.is_file():
        raise InvalidInputError(f"there is no file {at}")
    name = name if equals else at.stem
    return name, read_run(at, name)


def _lines() -> Progress:
    """A line now and then, for a log."""
    after = time.monotonic() + _EVERY

    def told(what: str, done: int, of: int) -> None:
        nonlocal after
        if time.monotonic() >= after:
            after = time.monotonic() + _EVERY
            print(f"{what}: {done} of {of}", file=sys.stderr, flush=True)

    return told


def _show(found: Teaching, asked: Path | None) -> None:
    console = Console()
    table = plain_table(
        f"{found.queries['held_out']} held-out queries", found.measure, "documents/s", width=26
    )
    for name, mean, rate in found.rows():
        table.add_row(name, f"{mean:.4f}", "—" if rate is None else f"{rate:,.0f}")
    console.print(table)
    console.print(found.verdict(), highlight=False)
    if found.share is not None:
        console.print(f"It keeps {found.share:.0%} of the teacher's gain.", highlight=False)
    for note in found.notes:
        print(f"note: {note}", file=sys.stderr)
    print(f"the student is in {found.folder}, with its model card", file=sys.stderr)
    if found.config is not None:
        print(f"written to {found.config}", file=sys.stderr)
    elif asked is not None:
        print(f"{asked} was not written: what is there now is no worse", file=sys.stderr)
