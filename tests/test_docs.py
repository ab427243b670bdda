"""What the pages in docs/ show runs as it is written."""

from __future__ import annotations

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

PAGES = sorted(page for page in (doc_pages.ROOT / "docs").glob("*.md") if doc_pages.blocks(page))

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


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_runs(page: Path) -> None:
    """Every block of Python on it, one after the other."""
    names = doc_pages.run(page, **KNOWN.get(page.name, {}))

    for made in names.values():
        if isinstance(made, Reranker):
            made.close()


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
