"""The core's chat calls as chat-model runs of LangChain, below the run at hand.

As its own models have them: https://docs.langchain.com/langsmith/log-llm-trace. A model of the
user's own makes its runs itself.
"""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, nullcontext
from typing import Any

from langchain_core.callbacks import AsyncCallbackManager, CallbackManager
from langchain_core.globals import get_debug
from langchain_core.messages import AIMessage, convert_to_messages
from langchain_core.messages.ai import UsageMetadata
from langchain_core.outputs import ChatGeneration, LLMResult
from langchain_core.runnables.config import (
    ensure_config,
    get_async_callback_manager_for_config,
    get_callback_manager_for_config,
)

from rerank_core.protocols import Reply
from rerank_core.telemetry.chat_callbacks import ChatCall, aobserving, observing
from rerank_core.telemetry.openinference import traces
from rerank_core.telemetry.tracing import below

NAME = "OpenAIChat"
_SERIALIZED = {
    "lc": 1,
    "type": "not_implemented",
    "id": ["rerank_core", "chat", "openai", NAME],
    "name": NAME,
}
#: LangGraph streams what a chat model says to whoever uses the graph, unless told not to.
_TAGS = ["nostream"]
#: The variables by which LangChain is told to trace.
_TRACING = (
    *(f"{of}_{name}" for of in ("LANGSMITH", "LANGCHAIN") for name in ("TRACING", "TRACING_V2")),
    "LANGCHAIN_HANDLER",
)


def is_heard() -> bool:
    """Whether anybody listens to the run at hand, or to any: there is one to be made below it."""
    return _anybody_may_listen() and bool(get_callback_manager_for_config(ensure_config()).handlers)


@contextmanager
def chat_runs() -> Iterator[None]:
    """Around a ranking, where anybody listens to the run at hand."""
    if not _anybody_may_listen():
        yield
        return
    manager = get_callback_manager_for_config(ensure_config())
    with below(_span()), observing(ChatRuns(manager)) if manager.handlers else nullcontext():
        yield


@asynccontextmanager
async def achat_runs() -> AsyncIterator[None]:
    """Same, around one that is awaited."""
    if not _anybody_may_listen():
        yield
        return
    manager = get_async_callback_manager_for_config(ensure_config())
    with below(_span()):
        async with aobserving(ChatRuns(manager)) if manager.handlers else nullcontext():
            yield


def _span() -> Any:
    """The run at hand as OpenInference shows it, under which our own span belongs."""
    if not traces("langchain"):
        return None
    return sys.modules["openinference.instrumentation.langchain"].get_current_span()


def _anybody_may_listen() -> bool:
    """Whether it is worth while to look for listeners.

    That imports LangSmith and 580 modules with it, a second of somebody's deadline. A run at hand
    has imported them, as has whoever asks to be told of all runs; else only the environment, or
    LangChain's debug mode, can bring a listener.
    """
    return (
        "langchain_core.tracers.context" in sys.modules
        or bool(ensure_config().get("callbacks"))
        or get_debug()
        or traces("langchain")
        or any(name in os.environ for name in _TRACING)
    )


class ChatRuns:
    """A `ChatObserver`. Of an async manager's methods the results are awaitable, and so are its."""

    def __init__(self, manager: CallbackManager | AsyncCallbackManager) -> None:
        self._manager = manager
        self.makes_spans = traces("langchain")

    def started(self, call: ChatCall) -> Any:
        """Start a run."""
        about = {
            "ls_provider": call.provider,
            "ls_model_name": call.model,
            "ls_model_type": "chat",
        }
        manager = self._manager.configure(self._manager, local_tags=_TAGS, local_metadata=about)
        return manager.on_chat_model_start(
            _SERIALIZED,
            [convert_to_messages([dict(message) for message in call.messages])],
            name=NAME,
            invocation_params={"model": call.model, **call.parameters},
            options={},
            batch_size=1,
        )

    def ended(self, call: ChatCall, run: Any, reply: Reply) -> Any:
        """End it with the reply, and the tokens it took."""
        message = AIMessage(
            reply.text,
            usage_metadata=_usage(reply),
            response_metadata={
                "model_name": call.model,
                "model_provider": call.provider,
                "finish_reason": "length" if reply.cut_off else "stop",
            },
        )
        return run[0].on_llm_end(LLMResult(generations=[[ChatGeneration(message=message)]]))

    def failed(self, call: ChatCall, run: Any, error: BaseException) -> Any:
        """End it with the error."""
        return run[0].on_llm_error(error)


def _usage(reply: Reply) -> UsageMetadata | None:
    """None where the server did not say."""
    if reply.prompt_tokens is None or reply.completion_tokens is None:
        return None
    return UsageMetadata(
        input_tokens=reply.prompt_tokens,
        output_tokens=reply.completion_tokens,
        total_tokens=reply.prompt_tokens + reply.completion_tokens,
    )
