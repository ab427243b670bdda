"""`rerank tune`: depth, weights and normalization chosen on the user's own judged queries."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from .. import config
from ..errors import ConfigurationError, InvalidInputError
from ..evaluation.collection import Collection
from ..evaluation.loading import load
from ..evaluation.measures import parse
from ..evaluation.run import Run
from ..evaluation.running import run_reranker
from ..evaluation.tuned import tables
from ..evaluation.tuning import MEASURE, Tuning, tune
from ..reranker import Reranker
from ..scorers.named import HYBRID
from . import cascade, judged, stdout
from .table import plain_table, put
from .waiting import progress


def tuning(
    data: judged.Data = None,
    qrels: judged.Qrels = None,
    base: judged.Base = None,
    run: judged.Runs = None,
    scorer: judged.Scorers = None,
    config_file: judged.Configs = None,
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Where to write what was chosen: TOML or JSON.")
    ] = Path("rerank.toml"),
    measure: Annotated[str, typer.Option("--measure", "-m", help="What to tune for.")] = MEASURE,
    depth: judged.Depth = 100,
    depths: Annotated[
        str | None,
        typer.Option(
            "--depths",
            help="Depths to try beside all candidates. A scorer that looks at the whole list "
            "(bm25, most LLMs) is asked anew at each.",
            show_default="10 20 50, of other scorers",
        ),
    ] = None,
    max_ms: Annotated[
        float | None,
        typer.Option("--max-ms", help="Most milliseconds a query (p50).", show_default=False),
    ] = None,
    max_cost: Annotated[
        float | None,
        typer.Option("--max-cost", help="Most US dollars a query.", show_default=False),
    ] = None,
    splits: Annotated[int, typer.Option("--splits", help="Random splits of the queries.")] = 20,
    folds: Annotated[int, typer.Option("--folds", help="Parts of each split.")] = 10,
    queries: judged.Queries = None,
    split: judged.Split = "test",
    journal: judged.JournalFile = None,
    timeout: judged.Timeout = None,
    at_once: judged.AtOnce = 1,
    seed: judged.Seed = 0,
    as_json: judged.Json = False,
) -> None:
    """Choose depth, weights and normalization on judged queries, cross-validated.

    Of several scorers (other models, strategies, group sizes: a --config file each) the best is
    chosen, too. Kept is what is likely to lose least on other queries against the better of
    retriever and scorer, not what is highest on these; no test of significance decides.

    rerank tune my-data/ --scorer llm:gpt-4o-mini --journal tune.jsonl -o rerank.toml

    rerank tune --qrels qrels.txt --base bm25.trec --run gpt=gpt.trec

    Of a cascade the margin is learned by which its last stage may be skipped, where on held-out
    queries that was never worse than asking it about all of them:

    rerank tune my-data/ --scorer "hybrid > llm:gpt-4o-mini@10"
    """
    judged.check_output(journal, data, qrels, base)
    judged.check_config_output(output, data, qrels, base, journal)
    parse([measure])
    collection = load(data, base=base, qrels=qrels, depth=depth, split=split)
    if queries is not None:
        collection = collection.sample(queries, seed)
    if not collection.qrels:
        raise InvalidInputError("no query is judged: there is nothing to tune by")
    # what hybrid is made of: the shares of the two are what is tuned
    default = "bm25" if collection.has_texts else None
    systems = judged.asked_or(default, run, scorer, config_file)
    judged.refuse_own_judge(systems, collection)
    with judged.rankings_kept(journal) as journal_file:
        if cascade.among(systems):
            cascade.tune(
                systems,
                collection,
                output,
                measure=measure,
                splits=splits,
                folds=folds,
                seed=seed,
                asking={
                    "journal": journal_file,
                    "timeout": timeout,
                    "at_once": at_once,
                },
                as_json=as_json,
            )
            return
        tried = None if depths is None else _numbers(depths)
        asked = sum(system.run is None for system in systems)
        with progress(not as_json, asked) as told:
            runs, shallow, scorers = _asked(
                systems,
                collection,
                tried or (),
                journal=journal_file,
                timeout=timeout,
                at_once=at_once,
                progress=told,
            )
            found = tune(
                collection,
                runs,
                shallow=shallow,
                measure=measure,
                depths=tried,
                max_seconds=None if max_ms is None else max_ms / 1000,
                max_cost=max_cost,
                splits=splits,
                folds=folds,
                seed=seed,
                said=next(
                    (s.table["retrieval_score"] for s in systems if "retrieval_score" in s.table),
                    None,
                ),
            )
        output = judged.save_config(output, tables(found, scorers, collection.deepest))
    if as_json:
        judge = None if collection.provenance is None else collection.provenance.to_dict()
        print(stdout.as_json({**found.to_dict(), "judged_by": judge, "file": str(output)}))
        return
    show(found, collection)
    for note in found.notes:
        print(f"note: {note}", file=sys.stderr)
    print(f"written to {output}", file=sys.stderr)
    if found.kept.system is None:
        print(
            f"note: {output} reranks nothing (depth = 0): on these queries the retriever is best "
            "left as it is",
            file=sys.stderr,
        )
    if any(system.run is not None and system.name == found.kept.system for system in systems):
        print(
            f"note: {found.kept.system} was read from a run: name its scorer in {output}, or load "
            "it with Reranker.from_config(path, scorer=…)",
            file=sys.stderr,
        )


def _asked(
    systems: list[judged.Asked],
    collection: Collection,
    depths: Sequence[int],
    **asking: Any,
) -> tuple[dict[str, Run], dict[str, dict[int, Run]], dict[str, tuple[str, dict[str, Any]]]]:
    """Each system's run; where that tells nothing of a shorter list, a run at each of `depths`;
    and its signal's name with the table that makes its reranker."""
    runs: dict[str, Run] = {}
    shallow: dict[str, dict[int, Run]] = {}
    scorers: dict[str, tuple[str, dict[str, Any]]] = {}
    for system in systems:
        if system.run is not None:
            runs[system.name] = system.run
            scorers[system.name] = (system.name, {"scorer": {system.name: system.name}})
            continue
        # what is tuned here is left out there
        table = {k: v for k, v in system.table.items() if k not in ("combine", "depth")}
        if table.get("scorer") in (None, HYBRID):
            table["scorer"] = "bm25"  # hybrid is bm25 with fixed weights
        with Reranker(**config.options(table, top_n=None)) as reranker:
            if len(reranker.scorers) > 1:
                raise ConfigurationError(f"{system.name} has several scorers: tune one at a time")
            run = run_reranker(system.name, reranker, collection, **asking)
            runs[system.name] = run
            scorers[system.name] = (next(iter(reranker.scorers)), table)
            if run.whole_list:
                shallow[system.name] = {
                    depth: run_reranker(
                        f"{system.name}, depth {depth}",
                        reranker.replace(depth=depth),
                        collection,
                        **asking,
                    )
                    for depth in depths
                    if depth < collection.deepest
                }
    return runs, {name: found for name, found in shallow.items() if found}, scorers


