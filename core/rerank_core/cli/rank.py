"""`rerank rank`: the user's own documents, ranked for a question."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from ..ranking.ranking import Ranking
from ..reranker import Reranker
from . import stdout, table
from .documents import read

DEGRADED = 3


def rank(
    query: Annotated[str, typer.Argument(help="The question.")],
    paths: Annotated[
        list[Path] | None,
        typer.Argument(
            help="Text, Markdown or JSONL files, or folders of them. None, or -: standard input, "
            "one document a line (JSON lines too).",
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
        ),
    ] = None,
    top_n: Annotated[int, typer.Option("--top-n", "-n", help="How many to show.")] = 10,
    timeout: Annotated[
        float | None,
        typer.Option("--timeout", "-t", help="Deadline in seconds.", show_default=False),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object, for programs.")] = False,
    strict: Annotated[
        bool, typer.Option("--strict", help="Exit with 3 if the ranking was degraded.")
    ] = False,
) -> None:
    """Rank documents for a question.

    rerank rank "how do I cancel a task?" docs/ notes.md

    some-retriever | rerank rank "how do I cancel a task?" --json
    """
    found = read(paths or [])
    name = scorer or ("hybrid" if found.ordered else "bm25")
    limit = {} if timeout is None else {"timeout": timeout}
    with Reranker(name, top_n=top_n, **limit) as reranker:  # type: ignore[arg-type]
        ranking = reranker.rank(query, found.documents)
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


def _as_json(ranking: Ranking, scorer: str) -> dict[str, object]:
    return {
        "query": ranking.query,
        "scorer": scorer,
        "results": [
            {**hit.to_dict(), "index": hit.index, "movement": hit.movement} for hit in ranking
        ],
        "report": ranking.report.to_dict(),
    }
