"""What is on the pages that are made from the source, and that each page has its place."""

from __future__ import annotations

import ast
import inspect
import re
from collections import Counter
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from docs_site import common, generated, llms, messages, navigation, reference, tables
from docs_site.build import ROOT, gathered
from rerank_core import Candidate, Reason, Reranker, options
from rerank_core.combine import WeightedSum
from rerank_core.errors import MissingExtraError, RerankError, require
from rerank_core.llm.answers import unreadable
from rerank_core.remote.http_errors import from_connection, from_status
from rerank_core.scorers import CrossEncoderScorer, LLMScorer, RerankAPIScorer
from rerank_core.scorers.local.local_model import cannot_fetch


@cache
def listed() -> list[messages.Message]:
    """Every message, found once by whichever worker asks: it takes seconds."""
    return list(messages.found())


def test_every_page_of_the_docs_is_in_the_navigation() -> None:
    """Once; also one that nobody has named there yet."""
    there = {p.relative_to(ROOT / "docs").as_posix() for p in (ROOT / "docs").rglob("*.md")}

    placed = navigation.sections([*there, "a-new-page.md", "migration/from-anything.md"])

    counted = Counter(page for found in placed.values() for page in found)
    assert set(counted) == {*there, "a-new-page.md", "migration/from-anything.md"}
    assert set(counted.values()) == {1}
    assert "migration/from-anything.md" in placed["Migration"]


@pytest.fixture(scope="module")
def pages() -> dict[str, str]:
    """Every page of the site, in Markdown."""
    pytest.importorskip("llama_index.core")
    pytest.importorskip("langchain")
    return gathered()


def test_every_page_has_a_title(pages: dict[str, str]) -> None:
    """By which search, navigation and llms.txt name it."""
    assert [name for name, page in pages.items() if not llms.title(page)] == []


def test_a_link_to_a_file_of_the_repository_leads_to_its_page(pages: dict[str, str]) -> None:
    """Programs are a section each of one page."""
    assert "](examples.md#claude)" in pages["llm.md"]
    assert "](../security.md)" in pages["explanation/untrusted-documents.md"]
    assert "{ #claude }" in pages["examples.md"]


