"""What the pages in docs/ show runs as it is written."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

import doc_pages
import pytest
from loopback import OpenAIAPI, Server, scoring
from loopback import asked as scores_of

from rerank_core import Reranker, parsing
from rerank_core.scorers import LLMScorer

DOCS = doc_pages.ROOT / "docs"
SKILL = doc_pages.ROOT / "skills" / "dropin-rerank" / "SKILL.md"
#: Those with Python on them; tutorials and migration have tests of their own.
PAGES = sorted(
    page
    for page in [*DOCS.rglob("*.md"), SKILL]
    if doc_pages.blocks(page) and page.parent.name not in ("tutorials", "migration")
)

#: What the pages take for granted: names that they have introduced in words.
KNOWN: dict[str, dict[str, Any]] = {
    "parser.md": {
        **{name: getattr(parsing, name) for name in parsing.__all__},
        "reply": "[1] 7\n[2] 9",
        "count": 2,
        "scale": (0, 10),
    },
}


class LangChainClient:
    """Is made like a vendor's client for LangChain, and looks like one."""

    def __init__(self, **settings: object) -> None:
        self.model = settings["model"]

    async def ainvoke(self, messages: object) -> None: ...


class LlamaIndexClient:
    """The same for LlamaIndex."""

    def __init__(self, **settings: object) -> None:
        self.model = settings["model"]

    async def achat(self, messages: object) -> None: ...


#: The vendors' packages that the pages import, the class, and what stands in for it.
VENDORS = {
    "langchain_anthropic": ("ChatAnthropic", LangChainClient),
    "langchain_google_genai": ("ChatGoogleGenerativeAI", LangChainClient),
    "llama_index.llms.anthropic": ("Anthropic", LlamaIndexClient),
}


@pytest.fixture(autouse=True)
def _vendors(monkeypatch: pytest.MonkeyPatch) -> None:
    """The real clients where they are installed, stand-ins where not; and keys for the real."""
    pytest.importorskip("llama_index.core")
    for package, (name, client) in VENDORS.items():
        if find_spec(package) is None:
            module = ModuleType(package)
            setattr(module, name, client)
            monkeypatch.setitem(sys.modules, package, module)
    monkeypatch.setenv("ANTHROPIC_API_KEY", "any")
    monkeypatch.setenv("GOOGLE_API_KEY", "any")


@pytest.fixture(autouse=True)
def server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Server]:
    """An OpenAI-compatible server and the environment that points at it; an empty folder."""
    pytest.importorskip("openai")
    monkeypatch.chdir(tmp_path)
    with Server(OpenAIAPI(scoring())) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", f"{server.url}/v1")
        monkeypatch.setenv("OPENAI_API_KEY", "any")
        yield server


@pytest.mark.parametrize(
    "page", PAGES, ids=lambda page: page.relative_to(doc_pages.ROOT).as_posix()
)
def test_a_page_runs(page: Path) -> None:
    """Every block of Python on it, one after the other."""
    names = doc_pages.run(page, **KNOWN.get(page.name, {}))

    for made in names.values():
        if isinstance(made, Reranker):
            made.close()


def test_every_configuration_file_on_its_page_is_one(tmp_path: Path) -> None:
    """And is what it says: nothing in it is refused."""
    page = (DOCS / "how-to" / "configuration-file.md").read_text(encoding="utf-8")
    shown = re.findall(r"^```\n((?:#[^\n]*\n)?\[+reranker.*?)^```$", page, re.DOTALL | re.MULTILINE)

    assert len(shown) >= 5
    for number, text in enumerate(shown):
        file = tmp_path / f"{number}.toml"
        file.write_text(text, encoding="utf-8")
        Reranker.from_config(file).close()


