"""Any LlamaIndex LLM grades: here Claude, through LlamaIndex' own client for it.

pip install '.[llamaindex]' llama-index-llms-anthropic
export ANTHROPIC_API_KEY=…
python examples/llamaindex_llm.py "split a long text into lines of a given width"
"""

from __future__ import annotations

import sys

from llama_index.core.schema import NodeWithScore, TextNode
from llama_index.llms.anthropic import Anthropic
from stdlib_docs import retrieve

from llamaindex_rerank import LLMReranker

# Settings.llm = … does as well: without an LLM of its own the reranker takes that
llm = Anthropic(model="claude-haiku-4-5", temperature=0, max_tokens=1024)


def rerank(question: str) -> None:
    reranker = LLMReranker(llm, top_n=5, on_ranking=lambda ranking: print(ranking.report))
    nodes = [
        NodeWithScore(node=TextNode(text=found["text"], id_=found["id"]), score=found["score"])
        for found in retrieve(question, depth=30)
    ]
    for node in reranker.postprocess_nodes(nodes, query_str=question):
        print(node.score, node.node.node_id)


if __name__ == "__main__":
    rerank(" ".join(sys.argv[1:]))
