"""What the library says of Python is said in the words of the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("typer")

from typer.testing import CliRunner

from rerank_core.cli import bulk, judge, rank, serve
from rerank_core.cli.app import app
from rerank_core.cli.spoken import spoken


@pytest.mark.parametrize(
    ("message", "given", "said"),
    [
        (
            "top_n is 0: ask for at least 1, or None for all",
            {"top_n": 0},
            "--top-n is 0: ask for at least 1, or leave it out for all",
        ),
        (  # not typed: it stands in the file, by this name
            "top_n is 0: ask for at least 1, or None for all",
            {},
            "top_n is 0: ask for at least 1, or leave it out for all",
        ),
        (
            "timeout is a whole number or None for none, not 'x'",
            {"timeout": 3.0},
            "--timeout is a whole number, left out for none, not 'x'",
        ),
        (
            "there are a and b (a: model), or pass an object or a function",
            {},
            "there are a and b (a: model)",
        ),
        (
            "set KEY in the environment, or pass api_key= (any)",
            {},
            "set KEY in the environment (any)",
        ),
        (
            "no ONNX file: name another one by file=, use CrossEncoderScorer, or export it",
            {},
            "no ONNX file: name another one by file in a configuration file, use the scorer "
            "cross-encoder, or export it",
        ),
        ("no scorer is called 'x'", {"scorer": "x"}, "no scorer is called 'x'"),
        ("what the scorer=, timeout= are", {}, "what the --scorer, --timeout are"),
        ("the server's timeout was long; see http://x/?top_n=3", {"top_n": 3}, None),
    ],
)
def test_an_option_is_called_by_its_flag(
    message: str, given: dict[str, object], said: str | None
) -> None:
    """Where it was typed; what only a program can do is left out."""
    assert spoken(message, rank.rank, given) == (message if said is None else said)


def test_other_commands_have_other_flags() -> None:
    """Those that they declare, however they are spelt there."""
    assert spoken("capacity is 0", serve.serve, {"capacity": 0}) == "--capacity is 0"
    assert spoken("max_cost is -1", bulk.bulk, {"max_cost": -1.0}) == "--max-cost is -1"
    assert spoken("give price=(2.5, 10), dollars", judge.judging, {}) == (
        "give --price 2.5,10, dollars"
    )


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["rank", "q", "--top-n", "0"], "--top-n is 0: ask for at least 1, or leave it out"),
        (["rank", "q", "-s", "hybird"], "no scorer is called 'hybird': did you mean 'hybrid'?"),
        (["rank", "q", "-s", "bm52"], "did you mean 'bm25'?"),
        (["rank", "q", "-s", "coherre:x"], "did you mean 'cohere'?"),
        (["rank", "q", "-s", "api:"], "'api' needs its url: \"api:URL\""),
        (["rank", "q", "-t", "0"], "--timeout is 0.0 s: give a positive time"),
    ],
)
def test_no_message_speaks_python(
    arguments: list[str], words: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Neither None, nor arguments, nor objects; and a name that is nearly right is guessed."""
    monkeypatch.chdir(tmp_path)

    done = CliRunner().invoke(app, arguments, input="one\ntwo\n")

    assert done.exit_code == 2
    assert words in done.stderr
    assert not any(word in done.stderr for word in ("None", "pass an object", "=", "Traceback"))


def test_a_question_that_was_forgotten_is_missed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The file in its place is said to have been read as the question."""
    monkeypatch.chdir(tmp_path)
    Path("faq.txt").write_text("one\ntwo\n")

    done = CliRunner().invoke(app, ["rank", "faq.txt"], input="")
    long = CliRunner().invoke(app, ["rank", "q" * 5000], input="one\ntwo\n")

    assert done.exit_code == 2
    assert "faq.txt was read as the question" in done.stderr
    assert "nothing to rank" in done.stderr
    assert long.exit_code == 0
    assert "was read as the question" not in long.stderr


def test_serve_takes_a_file_and_no_scorer() -> None:
    """And says how that file begins."""
    done = CliRunner().invoke(app, ["serve", "--scorer", "hybrid"])

    assert done.exit_code == 2
    assert "write scorer = 'hybrid' beneath [reranker]" in done.stderr
