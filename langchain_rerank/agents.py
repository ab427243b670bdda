"""Middleware for LangChain's `create_agent`: what its tools find, and which tools it is shown.

It needs the package `langchain`, 1.0 or newer.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import TYPE_CHECKING, Any, Never

try:
    from langchain.agents.middleware import AgentMiddleware, ModelRequest
except ImportError as error:
    raise ImportError(
        "langchain_rerank.agents needs LangChain's agents: pip install 'langchain>=1'"
    ) from error
from langchain_core.messages import HumanMessage, ToolMessage
from langchain_core.tools import BaseTool

from rerank_core import ConfigurationError, Ranking, Reranker
from rerank_core.runtime.checks import whole_number
from rerank_core.runtime.deadline import Timeout
from rerank_core.scorers.named import ScorerLike
from rerank_core.telemetry.log import log
from rerank_core.wrapping import refuse_options

from .compressor import RerankCompressor
from .retriever import as_compressor
from .tool_results import RANKABLE, Results, results_of, unread_shape

if TYPE_CHECKING:
    from langchain.agents.middleware.types import ModelResponse
    from langgraph.prebuilt.tool_node import ToolCallRequest

#: How long ranking the tools may take, in seconds: it stands before every call of the model.
TOOL_TIMEOUT = 0.5


class ToolResultRerankMiddleware(AgentMiddleware[Any, Any, Any]):
    """Reranks what tools return, before the model reads it: the best first, and only those.

    `reranker` as in `RerankRetriever`; its `top_n`, or `k`, are left. What counts as several
    results: documents in the message's artifact (as retriever tools and `rerank_tool` leave them),
    or a list of texts, or of objects with a text, as the content. What a tool wrote about each
    document goes with it. Everything else, errors too, passes as it is; where it looks like several
    results, the log tells so once.

    `tools`: the names of those whose results are reranked; None for all. `query_argument` names the
    argument of the tool's call that is the query; left out it is `query`, else its only text, else
    what the user said last.
    """

    def __init__(
        self,
        reranker: RerankCompressor | Reranker | ScorerLike = None,
        *,
        k: int | None = None,
        tools: Collection[str] | None = None,
        query_argument: str | None = None,
        **others: Never,
    ) -> None:
        super().__init__()
        _refuse(
            self, others, reranker, ("k", "tools", "query_argument"), "k= says how many are left"
        )
        if isinstance(tools, str):
            raise ConfigurationError(f"tools is a list of names, not {tools!r}")
        whole_number("k", k, least=1, none="the reranker's top_n")
        compressor = as_compressor(reranker)
        self.compressor = compressor if k is None else compressor.with_top_n(k)
        # for results of which no retriever said anything
        self._scoreless = self.compressor.model_copy(update={"score_field": None})
        self.names, self.query_argument = tools, query_argument
        self._warned = False

    def wrap_tool_call(
        self, request: ToolCallRequest, handler: Callable[[ToolCallRequest], Any]
    ) -> Any:
        """The tool's answer, reranked."""
        answer = handler(request)
        if (found := self._results(request, answer)) is None:
            return answer
        ranked = self._for(found).compress_documents(found.numbered(), self._query(request))
        return found.reordered(ranked)

    async def awrap_tool_call(
        self, request: ToolCallRequest, handler: Callable[[ToolCallRequest], Awaitable[Any]]
    ) -> Any:
        """Same, awaited."""
        answer = await handler(request)
        if (found := self._results(request, answer)) is None:
            return answer
        query = self._query(request)
        ranked = await self._for(found).acompress_documents(found.numbered(), query)
        return found.reordered(ranked)

    def _for(self, found: Results) -> RerankCompressor:
        return self._scoreless if found.scoreless else self.compressor

    def _results(self, request: ToolCallRequest, answer: Any) -> Results | None:
        name = request.tool_call["name"]
        if not isinstance(answer, ToolMessage) or (
            self.names is not None and name not in self.names
        ):
            return None
        found = results_of(answer)
        if found is None and not self._warned and (shape := unread_shape(answer)) is not None:
            self._warned = True
            log.warning(
                "what the tool %s answered is left as it is, %s: reranked are %s (said once)",
                name,
                shape,
                RANKABLE,
            )
        return found

    def _query(self, request: ToolCallRequest) -> str:
        arguments = request.tool_call["args"]
        said = arguments.get(self.query_argument or "query")
        if isinstance(said, str):
            return said
        texts = [value for value in arguments.values() if isinstance(value, str)]
        if len(texts) == 1 and self.query_argument is None:
            return texts[0]
        state = request.state
        messages = state.get("messages", ()) if isinstance(state, dict) else ()
        return _last_said(messages)


