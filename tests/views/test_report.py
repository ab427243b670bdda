"""The evaluation as a page."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

pytest.importorskip("ir_measures")
pytest.importorskip("matplotlib")
pytest.importorskip("jinja2")

import browser
from balanced import Balanced

from rerank_core import Candidate, Reranker
from rerank_core.evaluation import Evaluation, evaluate, of_candidates
from rerank_core.views import opening
from rerank_core.views.page import Made
from rerank_core.views.report import to_html, write
from rerank_core.views.report_data import by_depth, changes, moves


@pytest.fixture(scope="module", params=[True, False], ids=["judged", "not judged"])
def found(request: pytest.FixtureRequest) -> Evaluation:
    """Thirty queries; one scorer that helps and one that turns everything round."""
    return evaluation(judged=request.param)


@cache
def evaluation(*, judged: bool) -> Evaluation:
    """Of a small collection whose texts are hostile."""
    queries = {f"q{n}": f"what is <i>thing{n}</i>?" for n in range(30)}
    candidates = {
        q: [
            Candidate(f"<script>{d}</script> thing{n if d == n % 7 else d}", f"{q}d{d}", 9.0 - d)
            for d in range(8)
        ]
        for n, q in enumerate(queries)
    }
    qrels = {q: {f"{q}d{n % 7}": 1} for n, q in enumerate(queries)} if judged else {}
    collection = of_candidates(queries, candidates, qrels, "retriever")
    with Reranker("bm25") as helps, Reranker(lambda q, ts: [*range(len(ts))]) as harms:
        return evaluate(collection, {"a <b> scorer": helps, "backwards": harms})


def test_it_stands_alone(found: Evaluation) -> None:
    """One script, of ours; nothing fetched, every element closed."""
    html = to_html(found)
    parser = Balanced()

    parser.feed(html.replace("<!doctype html>", ""))

    assert html.count("<script") == html.count("</script") == 1
    assert "src=" not in html
    assert "<link" not in html
    assert "url(" not in html.replace("url(#", "")
    assert all(link.startswith("#") for link in re.findall(r'<a [^>]*href="([^"]*)', html))
    assert parser.open == []


def test_untrusted_text_is_escaped() -> None:
    """Names, queries, documents."""
    html = to_html(evaluation(judged=True))

    assert "a &lt;b&gt; scorer" in html
    assert "&lt;i&gt;" in html
    assert "&lt;script&gt;" in html


def test_both_colour_schemes_and_a_phone(found: Evaluation) -> None:
    """Drawings take their colours from the page."""
    html = to_html(found)

    assert "prefers-color-scheme: dark" in html
    assert 'name="viewport"' in html
    assert "#0102" not in html


def test_every_table_and_drawing_is_labelled(found: Evaluation) -> None:
    """For whoever does not see them."""
    html = to_html(found)

    assert html.count("<table ") == html.count('<table class="cards" aria-label=')
    assert html.count("<svg ") == html.count('<svg role="img" aria-label=')


def test_it_has_every_part() -> None:
    """Where there are judgements."""
    html = to_html(evaluation(judged=True))

    for title in (
        "Quality",
        "Latency and cost",
        "Every query",
        "Quality against depth",
        "Where the relevant documents went",
        "Scores",
        "Queries that lose most",
    ):
        assert f"<h2>{title}</h2>" in html


def test_it_opens_with_a_verdict_and_three_numbers(found: Evaluation) -> None:
    """Then when, with which version and by which command it was made, without a key."""
    key = "sk-loopback-0123456789abcdef"
    made = Made.now(f"rerank eval data/ --scorer api:https://me:hunter2@host/rerank?api_key={key}")

    html = to_html(found, made)

    opening = html[html.index("<header>") : html.index("</header>")]
    assert re.search(r'<p class="verdict">[^<]{30,}\.', opening)
    assert opening.count("<li><b>") == 3
    assert re.search(r"\d{4}-\d\d-\d\d \d\d:\d\d UTC · dropin-rerank \d+\.\d+", opening)
    assert "<code>rerank eval data/ --scorer api:https://" in opening
    assert "hunter2" not in html
    assert key not in html


def test_the_numbers_are_not_of_a_system_that_its_own_model_judged() -> None:
    """However good it looks by that; where there is no other, none is named."""
    found = evaluation(judged=True)
    best, other = sorted(found.systems, key=lambda one: -one.means[found.measures[0]])
    own = replace(best, own_judge="a-model")

    told = opening.numbers(replace(found, systems=[own, other]))
    alone = opening.numbers(replace(found, systems=[own]))

    assert best.name in str(opening.numbers(found)[0])
    assert not any(best.name in str(one) for one in [*told, *alone])
    assert other.name in str(told[0])


def test_the_queries_that_lose_come_first() -> None:
    """In the table of all, as beside each other with both orders."""
    html = to_html(evaluation(judged=True))
    rows = html[html.index('class="queries"') :].split("<tr>")[2:32]

    changes = [min(map(float, re.findall(r"\(([+-]\d\.\d+)\)", row))) for row in rows]

    assert len(changes) == 30
    assert changes == sorted(changes)
    assert changes[0] < 0
    losing = html[html.index('id="queries-that-lose-most"') :]
    assert losing.index("<h4>retriever</h4>") < losing.index("<h4>backwards</h4>")


def test_where_queries_are_counted_ticks_are_whole() -> None:
    """There is no half a query."""
    html = to_html(evaluation(judged=True))
    part = html[html.index('id="every-query"') : html.index('class="queries"')]

    across = part[part.index('<g id="matplotlib.axis_1') : part.index('<g id="matplotlib.axis_2')]
    labels = re.findall(r">([\d.]+)</text>", across)

    assert len(labels) > 2
    assert all(label.isdigit() for label in labels)


def test_without_judgements_it_says_what_can_be_said() -> None:
    """And draws no quality."""
    html = to_html(evaluation(judged=False))

    assert "What can be said without judgements" in html
    assert "<h2>Quality</h2>" not in html


def test_the_figures_are_those_of_the_evaluation() -> None:
    """The deepest reranking is the whole; the changes are the measures' differences."""
    found = evaluation(judged=True)
    result = found.systems[0]

    curve = by_depth(found, result)

    depths, values = zip(*curve, strict=True)
    assert depths == (0, 5, 8)
    assert values[0] == pytest.approx(found.base.means["nDCG@10"])
    assert values[-1] == pytest.approx(result.means["nDCG@10"])
    gain = result.means["nDCG@10"] - found.base.means["nDCG@10"]
    assert sum(c.by for c in changes(found, result)) / 30 == pytest.approx(gain)
    assert len(moves(found, result)) == 30


