"""Claude grades, through LangChain's own client for it.

pip install '.[langchain]' langchain-anthropic
export ANTHROPIC_API_KEY=…
python examples/claude.py "split a long text into lines of a given width"
"""

from __future__ import annotations

import sys

from langchain_anthropic import ChatAnthropic
from langchain_core.documents import Document
from stdlib_docs import retrieve

from langchain_rerank import LLMReranker

# the client's own settings hold; a group of ten documents takes about a hundred tokens of reply
llm = ChatAnthropic(model="claude-haiku-4-5", temperature=0, max_tokens=1024)


def rerank(question: str) -> None:
    reranker = LLMReranker(
        llm,
        top_n=5,
        score_field="similarity",
        on_ranking=lambda ranking: print(ranking.report),
    )
    documents = [
        Document(found["text"], id=found["id"], metadata={"similarity": found["score"]})
        for found in retrieve(question, depth=30)
    ]
    for document in reranker.compress_documents(documents, question):
        print(document.metadata.get("relevance_score"), document.id)


if __name__ == "__main__":
    rerank(" ".join(sys.argv[1:]))
