"""`rerank judge`, and what eval, doctor and tune say of its judgements."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("openai")

from assessor import DOCUMENTS, QUERIES, judge_api
from loopback import Server
from typer.testing import CliRunner, Result

from rerank_core import RankingLog, Reranker
from rerank_core.cli.app import app


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    with Server(judge_api(lambda q, p, turned: 2 * (q in p) + turned)) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", f"{server.url}/v1")
        monkeypatch.setenv("OPENAI_API_KEY", "any")
        yield server


@pytest.fixture
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    log = RankingLog(tmp_path / "log.jsonl")
    with Reranker("bm25", on_ranking=log) as reranker:
        for query in QUERIES:
            reranker.rank(query, DOCUMENTS[::-1])
    return log.path


def invoke(*arguments: object, keys: str = "") -> Result:
    return CliRunner().invoke(app, [str(a) for a in arguments], env={"COLUMNS": "160"}, input=keys)


def test_from_a_log_to_an_answer(server: Server, log: Path) -> None:
    """Judge, and evaluate: every table says who judged."""
    judged = invoke("judge", log, "--model", "gpt-4o")
    measured = invoke("eval", log, "--qrels", "judged.qrels", "-s", "bm25")

    assert judged.exit_code == 0, judged.output
    assert "12 pairs of 3 queries judged by gpt-4o" in judged.stdout
    assert "a person should check 100%" in judged.stdout
    assert measured.exit_code == 0, measured.output
    assert measured.stdout.startswith("By judgements of gpt-4o, a language model: ")
    assert measured.stdout.count("judged by a language model, gpt-4o (12 pairs)") == 2
    assert "no person has checked them" in measured.stderr


def test_a_person_judges_by_keys(server: Server, log: Path) -> None:
    """0 to 3; s skips, q stops, other keys are none; and one can go on another time."""
    invoke("judge", log, "--model", "gpt-4o")
    first = invoke("judge", log, "--sample", 4, keys="3x0sq")
    second = invoke("judge", log, "--sample", 4, keys="12")

    assert "2 pairs were judged by a person" in first.stdout
    assert "model and person: " in first.stdout
    assert "2 of 4 were judged before: going on" in second.stdout
    assert "4 pairs were judged by a person" in second.stdout
    kinds = [line.split()[1] for line in Path("judged.qrels").read_text().splitlines()]
    assert kinds.count("person") == 4
    assert kinds.count("llm:gpt-4o") == 8


def test_where_a_person_judges_nothing_nothing_is_written(log: Path) -> None:
    """Nor said to be."""
    done = invoke("judge", log, "--sample", 4, keys="q")

    assert done.exit_code == 0
    assert "nothing was judged, and judged.qrels is not written" in done.stderr
    assert "written to" not in done.stderr
    assert not Path("judged.qrels").exists()


def test_what_it_would_cost_takes_no_key(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The key is asked for only where something is to be asked."""
    pytest.importorskip("genai_prices")
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)

    estimate = invoke("judge", log, "--model", "gpt-4o")
    asked = invoke("judge", log, "--model", "gpt-4o", "--max-cost", 1)

    assert estimate.exit_code == asked.exit_code == 2
    assert "24 questions to gpt-4o cost about $" in estimate.stderr
    assert "at most: --max-cost" in estimate.stderr
    assert "no key for OpenAI" in asked.stderr


def test_a_person_can_judge_alone(log: Path) -> None:
    """No model is asked, nor needed; an evaluation then has nothing to warn of."""
    done = invoke("judge", log, "--sample", 12, keys="3" * 12)
    measured = invoke("eval", log, "--qrels", "judged.qrels", "-s", "bm25")

    assert done.exit_code == 0, done.output
    assert "12 pairs of 3 queries judged by a person" in done.stdout
    assert "language model" not in measured.output


def test_what_was_doubtful_tells_nothing_of_the_rest(server: Server, log: Path) -> None:
    """A person who sees only these gets no kappa out of it."""
    invoke("judge", log, "--model", "gpt-4o")
    done = invoke("judge", log, "--sample", 2, "--doubtful", keys="33")

    assert "2 pairs were judged by a person" in done.stdout
    assert "model and person" not in done.stdout


def test_a_cap_that_stops_it_is_exit_code_3(server: Server, log: Path) -> None:
    """What is judged so far is written, and the note says why there is no more."""
    done = invoke("judge", log, "--price", "1000,1000", "--max-cost", "15", "--json")

    found = json.loads(done.stdout)
    assert done.exit_code == 3
    assert 0 < found["pairs"] < 12
    assert "leaves no room" in found["stopped"]
    assert found["cost"] <= 15


def test_its_own_judgements_choose_no_reranker(server: Server, log: Path) -> None:
    """`tune` refuses, `eval` marks it, `--fail-if-worse` has nothing to go by."""
    invoke("judge", log, "--model", "gpt-4o")
    given = (log, "--qrels", "judged.qrels", "-s", "llm:openai/gpt-4o")

    tuned = invoke("tune", *given)
    measured = invoke("eval", *given)
    gate = invoke("eval", *given, "--fail-if-worse")
    doctor = invoke("doctor", *given, "--no-probe")

    assert tuned.exit_code == 2
    assert "cannot be tuned by these judgements: gpt-4o made them" in tuned.stderr
    assert not Path("rerank.toml").exists()
    assert "! judged by its own model" in measured.stdout
    assert gate.exit_code == 2
    assert "cannot go by these judgements" in gate.stderr
    assert "gpt-4o judged, and ranks for" in doctor.stderr


def test_outputs_are_checked_before_anything_is_paid(server: Server, log: Path) -> None:
    """A folder that is not there, a file of somebody else's."""
    Path("mine.txt").write_text("mine\n")

    for output in ("nowhere/x.qrels", "mine.txt", "."):
        done = invoke("judge", log, "-o", output)
        assert done.exit_code == 2, done.output
    assert not server.requests
    assert Path("mine.txt").read_text() == "mine\n"