@pytest.mark.slow
def test_a_browser_shows_it_at_every_width(tmp_path: Path) -> None:
    """Nothing to scroll sideways; the page is as light or as dark as its reader prefers."""
    write(evaluation(judged=True), tmp_path / "report.html", command="rerank eval " + "data/" * 40)
    html = (tmp_path / "report.html").read_text(encoding="utf-8")
    frames = [(html, width, dark) for width in (380, 800, 1400) for dark in (False, True)]
    script = (
        "[page.documentElement.scrollWidth, window.getComputedStyle(page.body).backgroundColor]"
    )

    told = browser.found(tmp_path, frames, script)

    grounds = {True: "rgb(20, 23, 27)", False: "rgb(255, 255, 255)"}
    assert told == [[width, grounds[dark]] for _, width, dark in frames]


@pytest.mark.slow
def test_queries_are_found_and_sorted(tmp_path: Path) -> None:
    """By the words typed, in any order; by the column clicked, by number, up and then down."""
    html = to_html(evaluation(judged=True))
    script = """(() => {
        const box = page.querySelector('.queries'), find = box.querySelector('input');
        const rows = () => [...box.querySelectorAll('tbody tr')];
        find.value = 'Thing1 what';
        find.dispatchEvent(new window.Event('input'));
        const shown = rows().filter(row => !row.hidden).length;
        const told = box.querySelector('.told').textContent;
        const column = box.querySelectorAll('thead button')[2];
        const values = () => rows().map(row => Number(row.cells[2].dataset.value));
        column.click(); const up = values(); column.click(); const down = values();
        return [shown, told, up, down, column.parentNode.ariaSort];
    })()"""

    frame = (html, 800, False)
    ((shown, told, up, down, sort),) = browser.found(tmp_path, [frame], script)

    assert shown == 11  # thing1, thing10 to thing19
    assert told == "11 of 30 queries"
    assert up == sorted(up)
    assert down == sorted(up, reverse=True)
    assert up[0] < up[-1]
    assert sort == "descending"
