"""A ranking in a notebook."""

from __future__ import annotations

import re
from pathlib import Path

import browser
import pytest
from balanced import Balanced

from rerank_core import Candidate, Reranker
from rerank_core.combine import WeightedSum
from rerank_core.text.highlight import marked, snippet, terms

DOCUMENTS = [
    Candidate("Paris is the capital of France", "<b>id</b>", 3.0),
    Candidate("Rome is the capital of Italy <script>alert('x')</script>", "rome", 2.0),
    Candidate("bananas " * 100, "long", 1.0),
]


def shown(**options: object) -> str:
    """The HTML of a ranking of three."""
    both = WeightedSum({"bm25": 0.7, "retrieval": 0.3})
    with Reranker("bm25", combine=both, **options) as reranker:  # type: ignore[arg-type]
        return reranker.rank("capital of <Italy>", DOCUMENTS)._repr_html_()


def test_untrusted_text_is_escaped() -> None:
    """In texts, ids and the query."""
    html = shown()

    assert "<script" not in html
    assert "&lt;script&gt;" in html
    assert "&lt;b&gt;id&lt;/b&gt;" in html
    assert "capital of &lt;Italy&gt;" in html


def test_it_is_whole_and_needs_nothing() -> None:
    """Every element is closed; no script, no address."""
    parser = Balanced()

    parser.feed(shown())

    assert parser.open == []
    assert {"table", "th", "td", "style"} <= parser.seen
    assert "http" not in shown()


def test_movement_is_an_arrow_and_a_number() -> None:
    """No colour is needed to tell up from down."""
    html = shown()

    assert "▲ 1" in html
    assert "▼ 1" in html
    assert "was 2" in html


def test_every_signal_has_a_bar() -> None:
    """And its value, with what it was before beside it."""
    html = shown()

    assert html.count(">retrieval</span>") == len(DOCUMENTS)
    assert "width:100%" in html
    assert re.search(r'title="3 as it came"', html)


def test_a_signal_has_one_colour_wherever_it_appears() -> None:
    """The legend says which, and from where to where its bars run."""
    html = shown()

    legend = re.findall(r'class="key" style="--c:([^"]+)"></span>(\w+) ([\d.]+) to ([\d.]+)', html)
    bars = set(
        re.findall(
            r'class="signal" style="--c:([^"]+)"[^>]*><span class="name" title="(\w+)"', html
        )
    )

    assert [name for _, name, *_ in legend] == ["score", "retrieval", "bm25"]
    assert {(colour, name) for colour, name, *_ in legend[1:]} == bars
    assert len({colour for colour, *_ in legend}) == 3


def test_it_knows_the_notebooks_and_pages_that_are_dark() -> None:
    """By what each says of itself; no colour stands for text."""
    html = shown()

    for dark in ('[data-jp-theme-light="false"]', ".vscode-dark", 'html[theme="dark"]'):
        assert f"{dark} .rerank.rerank" in html
    assert "light-dark(" in html
    assert not re.search(r"[{;]color: *#", html)


def test_hits_a_hit_and_a_report_have_html_too() -> None:
    """Whole, escaped, without an address."""
    with Reranker("bm25 > bm25@2", top_n=1) as reranker:
        ranking = reranker.rank("capital", [*DOCUMENTS, Candidate("x", "<u>", 0.5, {"<k>": "<v>"})])
    parts = [ranking.all, ranking[0], ranking.all[-1], ranking.report]

    for part in parts:
        parser = Balanced()
        parser.feed(part._repr_html_())
        assert parser.open == []
        assert "http" not in part._repr_html_()
        assert not {"script", "u", "k", "v"} & parser.seen
    assert "&lt;u&gt;" in ranking.all._repr_html_()
    assert "&lt;k&gt;" in ranking.all[-1]._repr_html_()
    assert ranking.report._repr_html_().count("bm25") == 2


def test_a_degraded_ranking_has_a_badge() -> None:
    """With the reason, and how much was scored."""

    def forgetful(query: str, texts: list[str]) -> list[float | None]:
        return [0.5, None, None]

    with Reranker(forgetful) as reranker:
        html = reranker.rank("capital", DOCUMENTS)._repr_html_()

    assert "⚠ degraded: incomplete" in html
    assert "33% scored" in html
    assert "not scored" in html
    assert "degraded" not in shown()


