"""One chat call of the core as a chat-model run of LangChain: see `runs`, which imports it when
somebody listens.
"""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager, AbstractContextManager
from typing import Any

from langchain_core.callbacks import AsyncCallbackManager, CallbackManager
from langchain_core.messages import AIMessage, convert_to_messages
from langchain_core.messages.ai import UsageMetadata
from langchain_core.outputs import ChatGeneration, LLMResult

from rerank_core.protocols import Reply
from rerank_core.telemetry.chat_callbacks import ChatCall, aobserving, observing
from rerank_core.telemetry.openinference import traces

NAME = "OpenAIChat"
_SERIALIZED = {
    "lc": 1,
    "type": "not_implemented",
    "id": ["rerank_core", "chat", "openai", NAME],
    "name": NAME,
}
#: LangGraph streams what a chat model says to whoever uses the graph, unless told not to.
_TAGS = ["nostream"]


def telling(manager: CallbackManager) -> AbstractContextManager[None]:
    """Around a ranking whose calls the manager's handlers are told of."""
    return observing(ChatRuns(manager))


def atelling(manager: AsyncCallbackManager) -> AbstractAsyncContextManager[None]:
    """Same, around one that is awaited."""
    return aobserving(ChatRuns(manager))


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
