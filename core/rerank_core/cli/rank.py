"""`rerank rank`: the user's own documents, ranked for a question."""

from __future__ import annotations

import sys
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from .. import config
from ..engine.loading import AHEAD
from ..errors import ConfigurationError
from ..ranking.ranking import Ranking
from ..reranker import Reranker
from ..scorers.named import HYBRID
from ..telemetry.log import DEGRADED as LOGGED
from . import stdout, table
from .documents import read
from .forms import Form
from .judged import Json, scorer_names
from .told import told_here
from .waiting import working

DEGRADED = 3


def rank(
    query: Annotated[str, typer.Argument(help="The question.")],
    paths: Annotated[
        list[Path] | None,
        typer.Argument(
            help="Files of text, Markdown, CSV or JSON lines, or folders of them. None, or -: "
            "standard input.",
            show_default=False,
        ),
    ] = None,
    scorer: Annotated[
        str | None,
        typer.Option(
            "--scorer",
            "-s",
            help="bm25, hybrid, llm:MODEL, cross-encoder:MODEL, onnx:MODEL, embedding:MODEL, "
            "cohere:MODEL, api:URL. Default: hybrid; bm25 over passages cut from files, whose "
            "order means nothing.",
            show_default=False,
            autocompletion=scorer_names,
        ),
    ] = None,
    config_file: Annotated[
        Path | None,
        typer.Option(
            "--config",
            "-c",
            help="A reranker's file, as tune writes it, in place of --scorer.",
            show_default=False,
        ),
    ] = None,
    form: Annotated[
        Form | None,
        typer.Option(
            "--input",
            "-i",
            help="What a document is: a line, a passage of paragraphs, a row or a record. Default: "
            "by the file's name, else by how the text looks.",
            show_default=False,
        ),
    ] = None,
    field: Annotated[
        str | None,
        typer.Option(
            "--field",
            help="Of CSV and JSON lines: where the text stands.",
            show_default="text",
        ),
    ] = None,
    top_n: Annotated[
        int | None,
        typer.Option("--top-n", "-n", help="How many to show.", show_default="10, or the file's"),
    ] = None,
    timeout: Annotated[
        float | None,
        typer.Option("--timeout", "-t", help="Deadline in seconds.", show_default=False),
    ] = None,
    as_json: Json = False,
    strict: Annotated[
        bool, typer.Option("--strict", help="Exit with 3 if the ranking was degraded.")
    ] = False,
) -> None:
    """Rank documents for a question.

    rerank rank "how do I cancel a task?" docs/ notes.md

    some-retriever | rerank rank "how do I cancel a task?" --json

    rerank rank "how do I cancel a task?" candidates.csv --field body --config rerank.toml

    Exit codes: 0 ranked; 3 --strict, and the ranking was degraded; 1 and 2 as everywhere.
    """
    if scorer is not None and config_file is not None:
        raise ConfigurationError("--scorer or --config, not both: the file names its scorer")
    asked: dict[str, Any] = {} if config_file is None else config.load(config_file)
    if not paths and _is_file(query):
        print(
            f"note: {query} was read as the question, and the documents are standard input: the "
            f'question comes first, rerank rank "QUESTION" {query}',
            file=sys.stderr,
        )
    found = read(paths or [], form=form, field=field)
    for note in found.notes:
        print(f"note: {note}", file=sys.stderr)
    given: dict[str, Any] = {"top_n": top_n, "timeout": timeout}
    given = {name: value for name, value in given.items() if value is not None}
    if config_file is None:
        name = scorer or (HYBRID if found.ordered else "bm25")
        given["scorer"] = name
    else:
        name = config_file.stem
        if not found.ordered:  # nobody put the passages of files in order: no signal may count it
            given.setdefault("retrieval_score", asked.get("retrieval_score", "none"))
    with Reranker(**config.options(asked, **given)) as reranker, told_here(LOGGED):
        quick = not any(one not in ("bm25", HYBRID) for one in reranker.scorers)
        what = f"{name}: {len(found.documents)} documents (a model loads first)"
        with nullcontext() if quick else working(what):
            ranking = _here(reranker.rank(query, found.documents))
    if as_json:
        print(stdout.as_json(_as_json(ranking, name)))
    else:
        table.show(ranking, name, moved=found.ordered)
    for note in ranking.report.notes:
        print(f"note: {note}", file=sys.stderr)
    if ranking.report.degraded:
        reasons = ", ".join(ranking.report.reasons)
        print(f"degraded: {reasons}; the order is the best that is known", file=sys.stderr)
        if strict:
            raise typer.Exit(DEGRADED)


def _is_file(question: str) -> bool:
    try:
        return Path(question).is_file()
    except (OSError, ValueError):  # too long for a name, or no name at all
        return False


def _here(ranking: Ranking) -> Ranking:
    """Without the advice that is for programs only: to load ahead."""
    notes = tuple(note for note in ranking.report.notes if not note.endswith(AHEAD))
    return replace(ranking, report=replace(ranking.report, notes=notes))


def _as_json(ranking: Ranking, scorer: str) -> dict[str, object]:
    return {
        "query": ranking.query,
        "scorer": scorer,
        "results": [
            {**hit.to_dict(), "index": hit.index, "movement": hit.movement} for hit in ranking
        ],
        "report": ranking.report.to_dict(),
    }
