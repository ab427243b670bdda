"""What several commands are told: queries, judged or not, and the systems to ask about them."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp
from typing import Annotated, Any

import typer
from rich.table import Table

from .. import config
from ..errors import ConfigurationError, InvalidInputError
from ..evaluation.collection import Collection
from ..evaluation.journal import Journal
from ..evaluation.provenance import own_judge
from ..evaluation.run import Run
from ..evaluation.trec import read_run
from ..reranker import Reranker
from ..scorers.named import HYBRID, kinds


def scorer_names(begun: str) -> list[str]:
    """What a scorer's name may go on as, for the shell to complete."""
    return [name for name in (HYBRID, *kinds()) if name.startswith(begun)]


Data = Annotated[
    Path | None,
    typer.Argument(
        help="A folder with corpus.jsonl, queries.jsonl and qrels (BEIR's layout), or a JSONL "
        'file: {"query": …, "documents": [{"text": …, "relevance": …}]} a line.',
        show_default=False,
    ),
]
Qrels = Annotated[
    Path | None,
    typer.Option("--qrels", help="Judgements: TREC qrels or BEIR's TSV.", show_default=False),
]
Base = Annotated[
    Path | None,
    typer.Option(
        "--base",
        "-b",
        help="The retriever's TREC run. Default: BM25 over the folder's corpus.",
        show_default=False,
    ),
]
Runs = Annotated[
    list[str] | None,
    typer.Option("--run", "-r", help="NAME=FILE: a TREC run. Repeatable.", show_default=False),
]
Scorers = Annotated[
    list[str] | None,
    typer.Option(
        "--scorer",
        "-s",
        help="A scorer to ask: bm25, hybrid, llm:MODEL, cross-encoder:MODEL, …, or NAME=SCORER. "
        "Repeatable.",
        show_default=False,
        autocompletion=scorer_names,
    ),
]
Configs = Annotated[
    list[Path] | None,
    typer.Option("--config", "-c", help="A reranker's file. Repeatable.", show_default=False),
]
Depth = Annotated[int, typer.Option("--depth", "-d", help="How many candidates a query.")]
Queries = Annotated[
    int | None,
    typer.Option("--queries", "-q", help="Draw so many of the queries.", show_default=False),
]
Split = Annotated[str, typer.Option("--split", help="Which of a folder's qrels.")]
JournalFile = Annotated[
    Path | None,
    typer.Option(
        "--journal",
        "-j",
        help="Keep rankings in this file; stopped and started again, it goes on.",
        show_default=False,
    ),
]
Report = Annotated[
    Path | None,
    typer.Option("--report", help="Write a page to look at.", show_default=False),
]
Timeout = Annotated[
    float | None,
    typer.Option("--timeout", "-t", help="Deadline a query in seconds.", show_default="none"),
]
AtOnce = Annotated[int, typer.Option("--at-once", help="Queries under way together.")]
Seed = Annotated[int, typer.Option("--seed", help="Of all draws: the same gives the same.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON object, for programs.")]

