"""An agent of LangChain's that sees the few tools that fit, and reads the best of what they find.

    pip install '.[langchain]' 'langchain>=1' langchain-openai
    export OPENAI_API_KEY=…
    python examples/agent.py "copy a file and keep its permissions"

Any chat model: RERANK_AGENT=anthropic:claude-sonnet-4-5, with its package installed.
"""

from __future__ import annotations

import inspect
import os
import sys
from importlib import import_module

from langchain.agents import create_agent
from langchain.chat_models import init_chat_model
from langchain_core.messages import HumanMessage
from langchain_core.tools import BaseTool, tool
from stdlib_docs import MODULES, retrieve

from langchain_rerank.agents import ToolRankMiddleware, ToolResultRerankMiddleware
from rerank_core import Ranking


@tool
def search(query: str) -> list[str]:
    """Searches what Python's standard library says of its functions."""
    return [str(found["text"]) for found in retrieve(query, depth=30)]


def about(module: str) -> BaseTool:
    """One of many tools: what a module has to say of itself, the first line for a description."""
    said = str(inspect.getdoc(import_module(module)))

    @tool(f"about_{module.replace('.', '_')}", description=said.partition("\n")[0])
    def described() -> str:
        return said

    return described


def told(ranking: Ranking) -> None:
    print("best tools:", *[hit.text.partition(":")[0] for hit in ranking.all[:3]], sep="\n  ")


def answer(question: str) -> None:
    agent = create_agent(
        init_chat_model(os.environ.get("RERANK_AGENT", "openai:gpt-4o-mini")),
        [search, *map(about, MODULES)],
        middleware=[
            # BM25 over names and descriptions, within 2 s (0.5 s unless told otherwise); where it
            # can tell nothing, or not in time, all tools are shown
            ToolRankMiddleware(
                max_tools=3, always_include=["search"], timeout=2.0, on_ranking=told
            ),
            # of thirty results the best five
            ToolResultRerankMiddleware("hybrid", k=5, tools=["search"]),
        ],
    )
    found = agent.invoke({"messages": [HumanMessage(question)]})
    for message in found["messages"]:
        message.pretty_print()


if __name__ == "__main__":
    answer(" ".join(sys.argv[1:]))