class ToolRankMiddleware(AgentMiddleware[Any, Any, Any]):
    """Ranks the tools by name and description for what the user said last, before the model.

    The model sees the best first, and with `max_tools` only so many, beside those of
    `always_include`, those that it called already and its provider's own. Where the scorer can tell
    nothing (no word in common, an outage, the deadline), all stay as they were, and the log tells.

    `scorer` is a cheap one, as `Reranker` takes it, or a `Reranker`; `timeout` its deadline.
    `on_ranking` is told of every ranking. Raises `ConfigurationError` for a wrong option.
    """

    def __init__(
        self,
        scorer: Reranker | ScorerLike = "bm25",
        *,
        max_tools: int | None = None,
        always_include: Collection[str] = (),
        timeout: Timeout = TOOL_TIMEOUT,
        on_ranking: Callable[[Ranking], object] | None = None,
        **others: Never,
    ) -> None:
        super().__init__()
        own = ("max_tools", "always_include", "timeout", "on_ranking")
        _refuse(self, others, scorer, own, "max_tools= says how many are shown")
        whole_number("max_tools", max_tools, least=1, none="all")
        if isinstance(always_include, str):
            raise ConfigurationError(f"always_include is a list of names, not {always_include!r}")
        if not isinstance(scorer, Reranker):
            scorer = Reranker(scorer, timeout=timeout, on_ranking=on_ranking)
        elif timeout != TOOL_TIMEOUT or on_ranking is not None:
            raise ConfigurationError("timeout and on_ranking are the options of a Reranker's own")
        self.reranker = scorer.replace(top_n=None)
        self.max_tools, self.always_include = max_tools, frozenset(always_include)
        self._warned = False

    def wrap_model_call(
        self,
        request: ModelRequest[Any],
        handler: Callable[[ModelRequest[Any]], ModelResponse[Any]],
    ) -> Any:
        """The model's answer, to a request with the tools in order."""
        query, texts = self._asked(request)
        if not texts:
            return handler(request)
        return handler(self._ordered(request, self.reranker.rank(query, texts)))

    async def awrap_model_call(
        self,
        request: ModelRequest[Any],
        handler: Callable[[ModelRequest[Any]], Awaitable[ModelResponse[Any]]],
    ) -> Any:
        """Same, awaited."""
        query, texts = self._asked(request)
        if not texts:
            return await handler(request)
        return await handler(self._ordered(request, await self.reranker.arank(query, texts)))

    def _asked(self, request: ModelRequest[Any]) -> tuple[str, list[str]]:
        """The query and a text for each tool; none where there is nothing to rank or to ask."""
        query, tools = _last_said(request.messages), _tools(request)
        if not query.strip() or len(tools) < 2:
            return query, []
        return query, [_described(tool) for tool in tools]

    def _ordered(self, request: ModelRequest[Any], ranking: Ranking) -> ModelRequest[Any]:
        tools = _tools(request)
        if ranking.report.degraded:
            return request
        if len({hit.score for hit in ranking.all}) < 2:
            self._tell_of_none(len(tools))
            return request
        kept = self.always_include | {
            call["name"] for message in request.messages for call in _calls(message)
        }
        most = len(tools) if self.max_tools is None else self.max_tools
        shown: list[Any] = []
        for hit in ranking.all:
            tool = tools[hit.index]
            if tool.name in kept:
                shown.append(tool)
            elif most:
                shown.append(tool)
                most -= 1
        others = [tool for tool in request.tools if not isinstance(tool, BaseTool)]
        return request.override(tools=[*shown, *others])

    def _tell_of_none(self, tools: int) -> None:
        if self.max_tools is None or self.max_tools >= tools or self._warned:
            return
        self._warned = True
        log.warning(
            "max_tools=%d, and all %d tools are shown: %s has no word for which of them fits what "
            "the user said; a scorer that knows meanings (embedding:…, cross-encoder:…) tells more "
            "(said once)",
            self.max_tools,
            tools,
            self.reranker.name,
        )


def _refuse(
    face: object, given: Collection[str], reranker: Any, own: Collection[str], how_many: str
) -> None:
    """Raise `UnknownOptionError` for an option that it has not."""
    refuse_options(given, own, f"{type(face).__name__}({{}})", reranker, how_many)


def _tools(request: ModelRequest[Any]) -> list[BaseTool]:
    return [tool for tool in request.tools if isinstance(tool, BaseTool)]


def _described(tool: BaseTool) -> str:
    """In words: names are written with underscores."""
    arguments = ", ".join(
        f"{name} {field.get('description', '')}".strip() for name, field in tool.args.items()
    )
    return f"{tool.name}: {tool.description} {arguments}".replace("_", " ").strip()


def _calls(message: Any) -> Sequence[Any]:
    return getattr(message, "tool_calls", None) or ()


def _last_said(messages: Sequence[Any]) -> str:
    """What the user said last; an empty text, which is a blank query, for nothing."""
    for message in reversed(messages):
        if isinstance(message, HumanMessage):
            return str(message.text)
    return ""
