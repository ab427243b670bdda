"""Gemini grades, at its OpenAI-compatible address.

pip install '.[openai]'
export GEMINI_API_KEY=…
python examples/gemini.py "split a long text into lines of a given width"
"""

from __future__ import annotations

import os
import sys

from stdlib_docs import retrieve

from rerank_core import Reranker
from rerank_core.scorers import LLMScorer

ADDRESS = "https://generativelanguage.googleapis.com/v1beta/openai/"


def rerank(question: str) -> None:
    gemini = LLMScorer(
        "gemini-2.5-flash-lite",
        base_url=os.environ.get("GEMINI_BASE_URL", ADDRESS),
        api_key=os.environ["GEMINI_API_KEY"],
    )
    with Reranker(gemini, top_n=5) as reranker:
        ranking = reranker.rank(question, retrieve(question, depth=30))
    print(ranking.report)
    for hit in ranking:
        print(hit.score, hit.id)


if __name__ == "__main__":
    rerank(" ".join(sys.argv[1:]))
