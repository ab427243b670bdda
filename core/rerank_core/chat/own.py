"""A chat model that the user has written."""

from __future__ import annotations

from ..protocols import ChatModel, ChatRequest, Reply
from ..remote.foreign_errors import foreign_errors
from ..runtime.loop import call_where_it_belongs
from ..runtime.usage import record


class OwnChat:
    """Asks it on the caller's loop, where its clients are; notes what it says it took."""

    def __init__(self, llm: ChatModel) -> None:
        self.llm, self.model = llm, str(llm.model)
        self.identity: str | None = getattr(llm, "identity", None)

    async def complete(self, request: ChatRequest) -> Reply:
        """The reply of the model."""
        record(calls=1)
        with foreign_errors():
            reply = await call_where_it_belongs(None, lambda: self.llm.complete(request))
        record(
            prompt_tokens=reply.prompt_tokens or 0,
            completion_tokens=reply.completion_tokens or 0,
            cost=None,
        )
        return reply

    def __repr__(self) -> str:
        return f"OwnChat({self.llm!r})"
