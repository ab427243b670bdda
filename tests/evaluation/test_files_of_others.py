"""What is given is read and left alone; what cannot be right is said before the work."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

pytest.importorskip("ir_measures")

from made_up import write_jsonl
from typer.testing import CliRunner, Result

from rerank_core import ConfigurationError, InvalidInputError
from rerank_core.cli.app import app
from rerank_core.evaluation import Journal, read_qrels, read_run
from rerank_core.evaluation.measures import names_in
from rerank_core.scorers.local.local_model import model_named


def invoke(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(a) for a in arguments], env={"COLUMNS": "160"})


def _queries(path: Path, count: int = 6) -> Path:
    rows = [
        {
            "query": f"capital {q}",
            "documents": [
                {"text": f"words {d} capital {q * d}", "id": f"d{d}", "relevance": int(d == 3)}
                for d in range(6)
            ],
        }
        for q in range(count)
    ]
    return write_jsonl(path, rows)


@pytest.mark.parametrize("command", ["eval", "tune"])
def test_a_journal_is_not_written_into_another_file(command: str, tmp_path: Path) -> None:
    """The judged queries, a text, a configuration: refused, and as they were."""
    data = _queries(tmp_path / "queries.jsonl")
    notes = tmp_path / "notes.txt"
    notes.write_text("not a journal, and no newline")
    for other in (data, notes):
        before = other.read_bytes()
        result = invoke(command, data, "-s", "bm25", "--journal", other, "-o", tmp_path / "x.toml")
        if command == "eval":
            result = invoke(command, data, "-s", "bm25", "--journal", other)

        assert result.exit_code == 2
        assert "name another file" in result.stderr
        assert other.read_bytes() == before


def test_a_line_cut_off_in_a_journal_is_its_own(tmp_path: Path) -> None:
    """It was killed while writing the first: that line goes, the file is a journal."""
    path = tmp_path / "journal.jsonl"
    path.write_text('{"key": "ab", "syst')

    Journal(path)

    assert path.read_text() == ""


def test_a_configuration_takes_the_place_of_nothing_else(tmp_path: Path) -> None:
    """Qrels, a folder, a folder that is not there: refused before anything is asked; what was
    tuned before is written anew."""
    data = _queries(tmp_path / "queries.jsonl")
    qrels = tmp_path / "qrels.txt"
    qrels.write_text("1 0 d3 1\n")
    refused = {
        qrels: "is no reranker's file",
        data: "is what is read",
        tmp_path: "is a folder",
        tmp_path / "nowhere" / "x.toml": "there is no folder",
    }
    for output, said in refused.items():
        result = invoke("tune", data, "-s", "bm25", "-o", output, "--splits", 1)

        assert result.exit_code == 2, result.output
        assert said in result.stderr
    assert qrels.read_text() == "1 0 d3 1\n"
    for _ in range(2):
        assert invoke("tune", data, "-o", tmp_path / "x.toml", "--splits", 1).exit_code == 0


def test_one_query_has_no_traceback_and_json_no_infinity(tmp_path: Path) -> None:
    """`eval` says that one tells nothing; `tune` that it takes two."""
    data = _queries(tmp_path / "one.jsonl", 1)
    result = invoke("eval", data, "-s", "bm25", "--json")

    def refuse(constant: str) -> None:
        raise AssertionError(constant)

    found = json.loads(result.stdout, parse_constant=refuse)
    assert found["systems"][1]["against_base"]["nDCG@10"]["p"] == 1.0
    assert invoke("eval", data, "-s", "bm25").exit_code == 0
    tuned = invoke("tune", data, "-s", "bm25", "-o", tmp_path / "x.toml")
    assert (tuned.exit_code, "two at the least" in tuned.stderr) == (2, True)


def test_ids_that_do_not_match_are_said_and_no_table_of_zeros(tmp_path: Path) -> None:
    """Of queries, of documents, of a run: an id of either side."""
    base, run, qrels = (tmp_path / name for name in ("base.trec", "run.trec", "qrels.txt"))
    base.write_text("q1 Q0 d1 1 2 x\nq1 Q0 d2 2 1 x\n")
    run.write_text("other Q0 d1 1 2 x\n")
    for judgements, said in (
        ("7 0 d1 1\n", "the query ids do not match; judgements have '7', the candidates 'q1'"),
        ("q1 0 D-1 1\n", "the document ids do not match; of query 'q1' judgements have 'D-1'"),
        ("q1 0 d1 1\n", "run answers none of the queries"),
    ):
        qrels.write_text(judgements)
        result = invoke("eval", "--qrels", qrels, "--base", base, "--run", run)

        assert result.exit_code == 2
        assert said in result.stderr
        assert "0.0000" not in result.output


def test_what_is_no_text_or_holds_nothing_is_said(tmp_path: Path) -> None:
    """Binary, empty, a folder, nothing: a sentence with the file's name; paths as strings do."""
    (tmp_path / "empty").write_text("")
    (tmp_path / "binary").write_bytes(b"\x00\x01 0 d1 1\n")
    for name, said in (
        ("empty", "holds no"),
        ("binary", "is not text"),
        (".", "is a folder"),
        ("nowhere", "there is no file"),
    ):
        for read in (read_run, read_qrels):
            with pytest.raises(InvalidInputError, match=said):
                read(str(tmp_path / name))
    result = invoke("eval", tmp_path / "empty")
    assert (result.exit_code, "holds no query" in result.stderr) == (2, True)


def test_a_folder_of_a_model_that_is_not_there_is_no_name_on_the_hub(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Said at once; a name on the hub, and a folder that is there, are taken."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))  # Windows
    (tmp_path / "there").mkdir()
    for missing in (tmp_path / "models" / "mine", "./mine", "a/b/c", "mine/", "~/mine"):
        with pytest.raises(ConfigurationError, match="there is no folder"):
            model_named(missing)

    assert model_named("BAAI/bge-reranker-base") == "BAAI/bge-reranker-base"
    assert model_named(tmp_path) == str(tmp_path)
    assert model_named("~/there") == str(tmp_path / "there")


def test_measures_may_have_commas() -> None:
    """Between them, and in their parentheses."""
    given = "nDCG@10,Bpref P(rel=2)@5, nDCG(dcg='exp-log2', judged_only=True)@10"

    assert names_in(given) == [
        "nDCG@10",
        "Bpref",
        "P(rel=2)@5",
        "nDCG(dcg='exp-log2', judged_only=True)@10",
    ]


def test_what_was_ranked_is_kept_where_the_work_is_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a --journal too: it is named, and goes on from there."""

    def fails(*_: object, **__: object) -> None:
        raise InvalidInputError("no more")

    monkeypatch.setattr("rerank_core.cli.tune.tune", fails)
    data = _queries(tmp_path / "queries.jsonl")
    result = invoke("tune", data, "-s", "bm25", "-o", tmp_path / "x.toml")

    (line,) = (line for line in result.stderr.splitlines() if "ranked so far" in line)
    kept = Path(line.split(" is in ")[1].split(": --journal")[0])
    assert len(kept.read_text().splitlines()) == 6
