"""What the README shows runs as it is written."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import doc_pages
import pytest
from loopback import OpenAIAPI, Server, scoring

from rerank_core import Candidate, Ranking
from rerank_core.scorers.named import scorer_class
from rerank_core.scorers.services.providers import PROVIDERS

README = doc_pages.ROOT / "README.md"
QUERY = "how do I cancel a task?"
ANSWER = "Task.cancel: how to cancel a task, and what a task that you cancel should do"
TEXTS = [*(f"filler number {n} about nothing" for n in range(60)), ANSWER]


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Server]:
    """An OpenAI-compatible server and the environment that points at it; an empty folder."""
    pytest.importorskip("openai")
    monkeypatch.chdir(tmp_path)
    with Server(OpenAIAPI(scoring())) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", f"{server.url}/v1")
        monkeypatch.setenv("OPENAI_API_KEY", "any")
        yield server


def block(beginning: str) -> str:
    """The block of Python below the heading of that name."""
    heading = README.read_text(encoding="utf-8").partition(f"\n## {beginning}\n")[0].count("\n")
    return next(b for b in doc_pages.blocks(README) if len(b) - len(b.lstrip("\n")) > heading)


def run(source: str, **known: Any) -> dict[str, Any]:
    """What there is after that was run."""
    names = dict(known)
    exec(compile(source, str(README), "exec"), names)
    return names


def with_llm(beginning: str) -> str:
    """The block with the reranker that the table beneath has in place of the embedded one."""
    return (
        block(beginning)
        .replace("HybridReranker(", 'LLMReranker("gpt-4o-mini", ')
        .replace("import HybridReranker", "import LLMReranker")
    )


@pytest.fixture
def store() -> Any:
    """A vector store with all that is retrieved: its embeddings find the answer by luck."""
    pytest.importorskip("langchain_core")
    from langchain_core.embeddings import DeterministicFakeEmbedding
    from langchain_core.vectorstores import InMemoryVectorStore

    return InMemoryVectorStore.from_texts(TEXTS[-50:], DeterministicFakeEmbedding(size=8))


@pytest.fixture
def index(monkeypatch: pytest.MonkeyPatch) -> Any:
    """An index, and something that writes the response."""
    pytest.importorskip("llama_index.core")
    from llama_index.core import MockEmbedding, Settings, VectorStoreIndex
    from llama_index.core.llms import MockLLM
    from llama_index.core.schema import TextNode

    monkeypatch.setattr(Settings, "_llm", MockLLM())
    return VectorStoreIndex(
        [TextNode(text=text) for text in TEXTS[-50:]], embed_model=MockEmbedding(embed_dim=4)
    )


@pytest.mark.parametrize("of", ["as it stands", "with an LLM"])
def test_langchain(server: Server, store: Any, of: str) -> None:
    """A store with a retriever, a reranker around it, and the answer on top."""
    llm = of == "with an LLM"
    names = run(with_llm("LangChain") if llm else block("LangChain"), store=store)
    names["retriever"].reranker.reranker.close()

    best, *others = names["documents"]
    assert best.page_content == ANSWER
    assert len(others) == 9
    assert best.metadata["relevance_score"] > others[0].metadata["relevance_score"]
    assert {request.json["model"] for request in server.requests} == (
        {"gpt-4o-mini"} if llm else set()
    )
    assert len(server.requests) == (5 if llm else 0)


@pytest.mark.parametrize("of", ["as it stands", "with an LLM"])
def test_llama_index(server: Server, index: Any, of: str) -> None:
    """An index with a query engine, a reranker in it, and the answer on top."""
    llm = of == "with an LLM"
    names = run(with_llm("LlamaIndex") if llm else block("LlamaIndex"), index=index)
    names["engine"]._node_postprocessors[0].reranker.close()

    best, *others = names["response"].source_nodes
    assert best.node.get_content() == ANSWER
    assert len(others) == 9
    assert best.score > others[0].score
    assert len(server.requests) == (5 if llm else 0)


def test_while_the_model_is_down(store: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The score that the block reads is there, an estimate, and marked as one."""
    pytest.importorskip("openai")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    monkeypatch.setenv("OPENAI_API_KEY", "any")

    source = with_llm("LangChain").replace('"gpt-4o-mini", ', '"gpt-4o-mini", timeout=0.5, ')
    names = run(source, store=store)
    names["retriever"].reranker.reranker.close()

    for document in names["documents"]:
        assert 0 <= document.metadata["relevance_score"] <= 1
        assert document.metadata["relevance_score_estimated"] is True


