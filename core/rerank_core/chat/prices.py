"""What a call costs, by a price list that is kept elsewhere: the package `genai-prices` (MIT).

A price is looked up only where the provider is known: by the server's address, or by name. A
model on a server of one's own costs something nobody here knows, whatever it is called.
"""

from __future__ import annotations

import sys
from importlib.util import find_spec

#: Where a model by name without a base_url is.
OPENAI = "https://api.openai.com/v1"


class Tariff:
    """The prices of one model at one provider. Unknown prices are None, never 0."""

    def __init__(
        self, model: str, *, address: str | None = None, provider: str | None = None
    ) -> None:
        self.model, self.address, self.provider = model, address, provider

    def cost(
        self, prompt_tokens: int | None, completion_tokens: int | None, cached_tokens: int = 0
    ) -> float | None:
        """US dollars for a call of so many tokens, `cached_tokens` of the prompt's among them."""
        if prompt_tokens is None or completion_tokens is None:
            return None
        if not (self.address or self.provider) or find_spec("genai_prices") is None:
            return None
        from genai_prices import Usage, calc_price

        usage = Usage(
            input_tokens=prompt_tokens,
            output_tokens=completion_tokens,
            cache_read_tokens=min(cached_tokens, prompt_tokens),
        )
        try:
            if self.address:
                price = calc_price(usage, self.model, provider_api_url=self.address)
            else:
                price = calc_price(usage, self.model, provider_id=self.provider)
        except (LookupError, ValueError):
            return None
        return float(price.total_price)

    def warm_up(self) -> None:
        """Load the list, a third of a second of work that must not hold up the loop."""
        if self.address or self.provider:
            self.cost(1, 1)

    @property
    def loaded(self) -> bool:
        """Whether looking up a price is quick."""
        return not (self.address or self.provider) or "genai_prices" in sys.modules


#: What the price list calls the providers that everybody else calls otherwise.
_PROVIDERS = {"mistralai": "mistral", "xai": "x-ai"}


def priced(provider: str | None) -> str | None:
    """The provider by the price list's name."""
    return _PROVIDERS.get(provider or "", provider)


def address_of(llm: object) -> str | None:
    """The server that a user's own model object asks, if it says."""
    client = getattr(llm, "root_client", None) or getattr(llm, "_client", None)
    for one in (client, getattr(client, "_client", None)):  # Ollama's has one of httpx within
        if (known := getattr(one, "base_url", None)) is not None:
            return str(known)  # the client knows what it read from the environment
    for name in ("openai_api_base", "anthropic_api_url", "api_base", "base_url", "endpoint"):
        address = getattr(llm, name, None)
        if isinstance(address, str) and address:
            return address
    return None
