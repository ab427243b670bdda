"""`rerank bulk`: a whole run, from a file into a file."""

from __future__ import annotations

import logging
import signal
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from ..bulk.job import Engine, run
from ..bulk.progress import Line
from ..errors import ConfigurationError
from ..reranker import Reranker
from ..telemetry.log import log
from . import stdout


class Where(StrEnum):
    """What a job runs on."""

    LOCAL = "local"
    RAY = "ray"


def bulk(
    candidates: Annotated[
        Path,
        typer.Argument(
            help='JSONL or Parquet, a query a record ({"query_id", "query", "documents": '
            '[{"id", "text", "score"}]}) or a pair a record (query_id, query, document_id, text, '
            "score; a query's together); or a TREC run.",
            show_default=False,
        ),
    ],
    output: Annotated[
        Path,
        typer.Option(
            "--output",
            "-o",
            help="Where to: .jsonl, .parquet, else a TREC run. It is there once all of it is.",
            show_default=False,
        ),
    ],
    scorer: Annotated[
        str | None,
        typer.Option("--scorer", "-s", help="As for rank. Default: hybrid.", show_default=False),
    ] = None,
    config_file: Annotated[
        Path | None,
        typer.Option("--config", "-c", help="A reranker's file.", show_default=False),
    ] = None,
    corpus: Annotated[
        Path | None,
        typer.Option(
            "--corpus",
            help='Of a TREC run: the documents, JSONL ("_id" or "id", "title", "text") or .tsv.',
            show_default=False,
        ),
    ] = None,
    queries: Annotated[
        Path | None,
        typer.Option("--queries", help="Of a TREC run: the queries, likewise.", show_default=False),
    ] = None,
    dead_letters: Annotated[
        Path | None,
        typer.Option(
            "--dead-letters",
            help="Where what could not be scored goes, with the reason, as candidates for another "
            "start. Default: OUTPUT.dead.jsonl.",
            show_default=False,
        ),
    ] = None,
    top_n: Annotated[
        int | None,
        typer.Option("--top-n", "-n", help="Write so many a query.", show_default="all"),
    ] = None,
    keep_order: Annotated[
        bool, typer.Option("--keep-order", help="Leave a query's documents as they came.")
    ] = False,
    max_cost: Annotated[
        float | None,
        typer.Option("--max-cost", help="US dollars, over all starts.", show_default="none"),
    ] = None,
    at_once: Annotated[
        int | None,
        typer.Option("--at-once", help="Queries under way.", show_default="as the scorer likes"),
    ] = None,
    engine: Annotated[
        Where, typer.Option("--engine", help="This process, or Ray Data.")
    ] = Where.LOCAL,
    address: Annotated[
        str | None,
        typer.Option("--address", help="Of a Ray cluster.", show_default="one of its own"),
    ] = None,
    workers: Annotated[
        str,
        typer.Option("--workers", help="Of Ray: 4, or 1:8 for as many as there is work for."),
    ] = "1:",
    cpus: Annotated[float, typer.Option("--cpus", help="Of Ray, for each worker.")] = 1,
    gpus: Annotated[
        float | None,
        typer.Option(
            "--gpus", help="Of Ray, for each worker.", show_default="1 where that is of use"
        ),
    ] = None,
    queries_per_task: Annotated[
        int, typer.Option("--queries-per-task", help="Of Ray: what is sent to a worker at once.")
    ] = 16,
    quiet: Annotated[bool, typer.Option("--quiet", help="Show no progress.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="The summary for programs.")] = False,
) -> None:
    """Rerank a whole run, however large. Stopped or killed, the same command goes on.

    rerank bulk candidates.jsonl -o reranked.trec --config reranker.toml

    rerank bulk bm25.trec --corpus corpus.jsonl --queries queries.jsonl -o out.parquet -s onnx

    Exit codes: 0 complete; 1 a server or model failed, start it again to go on; 2 something asked
    for cannot be right; 3 complete, with dead letters or rankings by a fallback; 4 stopped by
    --max-cost; 130 interrupted (also by SIGTERM), start it again to go on.
    """
    if scorer is not None and config_file is not None:
        raise ConfigurationError("--scorer or --config, not both: the file names its scorer")
    chosen: Engine | None = None
    if engine is Where.RAY:
        from ..bulk.ray_engine import Ray

        chosen = Ray(
            address,
            workers=_workers(workers),
            cpus=cpus,
            gpus=gpus,
            queries_per_task=queries_per_task,
        )
    signal.signal(signal.SIGTERM, _interrupt)
    line, level = None if quiet else Line(), log.level
    log.setLevel(logging.ERROR)  # what is degraded is counted, and told at the end
    made = Reranker(scorer) if config_file is None else Reranker.from_config(config_file)
    try:
        with made as reranker:
            summary = run(
                candidates,
                output,
                reranker,
                corpus=corpus,
                queries=queries,
                dead_letters=dead_letters,
                top_n=top_n,
                order="input" if keep_order else "rank",
                max_cost=max_cost,
                at_once=at_once,
                engine=chosen,
                progress=line,
            )
    finally:
        log.setLevel(level)
        if line is not None:
            line.end()
    if as_json:
        print(stdout.as_json(summary.to_dict()))
    else:
        print(summary)
    if summary.outcome:
        raise typer.Exit(summary.outcome)


def _workers(given: str) -> tuple[int, int]:
    least, colon, most = given.partition(":")
    try:
        return int(least or 1), int(most or 0) if colon else int(least)
    except ValueError:
        raise ConfigurationError(f"--workers is a number, or 1:8, not {given!r}") from None


def _interrupt(*_: Any) -> None:
    raise KeyboardInterrupt
