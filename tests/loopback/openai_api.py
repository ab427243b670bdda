"""OpenAI's chat completions, embeddings and models, as its API answers (2026-11).

The error texts and codes are those that OpenAI's servers and the usual compatible ones send.
"""

from __future__ import annotations

import asyncio
import base64
import inspect
import math
import random
import re
import struct
from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache
from typing import Any

from loopback.judges import Answer, Judge, ReadPrompt, fenced_reader, text_of
from loopback.latency import Latency
from loopback.messages import Request, Response

_SUPPORTED = "Unsupported parameter: '{0}' is not supported with this model."
_VALUE = "Unsupported value: '{0}' does not support {1} with this model."

#: What a model may refuse: the request field, the error's text, its `param` and its `code`.
REFUSALS: Mapping[str, tuple[str, str, str | None, str | None]] = {
    "json_schema": (
        "response_format",
        "Invalid parameter: 'response_format' of type 'json_schema' is not supported with this "
        "model. Learn more about supported models at the Structured Outputs guide.",
        None,
        None,
    ),
    "response_format": (
        "response_format",
        "Unrecognized request argument supplied: response_format",
        None,
        None,
    ),
    "max_tokens": (
        "max_tokens",
        _SUPPORTED.format("max_tokens") + " Use 'max_completion_tokens' instead.",
        "max_tokens",
        "unsupported_parameter",
    ),
    "max_completion_tokens": (
        "max_completion_tokens",
        "Unrecognized request argument supplied: max_completion_tokens",
        None,
        None,
    ),
    "temperature": (
        "temperature",
        _VALUE.format("temperature", "0") + " Only the default (1) value is supported.",
        "temperature",
        "unsupported_value",
    ),
    "logprobs": (
        "logprobs",
        _SUPPORTED.format("logprobs"),
        "logprobs",
        "unsupported_parameter",
    ),
    "reasoning_effort": (
        "reasoning_effort",
        "Unrecognized request argument supplied: reasoning_effort",
        None,
        None,
    ),
    "seed": ("seed", _SUPPORTED.format("seed"), "seed", "unsupported_parameter"),
}

#: About what o200k makes of short JSON: signs that stand together are one token.
_PIECE = re.compile(r"\d{1,3}|[^\W\d]{1,6}|\s+|[^\w\s]{1,3}|.", re.DOTALL)


