"""`rerank doctor`: why does reranking not help?"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from .. import config
from ..doctor import Diagnosis, diagnose
from ..errors import InvalidInputError
from ..evaluation.loading import load
from ..evaluation.provenance import Provenance, own_judge
from ..evaluation.trec import read_run
from ..reranker import Reranker
from ..scorers.named import HYBRID
from ..self_check import CheckReport
from ..telemetry.log import CHECKED
from . import judged, stdout
from .told import told_here
from .waiting import progress, working


def doctor(
    data: judged.Data = None,
    qrels: judged.Qrels = None,
    base: judged.Base = None,
    run: judged.Runs = None,
    scorer: judged.Scorers = None,
    config_file: judged.Configs = None,
    served: Annotated[
        Path | None,
        typer.Option(
            "--served",
            help="A TREC run of what comes out at the end of the pipeline, after all other stages.",
            show_default=False,
        ),
    ] = None,
    top_n: Annotated[
        int | None,
        typer.Option("--top-n", "-n", help="How many the reranker returns.", show_default=False),
    ] = None,
    depth: judged.Depth = 100,
    queries: judged.Queries = None,
    split: judged.Split = "test",
    probe: Annotated[
        bool, typer.Option(help="Ask about 20 rankings more, for what only these can tell.")
    ] = True,
    quick: Annotated[
        bool,
        typer.Option(
            "--quick",
            help="No data: ask the scorers built-in questions, at most 20 calls each, and say "
            "whether they are rerankers at all.",
        ),
    ] = False,
    seed: judged.Seed = 0,
    report: judged.Report = None,
    as_json: judged.Json = False,
) -> None:
    """Say why reranking does not help: what was seen, why it matters, what to change.

    rerank doctor --quick --scorer onnx

    rerank doctor my-data/ --config reranker.toml

    rerank doctor my-data/ --scorer llm:gpt-4o-mini --queries 30

    rerank doctor --qrels qrels.txt --base bm25.trec --run gpt.trec

    Exit code 0, whatever was found, with --quick too: --json has the findings for programs.
    """
    if quick:
        check(data, run, scorer, config_file, as_json=as_json)
        return
    judged.check_output(report, data, qrels, base)
    collection = load(data, base=base, qrels=qrels, depth=depth, split=split)
    if queries is not None:
        collection = collection.sample(queries, seed)
    system = _one(judged.asked_or(HYBRID, run, scorer, config_file))
    at_the_end = None if served is None else read_run(served, "served").rankings
    out = None if at_the_end is None else {q: ranked.ids for q, ranked in at_the_end.items()}
    own = own_judge(collection.provenance, system.name)
    if system.run is not None:
        found = diagnose(system.run, collection, served=out)
    else:
        given = {} if top_n is None else {"top_n": top_n}
        with (
            Reranker(**config.options(system.table, **given)) as reranker,
            progress(not as_json) as told,
        ):
            own = own_judge(collection.provenance, system.name, reranker)
            found = diagnose(
                reranker,
                collection,
                served=out,
                probe=probe,
                progress=None if told is None else lambda done, of: told(system.name, done, of),
            )
    if report is not None:
        from ..views.diagnosis import write

        write(found, report, command=stdout.command())
    if as_json:
        provenance = collection.provenance
        judge = None if provenance is None else provenance.to_dict()
        print(stdout.as_json({"system": system.name, **found.to_dict(), "judged_by": judge}))
    else:
        if collection.provenance is not None:
            print(f"note: {collection.provenance.sentence}", file=sys.stderr)
        console = Console()
        console.print(f"{system.name}:", highlight=False, markup=False)
        show(found, collection.provenance)
        if own is not None:
            print(
                f"note: {own} judged, and ranks for {system.name}: that it helps cannot be said by "
                "its own judgements. Have another model or a person judge",
                file=sys.stderr,
            )


def check(
    data: Path | None,
    run: list[str] | None,
    scorer: list[str] | None,
    config_file: list[Path] | None,
    *,
    as_json: bool,
) -> None:
    """Ask the built-in questions, and print what they tell."""
    if data is not None or run:
        raise InvalidInputError(
            "--quick asks the scorers built-in questions: leave out the data and --run"
        )
    system = _one(judged.asked_or(HYBRID, None, scorer, config_file))
    with (
        Reranker(**config.options(system.table, check=False)) as reranker,
        working(f"{system.name}: built-in questions"),
        told_here(CHECKED),
    ):
        report = reranker.check()
    if as_json:
        print(stdout.as_json(report.to_dict()))
    else:
        show_check(report)


def _one(systems: Sequence[judged.Asked]) -> judged.Asked:
    if len(systems) > 1:
        raise InvalidInputError("one at a time: name one --scorer, --config or --run")
    return systems[0]


def show(found: Diagnosis, provenance: Provenance | None = None) -> None:
    """Print the findings, and what could not be told."""
    console = Console()
    if found.before is not None and found.after is not None:
        console.print(
            f"{found.counted}{_of(found)}: nDCG@10 {found.before:.4f} of the retriever, "
            f"{found.after:.4f} reranked",
            highlight=False,
        )
        if provenance is not None:
            console.print(provenance.short, highlight=False)
    else:
        judged = f"{found.counted}{_of(found)}" if found.judged else ""
        console.print(judged or f"{found.queries} queries, none judged", highlight=False)
    for number, finding in enumerate(found, start=1):
        console.print()
        console.print(Text(f"{number}. {finding.cause} ({finding.severity})", style="bold"))
        for name, text in (
            ("seen", finding.seen),
            ("why it matters", finding.why),
            ("what to change", finding.change),
        ):
            console.print(Text.assemble((f"   {name}: ", "dim"), text))
    if not found:
        console.print(f"\n{found.verdict[0].upper()}{found.verdict[1:]}.", highlight=False)
    for line in found.untold:
        console.print(Text(f"\nnot looked for: {line}", style="dim"))


def _of(found: Diagnosis) -> str:
    return "" if found.queries == found.judged else f" of {found.queries} looked at"


def show_check(report: CheckReport) -> None:
    """Print what the built-in questions tell."""
    console = Console()
    console.print(report.summary, highlight=False, markup=False)
    for number, one in enumerate(report.findings, start=1):
        console.print()
        console.print(Text(f"{number}. {one.scorer}: {one.fault}", style="bold"))
        for name, text in (("seen", one.seen), ("what to change", one.change)):
            console.print(Text.assemble((f"   {name}: ", "dim"), text))
    if report.ok:
        console.print(
            "\nThey find the answers. How well they rank your documents takes judgements."
        )
