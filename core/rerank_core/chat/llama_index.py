"""A LlamaIndex LLM of the user's own."""

from __future__ import annotations

from typing import Any

from ..protocols import ChatRequest, Reply
from ..runtime.loop import call_where_it_belongs
from ..runtime.threads import run
from ..runtime.usage import record
from ..telemetry.tracing import chat_span
from .asked import Asked
from .message import answer_of
from .naming import name_of_model
from .prices import Tariff, address_of, priced
from .startup import StartUp
from .vendors import provider_of, tokens_taken

#: What the metadata of an LLM says for want of a name (`LLMMetadata`).
UNNAMED = "unknown"


class LlamaIndexChat:
    """Asks a LlamaIndex LLM: `chat` in a thread from the sync face, `achat` on the caller's loop
    from the async one, since its clients are bound there.
    """

    def __init__(self, llm: Any) -> None:
        self.llm = llm
        named = getattr(getattr(llm, "metadata", None), "model_name", None)
        if named == UNNAMED:
            named = None
        self.model = str(named or getattr(llm, "model", None) or type(llm).__name__)
        self._provider = provider_of(llm)
        self.tariff = Tariff(self.model, address=address_of(llm), provider=priced(self._provider))
        self._asked = Asked()
        self._start_up = StartUp(llm)
        self.identity = name_of_model(llm)

    async def complete(self, request: ChatRequest) -> Reply:
        """The reply of the model, asked as the user has set it up: the options are left alone."""
        from llama_index.core.base.llms.types import ChatMessage, MessageRole

        messages = [
            {"role": MessageRole.SYSTEM.value, "content": request.system},
            {"role": MessageRole.USER.value, "content": request.user},
        ]

        async def chat(messages: list[dict[str, Any]]) -> Any:
            said = [ChatMessage(**message) for message in messages]
            return await call_where_it_belongs(
                lambda: self.llm.chat(said), lambda: self.llm.achat(said)
            )

        asked = {"messages": messages}
        with chat_span(self._provider, self.model, asked, framework="llama_index") as answered:
            response = await self._asked.ask(messages, chat)
            taken = tokens_taken(response)
            record(
                prompt_tokens=taken.prompt or 0,
                completion_tokens=taken.completion or 0,
                cost=self.tariff.cost(*taken),
            )
            reply = Reply(_answer(response.message), taken.prompt, taken.completion)
            answered(reply)
        return reply

    async def warm_up(self) -> None:
        """Let it make its clients, and load the price list: work that must not hold up the loop."""
        await self._start_up()
        if not self.tariff.loaded:
            await run(lambda stop: self.tariff.warm_up())

    def __repr__(self) -> str:
        return f"LlamaIndexChat({self.model!r})"


def _answer(message: Any) -> str:
    """The text of a message, or of what else it came with."""
    more = getattr(message, "additional_kwargs", None) or {}
    calls = [
        call if isinstance(call, dict) else getattr(call, "model_dump", dict)()
        for call in more.get("tool_calls") or ()
    ]
    return answer_of({**more, "content": message.content or "", "tool_calls": calls})
