"""Chat models by "provider:model", as LangChain's `init_chat_model` knows them."""

from __future__ import annotations

from typing import Any

from rerank_core import ConfigurationError
from rerank_core.remote.secret import redact

#: What stands before the colon: https://docs.langchain.com/oss/python/langchain/models, 2026-11.
PROVIDERS = frozenset(
    [
        "anthropic",
        "anthropic_bedrock",
        "azure_ai",
        "azure_openai",
        "baseten",
        "bedrock",
        "bedrock_converse",
        "cohere",
        "deepseek",
        "fireworks",
        "google_anthropic_vertex",
        "google_genai",
        "google_vertexai",
        "groq",
        "huggingface",
        "ibm",
        "litellm",
        "mistralai",
        "nvidia",
        "ollama",
        "openrouter",
        "perplexity",
        "together",
        "upstage",
        "xai",
    ]
)
#: Asked by clients of this library, under its own deadline and retries.
_OURS = "openai"


def by_provider(model: Any, options: dict[str, Any]) -> Any:
    """The chat model of a name such as "anthropic:claude-sonnet-4-5"; anything else as it is.

    A name for a server of the user's own (`base_url=`, `client=`) may have a colon that means
    something else. Raises `ConfigurationError` where `langchain`, or the provider's package, is not
    installed, or the model cannot be made.
    """
    if not isinstance(model, str) or options.get("base_url") or options.get("client"):
        return model
    provider, colon, name = model.partition(":")
    if not colon or not name:
        return model
    if provider == _OURS:
        return name
    if provider not in PROVIDERS:
        return model
    try:
        from langchain.chat_models import init_chat_model
    except ImportError as error:
        raise ConfigurationError(
            f"{model!r} is made by LangChain's init_chat_model: pip install 'langchain>=1'"
        ) from error
    given = {"api_key": key} if (key := options.pop("api_key", None)) is not None else {}
    try:
        return init_chat_model(model, **given)
    except Exception as error:  # a package that is missing, a key, a name
        # pydantic's message shows what it was given, the key too
        raise ConfigurationError(f"{model!r} cannot be made: {redact(str(error))}") from None
