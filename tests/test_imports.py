"""What an import brings along, each seen in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

#: Packages that a user should pay for only when something uses them.
HEAVY = (
    "Stemmer",
    "accelerate",
    "aiolimiter",
    "bm25s",
    "cohere",
    "datasets",
    "genai_prices",
    "httpx",
    "json_repair",
    "numpy",
    "onnxruntime",
    "openai",
    "opentelemetry",
    "pyarrow",
    "ray",
    "redis",
    "sentence_transformers",
    "tenacity",
    "tokenizers",
    "torch",
    "transformers",
)
LANGCHAIN = ("langchain", "langchain_classic", "langchain_core", "langchain_openai")
LLAMA_INDEX = ("llama_index", "llama_index_instrumentation", "workflows")


def loaded_by(statement: str) -> set[str]:
    """The top-level packages that are there after it, and not before."""
    code = (
        "import sys; before = set(sys.modules)\n"
        f"{statement}\n"
        "print(*{name.partition('.')[0] for name in set(sys.modules) - before})"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment
    )
    return set(done.stdout.split())


@pytest.mark.parametrize(
    "statement",
    [
        "import rerank_core",
        "from rerank_core.scorers import LLMScorer, CohereScorer, RerankAPIScorer, BM25Scorer",
        "from rerank_core.combine import WeightedSum",
        "from rerank_core.bulk import RerankStage, Summary, run",
        "from rerank_core.teaching import Settings, Teaching, teach",
        "from rerank_core import Reranker; Reranker()",
    ],
)
def test_the_core_brings_no_framework_and_nothing_heavy(statement: str) -> None:
    """Neither when it is imported, nor when a reranker is made."""
    loaded = loaded_by(statement)

    assert "rerank_core" in loaded
    assert not loaded & {*HEAVY, *LANGCHAIN, *LLAMA_INDEX}


def test_langchain_brings_no_llama_index() -> None:
    """And nothing heavy that `BaseDocumentCompressor` does not bring itself."""
    pytest.importorskip("langchain_core")
    theirs = loaded_by("from langchain_core.documents import BaseDocumentCompressor, Document")

    loaded = loaded_by("import langchain_rerank")

    assert "langchain_core" in loaded
    assert not loaded & {*HEAVY, *LLAMA_INDEX} - theirs


def test_llama_index_brings_no_langchain() -> None:
    """And nothing heavy that `BaseNodePostprocessor` does not bring itself."""
    pytest.importorskip("llama_index.core")
    theirs = loaded_by("from llama_index.core.postprocessor.types import BaseNodePostprocessor")

    loaded = loaded_by("import llamaindex_rerank")

    assert "llama_index" in loaded
    assert not loaded & {*HEAVY, *LANGCHAIN} - theirs


def test_the_first_call_through_langchain_looks_for_no_listener() -> None:
    """LangSmith is imported to find one, and nobody listens who has not imported it."""
    pytest.importorskip("langchain_core")
    theirs = loaded_by("from langchain_core.documents import BaseDocumentCompressor, Document")

    loaded = loaded_by(
        "from langchain_core.documents import Document; from langchain_rerank import BM25Reranker; "
        "BM25Reranker().compress_documents([Document(page_content='a')], 'a')"
    )

    assert "langsmith" not in loaded - theirs
