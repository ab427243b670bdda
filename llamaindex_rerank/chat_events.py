"""The core's chat calls as LlamaIndex' own LLMs tell of theirs: a span, events and callbacks.

See `llama_index.core.llms.callbacks.llm_chat_callback`. An LLM of the user's own does it itself.
"""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from typing import Any, NamedTuple
from uuid import uuid4

from llama_index.core.base.llms.types import ChatMessage, ChatResponse, MessageRole
from llama_index.core.callbacks import CallbackManager, CBEventType, EventPayload
from llama_index.core.instrumentation import get_dispatcher  # type: ignore[attr-defined]
from llama_index.core.instrumentation.events.llm import LLMChatEndEvent, LLMChatStartEvent
from llama_index.core.instrumentation.events.span import (  # type: ignore[attr-defined]
    SpanDropEvent,
)
from llama_index.core.instrumentation.span import active_span_id

from rerank_core.protocols import Reply
from rerank_core.telemetry.chat_callbacks import ChatCall, aobserving, observing
from rerank_core.telemetry.openinference import traces
from rerank_core.telemetry.tracing import name_model

dispatcher = get_dispatcher(__name__)

NAME = "OpenAIChat"


def chat_events(callbacks: CallbackManager) -> AbstractContextManager[None]:
    """Around a ranking."""
    return observing(ChatEvents(callbacks))


def achat_events(callbacks: CallbackManager) -> AbstractAsyncContextManager[None]:
    """Same, around one that is awaited."""
    return aobserving(ChatEvents(callbacks))


class _Run(NamedTuple):
    """One call under way."""

    event_id: str
    span_id: str
    arguments: inspect.BoundArguments
    messages: list[ChatMessage]


class ChatEvents:
    """A `ChatObserver`.

    The dispatcher swallows what its handlers raise and callbacks do not: so these are told first
    of a start and last of an end, and whatever they raise no span stays open.
    """

    def __init__(self, callbacks: CallbackManager) -> None:
        self._callbacks = callbacks
        self.makes_spans = traces("llama_index")

    def started(self, call: ChatCall) -> _Run:
        """Start an event, and enter a span."""
        messages = [ChatMessage(role=m["role"], content=m["content"]) for m in call.messages]
        model = {"class_name": NAME, "model_name": call.model, "is_chat_model": True}
        more = dict(call.parameters)
        event_id = self._callbacks.on_event_start(
            CBEventType.LLM,
            payload={
                EventPayload.MESSAGES: messages,
                EventPayload.ADDITIONAL_KWARGS: more,
                EventPayload.SERIALIZED: model,
            },
        )
        run = _Run(event_id, f"{NAME}.chat-{uuid4()}", _ARGUMENTS.bind(messages), messages)
        dispatcher.span_enter(
            id_=run.span_id, bound_args=run.arguments, parent_id=active_span_id.get(), tags={}
        )
        if self.makes_spans:  # which looks for the model's name in an LLM object, and there is none
            name_model(call.provider, call.model, call.parameters)
        dispatcher.event(
            LLMChatStartEvent(
                messages=messages, additional_kwargs=more, model_dict=model, span_id=run.span_id
            )
        )
        return run

    def ended(self, call: ChatCall, run: _Run, reply: Reply) -> None:
        """End them with the reply, and the tokens it took."""
        response = _response(call, reply)
        dispatcher.event(
            LLMChatEndEvent(messages=run.messages, response=response, span_id=run.span_id)
        )
        dispatcher.span_exit(id_=run.span_id, bound_args=run.arguments, result=response)
        self._callbacks.on_event_end(
            CBEventType.LLM,
            payload={EventPayload.MESSAGES: run.messages, EventPayload.RESPONSE: response},
            event_id=run.event_id,
        )

    def failed(self, call: ChatCall, run: _Run, error: Exception) -> None:
        """End them with the error."""
        dispatcher.event(SpanDropEvent(span_id=run.span_id, err_str=str(error)))
        dispatcher.span_drop(id_=run.span_id, bound_args=run.arguments, err=error)
        self._callbacks.on_event_end(
            CBEventType.LLM, payload={EventPayload.EXCEPTION: error}, event_id=run.event_id
        )


def _chat(messages: Sequence[ChatMessage]) -> None:
    """What a span says was called."""


_ARGUMENTS = inspect.signature(_chat)


def _response(call: ChatCall, reply: Reply) -> ChatResponse:
    """As LlamaIndex' own OpenAI has it; without a usage where the server did not say."""
    raw: dict[str, Any] = {"model": call.model}
    if reply.prompt_tokens is not None and reply.completion_tokens is not None:
        raw["usage"] = {
            "prompt_tokens": reply.prompt_tokens,
            "completion_tokens": reply.completion_tokens,
            "total_tokens": reply.prompt_tokens + reply.completion_tokens,
        }
    return ChatResponse(
        message=ChatMessage(role=MessageRole.ASSISTANT, content=reply.text),
        raw=raw,
        additional_kwargs=dict(raw.get("usage", {})),
    )
