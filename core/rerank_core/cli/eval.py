"""`rerank eval`: does reranking help, on the user's own judged queries?"""

from __future__ import annotations

import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from .. import config
from ..evaluation.evaluation import Evaluation, Result, evaluate
from ..evaluation.loading import load
from ..evaluation.measures import DEFAULT, names_in
from ..evaluation.trec import write_run
from ..reranker import Reranker
from . import judged, stdout
from .table import interval, plain_table


def evaluation(
    data: judged.Data = None,
    qrels: judged.Qrels = None,
    base: judged.Base = None,
    run: judged.Runs = None,
    scorer: judged.Scorers = None,
    config_file: judged.Configs = None,
    depth: judged.Depth = 100,
    measures: Annotated[
        str, typer.Option("--measures", "-m", help="The first decides.")
    ] = " ".join(DEFAULT),
    queries: judged.Queries = None,
    split: judged.Split = "test",
    journal: judged.JournalFile = None,
    timeout: judged.Timeout = None,
    at_once: judged.AtOnce = 1,
    save: Annotated[
        Path | None,
        typer.Option("--save", help="Write the runs into this folder.", show_default=False),
    ] = None,
    seed: judged.Seed = 0,
    report: Annotated[
        Path | None,
        typer.Option("--report", help="Write a page to look at.", show_default=False),
    ] = None,
    as_json: judged.Json = False,
) -> None:
    """Measure rerankers on judged queries, against the retriever alone.

    rerank eval my-data/ --scorer hybrid --scorer llm:gpt-4o-mini --journal eval.jsonl

    rerank eval --qrels qrels.txt --base bm25.trec --run gpt=gpt.trec
    """
    for path in (journal, report):
        judged.check_output(path, data, qrels, base)
    collection = load(data, base=base, qrels=qrels, depth=depth, split=split)
    if queries is not None:
        collection = collection.sample(queries, seed)
    systems = judged.asked(run, scorer, config_file)
    if not systems:
        systems = judged.asked(None, ["hybrid"] if collection.has_texts else None, None)
    with ExitStack() as stack:
        journal_file = stack.enter_context(judged.rankings_kept(journal))
        told = stack.enter_context(judged.progress(not as_json))
        found = evaluate(
            collection,
            {
                system.name: system.run or stack.enter_context(_reranker(system))
                for system in systems
            },
            measures=names_in(measures),
            journal=journal_file,
            timeout=timeout,
            at_once=at_once,
            seed=seed,
            progress=told,
        )
    if save is not None:
        save.mkdir(parents=True, exist_ok=True)
        for result in found.results:
            write_run(result.run, save / f"{_file_name(result.name)}.trec")
    if report is not None:
        from ..views.report import write

        write(found, report, command=stdout.command())
    if as_json:
        print(stdout.as_json(found.to_dict()))
    else:
        show(found)
        for note in found.notes:
            print(f"note: {note}", file=sys.stderr)


def _reranker(system: judged.Asked) -> Reranker:
    return Reranker(**config.options(system.table, top_n=None))


def _file_name(name: str) -> str:
    return "".join(letter if letter.isalnum() or letter in "-_." else "-" for letter in name)


def show(found: Evaluation) -> None:
    """Print the evaluation: quality, what it cost, and without judgements what can be said."""
    console = Console()
    count = len(found.collection.qrels)
    if count:
        decides = found.measures[0]
        console.print(
            f"{count} judged queries; {found.collection.recall:.0%} of what is relevant is among "
            f"the candidates, whose best order has {found.ceiling[decides]:.4f} {decides}"
        )
        console.print(_quality(found))
        console.print(_differences(found))
    if any(result.costs for result in found.systems):
        console.print(_costs(found))
        console.print(f"overhead of the evaluation: {found.overhead * 1000:.1f} ms a query")
    if not count:
        console.print(_moves(found))
        console.print(_agreements(found))


def _quality(found: Evaluation) -> Table:
    table = plain_table("system", *found.measures, "Judged@10")
    for result in found.results:
        table.add_row(
            result.name,
            *(f"{result.means[name]:.4f}" for name in found.measures),
            "—" if result.judged is None else f"{result.judged:.0%}",
        )
    return table


def _differences(found: Evaluation) -> Table:
    """Each system against the base: a table of its own, as 80 columns hold no more."""
    decides = found.measures[0]
    against = f"{decides} against {found.base.name}"
    table = plain_table(against, "difference", "95% interval", "p (Holm)", "win/tie/loss")
    for result in found.results:
        if (compared := result.against.get(decides)) is not None:
            difference = compared.difference
            table.add_row(
                result.name,
                f"{difference.mean:+.4f}{'*' if compared.significant else ' '}",
                interval(compared.low, compared.high),
                f"{compared.p:.4f}",
                f"{compared.wins}/{compared.ties}/{compared.losses}",
            )
    table.caption = "* more than chance, at 5%"
    return table


def _costs(found: Evaluation) -> Table:
    table = plain_table(
        "system", "p50 ms", "p95 ms", "p99 ms", "calls", "tokens", "cost $", "coverage"
    )
    for result in found.systems:
        if (costs := result.costs) is not None:
            table.add_row(
                result.name,
                *(f"{seconds * 1000:.1f}" for seconds in (costs.p50, costs.p95, costs.p99)),
                str(costs.calls),
                str(costs.tokens),
                "unknown" if costs.cost is None else f"{costs.cost:.4f}",
                f"{costs.coverage:.1%}",
            )
    return table


def _moves(found: Evaluation) -> Table:
    table = plain_table(
        "system", "ranks moved", "new in top 10", "score spread", "scores of their own"
    )
    for result in found.systems:
        table.add_row(result.name, *_moved(result))
    return table


def _moved(result: Result) -> list[str]:
    moved = result.movement
    spread = "—" if moved.spread is None else f"{moved.spread:.4g}"
    distinct = "—" if moved.distinct is None else f"{moved.distinct:.0%}"
    return [f"{moved.moved:.1f}", f"{moved.new:.1f}", spread, distinct]


def _agreements(found: Evaluation) -> Table:
    table = plain_table("agreement of", "and", "Kendall tau", "RBO", "same top 10")
    table.columns[1].justify = "left"
    for pair in found.agreements():
        table.add_row(
            pair.first, pair.second, f"{pair.tau:.3f}", f"{pair.rbo:.3f}", f"{pair.top:.0%}"
        )
    return table
