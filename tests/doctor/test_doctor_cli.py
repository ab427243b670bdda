"""`rerank doctor`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

pytest.importorskip("typer")
pytest.importorskip("ir_measures")

from planted import world
from typer.testing import CliRunner

from rerank_core.cli.app import app
from rerank_core.scorers import BM25Scorer


@pytest.fixture
def judged(tmp_path: Path) -> Path:
    """Queries with documents and judgements, as JSON lines."""
    made = world(30, 8)
    lines = [
        {
            "query": query,
            "id": str(number),
            "documents": [
                {
                    "text": c.text,
                    "id": c.id,
                    "score": c.score,
                    "relevance": made.qrels[query].get(str(c.id)),
                }
                for c in found
            ],
        }
        for number, (query, found) in enumerate(made.queries.items())
    ]
    file = tmp_path / "queries.jsonl"
    file.write_text("\n".join(map(json.dumps, lines)))
    return file


def test_it_says_what_was_seen_and_what_to_change(judged: Path) -> None:
    """In words."""
    result = CliRunner().invoke(app, ["doctor", str(judged), "--scorer", "bm25"])

    assert result.exit_code == 0, result.output
    assert "nothing_to_choose_from (limits)" in result.stdout
    assert "what to change:" in result.stdout


def test_json_is_one_object(judged: Path) -> None:
    """With the measured change beside the findings."""
    options = ["--scorer", "hybrid", "--top-n", "3", "--json"]

    result = CliRunner().invoke(app, ["doctor", str(judged), *options])

    found = json.loads(result.stdout)
    assert found["findings"] == []
    assert found["judged"] == 30
    assert found["ndcg_10_after"] > found["ndcg_10_before"]


def test_a_run_of_what_was_served_shows_a_later_stage(judged: Path, tmp_path: Path) -> None:
    """Here one that turns everything round."""
    served = tmp_path / "served.trec"
    rows = []
    for number, line in enumerate(judged.read_text().splitlines()):
        documents = json.loads(line)["documents"]
        rows += [
            f"{number} Q0 {document['id']} {rank} {-rank} served"
            for rank, document in enumerate(documents[::-1], start=1)
        ]
    served.write_text("\n".join(rows))

    result = CliRunner().invoke(
        app, ["doctor", str(judged), "--top-n", "3", "--served", str(served), "--json"]
    )

    assert json.loads(result.stdout)["findings"][0]["cause"] == "later_stage"


def test_it_looks_at_one_system(judged: Path) -> None:
    """Two have two diagnoses."""
    result = CliRunner().invoke(app, ["doctor", str(judged), "-s", "bm25", "-s", "hybrid"])

    assert result.exit_code == 2
    assert "one at a time" in result.stderr


def test_quick_needs_no_data() -> None:
    """It asks the scorer built-in questions."""
    plain = CliRunner().invoke(app, ["doctor", "--quick", "--scorer", "bm25"])
    told = CliRunner().invoke(app, ["doctor", "--quick", "-s", "hybrid", "--json"])

    assert plain.exit_code == 0, plain.output
    assert "self-check of bm25: nothing found (20 calls" in plain.stdout
    assert json.loads(told.stdout)["findings"] == []


def test_quick_takes_no_data(judged: Path) -> None:
    """Which it would not look at."""
    result = CliRunner().invoke(app, ["doctor", str(judged), "--quick"])

    assert result.exit_code == 2
    assert "leave out the data" in result.stderr


def test_what_quick_finds_is_said_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """In the output, and not by the log as well; the exit code is 0 all the same."""

    async def constant(self: BM25Scorer, query: str, texts: Sequence[str]) -> list[float]:
        return [0.5] * len(texts)

    monkeypatch.setattr(BM25Scorer, "score", constant)

    done = CliRunner().invoke(app, ["doctor", "--quick", "--scorer", "bm25"])

    assert done.exit_code == 0
    assert "bm25: constant" in done.stdout
    assert "self-check" not in done.stderr
    assert not [record for record in caplog.records if "self-check" in record.getMessage()]


def test_where_no_scorer_is_named_it_says_which_is_asked(judged: Path) -> None:
    """Of data and without."""
    told = CliRunner().invoke(app, ["doctor", str(judged)])
    quick = CliRunner().invoke(app, ["doctor", "--quick"])

    assert told.stdout.startswith("hybrid:\n30 judged queries: nDCG@10 ")
    for done in (told, quick):
        assert "no scorer was named: hybrid is asked" in done.stderr