def test_what_the_first_page_shows_is_what_it_prints(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """But for how long it took."""
    monkeypatch.setenv("COLUMNS", "100")
    page = DOCS / "index.md"
    doc_pages.run(page)["reranker"].close()

    printed = capsys.readouterr().out.partition(", seconds=")[0]
    assert printed.startswith("Ranking(")
    assert printed in page.read_text(encoding="utf-8")


def test_the_first_thing_on_asking_an_llm(
    server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    """Does what it looks like."""
    names = doc_pages.run(doc_pages.ROOT / "docs" / "llm.md")
    names["reranker"].close()

    said = capsys.readouterr().out
    assert names["ranking"][0].text == "Rome, capital of Italy"
    assert "Rome, capital of Italy" in said


def test_the_observer_on_asking_an_llm(server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    """Hears of one call and its reply."""
    names = doc_pages.run(doc_pages.ROOT / "docs" / "llm.md")
    names["reranker"].close()

    *_, asked, answered = capsys.readouterr().out.splitlines()
    assert asked == "asked gpt-4o-mini"
    assert answered.startswith("answered in ")


def test_a_prompt_of_ones_own_is_asked_as_it_says(server: Server) -> None:
    """The one on the page, filled in."""
    names = doc_pages.run(doc_pages.ROOT / "docs" / "llm.md")
    names["reranker"].close()
    server.clear()

    scorer = LLMScorer(prompt=names["prompt"])
    scores = scores_of(scorer, "capital of Italy", ["Paris", "Rome, capital of Italy"])

    assert scores[1] > scores[0]  # type: ignore[operator]
    said = server.requests[0].json["messages"][1]["content"]
    assert said.endswith('for a support engineer, 0 to 10, as JSON: {"1":7,"2":3,…}')


@pytest.mark.slow
@pytest.mark.parametrize("page", ["python", "langchain", "llamaindex"])
def test_a_tutorial_ends_in_an_improvement(page: str, capsys: pytest.CaptureFixture[str]) -> None:
    """As its page shows: the retriever's figure, then a better one."""
    tutorial = DOCS / "tutorials" / f"{page}.md"
    shown = re.findall(r"^(\S+) (0\.\d+)$", tutorial.read_text(encoding="utf-8"), re.MULTILINE)
    doc_pages.run(tutorial)

    said = re.findall(r"^(\S+) (0\.\d+)$", capsys.readouterr().out, re.MULTILINE)
    assert [name for name, _ in said] == [name for name, _ in shown]
    before, after = (float(figure) for _, figure in said)
    assert after > before + 0.1


@pytest.mark.slow
@pytest.mark.parametrize("page", [SKILL, DOCS / "evaluation.md"], ids=lambda page: page.stem)
def test_the_commands_of_a_page_run(page: Path, tmp_path: Path) -> None:
    """Those that ask nobody, over the file that its Python writes."""
    pytest.importorskip("typer")
    pytest.importorskip("ir_measures")
    doc_pages.run(page)
    found = re.findall(r"^```sh\n(.*?)^```$", page.read_text("utf-8"), re.DOTALL | re.MULTILINE)
    commands = [line for block in found for line in block.splitlines()]

    assert len(commands) == 4
    for command in commands:
        first, *arguments = shlex.split(command)
        assert first == "rerank"
        done = subprocess.run(
            [sys.executable, "-c", "from rerank_core.cli import main; main()", *arguments],
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "PYTHONPATH": str(doc_pages.ROOT / "core")},
        )
        assert done.returncode == 0, done.stderr
    assert (tmp_path / "report.html").exists()
    assert (tmp_path / "reranker.toml").exists()


def test_the_skill_says_what_it_is_for() -> None:
    """In the head that whoever loads skills reads first."""
    head = SKILL.read_text(encoding="utf-8").split("---\n")[1]

    assert re.search(r"^name: dropin-rerank$", head, re.MULTILINE)
    assert 100 < len(head.partition("description: ")[2]) < 1024


@pytest.mark.parametrize("page", sorted(DOCS.rglob("*.md")), ids=lambda page: page.name)
def test_a_link_leads_somewhere(page: Path) -> None:
    """In the repository too, to a file and a heading; not only in the site."""
    text = re.sub(r"(?ms)^```.*?^```$", "", page.read_text(encoding="utf-8"))
    made = {"errors.md", "notes.md", "options.md", "llms.txt"}  # by the site, from the source
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        target, _, anchor = link.partition("#")
        if "://" in link or "reference/" in target or Path(target).name in made:
            continue
        there = (page.parent / target).resolve() if target else page
        assert there.is_file(), link
        if anchor and there.suffix == ".md":
            assert anchor in _anchors(there), link


def _anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    plain = (re.sub(r"[^\w\s-]", "", heading).strip().lower() for heading in headings)
    return {re.sub(r"\s+", "-", heading) for heading in plain}
