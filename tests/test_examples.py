"""The examples run as they stand, each in a process of its own, without a network."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from loopback import AnthropicAPI, OpenAIAPI, Server, scoring

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
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


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
