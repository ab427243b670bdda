"""`rerank judge`: judgements by a language model, checked by a person."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from .. import config
from ..errors import InvalidInputError
from ..evaluation.collection import Collection
from ..evaluation.journal import Journal
from ..evaluation.judging.judge import judge
from ..evaluation.judging.judgements import Judgements, check_output
from ..evaluation.judging.ledger import Ledger
from ..evaluation.judging.person import with_people
from ..evaluation.judging.pool import POOL, pooled
from ..evaluation.judging.purse import Price, Progress
from ..evaluation.loading import load
from ..evaluation.logged import served_run
from ..evaluation.provenance import beside
from ..evaluation.run import Run
from ..evaluation.running import run_reranker
from ..reranker import Reranker
from . import judged, person, stdout
from .waiting import progress

#: Exit code: not every pair has a judgement.
UNFINISHED = 3


def judging(
    data: Annotated[
        Path,
        typer.Argument(
            help="A log that RankingLog wrote; JSONL of queries with documents; or a folder with "
            "corpus.jsonl and queries.jsonl.",
            show_default=False,
        ),
    ],
    model: Annotated[
        str | None,
        typer.Option(
            "--model",
            "-m",
            help="The judge: a model's name, asked at OPENAI_BASE_URL. Default: RERANK_MODEL, else "
            "gpt-4o-mini. Take another one than the reranker's.",
            show_default=False,
        ),
    ] = None,
    max_cost: Annotated[
        float | None,
        typer.Option(
            "--max-cost",
            help="Most US dollars, over all runs with the journal. Left out, the estimate is told "
            "and nothing is asked.",
            show_default=False,
        ),
    ] = None,
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Where to write the judgements (TREC qrels).")
    ] = Path("judged.qrels"),
    base: judged.Base = None,
    run: judged.Runs = None,
    scorer: judged.Scorers = None,
    config_file: judged.Configs = None,
    pool: Annotated[
        int, typer.Option("--pool", "-p", help="Judge the first so many of every run.")
    ] = POOL,
    depth: judged.Depth = 100,
    queries: judged.Queries = None,
    passes: Annotated[
        int, typer.Option("--passes", help="Ask once, or a second time in another form.")
    ] = 2,
    price: Annotated[
        str | None,
        typer.Option(
            "--price",
            help='Dollars a million tokens, prompt and reply: "2.5,10"; "0,0" for your own model.',
            show_default="known for hosted models",
        ),
    ] = None,
    journal: Annotated[
        Path | None,
        typer.Option(
            "--journal",
            "-j",
            help="Every answer is kept here, and none is asked for twice.",
            show_default="OUTPUT.journal.jsonl",
        ),
    ] = None,
    sample: Annotated[
        int | None,
        typer.Option(
            "--sample",
            help="Judge so many pairs yourself, here in the terminal; asks no model.",
            show_default=False,
        ),
    ] = None,
    doubtful: Annotated[
        bool,
        typer.Option("--doubtful", help="With --sample: those that the model was not sure of."),
    ] = False,
    at_once: Annotated[int, typer.Option("--at-once", help="Questions under way together.")] = 8,
    per_minute: Annotated[
        float | None,
        typer.Option("--per-minute", help="Most questions a minute.", show_default=False),
    ] = None,
    seed: judged.Seed = 0,
    as_json: judged.Json = False,
) -> None:
    """Have a language model judge what was retrieved, and check it yourself.

    rerank judge rankings.jsonl --model gpt-4o --max-cost 2

    rerank judge rankings.jsonl --sample 50

    rerank eval rankings.jsonl --qrels judged.qrels --config reranker.toml

    The first documents of every run (of the retriever, of what the log answered, of each --run,
    --scorer and --config) are graded 0 to 3 by UMBRELA's rubric, twice in different words.

    Exit code 3: not every pair was judged (the cap, or a server that failed); start it again.
    """
    check_output(output)
    kept = journal or output.with_name(output.name + ".journal.jsonl")
    if not kept.parent.is_dir():
        raise InvalidInputError(f"there is no folder {kept.parent} for the journal")
    collection = load(data, base=base, depth=depth, unjudged=True)
    if queries is not None:
        collection = collection.sample(queries, seed)
    runs = _runs(data, collection, run, scorer, config_file, not as_json, kept)
    if sample is not None:
        found = _by_person(collection, runs, pool, kept, sample, seed, doubtful)
    else:
        with _progress(not as_json) as told:
            found = judge(
                collection,
                model,
                runs=runs,
                pool=pool,
                passes=passes,
                max_cost=max_cost,
                price=_price(price),
                journal=kept,
                at_once=at_once,
                requests_per_minute=per_minute,
                progress=told,
            )
    if sample is not None and not found.judged:
        print(f"note: nothing was judged, and {output} is not written", file=sys.stderr)
        if as_json:
            print(stdout.as_json({**found.to_dict(), "file": None, "calls": found.calls}))
        return
    found.write(output)
    if as_json:
        print(stdout.as_json({**found.to_dict(), "file": str(output), "calls": found.calls}))
    else:
        show(found, output)
    if found.unjudged and sample is None:
        raise typer.Exit(UNFINISHED)


def _runs(
    data: Path,
    collection: Collection,
    run: list[str] | None,
    scorer: list[str] | None,
    config_file: list[Path] | None,
    shown: bool,
    journal: Path,
) -> list[Run]:
    """What is pooled beside the retriever: what was answered, and what the systems rank."""
    served = served_run(data)
    runs = [] if served is None else [served]
    systems = judged.asked(run, scorer, config_file)
    rankings = Journal(journal.with_name(journal.name + ".rankings")) if systems else None
    with ExitStack() as stack:
        told = stack.enter_context(progress(shown))
        for system in systems:
            if system.run is not None:
                runs.append(system.run)
                continue
            reranker = stack.enter_context(Reranker(**config.options(system.table, top_n=None)))
            runs.append(
                run_reranker(system.name, reranker, collection, journal=rankings, progress=told)
            )
    return runs


def _by_person(
    collection: Collection,
    runs: list[Run],
    pool: int,
    journal: Path,
    count: int,
    seed: int,
    doubtful: bool,
) -> Judgements:
    pairs = pooled(collection, runs, pool)
    ledger = Ledger(journal)
    try:
        person.judge(pairs, ledger, count, seed=seed, doubtful=doubtful)
        return with_people(collection, pairs, ledger)
    finally:
        ledger.close()


def _price(text: str | None) -> Price | None:
    if text is None:
        return None
    try:
        prompt, reply = (float(part) for part in text.replace(",", " ").split())
    except ValueError:
        raise InvalidInputError(
            f'--price is two numbers, dollars a million tokens: "2.5,10", not {text!r}'
        ) from None
    return prompt, reply


@contextmanager
def _progress(shown: bool) -> Iterator[Progress | None]:
    """A bar with the cost so far, on standard error, where that is a terminal."""
    console = Console(stderr=True)
    if not shown or not console.is_terminal:
        yield None
        return
    columns = (
        TextColumn("judging"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[cost]}"),
    )
    with Bar(*columns, console=console, transient=True) as bar:
        task = bar.add_task("judging", total=None, cost="")

        def told(done: int, of: int, cost: float | None) -> None:
            spent = "cost unknown" if cost is None else f"${cost:.4f}"
            bar.update(task, completed=done, total=of, cost=spent)

        yield told


def show(found: Judgements, output: Path) -> None:
    """Print what came of it, and what to do next."""
    console = Console(highlight=False)
    told = found.to_dict()
    grades = ", ".join(f"{count} of grade {grade}" for grade, count in told["grades"].items())
    console.print(
        f"{told['pairs']} pairs of {told['queries']} queries judged by "
        f"{found.model or 'a person'}, by UMBRELA's rubric"
    )
    console.print(f"  {grades}")
    if found.calls or found.kept:
        cost = "cost unknown" if found.cost is None else f"${found.cost:.4f} in all"
        console.print(f"  {found.calls} questions asked, {found.kept} answers kept; {cost}")
    if found.of_passes is not None:
        console.print(f"  its two passes: {found.of_passes}")
    if told["judged_by_person"]:
        console.print(f"  {told['judged_by_person']} pairs were judged by a person")
    if found.with_person is not None:
        console.print(f"  model and person: {found.with_person}")
    if count := told["to_check"]:
        console.print(
            f"  a person should check {told['share_to_check']:.0%}, {count} pairs of which the "
            f"model was not sure: rerank judge … --sample {count} --doubtful"
        )
    if found.model and found.with_person is None:
        console.print("  how far it can be trusted shows what you say yourself: … --sample 50")
    for note in notes(found):
        print(f"note: {note}", file=sys.stderr)
    print(f"written to {output} and {beside(output).name}", file=sys.stderr)


def notes(found: Judgements) -> Iterator[str]:
    """What the reader should know beside the figures."""
    if found.stopped is not None:
        yield f"{len(found.unjudged)} pairs are not judged: {found.stopped}"
    if found.lost:
        yield (
            f"{found.lost} questions were under way when an earlier run was ended: they count as "
            "paid, at the most they can have cost"
        )
    if found.truncated:
        yield f"{found.truncated} documents are long, and the model saw their beginning"
