"""The public names are exactly the exported ones."""

from __future__ import annotations

from importlib import import_module

import pytest

import rerank_core
from rerank_core import scorers

PRESETS = {
    "BM25Reranker",
    "CohereReranker",
    "CrossEncoderReranker",
    "EmbeddingReranker",
    "HybridReranker",
    "LLMReranker",
    "OnnxReranker",
    "RerankAPIReranker",
}


def test_the_core() -> None:
    """Candidate in, Ranking out, and the errors between."""
    assert {"Candidate", "Reranker", "Ranking", "Report"} <= set(rerank_core.__all__)
    assert all(hasattr(rerank_core, name) for name in rerank_core.__all__)


@pytest.mark.parametrize("name", scorers.__all__)
def test_every_scorer_is_where_it_says(name: str) -> None:
    """`from rerank_core.scorers import …` works for each, without its optional packages."""
    assert getattr(scorers, name).__name__ == name


def test_both_frameworks_have_the_same_presets() -> None:
    """And one class that does the work."""
    pytest.importorskip("langchain_core")
    pytest.importorskip("llama_index.core")
    langchain = import_module("langchain_rerank")
    llama_index = import_module("llamaindex_rerank")

    own = {"RerankCompressor", "RerankRetriever", "rerank_tool", "scored"}
    assert set(langchain.__all__) == PRESETS | own
    assert all(hasattr(langchain, name) for name in own)
    assert set(llama_index.__all__) == PRESETS | {"RerankPostprocessor"}


def test_parsing() -> None:
    """Three readers."""
    parsing = import_module("rerank_core.parsing")

    assert set(parsing.__all__) == {"parse_permutation", "parse_score", "parse_scores"}
