"""A LangChain chat model of the user's own."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ..errors import Reason, ScorerError
from ..protocols import ChatRequest, Reply
from ..runtime.loop import call_where_it_belongs
from ..runtime.threads import run
from ..runtime.usage import record
from ..telemetry.tracing import chat_span
from .asked import Asked
from .logprobs import logprobs_of
from .message import answer_of
from .naming import name_of_model
from .prices import Tariff, address_of, priced
from .startup import StartUp
from .vendors import provider_of

#: Runnables that answer nothing that a grade could be read from.
_NO_MODELS = {
    "BaseDocumentTransformer",
    "BaseOutputParser",
    "BasePromptTemplate",
    "BaseRetriever",
    "BaseTool",
}


def is_no_model(llm: object) -> bool:
    """Whether it is a part of LangChain that can be invoked, but is no model."""
    return any(
        kind.__name__ in _NO_MODELS and kind.__module__.startswith("langchain")
        for kind in type(llm).__mro__
    )


class LangChainChat:
    """Asks a LangChain chat model: `invoke` in a thread from the sync face, `ainvoke` on the
    caller's loop from the async one, since its clients are bound there. Its runs become children
    of the run at hand.
    """

    def __init__(self, llm: Any) -> None:
        self.llm = llm
        self.model = str(
            getattr(llm, "model_name", None) or getattr(llm, "model", None) or type(llm).__name__
        )
        self._provider = provider_of(llm)
        self.tariff = Tariff(self.model, address=address_of(llm), provider=priced(self._provider))
        self._asked, self._config = Asked(), _config(llm)
        self._start_up = StartUp(llm)
        self.identity = name_of_model(llm)

    async def complete(self, request: ChatRequest) -> Reply:
        """The reply of the model, asked as the user has set it up: the options are left alone."""
        messages = [
            {"role": "system", "content": request.system},
            {"role": "user", "content": request.user},
        ]
        asked = {"messages": messages}
        with chat_span(self._provider, self.model, asked, framework="langchain") as answered:
            reply = self._reply(await self._asked.ask(messages, self._invoke))
            answered(reply)
        return reply

    def _reply(self, answered: Any) -> Reply:
        message = answered["raw"] if _is_with_raw(answered) else answered
        usage = getattr(message, "usage_metadata", None) or {}
        prompt, completed = usage.get("input_tokens"), usage.get("output_tokens")
        cached = (usage.get("input_token_details") or {}).get("cache_read") or 0
        record(
            prompt_tokens=prompt or 0,
            completion_tokens=completed or 0,
            cost=self.tariff.cost(prompt, completed, cached),
        )
        told = getattr(message, "response_metadata", None) or {}
        return Reply(
            _answer(answered),
            prompt,
            completed,
            logprobs_of(told.get("logprobs")),
        )

    async def _invoke(self, messages: list[dict[str, str]]) -> Any:
        if _is_unchosen(self.llm):
            raise ScorerError(
                "the model is chosen when it is called, and nobody has: pass "
                'config={"configurable": {"model": …}} to what calls the reranker, or give '
                "init_chat_model a default",
                reason=Reason.MODEL,
                fatal=True,
            )
        return await call_where_it_belongs(
            lambda: self.llm.invoke(messages, *self._config),
            lambda: self.llm.ainvoke(messages, *self._config),
        )

    async def warm_up(self) -> None:
        """Let it make its clients, and load the price list: work that must not hold up the loop."""
        await self._start_up()
        if not self.tariff.loaded:
            await run(lambda stop: self.tariff.warm_up())

    def __repr__(self) -> str:
        return f"LangChainChat({self.model!r})"


def _answer(message: Any) -> str:
    """What a model, or a chain that ends in a parser or a structured output, answered."""
    if hasattr(message, "model_dump_json") and not hasattr(message, "content"):
        return str(message.model_dump_json())
    if _is_with_raw(message):
        return _answer(message["raw"] if message["parsed"] is None else message["parsed"])
    if isinstance(message, Mapping):
        return json.dumps(message, default=str)
    more = getattr(message, "additional_kwargs", None) or {}
    return answer_of(
        {
            **more,
            "content": getattr(message, "content", message),
            "tool_calls": getattr(message, "tool_calls", None) or more.get("tool_calls"),
        }
    )


def _is_with_raw(message: Any) -> bool:
    """Whether it is what a structured output gives with `include_raw=True`."""
    return isinstance(message, Mapping) and {"raw", "parsed"} <= message.keys()


def _is_unchosen(llm: Any) -> bool:
    """Whether it is `init_chat_model()` without a model, and the run at hand names none."""
    defaults = getattr(type(llm), "__name__", "") == "_ConfigurableModel" and llm._default_config
    if defaults is False or "model" in defaults:
        return False
    from langchain_core.runnables.config import ensure_config

    chosen = ensure_config().get("configurable") or {}
    return f"{llm._config_prefix}model" not in chosen


def _config(llm: Any) -> tuple[dict[str, Any], ...]:
    """LangGraph streams what a chat model says to whoever uses the graph, unless told not to."""
    from_langchain = any(kind.__module__.startswith("langchain_core") for kind in type(llm).__mro__)
    return ({"tags": ["nostream"]},) if from_langchain else ()