@pytest.mark.parametrize(
    "documents",
    [TEXTS, [{"text": text, "page": 1} for text in TEXTS], [Candidate(text) for text in TEXTS]],
    ids=["strings", "dicts", "candidates"],
)
def test_plain_python(
    documents: list[Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each kind of document that the comment names."""
    monkeypatch.chdir(tmp_path)
    names = run(block("Plain Python"), documents=documents)
    names["reranker"].close()

    ranking = names["ranking"]
    assert isinstance(ranking, Ranking)
    assert ranking[0].text == ANSWER
    assert ranking[0].document is documents[-1]
    assert len(ranking) == 10
    assert len(ranking.all) == len(TEXTS)
    assert ranking.report.coverage == 1.0


def test_plain_python_by_the_line_in_its_comment(server: Server, tmp_path: Path) -> None:
    """The model is asked once, and the scores are kept where it says."""
    source = block("Plain Python")
    told = re.search(r"^# or (Reranker\(.*\))$", source, re.MULTILINE)
    assert told is not None
    source = source.replace("reranker = Reranker(top_n=10)", f"reranker = {told[1]}")

    for hits in (0, len(TEXTS)):
        server.requests.clear()
        names = run(source, documents=TEXTS)
        names["reranker"].close()

        assert names["ranking"][0].text == ANSWER
        assert names["ranking"].report.cache_hits == hits
        assert bool(server.requests) is (hits == 0)
    assert (tmp_path / "scores.sqlite").is_file()


def test_every_command_takes_the_options_that_it_is_shown_with() -> None:
    """As the command line has them."""
    typer = pytest.importorskip("typer.main")
    from rerank_core.cli.app import app

    commands = typer.get_command(app).commands
    text = README.read_text(encoding="utf-8")
    shown = re.findall(r"^rerank ([a-z]+)(.*)$", text, re.MULTILINE)

    assert {name for name, _ in shown} == {"rank", "eval", "tune", "doctor"}
    assert set(re.findall(r"`rerank ([a-z]+)`", text)) <= set(commands)
    for name, rest in shown:
        options = {option for one in commands[name].params for option in one.opts}
        assert set(re.findall(r"--[a-z-]+", rest)) <= options, name


def test_the_picture_is_as_its_words_have_it() -> None:
    """Where the two documents went, for whoever does not see it."""
    text = README.read_text(encoding="utf-8")
    (words,) = re.findall(r'alt="([^"]*)"', text)
    (path,) = re.findall(r'<img src="([^"]*)"', text)
    drawn = (doc_pages.ROOT / path).read_text(encoding="utf-8")
    *_, after = drawn.split(">after: reranked<")
    names = re.findall(r'<tspan font-weight="600">([^<]+)</tspan>', after)[10:]

    told = re.findall(r"([\w.]+) (?:rises )?from (\d+) to (\d+)", words)
    assert len(told) == 2
    for name, before, now in told:
        assert names[int(now) - 1] == name
        row = after[after.rindex(f">{name}<") :]
        assert f">▲ {int(before) - int(now)}<" in row.partition("<rect")[0]


def test_every_block_is_run_here() -> None:
    """One below each of three headings, and no more."""
    run = [block(heading) for heading in ("LangChain", "LlamaIndex", "Plain Python")]

    assert doc_pages.blocks(README) == run


def test_it_is_short() -> None:
    assert len(README.read_text(encoding="utf-8").splitlines()) <= 150


def test_the_install_line_holds_today() -> None:
    """Of a checkout until a release has a day; and its extras, and those listed, are there."""
    text = README.read_text(encoding="utf-8")
    changelog = (doc_pages.ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    newest = re.search(r"^## .*$", changelog, re.MULTILINE)
    project = tomllib.loads((doc_pages.ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    extras = set(project["project"]["optional-dependencies"])
    (line,) = re.findall(r"^pip install '(.*)\[(.*)\]'$", text, re.MULTILINE)
    listed = re.findall(r"`([a-z-]+)`", text.partition("Extras: ")[2].partition(".\n")[0])

    assert newest is not None
    assert line[0] == ("." if "(unreleased)" in newest[0] else "dropin-rerank")
    assert set(line[1].split(",")) <= extras
    assert set(listed) == extras - {"all"}


def test_no_page_installs_what_is_on_no_index() -> None:
    """Until a release has a day, every line says a checkout's path."""
    root = doc_pages.ROOT
    if "(unreleased)" not in (root / "CHANGELOG.md").read_text(encoding="utf-8"):
        pytest.skip("there is a release")
    pages = [*root.glob("docs/**/*.md"), *root.glob("examples/*.py")]
    pages += [*root.glob("integrations/*/README.md"), *root.glob("skills/*/SKILL.md")]
    command = re.compile(r"pip (?:install|download|wheel) .*?(?<![./\w-])[a-z-]*dropin-rerank\b")
    lines = [line for page in pages for line in page.read_text(encoding="utf-8").splitlines()]

    assert len(pages) > 50
    assert [one for one in lines if command.search(one) and "--no-index" not in one] == []


def test_the_table_of_providers_is_the_librarys() -> None:
    """By name, address and key."""
    text = README.read_text(encoding="utf-8")
    table = text.partition("| provider | address | key |\n|---|---|---|\n")[2].partition("\n\n")[0]
    rows = {}
    for line in table.splitlines():
        name, hosts, keys = (re.findall(r"`([^`]+)`", cell) for cell in line.strip("|").split("|"))
        rows[name[0]] = (tuple(hosts), tuple(keys))

    assert rows == {
        name: (row.hosts, row.key_variables) for name, row in PROVIDERS.items() if name != "common"
    }


def test_every_scorer_that_it_names_is_one() -> None:
    """And every preset, in both frameworks."""
    text = README.read_text(encoding="utf-8").partition("## What scores")[2]
    table = text.partition("|---|---|---|\n")[2].partition("\n\n")[0]
    pytest.importorskip("langchain_core")
    pytest.importorskip("llama_index.core")
    presets = [import_module(name) for name in ("langchain_rerank", "llamaindex_rerank")]

    for preset, kind in re.findall(r"^\| `(\w+)\(.*?\| `\"([a-z-]+):", table, re.MULTILINE):
        assert scorer_class(kind)
        assert all(hasattr(one, preset) for one in presets)
    assert len(table.splitlines()) == 6
