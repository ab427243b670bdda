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


class TestWhatADocumentIs:
    """By the text, whichever way it comes; `--input` says otherwise."""

    MARKDOWN = "# One\n\nAbout apples.\n\n# Two\n\nAbout pears.\n"
    CSV = 'id,title,text\n7,a,"apples, and\nmore"\n8,b,pears\n'

    @pytest.mark.parametrize(
        ("name", "text", "count"),
        [
            ("a.md", MARKDOWN, 2),
            ("a.txt", LINES, 3),
            ("a.txt", "\n".join(LINES.splitlines()) + "\n\n" + LINES, 1),
            ("a.csv", CSV, 2),
            ("a.jsonl", '{"text": "apples"}\n{"text": "pears"}\n', 2),
        ],
    )
    def test_the_same_text_gives_the_same_documents(
        self, tmp_path: Path, name: str, text: str, count: int
    ) -> None:
        """As a file and through a pipe."""
        (tmp_path / name).write_text(text)

        _, of_file, _ = rerank("pears", str(tmp_path / name), "--json")
        _, of_pipe, _ = rerank("pears", "--json", stdin=text)

        texts = [[hit["text"] for hit in json.loads(one)["results"]] for one in (of_file, of_pipe)]
        assert texts[0] == texts[1]
        assert len(texts[0]) == count

    @pytest.mark.parametrize(("form", "count"), [("lines", 4), ("paragraphs", 2)])
    def test_a_form_is_as_it_is_said(self, form: str, count: int) -> None:
        code, shown, said = rerank("pears", "--input", form, "--json", stdin=self.MARKDOWN)

        assert (code, len(json.loads(shown)["results"])) == (0, count)
        assert "was read as" not in said

    def test_a_guess_is_said(self) -> None:
        """Of what was piped in, where a line may have been meant."""
        assert "was read as paragraphs" in rerank("pears", stdin=self.MARKDOWN)[2]
        assert "was read as" not in rerank("Italy", stdin=LINES)[2]

    def test_columns_are_kept_and_one_has_the_text(self) -> None:
        """By its name, or as `--field` says; a cell may hold a comma and a line's end."""
        _, shown, _ = rerank("apples", "--json", stdin=self.CSV)
        _, by_title, _ = rerank("b", "--json", "--input", "csv", "--field", "title", stdin=self.CSV)

        best = json.loads(shown)["results"][0]
        assert (best["id"], best["title"], best["text"]) == ("7", "a", "apples, and\nmore")
        assert json.loads(by_title)["results"][0]["text"] == "b"

    @pytest.mark.parametrize(
        ("text", "words"),
        [
            ("a,b\n1,2\n", "which column of - has the text"),
            ("a,text\n1,2\n3\n", "-:3 has 1 columns"),
            ("a,a\n1,2\n", "names a column twice"),
            ('a,text\n1,"2\n', "is not CSV"),
        ],
    )
    def test_csv_that_cannot_be_right_is_named(self, text: str, words: str) -> None:
        code, _, said = rerank("q", "--input", "csv", stdin=text)

        assert (code, words in said) == (2, True), said


class TestFolders:
    def test_what_cannot_be_read_is_listed_and_passed_over(self, tmp_path: Path) -> None:
        """The rest is ranked; named by itself, the same file is an error."""
        (tmp_path / "good.md").write_text("About pears.\n")
        (tmp_path / "odd.txt").write_bytes(b"abc\xff")
        (tmp_path / "paper.pdf").write_bytes(b"%PDF-1.7\n")

        code, shown, said = rerank("pears", str(tmp_path))

        assert (code, "About" in shown) == (0, True)
        assert "passed over:" in said
        assert all(name in said for name in ("odd.txt is not UTF-8", "paper.pdf"))
        assert rerank("pears", str(tmp_path / "odd.txt"))[0] == 2

    @pytest.mark.parametrize("folder", ["node_modules", "build", ".git", ".venv", "mine"])
    def test_what_was_made_is_left_out(self, tmp_path: Path, folder: str) -> None:
        """An environment of any name, too; unless it is named."""
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "a.md").write_text("made pears\n")
        (tmp_path / folder / "pyvenv.cfg").touch()
        (tmp_path / "b.md").write_text("my pears\n")

        _, shown, said = rerank("pears", str(tmp_path), "--json")
        _, named, _ = rerank("pears", str(tmp_path / folder), "--json")

        assert [hit["text"] for hit in json.loads(shown)["results"]] == ["my pears"]
        assert [hit["text"] for hit in json.loads(named)["results"]] == ["made pears"]
        assert ("left out" in said) is not folder.startswith(".")

    @pytest.mark.parametrize("way", ["file", "pipe"])
    def test_a_pdf_is_named_as_such_with_what_to_do(self, tmp_path: Path, way: str) -> None:
        """Whatever it is called."""
        (tmp_path / "a b.txt").write_bytes(b"%PDF-1.7\n")

        arguments = [str(tmp_path / "a b.txt")] if way == "file" else []
        code, _, said = rerank("q", *arguments, stdin="%PDF-1.7\n")

        assert code == 2
        assert "is a PDF, not text: pdftotext" in said