class OpenAIAPI:
    """Answers chat completions by a judge, embeddings by hashed words.

    `refuses` names what the model answers 400 to (keys of `REFUSALS`); `models` those it knows
    (None: any); `api_key` the only key it takes (None: any); `context` the number of prompt tokens
    from which on it answers context_length_exceeded. Tokens are counted as four characters each.
    The latency counts documents by `reader`. `root` is where its paths begin.
    """

    def __init__(
        self,
        judge: Judge | None = None,
        *,
        latency: Latency | None = None,
        refuses: Collection[str] = (),
        models: Sequence[str] | None = None,
        api_key: str | None = None,
        context: int | None = None,
        reader: ReadPrompt = fenced_reader,
        usage: bool = True,
        dimensions: int = 64,
        root: str = "/v1",
    ) -> None:
        if unknown := set(refuses) - set(REFUSALS):
            raise ValueError(f"nothing known of refusing {sorted(unknown)}")
        self.judge = judge
        self.latency = latency
        self.refuses = refuses
        self.models = models
        self.api_key = api_key
        self.context = context
        self.reader = reader
        self.usage = usage
        self.dimensions = dimensions
        self.root = root

    async def answer(self, request: Request) -> Response:
        """The reply to a request."""
        sent = request.headers.get("authorization")
        if self.api_key is not None and sent != f"Bearer {self.api_key}":
            return self.error(401, "Incorrect API key provided.", "invalid_api_key")
        whole = request.path.partition("?")[0]
        path = whole.removeprefix(self.root) if whole.startswith(self.root) else ""
        if (request.method, path) == ("GET", "/models"):
            return self._list_models()
        if request.method != "POST" or path not in ("/chat/completions", "/embeddings"):
            return self.error(404, f"Invalid URL ({request.method} {request.path})")
        body = request.json
        if not isinstance(body, dict):
            return self.error(400, "We could not parse the JSON body of your request.")
        model = body.get("model")
        if not isinstance(model, str):
            return self.error(400, "you must provide a model parameter")
        if self.models is not None and model not in self.models:
            message = f"The model `{model}` does not exist or you do not have access to it."
            return self.error(404, message, "model_not_found")
        if path == "/embeddings":
            return await self._embed(request, body)
        return await self._chat(request, body)

    #: The packages that it is asked with.
    clients = ("openai", "genai_prices")

    def error(
        self, status: int, message: str, code: str | None = None, param: str | None = None
    ) -> Response:
        """An error as OpenAI shapes it."""
        kind = "invalid_request_error" if status < 500 else "server_error"
        if status == 429:
            kind = "insufficient_quota" if code == "insufficient_quota" else "tokens"
        error = {"message": message, "type": kind, "param": param, "code": code}
        return Response.of({"error": error}, status)

    def _list_models(self) -> Response:
        names = self.models or ["gpt-4o-mini"]
        data = [
            {"id": name, "object": "model", "created": 1721172741, "owned_by": "system"}
            for name in names
        ]
        return Response.of({"object": "list", "data": data})

    def _refusal(self, body: Mapping[str, Any]) -> Response | None:
        for name in self.refuses:
            field, message, param, code = REFUSALS[name]
            value = body.get(field)
            if value is None or value is False:
                continue
            if name == "temperature" and value == 1:
                continue
            if name == "json_schema" and value.get("type") != "json_schema":
                continue
            return self.error(400, message, code, param)
        if body.get("top_logprobs") and not body.get("logprobs"):
            return self.error(400, "top_logprobs is only allowed when logprobs is true.")
        if (body.get("top_logprobs") or 0) > 20:
            return self.error(400, "Invalid value for 'top_logprobs': must be at most 20.")
        if body.get("stream"):
            return self.error(400, "This server does not stream.", "unsupported_value", "stream")
        return None

    async def _chat(self, request: Request, body: Mapping[str, Any]) -> Response:
        messages = body.get("messages")
        if not isinstance(messages, list) or not messages:
            return self.error(400, "Missing required parameter: 'messages'.", None, "messages")
        if refusal := self._refusal(body):
            return refusal
        prompt = text_of(messages)
        prompt_tokens = _tokens(prompt)
        if self.context is not None and prompt_tokens > self.context:
            message = (
                f"This model's maximum context length is {self.context} tokens. However, your "
                f"messages resulted in {prompt_tokens} tokens. Please reduce the length of the "
                "messages."
            )
            return self.error(400, message, "context_length_exceeded", "messages")
        if self.judge is None:
            return self.error(500, "this server was given no judge")
        said = self.judge(messages, body)
        reply = await said if inspect.isawaitable(said) else said
        answer = reply if isinstance(reply, Answer) else Answer(reply)
        if answer.status != 200:
            error = {"message": answer.text, "type": "invalid_request_error", **answer.error}
            return Response.of({"error": error}, answer.status)
        pieces: list[str] = _PIECE.findall(answer.text or "")
        reason, text = answer.finish_reason, answer.text
        limit = body.get("max_completion_tokens") or body.get("max_tokens")
        if limit and len(pieces) > limit:
            pieces, reason = pieces[:limit], "length"
            text = "".join(pieces)
        if self.latency is not None:
            documents = len(self.reader(prompt).documents) if self.latency.document else 0
            await asyncio.sleep(
                self.latency.seconds(request.number, documents, prompt_tokens, len(pieces))
            )
        message_out = {"role": "assistant", "content": text, "refusal": answer.refusal}
        message_out |= answer.message
        choice: dict[str, Any] = {"index": 0, "message": message_out, "finish_reason": reason}
        choice["logprobs"] = _logprobs(answer, pieces, body) if body.get("logprobs") else None
        reply_body: dict[str, Any] = {
            "id": f"chatcmpl-{request.number}",
            "object": "chat.completion",
            "created": 1721172741,
            "model": body["model"],
            "choices": [choice],
        }
        if self.usage:
            reply_body["usage"] = {
                "prompt_tokens": prompt_tokens,
                "completion_tokens": len(pieces),
                "total_tokens": prompt_tokens + len(pieces),
            }
            if answer.reasoning_tokens:
                details = {"reasoning_tokens": answer.reasoning_tokens}
                reply_body["usage"]["completion_tokens_details"] = details
        return Response.of(reply_body)

    async def _embed(self, request: Request, body: Mapping[str, Any]) -> Response:
        given = body.get("input")
        if given is None or given in ("", []):
            return self.error(400, "'input' cannot be empty.", None, "input")
        items = [given] if isinstance(given, str) or isinstance(given[0], int) else given
        if len(items) > 2048:
            return self.error(400, "'input' has too many items: at most 2048.", None, "input")
        # Some clients send token ids in place of text; each id then stands for a word.
        texts = [item if isinstance(item, str) else " ".join(map(str, item)) for item in items]
        size = body.get("dimensions") or self.dimensions
        tokens = sum(map(_tokens, texts))
        if self.latency is not None:
            await asyncio.sleep(self.latency.seconds(request.number, len(texts), tokens))
        data = []
        for index, text in enumerate(texts):
            vector: list[float] | str = embed(text, size)
            if body.get("encoding_format") == "base64":
                vector = base64.b64encode(struct.pack(f"<{size}f", *vector)).decode()
            data.append({"object": "embedding", "index": index, "embedding": vector})
        usage = {"prompt_tokens": tokens, "total_tokens": tokens}
        return Response.of({"object": "list", "data": data, "model": body["model"], "usage": usage})


