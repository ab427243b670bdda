"""A tool for an agent: a search whose results are reranked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Unpack

from langchain_core.tools.retriever import create_retriever_tool

from .retriever import RerankRetriever, SearchOptions, Source, refuse_options

if TYPE_CHECKING:
    from langchain_core.prompts import BasePromptTemplate
    from langchain_core.tools import BaseTool


def rerank_tool(
    retriever: RerankRetriever | Source,
    reranker: Any = None,
    *,
    name: str,
    description: str,
    document_prompt: BasePromptTemplate[str] | None = None,
    document_separator: str = "\n\n",
    **options: Unpack[SearchOptions],
) -> BaseTool:
    """A tool that takes a query and answers with the best documents, best first.

    `retriever`, `reranker` and `options` as `RerankRetriever` has them; or a `RerankRetriever`
    alone. The model sees the documents' text, or what `document_prompt` makes of them, and nothing
    of ours; the message's `artifact` is the documents, scores and all. An agent's blank query ends
    no run.
    """
    refuse_options("rerank_tool", retriever, reranker, options, SearchOptions.__annotations__)
    if not isinstance(retriever, RerankRetriever):
        retriever = RerankRetriever(retriever, reranker, **options)
    elif reranker is not None or options:
        given = ["reranker"] * (reranker is not None) + list(options)
        raise TypeError(f"{', '.join(given)}: the RerankRetriever says that already")
    return create_retriever_tool(
        retriever,
        name,
        description,
        document_prompt=document_prompt,
        document_separator=document_separator,
        response_format="content_and_artifact",
    )
