"""Run by the Python of an environment that holds what one install line of a page brings, alone.

    python -I tests/packaging/readme.py llamaindex

The blocks that the line is for run as they stand on the page, Python and commands.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # the servers; nothing of the library

import doc_pages
from loopback import OpenAIAPI, Server, scoring

import rerank_core

README = doc_pages.ROOT / "README.md"
ANSWER = "Task.cancel: how to cancel a task, and what a task that you cancel should do"
TEXTS = [*(f"filler number {n} about nothing" for n in range(49)), ANSWER]


def section(heading: str) -> str:
    return README.read_text(encoding="utf-8").partition(f"\n## {heading}\n")[2].split("\n## ")[0]


def python(heading: str, **known: Any) -> dict[str, Any]:
    """What there is after the section's block was run."""
    (block,) = re.findall(r"^```python\n(.*?)^```$", section(heading), re.DOTALL | re.MULTILINE)
    exec(compile(block, f"README.md: {heading}", "exec"), known)
    return known


def commands(heading: str, folder: Path) -> list[str]:
    """Run the section's commands there, as a shell does; returns what each said."""
    (block,) = re.findall(r"^```\n(rerank .*?)^```$", section(heading), re.DOTALL | re.MULTILINE)
    path = f"{sysconfig.get_path('scripts')}{os.pathsep}{os.environ['PATH']}"
    said = []
    for line in block.splitlines():
        done = subprocess.run(
            ["bash", "-c", line],
            cwd=folder,
            env={**os.environ, "PATH": path},
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"
        said.append(done.stdout)
    return said


def plain_python() -> None:
    ranking = python("Plain Python", documents=TEXTS)["ranking"]
    assert ranking[0].text == ANSWER
    assert ranking.report.coverage == 1


def langchain() -> None:
    from langchain_core.embeddings import DeterministicFakeEmbedding
    from langchain_core.vectorstores import InMemoryVectorStore

    store = InMemoryVectorStore.from_texts(TEXTS, DeterministicFakeEmbedding(size=8))
    documents = python("LangChain", store=store)["documents"]
    assert documents[0].page_content == ANSWER
    assert len(documents) == 10


def llamaindex() -> None:
    from llama_index.core import MockEmbedding, Settings, VectorStoreIndex
    from llama_index.core.llms import MockLLM
    from llama_index.core.schema import TextNode

    Settings._llm = MockLLM()  # the index's own, which writes the response
    nodes = [TextNode(text=text) for text in TEXTS]
    index = VectorStoreIndex(nodes, embed_model=MockEmbedding(embed_dim=4))
    found = python("LlamaIndex", index=index)["response"].source_nodes
    assert found[0].node.get_content() == ANSWER
    assert len(found) == 10


def command_line() -> None:
    (said,) = commands("Command line", doc_pages.ROOT)
    assert "cancel" in said, said


def with_a_model() -> None:
    """What the README's table and comment put in the default's place; its server is on loopback."""
    from rerank_core import Reranker

    with Server(OpenAIAPI(scoring())) as server:
        os.environ |= {"OPENAI_BASE_URL": f"{server.url}/v1", "OPENAI_API_KEY": "any"}
        (told,) = re.findall(r"^# or (Reranker\(.*\))$", section("Plain Python"), re.MULTILINE)
        with eval(told, {"Reranker": Reranker}) as reranker:
            # on a slow machine the SDK is still imported when the deadline strikes
            assert reranker.rank("how do I cancel a task?", TEXTS)[0].text == ANSWER
            reranker.warm_up()
            ranking = reranker.rank("how do I cancel a task at once?", TEXTS)
            assert ranking[0].text == ANSWER
            assert not ranking.report.degraded, ranking.report.why
        assert server.requests


def measured() -> None:
    """`my-data/` is a small collection, as BEIR lays it out."""
    folder = Path("my-data")
    (folder / "qrels").mkdir(parents=True)
    words = ["apple", "bread", "cheese", "dates", "eggs", "figs", "grapes", "honey"]
    corpus = [
        {"_id": f"{word}-{n}", "title": "", "text": f"{word} {'sold' * (n % 2)} by merchant {n}"}
        for word in words
        for n in range(8)
    ]
    queries = [{"_id": word, "text": f"{word} sold"} for word in words]
    for name, lines in {"corpus": corpus, "queries": queries}.items():
        (folder / f"{name}.jsonl").write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    judged = "".join(f"{word}\t{word}-1\t1\n" for word in words)
    (folder / "qrels" / "test.tsv").write_text(f"query-id\tcorpus-id\tscore\n{judged}")
    with Server(OpenAIAPI(scoring())) as server:
        os.environ |= {"OPENAI_BASE_URL": f"{server.url}/v1", "OPENAI_API_KEY": "any"}
        said = commands("Three figures", Path.cwd())
        assert server.requests
    assert len(said) == 3
    assert all(said)
    assert Path("report.html").stat().st_size
    assert Path("reranker.toml").stat().st_size


def tutorial(page: str) -> Callable[[], None]:
    return lambda: doc_pages.run(doc_pages.ROOT / "docs" / "tutorials" / page) and None


#: By what is installed: what the page that has the line shows for it.
PARTS: dict[str, tuple[Callable[[], None], ...]] = {
    "everything": (langchain, llamaindex, plain_python, command_line, with_a_model),
    "core": (plain_python,),
    "wheel": (plain_python, command_line),
    "measured": (measured,),
    "langchain": (langchain, tutorial("langchain.md")),
    "llamaindex": (llamaindex, tutorial("llamaindex.md")),
    "python": (plain_python, tutorial("python.md")),
}


def main(line: str) -> None:
    place = Path(rerank_core.__file__)
    assert "site-packages" in place.parts, f"this is not what was installed: {place}"
    for part in PARTS[line]:
        part()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        main(sys.argv[1])
        os.chdir("/")
