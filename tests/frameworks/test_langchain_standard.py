"""LangChain's own tests for retrievers, over `RerankRetriever`."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("langchain_tests")

from langchain_core.documents import Document
from langchain_core.retrievers import BaseRetriever
from langchain_core.vectorstores import InMemoryVectorStore
from langchain_tests.integration_tests import RetrieversIntegrationTests
from letters import Letters

from langchain_rerank import BM25Reranker, RerankRetriever


class TestStandard(RetrieversIntegrationTests):
    @property
    def retriever_constructor(self) -> type[BaseRetriever]:
        return RerankRetriever

    @property
    def retriever_constructor_params(self) -> dict[str, Any]:
        store = InMemoryVectorStore(Letters())
        store.add_documents([Document(f"number {n} of Italy") for n in range(20)])
        return {"retriever": store, "reranker": BM25Reranker()}

    @property
    def retriever_query_example(self) -> str:
        return "Italy"
