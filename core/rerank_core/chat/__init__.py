"""Chat models: one question, one answer, from whichever client the user has."""

from __future__ import annotations

from typing import Any

from ..errors import ConfigurationError
from ..protocols import ChatModel
from .connection import is_sdk_client

_WANTED = (
    "llm is a model's name, a LangChain chat model, a LlamaIndex LLM, or an object with "
    "`model` and `async complete(request)`, not {}"
)


def chat_model(llm: Any, *, model: str | None = None, **options: Any) -> ChatModel:
    """The chat model for a model's name, a LangChain chat model, a LlamaIndex LLM, or a ChatModel.

    A name (or None: `RERANK_MODEL` from the environment, else gpt-4o-mini) is taken to an
    OpenAI-compatible server, and so is `model` beside a client of the official SDK; `options` are
    `OpenAIChat`'s. Objects are told apart by what they can do, so that neither framework need be
    imported.

    Raises `ConfigurationError` for what is none of these, or is said twice.
    """
    if is_sdk_client(llm):
        if options.get("client") is not None:
            raise ConfigurationError("llm= and client= are both a client: give one")
        llm, options = None, {**options, "client": llm}
    if llm is not None and model is not None:
        raise ConfigurationError("give llm= or model=, not both")
    if llm is None or isinstance(llm, str):
        from .openai import OpenAIChat

        return OpenAIChat(llm or model, **options)
    given = sorted(name for name, value in options.items() if value is not None)
    if given:
        raise ConfigurationError(
            f"{', '.join(given)} belong to a model given by name; set them on the "
            f"{type(llm).__name__} itself"
        )
    if isinstance(llm, type):  # it has the methods, but no model behind them
        raise ConfigurationError(_WANTED.format(f"the class {llm.__name__}: make one of it"))
    if hasattr(llm, "ainvoke"):
        from .langchain import LangChainChat, is_no_model

        if is_no_model(llm):
            raise ConfigurationError(_WANTED.format(type(llm).__name__))
        return LangChainChat(llm)
    if hasattr(llm, "achat"):
        from .llama_index import LlamaIndexChat

        return LlamaIndexChat(llm)
    if isinstance(llm, ChatModel):
        from .openai import OpenAIChat
        from .own import OwnChat

        return llm if isinstance(llm, OpenAIChat) else OwnChat(llm)
    raise ConfigurationError(_WANTED.format(type(llm).__name__))