class TestConfig:
    @pytest.fixture
    def config(self, tmp_path: Path) -> str:
        (tmp_path / "mine.toml").write_text('[reranker]\nscorer = "hybrid"\ntop_n = 1\n')
        return str(tmp_path / "mine.toml")

    def test_what_tune_wrote_is_tried_at_once(self, config: str) -> None:
        """With the file's options; what is said beside it takes their place."""
        _, shown, _ = rerank("Italy", "--config", config, "--json", stdin=LINES)
        _, more, _ = rerank("Italy", "--config", config, "--json", "-n", "2", stdin=LINES)

        assert [json.loads(shown)["scorer"], len(json.loads(shown)["results"])] == ["mine", 1]
        assert len(json.loads(more)["results"]) == 2

    def test_the_order_of_passages_counts_for_nothing(self, config: str, tmp_path: Path) -> None:
        """Nobody ranked them, whatever weight the file gives to the retriever."""
        (tmp_path / "a.md").write_text("# One\n\nBread.\n\n# Two\n\nPears.\n")

        _, shown, _ = rerank("pears", str(tmp_path / "a.md"), "-c", config, "--json")

        (best,) = json.loads(shown)["results"]
        assert best["text"].endswith("Pears.")
        assert "retrieval" not in best["score_components"]

    def test_a_scorer_beside_it_is_refused(self, config: str) -> None:
        code, _, said = rerank("q", "-c", config, "-s", "bm25", stdin=LINES)

        assert (code, "not both" in said) == (2, True)


class TestTheShell:
    @pytest.mark.parametrize(
        "command", [[], *([name] for name in ("rank", "eval", "tune", "serve"))]
    )
    def test_h_is_help(self, command: list[str]) -> None:
        assert CliRunner().invoke(app, [*command, "-h"]).exit_code == 0

    def test_it_completes_commands_and_scorers(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """As bash asks for them."""
        for words, at, wanted in (
            ("rerank do", "1", "doctor"),
            ("rerank rank -s cr", "3", "cross"),
        ):
            told = CliRunner().invoke(
                app,
                prog_name="rerank",
                env={
                    "_RERANK_COMPLETE": "complete_bash",
                    "COMP_WORDS": words,
                    "COMP_CWORD": at,
                },
            )
            assert wanted in told.stdout

    def test_a_note_for_programs_is_not_shown(self) -> None:
        """To load ahead is nothing that a shell could do."""
        for options in ([], ["--json"]):
            _, shown, said = rerank("Italy", *options, stdin=LINES)
            assert "warm_up" not in shown + said

    @pytest.mark.parametrize("width", [50, 80, 200])
    def test_tables_keep_the_systems_name(
        self, tmp_path: Path, width: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """And every figure, in full, with what it is."""
        rows = [
            {
                "query": f"word{n}",
                "documents": [
                    {"text": f"word{m}", "id": f"{n}-{m}", "relevance": int(n == m)}
                    for m in range(4)
                ],
            }
            for n in range(4)
        ]
        (tmp_path / "data.jsonl").write_text("\n".join(map(json.dumps, rows)))
        monkeypatch.setenv("COLUMNS", str(width))

        result = CliRunner().invoke(app, ["eval", str(tmp_path / "data.jsonl"), "-s", "mine=bm25"])

        lines = result.stdout.splitlines()
        assert max(map(len, lines)) <= width
        assert sum(line.startswith("mine") for line in lines) >= 3
        assert all(word in result.stdout for word in ("Judged@10", "win/tie/loss", "coverage"))
        assert "…" not in result.stdout

    @pytest.mark.parametrize("width", [20, 34, 80])
    def test_a_ranking_keeps_its_figures(self, width: int, monkeypatch: pytest.MonkeyPatch) -> None:
        """Beside its documents where there is room, else above each."""
        monkeypatch.setenv("COLUMNS", str(width))

        _, shown, _ = rerank("Italy", stdin="Oslo\nRome is in Italy\n")

        lines = [line.split() for line in shown.splitlines()]
        assert max(map(len, shown.splitlines())) <= width
        assert "…" not in shown
        beneath = ["score", "1.000"] in lines
        assert beneath == (width < 40)
        assert beneath or ["1", "▲1", "1.000", "-:2"] in lines

    def test_a_folder_that_cannot_be_is_said_before_the_work(self, tmp_path: Path) -> None:
        (tmp_path / "runs").write_text("a file")

        result = CliRunner().invoke(
            app, ["eval", "no-such-data", "--save", str(tmp_path / "runs" / "deeper")]
        )

        assert result.exit_code == 2
        assert "cannot be written" in result.stderr


class TestErrors:
    @pytest.mark.parametrize(
        ("arguments", "stdin", "words"),
        [
            (["", "-"], LINES, "query is empty"),
            (["q", "no-such-file.txt"], "", "there is no file no-such-file.txt"),
            (["q"], "", "nothing to rank"),
            (["q", "--top-n", "0"], LINES, "--top-n is 0"),
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

    @pytest.mark.parametrize("arguments", [["rank", "Italy"], ["rank", "Italy", "--json"], ["-h"]])
    def test_a_reader_who_has_had_enough_is_no_error(self, arguments: list[str]) -> None:
        """`rerank … | head`: a closed pipe, an empty standard error, exit code 0."""
        command = [sys.executable, "-c", "from rerank_core.cli import main; main()", *arguments]
        with subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        ) as process:
            assert process.stdout is not None
            process.stdout.close()
            process.stdout = None
            _, told = process.communicate((LINES * 50).encode(), timeout=60)

        assert (process.returncode, b"roken" in told) == (0, False), told
