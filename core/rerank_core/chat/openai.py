"""OpenAI's chat completions, and every server that speaks them, through the official SDK.

https://platform.openai.com/docs/api-reference/chat
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from ..errors import MissingExtraError, ScorerError
from ..failures import from_connection, from_garbage, from_status
from ..per_loop import PerLoop
from ..seams import Reply
from ..secret import Secret
from ..threads import run
from ..usage import record

if TYPE_CHECKING:
    import openai

DEFAULT_MODEL = "gpt-4o-mini"
KEY_VARIABLES = ("OPENAI_API_KEY",)

#: Models that think before they answer: they refuse a temperature, and take an effort.
_REASONING = re.compile(r"^(o\d|gpt-5(?!.*chat))")
#: Parameters that some server or model refuses, tried in this order when a 400 names none.
_OPTIONAL = (
    "response_format",
    "reasoning_effort",
    "temperature",
    "logprobs",
    "max_completion_tokens",
)

#: What a server and model have been seen to refuse, for the life of the process.
_refused: dict[tuple[str, str], set[str]] = {}


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
        if find_spec("openai") is None:
            raise MissingExtraError("a model by name", "openai")
        self.model = model or os.environ.get("RERANK_MODEL") or DEFAULT_MODEL
        self.base_url = base_url or os.environ.get("OPENAI_BASE_URL") or None
        self._key = Secret.required(api_key, KEY_VARIABLES, "OpenAI")
        self._client = self._clients()

    def _clients(self) -> PerLoop[openai.AsyncOpenAI]:
        return PerLoop(self._make, lambda client: client.close())

    def _make(self) -> openai.AsyncOpenAI:
        import openai

        # retries and the deadline are the engine's, once for all scorers
        return openai.AsyncOpenAI(api_key=self._key.reveal(), base_url=self.base_url, max_retries=0)

    async def complete(
        self,
        system: str,
        user: str,
        *,
        schema: Mapping[str, Any] | None = None,
        max_tokens: int | None = None,
        logprobs: bool = False,
    ) -> Reply:
        """The reply of the model; see `rerank_core.seams.ChatModel`."""
        wanted = self._parameters(schema, max_tokens, logprobs)
        refused = _refused.setdefault((str(self.base_url), self.model), set())
        messages = [{"role": "system", "content": system}, {"role": "user", "content": user}]
        while True:
            parameters = {k: v for k, v in wanted.items() if k not in refused}
            if max_tokens is not None and "max_completion_tokens" in refused:
                parameters["max_tokens"] = max_tokens
            try:
                return _read(await self._send(messages=messages, **parameters))
            except ScorerError as error:
                name = _refusal(error, parameters)
                if name is None:
                    raise
                refused.add(name)

    def _parameters(
        self, schema: Mapping[str, Any] | None, max_tokens: int | None, logprobs: bool
    ) -> dict[str, Any]:
        wanted: dict[str, Any] = {"model": self.model}
        if schema is not None:
            wanted["response_format"] = {
                "type": "json_schema",
                "json_schema": {"name": "scores", "strict": True, "schema": dict(schema)},
            }
        if max_tokens is not None:
            wanted["max_completion_tokens"] = max_tokens
        if _REASONING.match(self.model):
            wanted["reasoning_effort"] = "minimal" if self.model.startswith("gpt-5") else "low"
        else:
            wanted["temperature"] = 0.0
            if logprobs:
                wanted |= {"logprobs": True, "top_logprobs": 20}
        return wanted

    async def _send(self, **request: Any) -> Any:
        import openai

        record(calls=1)
        try:
            return await self._client.get().chat.completions.create(**request)
        except openai.APIStatusError as error:
            raise from_status(
                error.status_code, _message(error), dict(error.response.headers)
            ) from None
        except (openai.APIConnectionError, openai.APIResponseValidationError) as error:
            raise from_connection(error) from None
        except ValueError as error:  # a body that is not JSON
            raise from_garbage(f"the server's answer is not JSON: {error}") from None

    async def warm_up(self) -> None:
        """Import the SDK, half a second of work that must not hold up the loop."""
        if "openai" not in sys.modules:
            await run(lambda stop: import_module("openai"))
        self._client.get()

    async def aclose(self) -> None:
        """Close the client."""
        await self._client.aclose()

    def __repr__(self) -> str:
        return f"OpenAIChat({self.model!r})"

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "_client"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._client = self._clients()


def _read(completion: Any) -> Reply:
    """The reply in a completion; a compatible server may leave any of its parts out."""
    try:
        choice = completion.choices[0]
        text = choice.message.content
    except (AttributeError, IndexError, TypeError):
        raise from_garbage("the server's answer has no choices[0].message") from None
    usage = getattr(completion, "usage", None)
    prompt = getattr(usage, "prompt_tokens", None)
    completed = getattr(usage, "completion_tokens", None)
    record(prompt_tokens=prompt or 0, completion_tokens=completed or 0)
    return Reply(
        text=text if isinstance(text, str) else "",
        prompt_tokens=prompt,
        completion_tokens=completed,
        logprobs=_logprobs(choice),
        cut_off=getattr(choice, "finish_reason", None) == "length",
    )


def _logprobs(choice: Any) -> list[dict[str, float]]:
    content = getattr(getattr(choice, "logprobs", None), "content", None) or []
    return [
        {top.token: top.logprob for top in (position.top_logprobs or [])} for position in content
    ]


def _message(error: openai.APIStatusError) -> str:
    body = error.body
    if isinstance(body, Mapping):
        inner = body.get("error", body)
        if isinstance(inner, Mapping):
            return " ".join(str(inner[k]) for k in ("message", "param", "code") if inner.get(k))
    return str(body or error.message)


def _refusal(error: ScorerError, parameters: Mapping[str, Any]) -> str | None:
    """The parameter that a 400 or 422 is about, if leaving it out may help."""
    if error.status not in (400, 422) or error.splittable:
        return None
    said = str(error)
    aliases = {"response_format": ("response_format", "json_schema", "structured output", "guided")}
    return next(
        (
            name
            for name in _OPTIONAL
            if name in parameters and any(alias in said for alias in aliases.get(name, (name,)))
        ),
        None,
    )
