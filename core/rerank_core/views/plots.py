"""Plots as inline SVG, by Matplotlib: some kilobytes each, without script.

Altair and Plotly would bring their runtimes, megabytes of script, into every file, or fetch them.
Colours become CSS variables of the page, so that one drawing serves light and dark; what is
coloured differs in shape too. Each is small enough for a phone and stands in a figure of its own.
"""

from __future__ import annotations

import io
import math
import operator
import random
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from ..evaluation.packages import package

#: Inches; a pixel of the page is a 96th of one.
SIZE = (3.75, 2.75)
#: The most marks of a scatter plot; a random sample of more.
MOST = 400

# Colours that stand for the page's: replaced after drawing.
_TEXT, _GRID, _FIRST, _SECOND = "#010203", "#010204", "#010205", "#010206"
_PAGE = {
    _TEXT: "currentColor",
    _GRID: "var(--grid)",
    _FIRST: "var(--first)",
    _SECOND: "var(--second)",
}
_LINES = (("-", "o"), ("--", "s"), (":", "^"), ("-.", "D"), ((0, (5, 1)), "v"), ((0, (1, 1)), "P"))


def change_by_query(by: Sequence[float], measure: str, label: str, most: float) -> str:
    """The change of every query, greatest gain first, as bars up and down to `most`."""
    figure, axes = _axes("queries, greatest gain first", f"change in {measure}")
    # one step each, as two areas: hundreds of bars would be as many elements of the page
    edges = list(range(len(by) + 1))
    for part, extra in (
        ([max(0.0, v) for v in by], {"color": _FIRST}),
        (
            [min(0.0, v) for v in by],
            {"facecolor": "none", "edgecolor": _SECOND, "hatch": "//////", "lw": 0.8},
        ),
    ):
        axes.fill_between(edges, [*part, part[-1]], step="post", **extra)
    axes.axhline(0, color=_TEXT, lw=0.8)
    axes.set_xlim(0, len(by))
    axes.set_ylim(-1.05 * most, 1.05 * most)  # as much room beneath the line as above it
    _whole(axes.xaxis)
    return _svg(figure, label)


def ranks_before_and_after(pairs: Sequence[tuple[int, int]], label: str, last: int) -> str:
    """Relevant documents: rank before across, rank after up, the best at the top right corner.

    Down to the rank `last`. A mark is the larger the more documents it stands for.
    """
    figure, axes = _axes("rank before", "rank after")
    counts = Counter(pairs)
    several = random.Random(0).sample(sorted(counts), min(MOST, len(counts)))
    for marker, colour, is_here in (
        ("x", _TEXT, operator.eq),
        ("^", _FIRST, operator.gt),
        ("v", _SECOND, operator.lt),
    ):
        some = [pair for pair in several if is_here(*pair)]
        if some:
            sizes = [12 * math.sqrt(counts[pair]) for pair in some]
            axes.scatter(*zip(*some, strict=True), marker=marker, s=sizes, color=colour, lw=0.8)
    axes.plot([1, last], [1, last], color=_TEXT, lw=0.8, ls=":")
    for axis in (axes.xaxis, axes.yaxis):
        axis.axes.set_xscale("log") if axis is axes.xaxis else axes.set_yscale("log")
        ticks = [tick for tick in (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000) if tick <= last]
        axis.set_ticks(ticks, labels=[str(tick) for tick in ticks])
        axis.set_minor_locator(package("matplotlib.ticker").NullLocator())
    axes.set_xlim(last * 1.15, 0.85)
    axes.set_ylim(last * 1.15, 0.85)
    return _svg(figure, label)


def quality_by_depth(
    curves: Mapping[str, Sequence[tuple[int, float]]], measure: str, label: str
) -> str:
    """A line for each system, from none reranked to all."""
    figure, axes = _axes("candidates reranked", measure)
    for (name, curve), (style, marker) in zip(curves.items(), _cycled(len(curves)), strict=True):
        colour = _FIRST if marker in "o^v" else _SECOND
        axes.plot(
            *zip(*curve, strict=True), ls=style, marker=marker, ms=4, color=colour, label=name
        )
    axes.set_xlim(left=0)
    _whole(axes.xaxis)
    _legend(axes, len(curves))
    return _svg(figure, label)


