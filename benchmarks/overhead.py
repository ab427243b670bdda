"""What the engine adds on top of the frameworks' own floor, and what importing the adapter costs.

    python benchmarks/overhead.py

50 documents and a scorer that costs nothing, through LangChain's compression retriever and
LlamaIndex' `postprocess_nodes`, and by hand; beside each a no-op in the reranker's place. Rounds
are interleaved, figures are medians in milliseconds a call. Then the import of each adapter beside
that of the framework's base class, each in a process of its own, less what an empty process takes.
"""

from __future__ import annotations

import asyncio
import gc
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

from rerank_core import Candidate, Reranker
from rerank_core.protocols import ScorerBase

DOCUMENTS, CALLS, ROUNDS, IMPORTS = 50, 20, 30, 15
QUERY = "what is the capital of Italy"
TEXTS = [f"passage {n}: " + "some words about one thing or another " * 20 for n in range(DOCUMENTS)]


class Free(ScorerBase):
    """Scores without looking."""

    name = "free"

    async def score(self, query: str, texts: Sequence[str]) -> list[float | None]:
        return [(place * 37 % 101) / 101 for place in range(len(texts))]


def by_hand() -> dict[str, Callable[[], object]]:
    """The core alone."""
    reranker = Reranker(Free())
    candidates = [Candidate(text) for text in TEXTS]
    loop = asyncio.new_event_loop()
    return {
        "core, rank": lambda: reranker.rank(QUERY, candidates),
        "core, arank": lambda: loop.run_until_complete(reranker.arank(QUERY, candidates)),
    }


def through_langchain() -> dict[str, Callable[[], object]]:
    """A compression retriever over a retriever that always finds the same."""
    from langchain_classic.retrievers import ContextualCompressionRetriever
    from langchain_core.documents import BaseDocumentCompressor, Document
    from langchain_core.retrievers import BaseRetriever

    from langchain_rerank import RerankCompressor

    documents = [Document(text, id=str(n), metadata={"page": n}) for n, text in enumerate(TEXTS)]

    class Retrieved(BaseRetriever):
        def _get_relevant_documents(self, query: str, **_: Any) -> list[Document]:
            return documents

        async def _aget_relevant_documents(self, query: str, **_: Any) -> list[Document]:
            return documents

    class NoOp(BaseDocumentCompressor):
        def compress_documents(self, documents: Any, query: str, callbacks: Any = None) -> Any:
            return documents[:10]

        async def acompress_documents(
            self, documents: Any, query: str, callbacks: Any = None
        ) -> Any:
            return documents[:10]

    loop = asyncio.new_event_loop()

    def calls(compressor: BaseDocumentCompressor, name: str) -> dict[str, Callable[[], object]]:
        retriever = ContextualCompressionRetriever(
            base_compressor=compressor, base_retriever=Retrieved()
        )
        return {
            f"LangChain, {name}, invoke": lambda: retriever.invoke(QUERY),
            f"LangChain, {name}, ainvoke": lambda: loop.run_until_complete(
                retriever.ainvoke(QUERY)
            ),
        }

    return {**calls(NoOp(), "no-op"), **calls(RerankCompressor(reranker=Reranker(Free())), "ours")}


def through_llama_index() -> dict[str, Callable[[], object]]:
    """`postprocess_nodes`, which is what an engine calls."""
    from llama_index.core.postprocessor.types import BaseNodePostprocessor
    from llama_index.core.schema import NodeWithScore, TextNode

    from llamaindex_rerank import RerankPostprocessor

    nodes = [
        NodeWithScore(node=TextNode(text=text, id_=str(n)), score=1 - n / 100)
        for n, text in enumerate(TEXTS)
    ]

    class NoOp(BaseNodePostprocessor):
        def _postprocess_nodes(self, nodes: Any, query_bundle: Any = None) -> Any:
            return nodes[:10]

        async def _apostprocess_nodes(self, nodes: Any, query_bundle: Any = None) -> Any:
            return nodes[:10]

    loop = asyncio.new_event_loop()

    def calls(used: BaseNodePostprocessor, name: str) -> dict[str, Callable[[], object]]:
        return {
            f"LlamaIndex, {name}, postprocess": lambda: used.postprocess_nodes(
                nodes, query_str=QUERY
            ),
            f"LlamaIndex, {name}, apostprocess": lambda: loop.run_until_complete(
                used.apostprocess_nodes(nodes, query_str=QUERY)
            ),
        }

    return {
        **calls(NoOp(), "no-op"),
        **calls(RerankPostprocessor(reranker=Reranker(Free())), "ours"),
    }


def interleaved(cases: Mapping[str, Callable[[], object]]) -> dict[str, float]:
    """Milliseconds a call, the median over rounds in which every case has its turn."""
    taken: dict[str, list[float]] = {name: [] for name in cases}
    for case in cases.values():
        case()
    for _ in range(ROUNDS):
        for name, case in cases.items():
            gc.collect()
            started = time.perf_counter()
            for _ in range(CALLS):
                case()
            taken[name].append(1000 * (time.perf_counter() - started) / CALLS)
    return {name: median(times) for name, times in taken.items()}


def imports(statements: Mapping[str, str]) -> dict[str, float]:
    """Milliseconds of processor time that a process takes for each statement, interleaved."""
    taken: dict[str, list[float]] = {name: [] for name in statements}
    with TemporaryDirectory() as compiled:
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
            "PYTHONDONTWRITEBYTECODE": "",
            "PYTHONPYCACHEPREFIX": compiled,
        }
        for turn in range(IMPORTS + 1):
            for name, statement in statements.items():
                before = os.times()
                subprocess.run([sys.executable, "-c", statement], check=True, env=environment)
                after = os.times()
                if turn:  # the first round compiles
                    spent = after.children_user + after.children_system
                    spent -= before.children_user + before.children_system
                    taken[name].append(1000 * spent)
    return {name: median(times) for name, times in taken.items()}


def main() -> None:
    calls()
    print()
    adapters()


def calls() -> None:
    """What a call takes."""
    figures = interleaved({**by_hand(), **through_langchain(), **through_llama_index()})
    for name, milliseconds in figures.items():
        floor = figures.get(name.replace("ours", "no-op"), 0.0)
        added = f"   adds {milliseconds - floor:5.2f}" if "ours" in name else ""
        print(f"{name:36}{milliseconds:8.3f} ms{added}")


def adapters() -> None:
    """What importing the adapters takes."""
    cost = imports(
        {
            "nothing": "pass",
            "BaseDocumentCompressor": "from langchain_core.documents import BaseDocumentCompressor",
            "langchain_rerank": "import langchain_rerank",
            "BaseNodePostprocessor": "from llama_index.core.postprocessor.types "
            "import BaseNodePostprocessor",
            "llamaindex_rerank": "import llamaindex_rerank",
        }
    )
    for theirs, ours in [
        ("BaseDocumentCompressor", "langchain_rerank"),
        ("BaseNodePostprocessor", "llamaindex_rerank"),
    ]:
        floor, whole = cost[theirs] - cost["nothing"], cost[ours] - cost["nothing"]
        print(
            f"import {ours:18}{whole:6.0f} ms, {theirs} alone {floor:6.0f} ms: "
            f"{whole / floor - 1:+.0%}"
        )


if __name__ == "__main__":
    main()
