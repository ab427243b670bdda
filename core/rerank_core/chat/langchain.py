"""A LangChain chat model of the user's own."""

from __future__ import annotations

from typing import Any

from ..protocols import ChatRequest, Reply
from ..remote.foreign_errors import foreign_errors
from ..runtime.loop import call_where_it_belongs
from ..runtime.threads import run
from ..runtime.usage import record
from .logprobs import logprobs_of
from .prices import Tariff, address_of


class LangChainChat:
    """Asks a LangChain chat model: `invoke` in a thread from the sync face, `ainvoke` on the
    caller's loop from the async one, since its clients are bound there. Its runs become children
    of the run at hand.
    """

    def __init__(self, llm: Any) -> None:
        self.llm = llm
        self.model = str(
            getattr(llm, "model_name", None) or getattr(llm, "model", None) or type(llm).__name__
        )
        self.tariff = Tariff(self.model, address=address_of(llm), provider=_provider(llm))

    async def complete(self, request: ChatRequest) -> Reply:
        """The reply of the model, asked as the user has set it up: the options are left alone."""
        messages = [("system", request.system), ("human", request.user)]
        record(calls=1)
        with foreign_errors():
            message = await call_where_it_belongs(
                lambda: self.llm.invoke(messages), lambda: self.llm.ainvoke(messages)
            )
        usage = getattr(message, "usage_metadata", None) or {}
        prompt, completed = usage.get("input_tokens"), usage.get("output_tokens")
        cached = (usage.get("input_token_details") or {}).get("cache_read") or 0
        record(
            prompt_tokens=prompt or 0,
            completion_tokens=completed or 0,
            cost=self.tariff.cost(prompt, completed, cached),
        )
        told = getattr(message, "response_metadata", None) or {}
        return Reply(
            _text(getattr(message, "content", message)),
            prompt,
            completed,
            logprobs_of(told.get("logprobs")),
        )

    async def warm_up(self) -> None:
        """Load the price list, work that must not hold up the loop."""
        if not self.tariff.loaded:
            await run(lambda stop: self.tariff.warm_up())

    def __repr__(self) -> str:
        return f"LangChainChat({self.model!r})"


#: What the price list calls the providers that LangChain calls otherwise.
_PROVIDERS = {
    "amazon_bedrock": "aws",
    "google_genai": "google",
    "google_vertexai": "google",
    "mistralai": "mistral",
    "xai": "x-ai",
}


def _provider(llm: Any) -> str | None:
    """The provider as LangChain's own traces name it; None where the model does not say."""
    try:
        named = llm._get_ls_params().get("ls_provider")
    except Exception:  # a model of any make, asked for what it need not have
        return None
    return _PROVIDERS.get(named, named) if isinstance(named, str) else None


def _text(content: Any) -> str:
    """The text of a message: a string, or the text blocks of a list (thinking left out)."""
    if isinstance(content, str):
        return content
    blocks = content if isinstance(content, list) else []
    return "".join(
        block if isinstance(block, str) else str(block.get("text", ""))
        for block in blocks
        if isinstance(block, str) or block.get("type", "text") in ("text", "output_text")
    )
