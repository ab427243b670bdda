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
from contextlib import nullcontext
from importlib import import_module
from typing import TYPE_CHECKING, Any

from ..errors import ScorerError, require
from ..protocols import ChatRequest, Reply
from ..remote.address import Address, check_environment
from ..remote.body_limit import refuse_too_long
from ..remote.foreign_errors import foreign_errors
from ..remote.http_errors import from_garbage
from ..remote.openai_errors import from_openai
from ..remote.secret import Secret
from ..runtime.per_loop import PerLoop
from ..runtime.threads import run
from ..runtime.usage import record
from ..telemetry.chat_callbacks import chat_call
from .clients import Clients
from .dialect import dialect
from .logprobs import logprobs_of
from .prices import OPENAI, Tariff

if TYPE_CHECKING:
    import openai

DEFAULT_MODEL = "gpt-4o-mini"
#: What the SDK and its transport import with the first request.
_LATE_IMPORTS = ("openai.resources.chat.completions", "anyio._backends._asyncio")
KEY_VARIABLES = ("OPENAI_API_KEY",)

#: Models that think before they answer: they refuse a temperature, and take an effort.
_REASONING = re.compile(r"^(o\d|gpt-5(?!.*chat))")
#: Tokens for what a model thinks before it answers, beside those of the answer.
THINKING_TOKENS = 8192


class OpenAIChat:
    """Asks an OpenAI-compatible server for a chat completion.

    `model`: None for `RERANK_MODEL` from the environment, else gpt-4o-mini. `base_url` (with its
    /v1): None for `OPENAI_BASE_URL`, else OpenAI itself. `api_key`: None for `OPENAI_API_KEY`.
    A parameter that the server answers with 400 is left out from then on.

    Raises `MissingKeyError` or `MissingExtraError` here.
    """

    def __init__(
        self, model: str | None = None, *, base_url: str | None = None, api_key: str | None = None
    ) -> None:
        require("a model by name", "openai", "openai")
        self.model = model or os.environ.get("RERANK_MODEL") or DEFAULT_MODEL
        self.base_url = base_url or os.environ.get("OPENAI_BASE_URL") or None
        if self.base_url is not None:
            Address.of(
                self.base_url, "base_url" if base_url else "OPENAI_BASE_URL in the environment"
            )
        self._key = Secret.required(api_key, KEY_VARIABLES, "OpenAI")
        check_environment()
        self.tariff = Tariff(self.model, address=self.base_url or OPENAI)
        self._connect()

    def _connect(self) -> None:
        self._clients: Clients[openai.AsyncOpenAI] = Clients(self._make, lambda one: one.close())
        self._finding_out = PerLoop(asyncio.Lock)

    def _make(self) -> openai.AsyncOpenAI:
        import openai

        # retries and the deadline are the engine's, once for all scorers
        return openai.AsyncOpenAI(
            api_key=self._key.reveal(),
            base_url=self.base_url,
            max_retries=0,
            http_client=openai.DefaultAsyncHttpxClient(event_hooks={"response": [refuse_too_long]}),
        )

    async def complete(self, request: ChatRequest) -> Reply:
        """The reply of the model; see `rerank_core.protocols.ChatModel`.

        The first calls to a server go out at once. Where one is refused for a parameter, one call
        at a time finds out what else is, and the others wait for it and then go out together.
        """
        wanted = self._parameters(request)
        known = dialect(self.base_url, self.model)
        refused = False
        while True:
            alone = refused and not known.probed
            async with self._finding_out.get() if alone else nullcontext():
                if alone and known.probed:
                    continue
                room = known.needs_reasoning_tokens or _REASONING.match(self.model)
                limit = request.max_tokens and request.max_tokens + (THINKING_TOKENS if room else 0)
                sent = known.parameters(wanted, limit)
                try:
                    with chat_call("openai", self.model, sent) as answered:
                        reply = self._read(await self._send(**sent))
                        answered(reply)
                except ScorerError as error:
                    if not known.learn(error, sent):
                        raise
                    refused = True
                    continue
                known.succeeded()
            if reply.cut_off and limit and not room:
                known.needs_reasoning_tokens = True
                continue
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
            # by path: `chat.completions.create` spends twice the time, on types we do not use
            async with self._clients.one() as client:
                answer = await client.post("/chat/completions", cast_to=object, body=body)
            # a string: the server did not say that it is JSON
            return json.loads(answer) if isinstance(answer, str) else answer

    def _read(self, completion: Any) -> Reply:
        """The reply in a completion; a compatible server may leave any of its parts out."""
        try:
            choice = completion["choices"][0]
            text = choice["message"].get("content")
        except (AttributeError, IndexError, KeyError, TypeError):
            raise from_garbage("the server's answer has no choices[0].message") from None
        usage = completion.get("usage")
        usage = usage if isinstance(usage, Mapping) else {}
        prompt, completed = _count(usage, "prompt_tokens"), _count(usage, "completion_tokens")
        cached = _count(usage.get("prompt_tokens_details") or {}, "cached_tokens")
        record(
            prompt_tokens=prompt or 0,
            completion_tokens=completed or 0,
            cost=self.tariff.cost(prompt, completed, cached or 0),
        )
        return Reply(
            text=text if isinstance(text, str) else "",
            prompt_tokens=prompt,
            completion_tokens=completed,
            logprobs=logprobs_of(choice.get("logprobs")),
            cut_off=choice.get("finish_reason") == "length",
        )

    async def warm_up(self) -> None:
        """Import the SDK and the price list, work that must not hold up the loop."""
        for late in _LATE_IMPORTS:
            if late not in sys.modules:
                await run(lambda stop, late=late: import_module(late))
        if not self.tariff.loaded:
            await run(lambda stop: self.tariff.warm_up())
        await self._clients.warm_up()

    async def aclose(self) -> None:
        """Close the clients."""
        await self._clients.aclose()

    def __repr__(self) -> str:
        return f"OpenAIChat({self.model!r})"

    def __getstate__(self) -> dict[str, Any]:
        bound = ("_clients", "_finding_out")
        return {name: value for name, value in self.__dict__.items() if name not in bound}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._connect()


def _count(usage: Any, name: str) -> int | None:
    count = usage.get(name) if isinstance(usage, Mapping) else None
    return count if isinstance(count, int) and count >= 0 else None