_NAMED = re.compile(r"([\w.\- ]+)=(.+)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Asked:
    """A system to measure: a run, or a reranker's table as a config file has it."""

    name: str
    run: Run | None
    table: dict[str, Any]


def asked(
    runs: Sequence[str] | None, scorers: Sequence[str] | None, configs: Sequence[Path] | None
) -> list[Asked]:
    """The systems named on the command line. Raises `InvalidInputError` for two of one name."""
    systems = []
    for given in runs or []:
        named = _NAMED.fullmatch(given)
        path = Path(named[2] if named else given)
        if not path.is_file():
            raise InvalidInputError(f"there is no file {path}")
        name = named[1] if named else path.stem
        systems.append(Asked(name, read_run(path, name), {}))
    for given in scorers or []:
        named = _NAMED.fullmatch(given)
        scorer = named[2] if named else given
        systems.append(Asked(named[1] if named else given, None, {"scorer": scorer}))
    systems += [Asked(file.stem, None, config.load(file)) for file in configs or []]
    names = [system.name for system in systems]
    for name in names:
        if names.count(name) > 1:
            raise InvalidInputError(f"two systems are called {name!r}: write NAME={name}")
    return systems


def asked_or(
    default: str | None,
    runs: Sequence[str] | None,
    scorers: Sequence[str] | None,
    configs: Sequence[Path] | None,
) -> list[Asked]:
    """The same; and where none is named this scorer, which is said."""
    systems = asked(runs, scorers, configs)
    if systems or default is None:
        return systems
    print(
        f"note: no scorer was named: {default} is asked (--scorer names another)", file=sys.stderr
    )
    return asked(None, [default], None)


def check_output(path: Path | None, *inputs: Path | None) -> None:
    """Raise `InvalidInputError` for a file that cannot be written, before the work is done."""
    if path is None:
        return
    if path.is_dir():
        raise InvalidInputError(f"{path} is a folder: name a file in it")
    if not path.parent.is_dir():
        raise InvalidInputError(f"there is no folder {path.parent} to write {path.name} into")
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        raise InvalidInputError(f"{path} cannot be written: no permission")
    for given in inputs:
        if given is not None and given.exists() and path.exists() and path.samefile(given):
            raise InvalidInputError(f"{path} is what is read: name another file to write")


def check_folder(path: Path | None) -> None:
    """Raise `InvalidInputError` for a folder that cannot be made or written into."""
    if path is None:
        return
    if path.exists() and not path.is_dir():
        raise InvalidInputError(f"{path} is a file: name a folder to write into")
    there = next(folder for folder in (path, *path.absolute().parents) if folder.exists())
    if not there.is_dir() or not os.access(there, os.W_OK):
        raise InvalidInputError(f"{path} cannot be written: no permission for {there}")


@contextmanager
def rankings_kept(path: Path | None) -> Iterator[Journal]:
    """The journal at this path; without one, one of its own, so that nothing paid for is lost.

    It is thrown away once the work is done, and named where the work was stopped.
    """
    if path is not None:
        yield Journal(path)
        return
    folder = Path(mkdtemp(prefix="rerank-"))
    kept = Journal(folder / "journal.jsonl")
    try:
        yield kept
    except BaseException:
        if kept.path.exists():
            print(
                f"note: what was ranked so far is in {kept.path}: --journal with it goes on",
                file=sys.stderr,
            )
        else:
            rmtree(folder, ignore_errors=True)
        raise
    rmtree(folder, ignore_errors=True)


def check_config_output(path: Path, *inputs: Path | None) -> None:
    """The same for a configuration, which takes the place of nothing but another one."""
    check_output(path, *inputs)
    if path.exists() and path.stat().st_size:
        try:
            config.load(path)
        except ConfigurationError:
            raise InvalidInputError(
                f"{path} is there and is no reranker's file: name another one with --output"
            ) from None


def save_config(path: Path, tables: Mapping[str, Any]) -> Path:
    """Write it there, or where that fails into a temporary folder, and return where it is."""
    try:
        config.save(path, **tables)
    except OSError as error:
        kept = Path(mkdtemp(prefix="rerank-")) / path.name
        config.save(kept, **tables)
        print(f"note: {path} cannot be written ({error}): it is in {kept}", file=sys.stderr)
        return kept
    return path


def refuse_own_judge(systems: Sequence[Asked], collection: Collection) -> None:
    """Raise `InvalidInputError` for a system that is to be chosen by its own model's judgements."""
    for system in systems:
        if collection.provenance is None:
            return
        if system.run is not None:
            own = own_judge(collection.provenance, system.name)
        else:
            with Reranker(**config.options(system.table)) as reranker:
                own = own_judge(collection.provenance, system.name, reranker)
        if own is not None:
            raise InvalidInputError(
                f"{system.name} cannot be tuned by these judgements: {own} made them, and ranks "
                "for it. Have another model or a person judge, or leave it out"
            )


def marked(table: Table, collection: Collection) -> Table:
    """The table, which says beneath its figures where a language model judged."""
    if (provenance := collection.provenance) is not None:
        told = f"{table.caption}\n" if table.caption else ""
        table.caption = f"{told}{provenance.short}"
    return table