def embed(text: str, size: int) -> list[float]:
    """A unit vector; texts that share words point the same way."""
    total = [0.0] * size
    for word in re.findall(r"\w+", text.casefold()):
        for place, value in enumerate(_direction(word, size)):
            total[place] += value
    length = math.sqrt(sum(value * value for value in total))
    return [value / length for value in total] if length else [1.0] + [0.0] * (size - 1)


@lru_cache(maxsize=10_000)
def _direction(word: str, size: int) -> Sequence[float]:
    source = random.Random(word)
    return [source.gauss(0, 1) for _ in range(size)]


def _tokens(text: str) -> int:
    return -(-len(text) // 4)


def _logprobs(answer: Answer, pieces: Sequence[str], body: Mapping[str, Any]) -> dict[str, Any]:
    """OpenAI's shape; where the judge gave none, a number is sure to 0.8, its neighbours 0.1."""
    wanted = body.get("top_logprobs") or 0
    content = []
    for place, piece in enumerate(pieces):
        if answer.logprobs is not None and place < len(answer.logprobs):
            candidates = dict(answer.logprobs[place])
        elif piece.isdecimal():
            near = {str(int(piece) + step): math.log(0.1) for step in (-1, 1)}
            candidates = {piece: math.log(0.8)} | near
        else:
            candidates = {piece: math.log(0.99)}
        top = sorted(candidates.items(), key=lambda pair: -pair[1])[:wanted]
        content.append(
            _token(piece, candidates.get(piece, -9.0))
            | {"top_logprobs": [_token(token, value) for token, value in top]}
        )
    return {"content": content, "refusal": None}


def _token(token: str, logprob: float) -> dict[str, Any]:
    return {"token": token, "logprob": logprob, "bytes": list(token.encode())}
