"""Whose model a framework's object asks, and what the vendor says of the tokens it took.

LlamaIndex hands over a vendor's answer in `response.raw`, in the vendor's words: dicts or objects
of the SDKs of OpenAI, Anthropic, Google and Ollama, and Bedrock's JSON (llama-index-llms-anthropic
0.12, -bedrock-converse 0.15, -gemini 0.6, -google-genai 0.11, -ollama 0.11, -openai 0.8).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

#: What OpenInference calls the providers that the frameworks call otherwise.
_PROVIDERS = {
    "amazon_bedrock": "aws",
    "azure_openai": "azure",
    "bedrock": "aws",
    "bedrock_converse": "aws",
    "gemini": "google",
    "google_genai": "google",
    "google_vertexai": "google",
    "openai_like": "openai",
    "vertex": "google",
}
_PACKAGE = "llama_index.llms."

#: Names of the counts, without their case and underscores: OpenAI's and its like, Anthropic's and
#: Bedrock's, Google's, Ollama's.
_PROMPT = ("prompttokens", "inputtokens", "prompttokencount", "promptevalcount")
_COMPLETION = ("completiontokens", "outputtokens", "candidatestokencount", "evalcount")
#: Tokens of the prompt that Anthropic and Bedrock do not count among `input_tokens`.
_BESIDE = ("cachereadinputtokens", "cachecreationinputtokens", "cachewriteinputtokens")
_CACHED = ("cachereadinputtokens", "cachedcontenttokencount", "cachedtokens")
#: Google counts what a model thinks beside its answer, and bills it as such.
_THOUGHTS = "thoughtstokencount"
#: Where an answer has its counts, outermost first.
_WITHIN = ("usage", "usage_metadata", "_raw_response")


class TokensTaken(NamedTuple):
    """Tokens of one call; None where the vendor did not say. `cached` ones are in `prompt`, too."""

    prompt: int | None = None
    completion: int | None = None
    cached: int = 0


def provider_of(llm: Any) -> str | None:
    """The provider by OpenInference's name, as far as the object's own framework knows it."""
    named: Any = None
    try:  # as LangChain's own traces name it
        named = llm._get_ls_params().get("ls_provider")
    except Exception:  # a model of any make, asked for what it need not have
        for kind in type(llm).__mro__:
            if kind.__module__.startswith(_PACKAGE):
                named = kind.__module__.removeprefix(_PACKAGE).partition(".")[0]
                break
    return _PROVIDERS.get(named, named) if isinstance(named, str) else None


def tokens_taken(response: Any) -> TokensTaken:
    """What a LlamaIndex `ChatResponse` says that it took.

    >>> class Response:
    ...     raw = {"usage": {"inputTokens": 30, "outputTokens": 4, "cacheReadInputTokens": 10}}
    >>> tokens_taken(Response())
    TokensTaken(prompt=40, completion=4, cached=10)
    """
    raw = getattr(response, "raw", None)
    for counts in (*_counts(raw), *_counts(getattr(response, "additional_kwargs", None))):
        prompt, completion = _first(counts, _PROMPT), _first(counts, _COMPLETION)
        if prompt is None and completion is None:
            continue
        if prompt is not None:
            prompt += sum(counts.get(name, 0) for name in _BESIDE)
        if _THOUGHTS in counts:
            completion = (completion or 0) + counts[_THOUGHTS]
        return TokensTaken(prompt, completion, _first(counts, _CACHED) or 0)
    return TokensTaken()


def _counts(answer: Any, depth: int = 2) -> list[dict[str, int]]:
    """The counts in an answer and in what it holds them in, innermost first."""
    if answer is None:
        return []
    fields = _fields(answer)
    inner = [
        counts
        for name in _WITHIN
        if depth and fields.get(name) is not None
        for counts in _counts(fields[name], depth - 1)
    ]
    for details in ("prompt_tokens_details", "input_tokens_details"):
        fields = {**_fields(fields.get(details)), **fields}
    counted = {
        name.replace("_", "").lower(): value
        for name, value in fields.items()
        if isinstance(value, int) and not isinstance(value, bool) and value >= 0
    }
    return [*inner, counted]


def _fields(thing: Any) -> Mapping[str, Any]:
    """Of a dict, a pydantic model, or another object: what it is known to have."""
    if isinstance(thing, Mapping):
        return thing
    if thing is None or isinstance(thing, str | int | float | Sequence):
        return {}
    own = getattr(thing, "__dict__", None)
    if isinstance(own, dict) and own:
        return own
    # protobuf's have no __dict__
    names = (*_WITHIN, "prompt_token_count", "candidates_token_count", "thoughts_token_count")
    return {name: getattr(thing, name, None) for name in names}


def _first(counts: Mapping[str, int], names: Sequence[str]) -> int | None:
    return next((counts[name] for name in names if name in counts), None)
