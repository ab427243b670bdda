"""A chat model that the user has written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..errors import ScorerError
from ..protocols import ChatModel, Reply
from ..remote.http_errors import from_foreign
from ..runtime.loop import call_where_it_belongs
from ..runtime.usage import record


class OwnChat:
    """Asks it on the caller's loop, where its clients are; notes what it says it took."""

    def __init__(self, llm: ChatModel) -> None:
        self.llm, self.model = llm, str(llm.model)

    async def complete(
        self,
        system: str,
        user: str,
        *,
        schema: Mapping[str, Any] | None = None,
        max_tokens: int | None = None,
        logprobs: bool = False,
    ) -> Reply:
        """The reply of the model."""
        record(calls=1)
        try:
            reply = await call_where_it_belongs(
                None,
                lambda: self.llm.complete(
                    system, user, schema=schema, max_tokens=max_tokens, logprobs=logprobs
                ),
            )
        except ScorerError:
            raise
        except Exception as error:
            raise from_foreign(error) from error
        record(
            prompt_tokens=reply.prompt_tokens or 0,
            completion_tokens=reply.completion_tokens or 0,
            cost=None,
        )
        return reply

    def __repr__(self) -> str:
        return f"OwnChat({self.llm!r})"
