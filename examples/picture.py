"""Draws the picture of the README: the retriever's first ten, and ours beside them.

The text is what Python's standard library says of itself (stdlib_docs.py), the scorer the default,
which needs no key, model or network. Writes docs/images/ranking-light.svg and -dark.svg; the same
Python draws the same picture.

    python examples/picture.py [FOLDER]
"""

from __future__ import annotations

import sys
from html import escape
from pathlib import Path

from stdlib_docs import retrieve

from rerank_core import Reranker
from rerank_core.ranking.ranking import RankedCandidate, Ranking

QUESTION = "wait until all threads have reached a point"
#: Lines on each side; pixels that a letter of a name and of a text take, at the most.
SHOWN, NAME, LETTER = 10, 7.6, 5.9
#: Pixels: the whole, a column, a line, and where the first line stands.
WIDE, COLUMN, LINE, FIRST = 900, 372, 38, 118

#: Ground, panel, text, soft text, lines that rise, fall and stay.
SCHEMES = {
    "light": ("#ffffff", "#f6f8fa", "#1f2328", "#59636e", "#0a7d74", "#bc4c00", "#818b98"),
    "dark": ("#0d1117", "#161b22", "#e6edf3", "#9198a1", "#4cc9bd", "#f0883e", "#6e7681"),
}


def drawn(ranking: Ranking, scheme: str) -> str:
    """The picture: every line that rises is solid, every one that falls dashed."""
    ground, panel, text, soft, rises, falls, stays = SCHEMES[scheme]
    after = list(ranking.all[:SHOWN])
    before = sorted(ranking.all, key=lambda hit: hit.retrieved)[:SHOWN]
    tall = FIRST + SHOWN * LINE + 62
    right = WIDE - 20 - COLUMN
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDE} {tall}" width="{WIDE}" '
        f'height="{tall}" role="img" font-family="-apple-system,BlinkMacSystemFont,\'Segoe UI\','
        f'Helvetica,Arial,sans-serif">',
        f"<title>{escape(told(ranking))}</title>",
        f'<rect width="{WIDE}" height="{tall}" rx="10" fill="{ground}"/>',
        written(20, 40, f"“{ranking.query}”", text, 20, bold=True),
        written(20, 64, f"{len(ranking.all)} candidates", soft, 14),
        written(20, FIRST - 16, "before: the retriever", soft, 14, bold=True),
        written(right, FIRST - 16, "after: reranked", soft, 14, bold=True),
    ]
    colours = {1: rises, -1: falls, 0: stays}
    parts += [
        line(hit, right, colours[sign(hit.movement)])
        for hit in sorted(ranking.all, key=lambda hit: hit.movement)
        if hit.rank <= SHOWN or hit.retrieved <= SHOWN
    ]
    for position, hit in enumerate(before):
        parts += row(hit, position, 20, panel, text, soft, hit.retrieved, "")
    for position, hit in enumerate(after):
        moved = f"▲ {hit.movement}" if hit.movement > 0 else f"▼ {-hit.movement}"
        parts += row(hit, position, right, panel, text, soft, hit.rank, moved * bool(hit.movement))
        parts[-1] = parts[-1].replace(soft, colours[sign(hit.movement)])
    below = FIRST + SHOWN * LINE + 15
    came = sorted(hit.retrieved for hit in after if hit.retrieved > SHOWN)
    went = sorted(hit.rank for hit in before if hit.rank > SHOWN)
    parts.append(written(20 + COLUMN - 2, below, ", ".join(map(str, came)), soft, 13, anchor="end"))
    parts.append(written(right + 2, below, ", ".join(map(str, went)), soft, 13))
    legend = FIRST + SHOWN * LINE + 44
    for at, colour, dashes, name in ((20, rises, "", "rises"), (110, falls, "6 4", "falls")):
        parts.append(
            f'<path d="M{at} {legend - 4}h24" stroke="{colour}" stroke-width="2.5" '
            f'stroke-dasharray="{dashes}"/>'
        )
        parts.append(written(at + 30, legend, name, soft, 13))
    parts.append(
        written(WIDE - 20, legend, "python examples/picture.py", soft, 13, anchor="end", mono=True)
    )
    return "\n".join([*parts, "</svg>", ""])


def told(ranking: Ranking) -> str:
    """What the picture shows, for whoever does not see it."""
    risen = max(ranking.all[:SHOWN], key=lambda hit: hit.movement)
    return (
        f"The first {SHOWN} documents before and after reranking, for “{ranking.query}”. Now "
        f"first: {ranking.all[0].id}, which was {ranking.all[0].retrieved}. {risen.id} rises from "
        f"{risen.retrieved} to {risen.rank}."
    )


def row(
    hit: RankedCandidate,
    position: int,
    left: int,
    panel: str,
    text: str,
    soft: str,
    rank: int,
    moved: str,
) -> list[str]:
    """A document on one side: its rank, its name, how its text begins, how far it moved."""
    top = FIRST + position * LINE
    name = str(hit.id)
    says = hit.text.removeprefix(f"{name}: ")
    room = int((COLUMN - 100 - len(name) * NAME) / LETTER)
    short = f"{says[:room].rsplit(' ', 1)[0]} …" if room > 12 else ""
    return [
        f'<rect x="{left}" y="{top}" width="{COLUMN}" height="{LINE - 6}" rx="6" fill="{panel}"/>',
        written(left + 28, top + 21, str(rank), soft, 14, anchor="end", bold=True),
        f'<text x="{left + 40}" y="{top + 21}" font-size="14" fill="{text}"><tspan '
        f'font-weight="600">{escape(name)}</tspan><tspan dx="8" font-size="12.5" '
        f'fill="{soft}">{escape(short)}</tspan></text>',
        written(left + COLUMN - 10, top + 21, moved, soft, 13, anchor="end", bold=True),
    ]


def line(hit: RankedCandidate, right: int, colour: str) -> str:
    """From where a document was to where it is, beneath the last line if it is not shown there."""
    start, end = 20 + COLUMN + 4, right - 4
    below = FIRST + SHOWN * LINE + 10
    ys = [
        FIRST + (place - 1) * LINE + LINE // 2 - 3 if place <= SHOWN else below
        for place in (hit.retrieved, hit.rank)
    ]
    third = (end - start) // 2
    dashes = ' stroke-dasharray="6 4"' if hit.movement < 0 else ""
    return (
        f'<path d="M{start} {ys[0]}C{start + third} {ys[0]} {end - third} {ys[1]} {end} {ys[1]}" '
        f'fill="none" stroke="{colour}" stroke-width="2.5" stroke-linecap="round"{dashes}/>'
    )


def written(
    x: int,
    y: int,
    text: str,
    colour: str,
    size: int,
    *,
    anchor: str = "start",
    bold: bool = False,
    mono: bool = False,
) -> str:
    """A line of text."""
    weight = ' font-weight="600"' if bold else ""
    family = ' font-family="ui-monospace,Menlo,Consolas,monospace"' if mono else ""
    return (
        f'<text x="{x}" y="{y}" font-size="{size}" fill="{colour}" text-anchor="{anchor}"'
        f"{weight}{family}>{escape(text)}</text>"
    )


def sign(number: int) -> int:
    return (number > 0) - (number < 0)


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with Reranker(top_n=SHOWN) as reranker:
        shown = reranker.rank(QUESTION, retrieve(QUESTION))
    for scheme in SCHEMES:
        path = folder / f"ranking-{scheme}.svg"
        path.write_text(drawn(shown, scheme), encoding="utf-8")
        print(path)


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "docs/images"))