class TestMessages:
    """Every message of the library is found by its words."""

    def test_whatever_is_raised_is_listed(self) -> None:
        """Each fixed piece of each error's text, as another reader of the source finds it."""
        texts = "\n".join(message.text for message in listed() if message.kind)
        missing = []
        for package in messages.PACKAGES:
            for path in sorted((ROOT / package).rglob("*.py")):
                pieces = _pieces(ast.parse(path.read_text(encoding="utf-8")))
                missing += [f"{path.name}: {piece}" for piece in pieces if piece not in texts]
        assert missing == []

    @pytest.mark.parametrize(
        "wrong",
        [
            lambda: Reranker(top_k=3),
            lambda: Reranker(top_n=0),
            lambda: Reranker("bm52"),
            lambda: Reranker(fallback="bm52"),
            lambda: Reranker(colour=3),
            lambda: Reranker("llm:gpt-4o-mini"),
            lambda: Reranker("cohere:rerank-v3.5"),
            lambda: Reranker("embedding:text-embedding-3-small"),
            lambda: Reranker("api:https://api.jina.ai"),
            lambda: cannot_fetch("a/b", ConnectionError("no network")),
            lambda: cannot_fetch("a/b", type("GatedRepoError", (Exception,), {})()),
            lambda: cannot_fetch("a/b", ValueError("odd")),
            lambda: from_status(401, "no such key"),
            lambda: from_connection(ConnectionRefusedError(), "http://localhost:1"),
            lambda: unreadable("Sure!", "llama"),
            lambda: Reranker(combine="sum"),
            lambda: Reranker(instruction=" "),
            lambda: Reranker(retrieval_score="cosine"),
            lambda: Reranker("bm25 > "),
            lambda: Reranker().rank("a", [{"body": "b"}]),
            lambda: Reranker().rank(3, ["a"]),
            lambda: CrossEncoderScorer("./no/such/folder"),
            lambda: RerankAPIScorer("http://localhost:1", provider="cohre"),
            lambda: Reranker(timeout=-1),
            lambda: Reranker("bm25", threshold=0.5),
            lambda: Reranker({"a": "bm25", "b": "bm25"}),
            lambda: Reranker(cache="scores.txt"),
            lambda: Reranker(max_per="parent_id"),
            lambda: Reranker(on_error="ignore"),
            lambda: WeightedSum({}),
            lambda: WeightedSum({"a": 1}, normalize="softmax"),
            lambda: Candidate(3),
            lambda: Reranker().rank("", ["a"]),
            lambda: Reranker().rank("a", "a"),
            lambda: Reranker().rank("a", [3]),
            lambda: LLMScorer("any"),
            lambda: LLMScorer("any", model="other", api_key="any"),
            lambda: LLMScorer("any", api_key="any", strategy="best"),
            lambda: RerankAPIScorer("localhost:8080"),
            lambda: RerankAPIScorer("https://api.jina.ai#jina-reranker-v3.5"),
            lambda: Reranker.from_config("missing.toml"),
        ],
        ids=lambda wrong: inspect.getsource(wrong).strip()[8:60] if callable(wrong) else None,
    )
    def test_what_is_really_raised_is_among_them(self, wrong: Callable[[], Any]) -> None:
        """Whatever was filled in."""
        with pytest.raises((RerankError, TypeError, OSError)) as caught:
            raised(wrong)

        assert any(one.kind for one in entries(str(caught.value))), caught.value

    def test_a_missing_package_is_among_them(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Whatever the extra brings."""
        brought = ["pyarrow>=17; extra == 'bulk'"]
        monkeypatch.setattr("importlib.metadata.requires", lambda name: brought)
        with pytest.raises(MissingExtraError) as caught:
            require("Parquet", "bulk", "no_such_module")

        assert entries(str(caught.value)), caught.value

    def test_what_a_report_says_is_among_them(self) -> None:
        """Every note of rankings that went wrong in one way or another."""

        def broken(query: str, texts: list[str]) -> list[float]:
            raise ConnectionError("nobody there")

        def half(query: str, texts: list[str]) -> list[float | None]:
            return [1.0, None]

        notes: list[str] = []
        for made in (
            Reranker(broken),
            Reranker(broken, fallback="bm25"),
            Reranker(half, threshold=0.5),
            Reranker(shadow=0.0),
            Reranker(),
        ):
            with made:
                notes += made.rank("capital of Italy", ["Paris", "Rome"]).report.notes

        assert len(notes) >= 6
        assert [note for note in notes if not entries(note)] == []

    @pytest.mark.parametrize("one", common.ERRORS + common.NOTES, ids=lambda one: one.text[:60])
    def test_those_met_most_are_real(self, one: common.Common) -> None:
        """The table beside the generator has messages of the source, and looks of them."""
        assert one.text in {message.text for message in listed()}
        assert one.text in {message.text for message in entries(one.met)}
        assert one.remedy.endswith(".")

    def test_those_met_most_are_errors_or_notes(self) -> None:
        """Each on the page where it is looked for."""
        raised = {message.text for message in listed() if message.kind}

        assert {one.text for one in common.ERRORS} <= raised
        assert not {one.text for one in common.NOTES} & raised

    def test_what_nobody_is_told_is_no_message(self) -> None:
        """Pages, styles, scripts, forms, names of metrics, texts to try a scorer on, prompts."""
        said = "\n".join(message.text for message in listed())

        for no_message in (
            "color-scheme", "querySelector", "default-src", "Share of documents scored",
            "The ranking, best first", "emperor penguins", "library_name", "seven boats",
            "SELECT ", "?|", "how do I cancel a task",
        ):  # fmt: skip
            assert no_message not in said

    def test_they_are_on_the_pages(self, pages: dict[str, str]) -> None:
        """Each as a heading, under the room that it comes from."""
        text = pages["troubleshooting/errors.md"] + pages["troubleshooting/notes.md"]
        headings = set(re.findall(r"^### (.+) \{ \.message \}$", text, re.MULTILINE))

        assert headings == {generated._code(message.text) for message in listed()}


def raised(wrong: Callable[[], Any]) -> None:
    """Do it; an error that it made and did not raise is raised."""
    made = wrong()
    if isinstance(made, Exception):
        raise made


def _pieces(tree: ast.Module) -> list[str]:
    """The fixed pieces, three words or more, of what stands in a `raise` of an error."""
    found = []
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call)):
            continue
        name = getattr(node.exc.func, "id", "")
        if not name.endswith("Error") or not node.exc.args:
            continue
        first = node.exc.args[0]
        whole = first.values if isinstance(first, ast.JoinedStr) else [first]
        for part in whole:
            if isinstance(part, ast.Constant) and isinstance(part.value, str):
                said = " ".join(part.value.split())
                if len(said.split()) >= 4:
                    found.append(said)
    return found


def entries(said: str) -> list[messages.Message]:
    """The listed messages that this is one of: by their fixed parts, in order, enough of them."""
    said = " ".join(said.split())
    fitting = []
    for message in listed():
        parts = [part.strip() for part in message.text.split(messages.BLANK)]
        enough = sum(len(part.split()) for part in parts) >= 2 or message.text == "HTTP …: …"
        if enough and re.search(".*?".join(map(re.escape, parts)), said):
            fitting.append(message)
    return fitting


def test_every_reason_is_explained() -> None:
    """With what to do."""
    page = (ROOT / "docs" / "troubleshooting" / "index.md").read_text(encoding="utf-8")
    explained = re.findall(r"^\| `(\w+)` \| .+ \| .+ \|$", page, re.MULTILINE)

    assert set(Reason) <= set(explained)


class TestReference:
    """Every public name and every option, with the defaults of the code."""

    def test_every_option_of_a_reranker_is_in_the_table(self) -> None:
        """With its default."""
        table = tables.of_the_reranker()

        for one in options.parameters():
            row = next(line for line in table.splitlines() if line.startswith(f"| `{one.name}` "))
            _, _, about, default, kind, _ = re.split(r"(?<!\\)\|", row)
            assert about.split()[:3] == options._FIELDS[one.name].metadata["about"].split()[:3]
            assert default.strip() == tables.shown(one.default)
            assert kind.strip().strip("`")

    @pytest.mark.parametrize("kind", tables.PRESETS.values())
    def test_every_option_of_a_scorer_is_in_its_table(self, kind: str) -> None:
        """Each with a sentence from the docstring, and none that says the same at length."""
        rows = tables.of_the_scorer(kind).splitlines()[2:]

        assert len(rows) == len(tables.presets._parameters(kind))
        silent = [row for row in rows if "|   |" in row]
        assert silent == []
        about = [row.split(" | ")[1] for row in rows if "see `" not in row]
        assert len(set(about)) == len(about)

    def test_every_public_name_is_there(self, pages: dict[str, str]) -> None:
        """As a directive in the site, written out in the Markdown."""
        for module in reference.MODULES:
            page = pages[reference.page_of(module)]
            written = reference.written_out(page)
            for name in reference.names(module):
                assert f"::: {module}.{name}\n" in page
                assert f"## `{name}`" in written

    def test_a_preset_does_not_repeat_the_options_of_every_reranker(
        self, pages: dict[str, str]
    ) -> None:
        """It links their table; and what pydantic put into a class is no part of it."""
        for module in ("langchain_rerank", "llamaindex_rerank"):
            written = reference.written_out(pages[reference.page_of(module)])
            assert "requests_per_minute" not in written
            assert "[the table](options.md)" in written
            assert "model_post_init" not in written

    def test_an_example_in_a_docstring_is_code(self, pages: dict[str, str]) -> None:
        """Not three quotations."""
        assert "```pycon\n>>> " in reference.written_out(pages["reference/rerank_core.combine.md"])

    def test_every_command_has_its_options(self, pages: dict[str, str]) -> None:
        """From the command itself."""
        page = pages["reference/command-line.md"]

        assert "## `rerank rank`" in page
        assert "`--max-cost`" in page
        assert "`--scorer`, `-s`" in page


def test_every_rerank_server_is_in_the_table(pages: dict[str, str]) -> None:
    """From the rows that the scorer goes by."""
    assert all(f"| `{name}` |" in pages["how-to/servers.md"] for name in tables.PROVIDERS)


def test_the_makefile_builds_and_serves_it() -> None:
    """`make docs`, `make docs-serve`; the result is not kept in git."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")

    assert re.search(r"^docs:", makefile, re.MULTILINE)
    assert re.search(r"^docs-serve:", makefile, re.MULTILINE)
    assert "/site/" in Path(ROOT / ".gitignore").read_text(encoding="utf-8")
