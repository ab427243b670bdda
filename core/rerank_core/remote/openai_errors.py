"""What the official OpenAI SDK raises, whether for a chat or for embeddings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from ..errors import ScorerError
from .http_errors import explanation, from_connection, from_garbage, from_status

if TYPE_CHECKING:
    import openai


def from_openai(error: Exception) -> ScorerError | None:
    """The error with the decision on it; None for what neither SDK nor server is to blame for."""
    import openai

    if isinstance(error, openai.APIStatusError):
        url = str(error.response.request.url).partition("?")[0]
        headers = dict(error.response.headers)
        return from_status(error.status_code, _message(error), headers, url=url)
    if isinstance(error, (openai.APIConnectionError, openai.APIResponseValidationError)):
        return from_connection(error, url=str(error.request.url))
    if isinstance(error, ValueError):  # a body that is not JSON, or has no data
        return from_garbage(f"the server's answer cannot be read: {error}")
    return None


def _message(error: openai.APIStatusError) -> str:
    body = error.body
    if isinstance(body, Mapping):
        inner = body.get("error", body)
        if isinstance(inner, Mapping):
            said = " ".join(str(inner[k]) for k in ("message", "param", "code") if inner.get(k))
            if inner.get("message"):
                return said
    return explanation(body) or str(body or error.message)