def quality_by_price(
    points: Sequence[tuple[str, float, float]], across: str, measure: str, label: str
) -> str:
    """Each system as a named point: what it takes across, what it gives up."""
    figure, axes = _axes(across, measure)
    for (name, taken, given), (_, marker) in zip(points, _cycled(len(points)), strict=True):
        axes.scatter([taken], [given], marker=marker, s=36, color=_FIRST, label=name)
    prices = [price for _, price, _ in points]
    if min(prices) > 0 and max(prices) > 20 * min(prices):
        axes.set_xscale("log")
        axes.xaxis.set_major_formatter(package("matplotlib.ticker").FormatStrFormatter("%g"))
    else:
        axes.set_xlim(0, 1.2 * max(prices))
    axes.margins(0.2)
    _legend(axes, len(points))
    return _svg(figure, label)


def score_distributions(relevant: Sequence[float], others: Sequence[float], label: str) -> str:
    """Shares of relevant documents and of others by score."""
    figure, axes = _axes("score", "share of documents")
    low, high = min([*relevant, *others]), max([*relevant, *others])
    edges = [low + (high - low or 1.0) * step / 24 for step in range(25)]
    for values, name, style, colour in (
        (others, "not relevant, or not judged", "--", _SECOND),
        (relevant, "relevant", "-", _FIRST),
    ):
        if values:
            weights = [1 / len(values)] * len(values)
            drawn = {"histtype": "step", "lw": 1.6, "ls": style, "color": colour}
            axes.hist(values, bins=edges, weights=weights, label=name, **drawn)
    _legend(axes, 2)
    return _svg(figure, label)


def _axes(across: str, up: str) -> tuple[Any, Any]:
    figure = package("matplotlib.figure").Figure(figsize=SIZE, layout="constrained")
    axes = figure.add_subplot()
    axes.set_xlabel(across, color=_TEXT)
    axes.set_ylabel(up, color=_TEXT)
    axes.tick_params(colors=_TEXT, labelsize=8.5)
    axes.locator_params(axis="y", nbins=5)
    axes.grid(visible=True, color=_GRID, lw=0.6)
    axes.set_axisbelow(True)
    for side, spine in axes.spines.items():
        spine.set_color(_TEXT)
        spine.set_visible(side in ("left", "bottom"))
    return figure, axes


def _whole(axis: Any) -> None:
    """Ticks at whole numbers alone: there is no half a query."""
    axis.set_major_locator(package("matplotlib.ticker").MaxNLocator(6, integer=True))


def _legend(axes: Any, rows: int) -> None:
    axes.legend(
        frameon=False,
        labelcolor=_TEXT,
        fontsize=8.5,
        loc="lower center",
        bbox_to_anchor=(0.5, 1.0),
        ncols=1 if rows > 2 else rows,
    )


def _cycled(count: int) -> list[tuple[Any, str]]:
    return [_LINES[position % len(_LINES)] for position in range(count)]


def _svg(figure: Any, label: str) -> str:
    """The drawing as an element of the page, in the page's colours and fonts."""
    buffer = io.StringIO()
    settings = {
        "svg.fonttype": "none",
        "svg.hashsalt": label,  # ids differ between the drawings of one page, and not between runs
        "hatch.color": _TEXT,
    }
    with package("matplotlib").rc_context(settings):
        figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None})
    drawn = buffer.getvalue()
    drawn = drawn[drawn.index("<svg") :]
    drawn = re.sub(r"<metadata>.*?</metadata>", "", drawn, flags=re.DOTALL)
    for colour, of_page in _PAGE.items():
        drawn = drawn.replace(colour, of_page)
    drawn = re.sub(r"\n\s*", "\n", drawn)
    return drawn.replace("<svg ", f'<svg role="img" aria-label="{escape(label)}" ', 1)
