"""`rerank eval`: does reranking help, on the user's own judged queries?"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from .. import config
from ..errors import InvalidInputError
from ..evaluation.baseline import Since, read_baseline, since, worse
from ..evaluation.compare import Comparison
from ..evaluation.evaluation import Evaluation, Result, evaluate
from ..evaluation.judged import counted
from ..evaluation.loading import load
from ..evaluation.measures import DEFAULT, names_in
from ..evaluation.mlflow import check_mlflow, log_to_mlflow
from ..evaluation.run import called
from ..evaluation.slices import Slice, check_field, slices
from ..evaluation.trec import write_run
from ..reranker import Reranker
from ..scorers.named import HYBRID
from . import judged, stdout
from .table import interval, plain_table, put
from .waiting import progress

#: Exit code: --fail-if-worse, and something is.
WORSE = 4


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
    report: judged.Report = None,
    by: Annotated[
        str | None,
        typer.Option(
            "--by",
            help="Also for each value of this field of the queries (in their lines of JSON).",
            show_default=False,
        ),
    ] = None,
    baseline: Annotated[
        Path | None,
        typer.Option(
            "--baseline",
            help="Compare with what an earlier eval --json wrote.",
            show_default=False,
        ),
    ] = None,
    fail_if_worse: Annotated[
        bool,
        typer.Option(
            "--fail-if-worse",
            help="Exit with 4 where a system is worse than its baseline, or without one than the "
            "retriever, by more than chance.",
        ),
    ] = False,
    worse_by: Annotated[
        float | None,
        typer.Option(
            "--worse-by",
            help="With --fail-if-worse: by more than this on average, chance or not.",
            show_default=False,
        ),
    ] = None,
    mlflow: Annotated[
        bool, typer.Option("--mlflow", help="Log to MLflow, as its environment is set up.")
    ] = False,
    as_json: judged.Json = False,
) -> None:
    """Measure rerankers on judged queries, against the retriever.

    rerank eval my-data/ --scorer hybrid --scorer llm:gpt-4o-mini --journal eval.jsonl

    rerank eval --qrels qrels.txt --base bm25.trec --run gpt=gpt.trec

    In CI: rerank eval my-data/ -c reranker.toml --baseline results.json --fail-if-worse

    Exit codes: 0 measured; 4 --fail-if-worse, and a system is; 1 and 2 as everywhere.
    """
    for path in (journal, report):
        judged.check_output(path, data, qrels, base)
    judged.check_folder(save)
    if mlflow:
        check_mlflow()
    earlier = None if baseline is None else read_baseline(baseline)
    if worse_by is not None and not fail_if_worse:
        raise InvalidInputError("--worse-by goes with --fail-if-worse")
    collection = load(data, base=base, qrels=qrels, depth=depth, split=split)
    if queries is not None:
        collection = collection.sample(queries, seed)
    if by is not None:
        check_field(collection, by)
    default = HYBRID if collection.has_texts else None
    systems = judged.asked_or(default, run, scorer, config_file)
    with ExitStack() as stack:
        journal_file = stack.enter_context(judged.rankings_kept(journal))
        asked = sum(system.run is None for system in systems)
        told = stack.enter_context(progress(not as_json, asked))
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
            progress=told,
        )
    if save is not None:
        save.mkdir(parents=True, exist_ok=True)
        for result in found.results:
            write_run(result.run, save / f"{_file_name(result.name)}.trec")
    if report is not None:
        from ..views.report import write

        write(found, report, command=stdout.command())
    parts = [] if by is None else slices(found, by)
    compared = [] if earlier is None else since(found, earlier)
    if as_json:
        more = {"by": by, "slices": [part.to_dict() for part in parts]} if by else {}
        if earlier is not None:
            more["since_baseline"] = [one.to_dict() for one in compared]
        print(stdout.as_json({**found.to_dict(), **more}))
    else:
        show(found)
        show_more(found, parts, by, compared)
        for note in found.notes:
            print(f"note: {note}", file=sys.stderr)
    if mlflow:
        params = {"data": data, "depth": depth, "seed": seed, "measures": " ".join(found.measures)}
        run_id = log_to_mlflow(found, params)
        print(f"logged to MLflow, run {run_id}", file=sys.stderr)
    if fail_if_worse and (fallen := _fallen(found, compared, earlier is not None, worse_by)):
        for line in fallen:
            print(f"worse: {line}", file=sys.stderr)
        raise typer.Exit(WORSE)


def _fallen(
    found: Evaluation, compared: Sequence[Since], since_baseline: bool, worse_by: float | None
) -> list[str]:
    """What became worse. Raises `InvalidInputError` where that cannot be told."""
    if not found.collection.qrels:
        raise InvalidInputError("--fail-if-worse needs judgements: no query is judged")
    for result in found.systems:
        if result.own_judge is not None:
            raise InvalidInputError(
                f"--fail-if-worse cannot go by these judgements: {result.own_judge} made them, "
                f"and {result.name} ranks by it. Have another model or a person judge"
            )
    decides = found.measures[0]
    if since_baseline:
        return worse([(one.system, "its baseline", one.comparison) for one in compared], worse_by)
    against = [
        (result.name, called(found.base.name), result.against[decides])
        for result in found.systems
        if decides in result.against
    ]
    return worse(against, worse_by)


def _reranker(system: judged.Asked) -> Reranker:
    return Reranker(**config.options(system.table, top_n=None))


def _file_name(name: str) -> str:
    return "".join(letter if letter.isalnum() or letter in "-_." else "-" for letter in name)


def show(found: Evaluation) -> None:
    """Print the evaluation: quality, what it cost, and without judgements what can be said."""
    console = Console()
    count = len(found.collection.qrels)
    console.print(Text(found.verdict, style="bold"))
    console.print()
    if count:
        decides = found.measures[0]
        console.print(
            f"{counted(count, found.collection.unanswerable)}; {found.collection.recall:.0%} of "
            f"what is relevant is among the candidates, whose best order has "
            f"{found.ceiling[decides]:.4f} {decides}"
        )
        put(console, _quality(found))
        put(console, _differences(found))
        if len(found.systems) > 1:
            put(console, _pairs(found))
    if any(result.costs for result in found.systems):
        put(console, _costs(found))
        console.print(f"overhead of the evaluation: {found.overhead * 1000:.1f} ms a query")
    if not count:
        put(console, _moves(found))
        put(console, _agreements(found))


def _quality(found: Evaluation) -> Table:
    table = plain_table("system", *found.measures, "Judged@10")
    for result in found.results:
        table.add_row(
            result.name,
            *(f"{result.means[name]:.4f}" for name in found.measures),
            "—" if result.judged is None else f"{result.judged:.0%}",
        )
    return judged.marked(table, found.collection)


def _differences(found: Evaluation) -> Table:
    """Each system against the base: a table of its own, as 80 columns hold no more."""
    decides = found.measures[0]
    against = f"{decides} against {found.base.name}"
    table = plain_table(against, "difference", "95% interval", "p (Holm)", "win/tie/loss")
    for result in found.results:
        if (compared := result.against.get(decides)) is not None:
            table.add_row(result.name, *_compared(compared, own=result.own_judge is not None))
    table.caption = "* more than chance, at 5%"
    if any(result.own_judge for result in found.systems):
        table.caption += "; ! judged by its own model, which says nothing"
    return judged.marked(table, found.collection)


def _compared(compared: Comparison, *, own: bool = False) -> list[str]:
    difference = compared.difference
    mark = "!" if own else "*" if compared.significant else " "
    return [
        f"{difference.mean:+.4f}{mark}",
        interval(compared.low, compared.high),
        f"{compared.p:.4f}",
        f"{compared.wins}/{compared.ties}/{compared.losses}",
    ]


def _pairs(found: Evaluation) -> Table:
    """Every two systems, where there is more than one beside the base."""
    decides = found.measures[0]
    own = {result.name for result in found.results if result.own_judge is not None}
    head = ("difference", "95% interval", "p (Holm)", "win/tie/loss")
    table = plain_table(f"{decides} of two", *head)
    for pair in found.pairs:
        if pair.first == found.base.name:
            continue
        unfair = bool({pair.first, pair.second} & own)
        names = f"{pair.second}\n− {pair.first}"
        table.add_row(names, *_compared(pair.comparison, own=unfair))
    table.caption = f"every p (Holm) is corrected for all {len(found.pairs)} pairs"
    return judged.marked(table, found.collection)


def show_more(
    found: Evaluation, parts: Sequence[Slice], by: str | None, compared: Sequence[Since]
) -> None:
    """Print the slices and the comparison with the baseline, as far as they were asked for."""
    console = Console()
    decides = found.measures[0]
    if parts:
        names = [result.name for result in found.results]
        table = plain_table(f"{decides} by {by}", "queries", *names)
        for part in parts:
            told = [f"{part.means[names[0]]:.4f} "]
            for name in names[1:]:
                mark = "*" if part.against[name].significant else " "
                told.append(f"{part.means[name]:.4f}{mark}")
            table.add_row(part.value, str(part.queries), *told)
        table.caption = (
            f"* differs from {called(names[0])} by more than chance in this slice alone; of "
            "twenty slices one does by luck"
        )
        put(console, judged.marked(table, found.collection))
    if compared:
        table = plain_table(
            f"{decides} since", "before", "now", "difference", "95% interval", "p (Holm)"
        )
        for one in compared:
            told = _compared(one.comparison)[:3]
            table.add_row(one.system, f"{one.before:.4f}", f"{one.now:.4f}", *told)
        missing = max(one.missing for one in compared)
        table.caption = "against the baseline, over the queries that both have" + (
            f"; {missing} are in one alone" if missing else ""
        )
        put(console, judged.marked(table, found.collection))


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
