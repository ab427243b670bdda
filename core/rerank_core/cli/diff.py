"""`rerank diff`: what another configuration would change, without judgements."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from .. import config
from ..errors import InvalidInputError
from ..evaluation.difference import TOP, Difference
from ..evaluation.difference import diff as compared
from ..evaluation.loading import load
from ..evaluation.run import Run
from ..evaluation.running import run_reranker
from ..protocols import traits_of
from ..ranking.candidate import RETRIEVAL
from ..reranker import Reranker
from . import judged, stdout
from .table import plain_table, put
from .waiting import progress

#: Exit code: more changed than --max-change allows.
TOO_MUCH = 4
#: Queries shown in the terminal.
SHOWN = 5


def diff(
    old: Annotated[Path, typer.Argument(help="The reranker's file as it is.", show_default=False)],
    new: Annotated[Path, typer.Argument(help="The one that is to replace it.", show_default=False)],
    data: Annotated[
        Path,
        typer.Argument(
            help="Queries with their candidates: a log that RankingLog wrote, JSONL, or a folder "
            "with corpus.jsonl and queries.jsonl.",
            show_default=False,
        ),
    ],
    base: judged.Base = None,
    top: Annotated[int, typer.Option("--top", help="Compare the first so many.")] = TOP,
    max_change: Annotated[
        float | None,
        typer.Option(
            "--max-change",
            help="Exit with 4 where the first ones change by more than this on average: 0 for "
            "nothing, 1 for everything.",
            show_default=False,
        ),
    ] = None,
    threshold: Annotated[
        float | None,
        typer.Option(
            "--threshold",
            help="One on the old scores, to carry over. Default: the old file's.",
            show_default=False,
        ),
    ] = None,
    report: judged.Report = None,
    depth: judged.Depth = 100,
    queries: judged.Queries = None,
    journal: judged.JournalFile = None,
    timeout: judged.Timeout = None,
    at_once: judged.AtOnce = 1,
    seed: judged.Seed = 0,
    as_json: judged.Json = False,
) -> None:
    """Show what a new configuration changes on logged queries, without judgements.

    rerank diff reranker.toml new.toml rankings.jsonl --report diff.html

    In CI: rerank diff reranker.toml new.toml rankings.jsonl --max-change 0.2

    A query's change is 1 minus the rank-biased overlap (p = 0.9) of its first documents.

    Exit codes: 0 compared; 4 more changed than --max-change; 1 and 2 as everywhere.
    """
    if max_change is not None and not 0 <= max_change <= 1:
        raise InvalidInputError(f"--max-change is from 0 to 1, not {max_change:g}")
    for path in (journal, report):
        judged.check_output(path, old, new, data, base)
    tables = [config.load(old), config.load(new)]
    collection = load(data, base=base, depth=depth, unjudged=True)
    if queries is not None:
        collection = collection.sample(queries, seed)
    runs: list[Run] = []
    signals: list[set[str]] = []
    calibrated = True
    with judged.rankings_kept(journal) as kept, progress(not as_json, systems=2) as told:
        for name, table in zip(_names(old, new), tables, strict=True):
            with Reranker(**config.options(table, top_n=None)) as reranker:
                if threshold is None and not runs:
                    threshold = reranker.threshold
                signals.append(_signals(reranker))
                calibrated = calibrated and _calibrated(reranker)
                runs.append(
                    run_reranker(
                        name,
                        reranker,
                        collection,
                        journal=kept,
                        timeout=timeout,
                        at_once=at_once,
                        progress=told,
                    )
                )
    found = compared(
        collection,
        *runs,
        top=top,
        signals=(signals[0], signals[1]),
        threshold=threshold,
        calibrated=calibrated,
    )
    if report is not None:
        from ..views.difference import write

        write(found, report)
    if as_json:
        print(stdout.as_json(found.to_dict()))
    else:
        show(found)
        if report is not None:
            print(f"written to {report}", file=sys.stderr)
    for run in runs:
        degraded = sum(bool(r.report and r.report.degraded) for r in run.rankings.values())
        if degraded:
            print(
                f"note: {run.name}: {degraded} of {len(run.rankings)} rankings were degraded, so "
                "that part of what changed is a failure",
                file=sys.stderr,
            )
    if max_change is not None and found.change > max_change:
        print(
            f"changed by {found.change:.3f}, more than --max-change {max_change:g}",
            file=sys.stderr,
        )
        raise typer.Exit(TOO_MUCH)


def _names(old: Path, new: Path) -> tuple[str, str]:
    return (old.stem, new.stem) if old.stem != new.stem else (str(old), str(new))


def _calibrated(reranker: Reranker) -> bool:
    """Whether its scores mean the same for every query, so that a threshold on them does."""
    combine = reranker.combine
    if combine is not None:
        return combine.calibrated
    return all(traits_of(one).calibrated for one in reranker.stages[-1].scorers.values())


def show(found: Difference) -> None:
    """Print what changes, by which signals, and the queries that change most."""
    console = Console(highlight=False)
    console.print(Text(found.verdict, style="bold"))
    if found.carried is not None:
        console.print(Text(str(found.carried)))
    elif found.untold is not None:
        console.print(Text(found.untold))
    if found.causes:
        console.print()
        table = plain_table("what moved documents", "moves", width=24)
        for name, count in found.causes.items():
            table.add_row(name, str(count))
        put(console, table)
    shown = [one for one in found.queries if one.change][:SHOWN]
    if shown:
        console.print()
        console.print(Text(f"{len(shown)} queries that change most", style="bold"))
    for one in shown:
        asked = found.collection.queries.get(one.query) or one.query
        console.print()
        console.print(Text.assemble((f"{one.change:.2f}  ", "bold"), asked))
        moved = [move for move in one.moves if move.up]
        for move in sorted(moved, key=lambda move: -abs(move.up))[:3]:
            arrow, style = ("▲", "green") if move.up > 0 else ("▼", "red")
            place = f"{arrow} {move.before.rank:3d} → {move.after.rank:<3d} "
            text = Text.assemble((place, style), _text(found, one.query, move.document))
            console.print(text, overflow="ellipsis", no_wrap=True)
            console.print(Text(f"{'':13}{move.why}", style="dim"))


def _text(found: Difference, query: str, document: str) -> str:
    candidates = found.collection.candidates[query]
    text = next((c.text for c in candidates if str(c.id) == document), "")
    return " ".join(text.split()) or document


def _signals(reranker: Reranker) -> set[str]:
    """What counts for its scores: the scorers, and the retriever where it is combined with them."""
    names = set(reranker.scorers)
    for stage in reranker.stages:
        if stage.combine is not None:
            names |= set(getattr(stage.combine, "weights", None) or {RETRIEVAL: 1})
    return names
