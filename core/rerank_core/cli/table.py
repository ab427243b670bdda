"""Tables on a terminal: how they look, and a ranking as one."""

from __future__ import annotations

import math
import re

from rich.console import Console
from rich.table import Table
from rich.text import Text

from ..ranking.ranking import RankedCandidate, Ranking
from ..text.highlight import snippet, terms
from ..text.words import words

#: Characters of text shown for a document.
SNIPPET = 240
#: Columns between two of a table, and the fewest that a document is shown in beside its figures.
GAP, NARROWEST = 2, 16


def plain_table(first: str, *numbers: str, width: int = 12) -> Table:
    """An empty table: names in the first column, at least so wide, and columns of numbers."""
    table = _plain()
    table.caption_justify = "left"
    table.add_column(first, overflow="fold", min_width=width)
    for name in numbers:
        table.add_column(name, justify="right", no_wrap=True)
    return table


def put(console: Console, table: Table) -> None:
    """Print it; where the terminal is narrower than its figures, each row beneath its name."""
    first, *others = table.columns
    figures = [[_plainly(column.header), *map(_plainly, column.cells)] for column in others]
    needed = (first.min_width or 0) + sum(GAP + max(map(len, cells)) for cells in figures)
    if needed <= console.width:
        console.print(table)
        return
    console.print(Text(_plainly(first.header), style="bold"))
    width = max(len(head) for head, *_ in figures)
    for at, name in enumerate(first.cells, start=1):
        console.print(name if isinstance(name, Text) else Text(str(name)))
        for cells in figures:
            if cells[at].strip():
                console.print(Text(f"  {cells[0]:{width}}  {cells[at]}"))
    if table.caption:
        console.print(Text(_plainly(table.caption), style="table.caption"))


def _plainly(shown: object) -> str:
    return shown.plain if isinstance(shown, Text) else str(shown)


def interval(low: float, high: float) -> str:
    """Both ends; one query tells none."""
    return f"{low:+.4f} {high:+.4f}" if math.isfinite(high - low) else "—"


def _plain(beneath: int = 0) -> Table:
    """No lines, and so many empty ones beneath each row."""
    return Table(box=None, pad_edge=False, padding=(0, GAP, beneath, 0), header_style="bold")


def show(ranking: Ranking, scorer: str, *, moved: bool) -> None:
    """Print the ranking: rank, movement (if the input had an order), score, snippet.

    Where the terminal is too narrow for the documents beside them, each stands beneath its figures.
    """
    console = Console()
    heads = ["rank", *(["moved"] if moved else []), "score"]
    rows = [
        [Text(str(hit.rank)), *([_movement(hit)] if moved else []), _score(hit)] for hit in ranking
    ]
    title = f"document ({len(ranking)} of {len(ranking.all)}, by {scorer})"
    wanted = terms(ranking.query)
    documents = [_document(hit, wanted) for hit in ranking]
    if console.width < sum(len(head) + GAP for head in heads) + NARROWEST:
        console.print(Text(title, style="bold"))
        for row, document in zip(rows, documents, strict=True):
            for head, figure in zip(heads, row, strict=True):
                console.print(Text(f"{head:{max(map(len, heads))}}  ") + figure)
            console.print(document, end="\n\n")
        return
    table = _plain(beneath=1)
    for head in heads:
        table.add_column(head, justify="right", no_wrap=True)
    table.add_column(title)
    for row, document in zip(rows, documents, strict=True):
        table.add_row(*row, document)
    console.print(table)


def _score(hit: RankedCandidate) -> Text:
    return Text("—" if hit.score is None else f"{hit.score:.3f}")


def _movement(hit: RankedCandidate) -> Text:
    if hit.movement > 0:
        return Text(f"▲{hit.movement}", style="green")
    if hit.movement < 0:
        return Text(f"▼{-hit.movement}", style="red")
    return Text("=", style="dim")


def _document(hit: RankedCandidate, wanted: frozenset[str]) -> Text:
    shown = Text()
    if hit.id is not None:
        shown.append(f"{hit.id}\n", style="dim")
    told = Text(snippet(hit.text, wanted, SNIPPET))
    for match in re.finditer(r"\w+", told.plain):
        if not wanted.isdisjoint(words(match.group())):
            told.stylize("bold cyan", *match.span())
    return shown.append_text(told)
