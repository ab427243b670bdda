"""OpenAI's chat completions, and every server that speaks them, through the official SDK.

https://platform.openai.com/docs/api-reference/chat
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import sys
from collections.abc import Mapping
from importlib import import_module
from typing import Any

from ..errors import ScorerError
from ..protocols import ChatRequest, Reply
from ..remote.foreign_errors import foreign_errors
from ..remote.http_errors import from_garbage
from ..remote.openai_errors import from_openai
from ..runtime.per_loop import PerLoop
from ..runtime.threads import run
from ..runtime.usage import record
from ..telemetry.chat_callbacks import chat_call
from .connection import Connection
from .dialect import Attempt, dialect
from .logprobs import logprobs_of
from .message import answer_of, thoughts_of
from .prices import OPENAI, Tariff

DEFAULT_MODEL = "gpt-4o-mini"
#: What the SDK and its transport import with the first request.
_LATE_IMPORTS = ("openai", "anyio._backends._asyncio")

#: Of our own: why the reply of a model that broke the schema ended.
_BROKE_SCHEMA = "broke_schema"

#: Models that think before they answer: they refuse a temperature, and take an effort.
_REASONING = re.compile(r"^(o\d|gpt-5(?!.*chat))")
#: Tokens for what a model thinks before it answers, beside those of the answer.
THINKING_TOKENS = 8192


class OpenAIChat:
    """Asks an OpenAI-compatible server for a chat completion.

    `model`: None for `RERANK_MODEL` from the environment, else gpt-4o-mini. `base_url` (with its
    /v1): None for `OPENAI_BASE_URL`, else OpenAI itself. `api_key`: None for `OPENAI_API_KEY`.
    `headers`, `client`, `http_client`: see `rerank_core.scorers.LLMScorer`.
    A parameter that the server answers with 400 is left out from then on.

    Raises `MissingKeyError`, `MissingExtraError` or `ConfigurationError` here.
    """

    #: It never tries a call again by itself: that is the engine's.
    retries_itself = False

    def __init__(
        self,
        model: str | None = None,
        *,
        base_url: str | None = None,
        api_key: str | None = None,
        headers: Mapping[str, str] | None = None,
        client: Any = None,
        http_client: Any = None,
    ) -> None:
        self.model = model or os.environ.get("RERANK_MODEL") or DEFAULT_MODEL
        self._connection = Connection(
            base_url=base_url,
            api_key=api_key,
            headers=headers,
            client=client,
            http_client=http_client,
        )
        self.base_url = self._connection.address
        self.tariff = Tariff(self.model, address=self.base_url or OPENAI)
        #: Names what replies depend on beside the request; None where that is not for certain.
        self.identity = self._connection.identity and f"{self.model} {self._connection.identity}"
        self._finding_out = PerLoop(asyncio.Lock)

    async def complete(self, request: ChatRequest) -> Reply:
        """The reply of the model; see `rerank_core.protocols.ChatModel`.

        The first calls to a server go out at once. Where one is refused for a parameter, one call
        at a time finds out what else is, and the others wait for it and then go out together.
        """
        wanted = self._parameters(request)
        known = dialect(self.base_url, self.model)
        while True:
            attempt = Attempt(known)
            thinks = _REASONING.match(self.model) is not None
            room = thinks or known.needs_reasoning_tokens
            limit = request.max_tokens and request.max_tokens + (THINKING_TOKENS if room else 0)
            reply = await self._try(attempt, wanted, limit)
            if reply is None:
                async with self._finding_out.get():
                    while reply is None and not attempt.outdated:
                        reply = await self._try(attempt, wanted, limit)
            if reply is None:
                continue  # somebody else has found out what it was
            if limit and not thinks and known.noted_room(reply, given=room):
                continue
            return reply

    async def _try(
        self, attempt: Attempt, wanted: Mapping[str, Any], limit: int | None
    ) -> Reply | None:
        """The reply; None where it was refused for something that can be left out."""
        sent = attempt.parameters(wanted, limit)
        try:
            with chat_call("openai", self.model, sent) as answered:
                reply = self._read(await self._send(**sent))
                answered(reply)
        except ScorerError as error:
            if not attempt.learn(error, sent):
                raise
            return None
        if not reply.broke_schema:
            attempt.succeeded(sent)
        return reply

    def _parameters(self, request: ChatRequest) -> dict[str, Any]:
        wanted: dict[str, Any] = {
            "model": self.model,
            "messages": [
                {"role": "system", "content": request.system},
                {"role": "user", "content": request.user},
            ],
        }
        if request.schema is not None:
            schema = {"name": "answer", "strict": True, "schema": dict(request.schema)}
            wanted["response_format"] = {"type": "json_schema", "json_schema": schema}
        if _REASONING.match(self.model):
            wanted["reasoning_effort"] = "minimal" if self.model.startswith("gpt-5") else "low"
        else:
            wanted["temperature"] = 0.0
            if request.logprobs:
                wanted |= {"logprobs": True, "top_logprobs": 20}
        return wanted

    async def _send(self, **body: Any) -> Any:
        record(calls=1)
        with foreign_errors(from_openai):
            try:
                answer = await self._connection.post("/chat/completions", body)
            except Exception as error:
                if (broken := _broke_schema(error)) is None:
                    raise
                return broken
            # a string: the server did not say that it is JSON
            return json.loads(answer) if isinstance(answer, str) else answer

    def _read(self, completion: Any) -> Reply:
        """The reply in a completion; a compatible server may leave any of its parts out."""
        try:
            choice = completion["choices"][0]
            message = choice["message"]
            text = answer_of(message)
        except (AttributeError, IndexError, KeyError, TypeError):
            raise from_garbage("the server's answer has no choices[0].message") from None
        usage = completion.get("usage")
        usage = usage if isinstance(usage, Mapping) else {}
        prompt, completed = _count(usage, "prompt_tokens"), _count(usage, "completion_tokens")
        cached = _count(usage.get("prompt_tokens_details"), "cached_tokens")
        thought = _count(usage.get("completion_tokens_details"), "reasoning_tokens")
        cut_off = choice.get("finish_reason") == "length"
        thoughts = thoughts_of(message)
        if cut_off and text == thoughts:
            text = ""  # in the middle of a thought there is no answer yet
        record(
            prompt_tokens=prompt or 0,
            completion_tokens=completed or 0,
            cost=self.tariff.cost(prompt, completed, cached or 0),
        )
        return Reply(
            text=text,
            prompt_tokens=prompt,
            completion_tokens=completed,
            logprobs=logprobs_of(choice.get("logprobs")),
            cut_off=cut_off,
            thought=bool(thought or thoughts or not text or "<think" in text),
            broke_schema=choice.get("finish_reason") == _BROKE_SCHEMA,
        )

    async def warm_up(self) -> None:
        """Import the SDK and the price list, work that must not hold up the loop."""
        for late in _LATE_IMPORTS:
            if late not in sys.modules:
                await run(lambda stop, late=late: import_module(late))
        if not self.tariff.loaded:
            await run(lambda stop: self.tariff.warm_up())
        await self._connection.warm_up()

    async def aclose(self) -> None:
        """Close the clients that are ours."""
        await self._connection.aclose()

    def __repr__(self) -> str:
        return f"OpenAIChat({self.model!r})"

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "_finding_out"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._finding_out = PerLoop(asyncio.Lock)


def _broke_schema(error: Exception) -> dict[str, Any] | None:
    """What the model wrote, where the server (Groq) refused that with a 400, as a completion.

    https://console.groq.com/docs/structured-outputs
    """
    body = getattr(error, "body", None)
    inner = body.get("error", body) if isinstance(body, Mapping) else None
    if not isinstance(inner, Mapping):
        return None
    written = inner.get("failed_generation")
    if written is None and inner.get("code") != "json_validate_failed":
        return None
    text = written if isinstance(written, str) else json.dumps(written)
    return {"choices": [{"message": {"content": text}, "finish_reason": _BROKE_SCHEMA}]}


def _count(usage: Any, name: str) -> int | None:
    count = usage.get(name) if isinstance(usage, Mapping) else None
    return count if isinstance(count, int) and count >= 0 else None
