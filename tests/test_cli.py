"""The command line, as a person and as a program use it: a real process each time it matters."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("typer")

from typer.testing import CliRunner

from rerank_core.cli.app import app
from rerank_core.cli.documents import read
from rerank_core.errors import InvalidInputError

LINES = "Paris is the capital of France\nRome is the capital of Italy\nbananas are yellow\n"


def rerank(*arguments: str, stdin: str = "") -> tuple[int, str, str]:
    """Exit code, standard output and standard error."""
    result = CliRunner().invoke(app, ["rank", *arguments], input=stdin)
    return result.exit_code, result.stdout, result.stderr


class TestRank:
    def test_standard_input_is_one_document_a_line(self) -> None:
        """The best line comes first, with rank, movement, score and snippet."""
        code, shown, _ = rerank("capital of Italy", stdin=LINES)

        assert code == 0
        header, *rows = [line.split() for line in shown.splitlines() if line.strip()]
        assert header[:4] == ["rank", "moved", "score", "document"]
        assert shown.index("Rome") < shown.index("Paris") < shown.index("bananas")
        assert rows

    def test_json_is_one_object(self) -> None:
        """Documents keep their keys; the report is beside them."""
        documents = [{"text": line, "url": n} for n, line in enumerate(LINES.splitlines())]
        stdin = "\n".join(map(json.dumps, documents))

        code, shown, _ = rerank("capital of Italy", "--json", "-n", "2", stdin=stdin)

        answer = json.loads(shown)
        assert code == 0
        assert [hit["url"] for hit in answer["results"]] == [1, 0]
        assert answer["results"][0]["rank"] == 1
        assert answer["results"][0]["movement"] == 1
        assert answer["report"]["coverage"] == 1.0

    def test_files_are_cut_into_passages(self, tmp_path: Path) -> None:
        """A passage is named by its file and line; no order of the files is believed in."""
        (tmp_path / "a.md").write_text("# One\n\nAbout apples.\n\n# Two\n\nAbout pears.\n")
        (tmp_path / "b.txt").write_text("Nothing of the sort.\n")

        code, shown, _ = rerank("pears", str(tmp_path), "--json")

        answer = json.loads(shown)
        assert code == 0
        assert answer["scorer"] == "bm25"
        assert answer["results"][0]["id"] == f"{tmp_path / 'a.md'}:5"
        assert answer["results"][0]["text"] == "# Two\n\nAbout pears."

    def test_a_degraded_ranking_says_so(self) -> None:
        """On standard error; with --strict in the exit code too."""
        options = ["q", "--scorer", "llm", "--timeout", "0.5"]
        environment = {"OPENAI_API_KEY": "any", "OPENAI_BASE_URL": "http://127.0.0.1:9/v1"}

        relaxed = CliRunner().invoke(app, ["rank", *options], input=LINES, env=environment)
        strict = CliRunner().invoke(
            app, ["rank", *options, "--strict"], input=LINES, env=environment
        )

        assert (relaxed.exit_code, strict.exit_code) == (0, 3)
        assert "degraded" in relaxed.stderr


class TestErrors:
    @pytest.mark.parametrize(
        ("arguments", "stdin", "words"),
        [
            (["", "-"], LINES, "query is empty"),
            (["q", "no-such-file.txt"], "", "there is no file no-such-file.txt"),
            (["q"], "", "nothing to rank"),
            (["q", "--top-n", "0"], LINES, "top_n is 0"),
            (["q", "--timeout", "-1"], LINES, "timeout is -1"),
            (["q", "--scorer", "bm52"], LINES, "no scorer is called 'bm52'"),
            (["q", "--scorer", "llm"], LINES, "OPENAI_API_KEY"),
            (["q"], '{"id": 1}\n', "-:1"),
        ],
    )
    def test_what_cannot_be_right_is_one_line_and_exit_code_2(
        self, arguments: list[str], stdin: str, words: str
    ) -> None:
        """A sentence for a person, and no traceback."""
        code, _, told = rerank(*arguments, stdin=stdin)

        assert code == 2
        assert words in told
        assert "Traceback" not in told

    def test_a_refused_key_is_exit_code_1(self) -> None:
        """The world's doing, not the caller's."""
        from loopback import FAULTS, OpenAIAPI, Server

        with Server(OpenAIAPI(), faults=[FAULTS["unauthorized"]]) as server:
            environment = {"OPENAI_API_KEY": "any", "OPENAI_BASE_URL": f"{server.url}/v1"}
            result = CliRunner().invoke(
                app, ["rank", "q", "--scorer", "llm"], input=LINES, env=environment
            )

        assert result.exit_code == 1
        assert "401" in result.stderr

    def test_binary_files_are_named(self, tmp_path: Path) -> None:
        """With the byte at which they stop being text."""
        (tmp_path / "x.txt").write_bytes(b"abc\xff")

        with pytest.raises(InvalidInputError, match=r"x\.txt is not UTF-8 text \(byte 3\)"):
            read([tmp_path / "x.txt"])

    def test_a_broken_line_of_json_is_named(self, tmp_path: Path) -> None:
        """By file and line."""
        (tmp_path / "x.jsonl").write_text('{"text": "a"}\n{"text": \n')

        with pytest.raises(InvalidInputError, match=r"x\.jsonl:2 is not JSON"):
            read([tmp_path / "x.jsonl"])


class TestPassages:
    def test_nothing_is_lost_but_bare_headings(self, tmp_path: Path) -> None:
        """Every other line of a file is in exactly one passage."""
        text = (
            "intro\n\n# A\n\n" + "\n\n".join(f"word{n} " * 60 for n in range(8)) + "\n\n# Empty\n"
        )
        (tmp_path / "a.md").write_text(text)

        passages = [str(document["text"]) for document in read([tmp_path / "a.md"]).documents]

        assert len(passages) > 2
        assert "".join(passages).count("word") == text.count("word")

    def test_a_hash_inside_a_code_fence_is_no_heading(self, tmp_path: Path) -> None:
        """Code stays whole."""
        (tmp_path / "a.md").write_text("Before.\n\n```\n# a comment\ncode\n```\n")

        assert len(read([tmp_path / "a.md"]).documents) == 1


@pytest.mark.slow
class TestTheProcess:
    def test_it_runs_as_a_module_of_its_own(self) -> None:
        """The installed command, and a reader that has had enough."""
        command = [
            sys.executable,
            "-c",
            "from rerank_core.cli import main; main()",
            "rank",
            "Italy",
        ]

        result = subprocess.run(command, input=LINES, capture_output=True, text=True, check=False)

        assert (result.returncode, "Rome" in result.stdout) == (0, True)
        assert "Traceback" not in result.stderr
