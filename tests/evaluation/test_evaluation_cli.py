"""`rerank eval` and `rerank tune`, as a person and a program use them."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from made_up import write_jsonl
from typer.testing import CliRunner, Result

from rerank_core.cli.app import app
from rerank_core.config import load


@pytest.fixture
def queries(tmp_path: Path) -> Path:
    """30 judged queries of 25 documents; the words of the query are in the relevant one only."""
    return write_jsonl(
        tmp_path / "queries.jsonl",
        [
            {
                "query": f"capital {q}",
                "documents": [
                    {
                        "text": f"capital {q}" if d == 20 else f"other words {d}",
                        "id": f"d{d}",
                        "relevance": int(d == 20),
                    }
                    for d in range(25)
                ],
            }
            for q in range(30)
        ],
    )


@pytest.fixture
def runs(tmp_path: Path) -> dict[str, Path]:
    """A base that has the relevant document second, and a run that has it first."""
    files = {name: tmp_path / f"{name}.trec" for name in ("base", "good")}
    files["qrels"] = tmp_path / "qrels.txt"
    files["base"].write_text("".join(f"q{q} Q0 a 1 2 x\nq{q} Q0 b 2 1 x\n" for q in range(30)))
    files["good"].write_text("".join(f"q{q} Q0 b 1 2 x\nq{q} Q0 a 2 1 x\n" for q in range(30)))
    files["qrels"].write_text("".join(f"q{q} 0 b 1\n" for q in range(30)))
    return files


def invoke(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(a) for a in arguments], env={"COLUMNS": "160"})


def test_runs_are_compared_with_the_base(runs: dict[str, Path]) -> None:
    """Each measure; and against the base its interval, p, wins, ties and losses."""
    result = invoke(
        "eval", "--qrels", runs["qrels"], "--base", runs["base"], "--run", f"mine={runs['good']}"
    )

    assert result.exit_code == 0, result.output
    assert re.search(r"retriever +0\.6309 +0\.5000", result.output)
    assert re.search(r"mine +1\.0000 +1\.0000 ", result.output)
    assert re.search(r"mine +\+0\.3691\* .* 30/0/0", result.output)


def test_live_scorers_are_measured_as_json(queries: Path) -> None:
    """One object: measures, comparison and costs of every system."""
    result = invoke("eval", queries, "-s", "bm25", "-s", "plain=hybrid", "-m", "RR@10", "--json")
    found = json.loads(result.stdout)
    systems = {system["system"]: system for system in found["systems"]}

    assert systems.keys() == {"retriever", "bm25", "plain"}
    assert systems["bm25"]["measures"] == {"RR@10": 1.0}
    assert systems["bm25"]["against_base"]["RR@10"]["wins"] == 30
    assert systems["bm25"]["costs"]["coverage"] == 1.0


def test_a_journal_saves_the_second_run(queries: Path, tmp_path: Path) -> None:
    """The second run adds no line."""
    journal = tmp_path / "journal.jsonl"
    for _ in range(2):
        result = invoke("eval", queries, "-s", "bm25", "--journal", journal, "--queries", 5)
        assert result.exit_code == 0, result.output

    assert len(journal.read_text().splitlines()) == 5


def test_runs_are_saved(queries: Path, tmp_path: Path) -> None:
    """One TREC file a system, the base too."""
    invoke("eval", queries, "-s", "bm25", "--save", tmp_path / "out")

    assert sorted(file.name for file in (tmp_path / "out").iterdir()) == [
        "bm25.trec",
        "retriever.trec",
    ]


def test_what_tuning_writes_is_what_eval_reads(queries: Path, tmp_path: Path) -> None:
    """The chosen configuration is a file, and measured like any other system."""
    output = tmp_path / "tuned.toml"
    tuned = invoke("tune", queries, "-s", "bm25", "-o", output, "--splits", 2)
    measured = invoke("eval", queries, "--config", output, "-m", "nDCG@10", "--json")

    assert tuned.exit_code == 0, tuned.output
    assert "kept: bm25 alone" in tuned.output
    assert load(output) == {"scorer": "bm25"}
    assert json.loads(measured.stdout)["systems"][1]["measures"] == {"nDCG@10": 1.0}


def test_where_tuning_keeps_the_retriever_all_say_that_nothing_is_reranked(
    tmp_path: Path,
) -> None:
    """`tune` when it writes the file, `eval` and `doctor` when they read it."""
    rows = [
        {
            "query": f"capital {q}",
            "documents": [
                {"text": f"answer {d}" if d == 0 else f"capital {q} {d}", "relevance": int(d == 0)}
                for d in range(6)
            ],
        }
        for q in range(12)
    ]
    judged = write_jsonl(tmp_path / "judged.jsonl", rows)
    output = tmp_path / "reranker.toml"

    tuned = invoke("tune", judged, "-s", "bm25", "-o", output, "--splits", 2)
    measured = invoke("eval", judged, "-c", output)
    diagnosed = invoke("doctor", judged, "-c", output)

    assert "kept: retriever" in tuned.stdout
    assert "reranks nothing (depth = 0)" in tuned.stderr
    assert load(output) == {"scorer": "bm25", "depth": 0}
    assert measured.stdout.startswith("reranker reranks nothing (depth = 0)")
    assert "reranks_nothing (limits)" in diagnosed.stdout
    assert "timeouts_and_fallbacks" not in diagnosed.stdout


def test_tuning_over_runs_says_that_the_scorer_is_missing(
    runs: dict[str, Path], tmp_path: Path
) -> None:
    """A run does not say what made it, so the file needs that filled in."""
    output = tmp_path / "tuned.json"
    given = ("--qrels", runs["qrels"], "--base", runs["base"], "--run", f"mine={runs['good']}")
    result = invoke("tune", *given, "-o", output, "--splits", 2)

    assert result.exit_code == 0, result.output
    assert "mine was read from a run: name its scorer" in result.output
    assert load(output) == {"scorer": {"mine": "mine"}}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nowhere"], "there is no file nowhere"),
        ([], "name a folder"),
        (["{queries}", "-m", "goodness"], "no measure is called 'goodness'"),
        (["{queries}", "-s", "bm25", "-s", "bm25"], "two systems are called 'bm25'"),
        (["{queries}", "--run", "a=nowhere.trec"], "there is no file nowhere.trec"),
    ],
)
def test_what_cannot_be_right_is_said_in_a_line(
    queries: Path, arguments: list[str], said: str
) -> None:
    """One line on standard error, exit code 2, no traceback."""
    result = invoke("eval", *(a.replace("{queries}", str(queries)) for a in arguments))

    assert result.exit_code == 2
    assert said in result.stderr
    assert "Traceback" not in result.output
