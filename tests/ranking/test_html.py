"""A ranking in a notebook."""

from __future__ import annotations

import re

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
        assert not {"b", "script", "u", "k", "v"} & (parser.seen - {"b"})
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
