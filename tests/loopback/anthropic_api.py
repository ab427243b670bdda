"""Anthropic's Messages, as its API answers (2026-11). It does not stream.

https://docs.anthropic.com/en/api/messages
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from loopback.judges import Answer, Judge, text_of
from loopback.messages import Request, Response

#: What its errors are called, by status; others are `api_error`.
_KINDS = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    529: "overloaded_error",
}


class AnthropicAPI:
    """Answers messages by a judge, which reads the system prompt as the first of them.

    `api_key` is the only key it takes (None: any). A token is four characters.
    """

    def __init__(self, judge: Judge, *, api_key: str | None = None) -> None:
        self.judge = judge
        self.api_key = api_key

    async def answer(self, request: Request) -> Response:
        """The reply to a request."""
        # older clients send the one, newer ones the other
        bearer = request.headers.get("authorization", "").removeprefix("Bearer ")
        key = request.headers.get("x-api-key") or bearer
        if not key or self.api_key not in (None, key):
            return self.error(401, "invalid x-api-key")
        if (request.method, request.path.partition("?")[0]) != ("POST", "/v1/messages"):
            return self.error(404, f"{request.method} {request.path}")
        if not request.headers.get("anthropic-version"):
            return self.error(400, "anthropic-version: header is required")
        body = request.json
        if not isinstance(body, dict):
            return self.error(400, "The request body is not valid JSON.")
        for field in ("model", "max_tokens", "messages"):
            if not body.get(field):
                return self.error(400, f"{field}: Field required")
        if any(message.get("role") not in ("user", "assistant") for message in body["messages"]):
            return self.error(400, "messages: only the roles user and assistant are known")
        if body.get("stream"):
            return self.error(400, "stream: this server does not stream")
        return await self._message(request, body)

    def error(self, status: int, message: str, code: str | None = None) -> Response:
        """An error as Anthropic shapes it."""
        kind = code or _KINDS.get(status, "api_error")
        return Response.of({"type": "error", "error": {"type": kind, "message": message}}, status)

    async def _message(self, request: Request, body: Mapping[str, Any]) -> Response:
        system = {"role": "system", "content": body.get("system") or ""}
        messages = [system, *body["messages"]]
        said = self.judge(messages, body)
        reply = await said if inspect.isawaitable(said) else said
        text = (reply.text if isinstance(reply, Answer) else reply) or ""
        room = 4 * int(body["max_tokens"])
        return Response.of(
            {
                "id": f"msg_{request.number}",
                "type": "message",
                "role": "assistant",
                "model": body["model"],
                "content": [{"type": "text", "text": text[:room]}],
                "stop_reason": "end_turn" if len(text) <= room else "max_tokens",
                "stop_sequence": None,
                "usage": {
                    "input_tokens": _tokens(text_of(messages)),
                    "output_tokens": _tokens(text[:room]),
                },
            }
        )


def _tokens(text: str) -> int:
    return -(-len(text) // 4)
