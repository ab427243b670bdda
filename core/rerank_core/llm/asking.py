"""One question to the chat model, about documents, within the budget."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import TypeVar

from ..errors import ScorerError
from ..protocols import ChatModel, ChatRequest, Reply
from ..runtime.context import current
from ..runtime.retries import Policy
from ..runtime.usage import record
from .answers import unreadable
from .budget import Budget
from .echoes import is_echo
from .excerpts import Lengths
from .prompts import Prompt, fences, fresh_marker
from .schemas import Schema

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Asker:
    """A chat model and all that a question to it depends on."""

    chat: ChatModel
    prompt: Prompt
    scale: tuple[int, int]
    lengths: Lengths
    budget: Budget
    max_concurrency: int
    max_attempts: int

    async def ask(
        self,
        query: str,
        texts: Sequence[str],
        *,
        read: Callable[[Reply], T | None],
        reply_tokens: int,
        schema: Schema | None = None,
        logprobs: bool = False,
    ) -> T:
        """What `read` finds in the model's reply; `reply_tokens` is the most it may say.

        A reply that the server refused for breaking the schema is read first; where that gives
        nothing, the model is asked again without one. Raises `ScorerError` for a reply in which
        nothing is found, and for one that is the prompt over again.
        """
        marker = fresh_marker(texts)
        system, user = self.prompt.render(query, texts, self.scale, marker)
        request = ChatRequest(
            system=system, user=user, schema=schema, max_tokens=reply_tokens, logprobs=logprobs
        )
        reply = await self._reply(request, reply_tokens)
        found = read(reply)
        if found is None and reply.broke_schema:
            reply = await self._reply(replace(request, schema=None), reply_tokens)
            found = read(reply)
        echo = is_echo(reply.text, system, user, chain((query,), texts, fences(texts, marker)))
        if echo or found is None:
            raise unreadable(reply.text, self.chat.model, echo=echo)
        return found

    async def _reply(self, request: ChatRequest, reply_tokens: int) -> Reply:
        prompt_tokens = self.lengths.tokens(request.system) + self.lengths.tokens(request.user)
        with self.budget.call(prompt_tokens, reply_tokens) as take:
            reply = await self.chat.complete(request)
            take(reply)
        return reply

    def policy(self) -> Policy:
        """How the calls within one batch are made: the engine's way, where there is one."""
        return current().policy or Policy(self.max_concurrency, self.max_attempts)

    async def several(
        self,
        query: str,
        questions: Sequence[tuple[Sequence[str], Callable[[], Awaitable[T]]]],
    ) -> list[T | None]:
        """The answers to several questions at once, None for those that failed (with a note).

        Raises the first error if all did. A question alone is not tried again here: the engine
        does that with the batch it is.
        """
        if len(questions) == 1:
            return [await questions[0][1]()]
        policy = self.policy()

        async def noted(
            texts: Sequence[str], attempt: Callable[[], Awaitable[T]]
        ) -> T | ScorerError:
            try:
                return await policy.call(attempt, query, texts)
            except ScorerError as error:
                return error

        answers = await asyncio.gather(*(noted(*question) for question in questions))
        errors = [answer for answer in answers if isinstance(answer, ScorerError)]
        if len(errors) == len(questions):
            raise errors[0]
        for error in errors:
            record(note=f"one of {len(questions)} calls for a group failed: {error}")
        return [None if isinstance(answer, ScorerError) else answer for answer in answers]