def test_long_texts_unfold() -> None:
    """Shown by the stretch that holds the query's words."""
    assert "<details>" in shown()


def test_words_of_the_query_are_marked() -> None:
    """Whole words, in any case; not those of one or two letters."""
    wanted = terms("capital of Italy")

    assert marked("Of CAPITAL italy's", wanted) == (
        "Of <mark>CAPITAL</mark> <mark>italy</mark>&#x27;s"
    )


def test_a_snippet_is_where_the_words_are() -> None:
    """Cut between words."""
    text = "filler " * 100 + "the needle stands here " + "filler " * 100

    cut = snippet(text, terms("needle stands"), 60)

    assert "needle stands" in cut
    assert cut.startswith("… ")
    assert cut.endswith(" …")
    assert len(cut) < 70


#: How JupyterLab, VS Code and Colab style what a cell shows: right-aligned, in equal columns.
NOTEBOOKS = {
    "JupyterLab": (
        'data-jp-theme-light="{light}"',
        'class="jp-RenderedHTMLCommon jp-RenderedHTML"',
        ".jp-RenderedHTMLCommon table{table-layout:fixed;margin:0 auto 1em}"
        ".jp-RenderedHTMLCommon td,.jp-RenderedHTMLCommon th,.jp-RenderedHTMLCommon tr"
        "{vertical-align:middle;padding:.5em;border:none}"
        ":not(.jp-RenderedMarkdown).jp-RenderedHTMLCommon td,"
        ":not(.jp-RenderedMarkdown).jp-RenderedHTMLCommon th{text-align:right}"
        ".jp-RenderedHTMLCommon tbody tr:nth-child(odd){background:#f00}",
    ),
    "VS Code": (
        'class="vscode-{scheme}"',
        'class="output"',
        "table,th,tr{vertical-align:middle;text-align:right}th,td{padding:4px 8px}"
        ".output tr:nth-child(even){background:#f00}.output table td{text-align:right}",
    ),
    "Colab": (
        "",
        'class="rendered_html"',
        ".rendered_html table{table-layout:fixed;margin:0 auto}"
        ".rendered_html tr,.rendered_html th,.rendered_html td{text-align:right;max-width:none}"
        ".rendered_html tbody tr:nth-child(odd){background:#f00}",
    ),
}


@pytest.mark.slow
def test_a_notebooks_own_style_does_not_beat_it(tmp_path: Path) -> None:
    """Aligned left, no column as wide as another by rule, no stripes, nothing to scroll sideways;
    dark where the notebook is, whatever the system prefers.
    """
    frames = [
        (in_notebook(notebook, light), width, light)  # the system prefers the other
        for notebook in NOTEBOOKS
        for light in (True, False)
        for width in (380, 900)
    ]
    script = """(() => {
        const of = name => window.getComputedStyle(page.querySelector(name));
        return [page.documentElement.scrollWidth, of('td.text').textAlign,
            of('table.hits').tableLayout, of('tbody tr').backgroundColor,
            of('.signal:not(.sum) .bar i').backgroundColor];
    })()"""

    told = browser.found(tmp_path, frames, script)

    bars: dict[bool, set[str]] = {True: set(), False: set()}
    for (_, width, light), (needed, align, layout, ground, bar) in zip(frames, told, strict=True):
        assert needed == width
        assert align in ("left", "start")
        assert layout == "auto"
        assert ground == "rgba(0, 0, 0, 0)"
        bars[light].add(bar)
    assert len(bars[True]) == len(bars[False]) == 1
    assert bars[True] != bars[False]


def in_notebook(notebook: str, light: bool) -> str:
    """A page with the ranking in a cell, in the notebook's light or dark theme."""
    body, cell, style = NOTEBOOKS[notebook]
    named = {"light": str(light).lower(), "scheme": "light" if light else "dark"}
    root = f' theme="{named["scheme"]}"' * (notebook == "Colab")
    return (
        f"<!doctype html><html{root}><head><style>body{{margin:0}}{style}</style></head>"
        f"<body {body.format(**named)}><div {cell}>{shown()}</div></body></html>"
    )
