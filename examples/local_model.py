"""A model on your own machine grades: Ollama, vLLM, llama.cpp, LM Studio.

    pip install '.[openai]'
    ollama pull qwen3:8b
    python examples/local_model.py "split a long text into lines of a given width"

Another server or model: OPENAI_BASE_URL=http://localhost:8000/v1 RERANK_MODEL=… (vLLM's port).
"""

from __future__ import annotations

import os
import sys

from stdlib_docs import retrieve

from rerank_core import Reranker
from rerank_core.scorers import LLMScorer

OLLAMA = "http://localhost:11434/v1"


def rerank(question: str) -> None:
    local = LLMScorer(
        os.environ.get("RERANK_MODEL", "qwen3:8b"),
        base_url=os.environ.get("OPENAI_BASE_URL", OLLAMA),
        api_key=os.environ.get("OPENAI_API_KEY", "none"),  # any will do where none is asked for
    )
    # it is free and takes its time: no deadline, and no more at once than a server of one GPU likes
    with Reranker(local, top_n=5, timeout=None, max_concurrency=4) as reranker:
        ranking = reranker.rank(question, retrieve(question, depth=30))
    print(ranking.report)
    for hit in ranking:
        print(hit.score, hit.id)


if __name__ == "__main__":
    rerank(" ".join(sys.argv[1:]))