def _numbers(text: str) -> list[int]:
    try:
        numbers = [int(part) for part in text.replace(",", " ").split()]
    except ValueError:
        numbers = []
    if not numbers or min(numbers) < 1:
        raise InvalidInputError(f'depths are whole numbers such as "10 20 50", not {text!r}')
    return numbers


def show(found: Tuning, collection: Collection) -> None:
    """Print what came of it."""
    console = Console()
    table = plain_table(
        f"{found.queries} judged queries", found.measure, "spread", "Judged@10", width=26
    )
    for name, value in {**found.ends, **found.defaults}.items():
        table.add_row(name, f"{value:.4f}", "", _judged(found, name))
    kept = found.kept.label
    table.add_row(
        Text(f"kept: {kept}", style="bold"), f"{found.quality:.4f}", "", _judged(found, kept)
    )
    table.add_row("choosing so, on held-out queries", f"{found.tuned:.4f}", f"±{found.spread:.4f}")
    put(console, judged.marked(table, collection))
    console.print(
        f"held out, {found.gain:+.4f} against the better of retriever and scorer "
        f"(p = {found.p:.3f})"
    )
    console.print(f"kept: [bold]{found.kept.label}[/bold]\n", highlight=False)
    put(console, judged.marked(_front(found), collection))


def _judged(found: Tuning, label: str) -> str:
    return f"{found.judged[label]:.0%}" if label in found.judged else ""


def _front(found: Tuning) -> Table:
    head = ("what can be had for what", found.measure, "documents", "about ms", "about $ a 1000")
    table = plain_table(*head, width=26)
    for one in found.front:
        kept = one.label == found.kept.label
        table.add_row(
            Text(f"kept: {one.label}", style="bold") if kept else one.label,
            f"{one.quality:.4f}",
            str(one.documents),
            "—" if one.seconds is None else f"{one.seconds * 1000:.1f}",
            "—" if one.cost is None else f"{one.cost * 1000:.3f}",
        )
    table.caption = "on these queries, so that the best of many looks better than it is"
    best = max(found.front, key=lambda one: one.quality, default=None)
    if best is not None and best.label != found.kept.label and best.quality > found.quality:
        table.caption += (
            f"\n{best.label} is higher here and not kept: "
            f"{found.kept.label} is likely to lose less on other queries"
        )
    return table
