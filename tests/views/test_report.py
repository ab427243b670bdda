"""The evaluation as a page."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

pytest.importorskip("ir_measures")
pytest.importorskip("matplotlib")

from balanced import Balanced

from rerank_core import Candidate, Reranker
from rerank_core.evaluation import Evaluation, evaluate, of_candidates
from rerank_core.views.report import to_html, write
from rerank_core.views.report_data import by_depth, changes, moves


@pytest.fixture(scope="module", params=[True, False], ids=["judged", "not judged"])
def found(request: pytest.FixtureRequest) -> Evaluation:
    """Thirty queries; one scorer that helps and one that turns everything round."""
    return evaluation(judged=request.param)


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
    """No script, nothing fetched, every element closed."""
    html = to_html(found)
    parser = Balanced()

    parser.feed(html.replace("<!doctype html>", ""))

    assert "<script" not in html
    assert "src=" not in html
    assert "<link" not in html
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

    assert "prefers-color-scheme:dark" in html
    assert 'name="viewport"' in html
    assert "#0102" not in html


def test_every_table_and_drawing_is_labelled(found: Evaluation) -> None:
    """For whoever does not see them."""
    html = to_html(found)

    assert html.count("<table ") == html.count("<table aria-label=")
    assert html.count("<svg ") == html.count('<svg role="img" aria-label=')


def test_it_has_every_part() -> None:
    """Where there are judgements."""
    html = to_html(evaluation(judged=True))

    for title in (
        "Quality",
        "Latency and cost",
        "Before and after, query by query",
        "Quality against depth",
        "Where the relevant documents went",
        "Scores",
        "Queries that lose most",
    ):
        assert f"<h2>{title}</h2>" in html


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
def test_a_browser_shows_it(tmp_path: Path) -> None:
    """At the width of a phone: a picture that is not blank."""
    browser = shutil.which("chromium") or shutil.which("chromium-browser")
    if browser is None:
        pytest.skip("no chromium: install it to have the page looked at")
    write(evaluation(judged=True), tmp_path / "report.html")
    picture = tmp_path / "report.png"
    options = "--headless --no-sandbox --disable-gpu --no-first-run --disable-sync"
    quiet = "--disable-background-networking --disable-component-update"

    subprocess.run(
        [
            browser,
            *f"{options} {quiet} --window-size=500,2000".split(),
            f"--user-data-dir={tmp_path / 'profile'}",
            f"--screenshot={picture}",
            (tmp_path / "report.html").as_uri(),
        ],
        check=True,
        capture_output=True,
        timeout=60,
        env={**os.environ, "HOME": str(tmp_path)},
    )

    assert picture.stat().st_size > 30_000
