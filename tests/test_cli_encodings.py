"""Odd text in and out of the command line, in real processes: never a traceback."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("typer")
pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[1]
LOCALES = {
    "utf-8": {"PYTHONIOENCODING": "utf-8"},
    "ascii": {"PYTHONIOENCODING": "ascii"},
    "latin-1": {"PYTHONIOENCODING": "latin-1"},
    "C": {"LANG": "C", "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
}
ODD = ["caf\u00e9 \u2014 na\u00efve \u65e5\u672c \U0001f600", "half \ud83d of a pair", "plain"]


def rerank(
    *arguments: str | bytes, stdin: bytes = b"", locale: str = "utf-8"
) -> tuple[int, bytes, bytes]:
    """Exit code, standard output and standard error of the program, as bytes."""
    environment = {**os.environ, **LOCALES[locale], "PYTHONPATH": str(ROOT / "core")}
    done = subprocess.run(
        [sys.executable, "-c", "from rerank_core.cli import main; main()", *arguments],
        input=stdin,
        env=environment,
        capture_output=True,
        timeout=120,
        check=False,
    )
    assert b"Traceback" not in done.stderr, done.stderr.decode("utf-8", "replace")
    return done.returncode, done.stdout, done.stderr


def strict(text: bytes) -> object:
    """JSON as RFC 8259 has it: no NaN."""

    def refuse(name: str) -> object:
        raise AssertionError(f"{name} is no JSON")

    return json.loads(text, parse_constant=refuse)


class TestJson:
    @pytest.mark.parametrize("locale", LOCALES)
    def test_gives_the_texts_back_in_every_encoding(self, locale: str) -> None:
        """Escaped where they must be, half a surrogate pair too."""
        lines = "\n".join(json.dumps({"text": text}) for text in ODD).encode()

        code, told, _ = rerank("rank", "half a pair", "--json", stdin=lines, locale=locale)

        text = told.decode("latin-1" if locale == "latin-1" else "utf-8")
        found = strict(text.encode("utf-8"))
        assert code == 0
        assert sorted(hit["text"] for hit in found["results"]) == sorted(ODD)  # type: ignore[index]

    @pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity", '[1, {"a": NaN}]', "1e999"])
    def test_has_null_for_what_is_no_number(self, value: str) -> None:
        """Wherever in a document it stands."""
        lines = f'{{"text": "one", "extra": {value}}}\n{{"text": "two", "extra": 1}}'.encode()

        code, told, _ = rerank("rank", "one", "--json", stdin=lines)

        assert code == 0
        assert b"null" in told
        assert strict(told)


class TestTables:
    @pytest.mark.parametrize("locale", LOCALES)
    def test_are_shown_in_every_encoding(self, locale: str) -> None:
        """What a terminal cannot show is shown escaped."""
        lines = "\n".join(json.dumps({"text": text}) for text in ODD).encode()

        code, told, _ = rerank("rank", "half a pair", stdin=lines, locale=locale)

        assert code == 0
        assert b"plain" in told

    @pytest.mark.parametrize("locale", ["ascii", "C"])
    @pytest.mark.parametrize(
        "arguments", [("--help",), ("rank", "--help"), ("rank", "q", "--nonsense")]
    )
    def test_help_and_usage_too(self, arguments: tuple[str, ...], locale: str) -> None:
        assert rerank(*arguments, locale=locale)[0] in (0, 2)


class TestWhatComesIn:
    @pytest.mark.parametrize("query", [b"\xff\xfe", b"caf\xe9 one", "日本".encode()])
    @pytest.mark.parametrize("locale", LOCALES)
    def test_a_question_in_any_bytes(self, query: bytes, locale: str) -> None:
        """As the shell hands it over."""
        assert rerank("rank", query, "--json", stdin=b"one\ntwo\n", locale=locale)[0] == 0

    @pytest.mark.parametrize(
        "content", [b"caf\xe9\n", b'{"text": "\xff"}\n', b"\xff\xfeo\x00n\x00e\x00"]
    )
    @pytest.mark.parametrize("locale", ["utf-8", "ascii"])
    def test_bytes_that_are_no_utf8_are_refused_in_words(
        self, tmp_path: Path, content: bytes, locale: str
    ) -> None:
        """From standard input, and from files whose own name is odd."""
        file = tmp_path / "odd-\u00e9.jsonl"
        file.write_bytes(content)

        assert rerank("rank", "q", stdin=content, locale=locale)[0] == 2
        code, _, told = rerank("rank", "q", os.fsencode(file), locale=locale)
        assert (code, b"UTF-8" in told) == (2, True)

    @pytest.mark.parametrize(
        "line", ['{"text": "x", "n": ' + "9" * 5000 + "}", "[" * 100_000, '{"text": "x"']
    )
    def test_json_that_python_will_not_read(self, line: str) -> None:
        """Named by its line."""
        code, _, told = rerank("rank", "q", stdin=b'{"text": "y"}\n{' + line[1:].encode())

        assert code == 2
        assert b"-:2" in told or b"nothing" in told

    def test_ids_with_half_a_pair_through_a_whole_evaluation(self, tmp_path: Path) -> None:
        """Journal, runs and page are written."""
        rows = [
            {
                "query": f"q{n} half \ud83d",
                "documents": [{"text": f"t{m} \ud83d", "id": f"{n}-{m}\ud83d"} for m in range(3)],
            }
            for n in range(3)
        ]
        data = tmp_path / "data.jsonl"
        data.write_text("\n".join(map(json.dumps, rows)))
        options = ["--journal", "j.jsonl", "--save", "runs", "--report", "page.html"]
        options = [str(tmp_path / one) if not one.startswith("--") else one for one in options]

        for _ in range(2):  # the second reads the journal
            code, told, said = rerank("eval", str(data), *options, "--json", locale="ascii")
            assert (code, said) == (0, said)
            assert strict(told)
