"""The diagnosis as a page."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("jinja2")
pytest.importorskip("typer")

import browser
from balanced import Balanced
from typer.testing import CliRunner

from rerank_core import Reranker
from rerank_core.cli.app import app
from rerank_core.doctor import Diagnosis, diagnose
from rerank_core.views.diagnosis import to_html


def page(**options: object) -> str:
    """Of a reranker that returns all that it is given, to a hostile query."""
    with Reranker("bm25", **options) as reranker:  # type: ignore[arg-type]
        found = diagnose(reranker, {"<script>x</script>": ["a red apple", "a pear"]})
    return to_html(found)


def test_it_opens_with_what_to_change_first() -> None:
    """Then every cause in full: what was seen, why it matters, what to change."""
    html = page(top_n=5)
    parser = Balanced()

    parser.feed(html.replace("<!doctype html>", ""))

    assert parser.open == []
    assert '<p class="verdict">Nothing to choose from' in html
    assert html.count('<section class="finding">') >= 1
    for part in ("seen", "why it matters", "what to change", "Not looked for"):
        assert part in html
    assert "<script" not in html
    assert "http" not in html


def test_a_loss_without_a_known_cause_is_no_clean_bill_of_health() -> None:
    """The page says of it what the diagnosis says."""
    lost = Diagnosis((), (), queries=30, judged=30, before=0.6, after=0.5)
    gained = replace(lost, after=0.7)

    assert "No cause found, but reranking does not help here: nDCG@10 -0.1000" in to_html(lost)
    assert "Nothing found that would keep it from helping: nDCG@10 +0.1000" in to_html(gained)


def test_the_command_writes_it(tmp_path: Path) -> None:
    """`rerank doctor --report`."""
    pytest.importorskip("ir_measures")
    (tmp_path / "queries.jsonl").write_text('{"_id": "q", "text": "red apples"}\n')
    corpus = [{"_id": f"d{n}", "text": f"text {n} of red apples"} for n in range(3)]
    (tmp_path / "corpus.jsonl").write_text("\n".join(map(json.dumps, corpus)))
    (tmp_path / "qrels.tsv").write_text("query-id\tcorpus-id\tscore\nq\td1\t1\n")
    report = tmp_path / "doctor.html"

    done = CliRunner().invoke(
        app, ["doctor", str(tmp_path), "--scorer", "bm25", "--no-probe", "--report", str(report)]
    )

    assert done.exit_code == 0, done.output
    assert "causes found" in report.read_text(encoding="utf-8")


@pytest.mark.slow
def test_a_phone_shows_it(tmp_path: Path) -> None:
    """Nothing to scroll sideways."""
    html = page(top_n=5)
    frames = [(html, 380, True), (html, 1400, False)]

    assert browser.found(tmp_path, frames, "page.documentElement.scrollWidth") == [380, 1400]
