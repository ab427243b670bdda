"""What reranking by a service costs: one row for each model whose price could be read somewhere.

Chat models are priced by the package `genai-prices` (`rerank_core.chat.prices`), which has next to
no rerank models. As there, a price holds at the vendor's own address only, and what is unknown is
None.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatch
from typing import Any, Literal, TypedDict

from ...errors import ConfigurationError
from ...runtime.numbers import finite
from .providers import provider_at

#: What is paid for: a search is one query with up to 100 documents, a long one counting as several.
Unit = Literal["search", "million tokens"]
#: Documents in a search, where the server does not say how many it counted.
SEARCH = 100


class Price(TypedDict, total=False):
    """US dollars, per search and per million tokens: those that are given add up."""

    search: float
    million_tokens: float


@dataclass(frozen=True, slots=True)
class Row:
    """A model's price in US dollars, where it was read, and when."""

    provider: str
    model: str
    dollars: float
    unit: Unit
    source: str
    date: str
    #: The hosts of the provider that it holds at.
    hosts: str = "*"

    @property
    def price(self) -> Price:
        """What `price=` would say."""
        if self.unit == "search":
            return {"search": self.dollars}
        return {"million_tokens": self.dollars}


_BIFROST = "https://www.getmaxim.ai/bifrost/llm-cost-calculator/provider"
_COHERE = "https://developer.puter.com/tutorials/cohere-api-pricing/"
_VOYAGE = "https://www.getmaxim.ai/bifrost/model-library/provider/voyage"
_MXBAI = "https://www.mixedbread.com/docs/reranking/models"
_ALIBABA = "https://www.alibabacloud.com/help/en/model-studio"

PRICES = (
    Row(
        "cohere",
        "rerank-v5.0-pro",
        0.05,
        "million tokens",
        f"{_BIFROST}/cohere/model/rerank-v5.0-pro.md",
        "2026-11",
    ),
    Row(
        "cohere",
        "rerank-v5.0-fast",
        0.02,
        "million tokens",
        "https://openrouter.ai/models/cohere/rerank-5-fast-20261028",
        "2026-11",
    ),
    Row("cohere", "rerank-v4.0-pro", 0.0025, "search", _COHERE, "2026-06"),
    Row("cohere", "rerank-v4.0-fast", 0.002, "search", _COHERE, "2026-06"),
    Row(
        "cohere",
        "rerank-v3.5",
        0.002,
        "search",
        "https://docs.memberjunction.org/api/classes/_memberjunction_search-engine.CohereReRanker.html",
        "2026-04",
    ),
    Row(
        "voyage",
        "rerank-3",
        0.05,
        "million tokens",
        f"{_BIFROST}/voyage/model/rerank-3.md",
        "2026-11",
    ),
    Row(
        "voyage",
        "rerank-3-lite",
        0.02,
        "million tokens",
        f"{_BIFROST}/voyage/model/rerank-3-lite.md",
        "2026-11",
    ),
    Row("voyage", "rerank-2.5", 0.05, "million tokens", _VOYAGE, "2026-11"),
    Row("voyage", "rerank-2.5-lite", 0.02, "million tokens", _VOYAGE, "2026-11"),
    Row("voyage", "rerank-2", 0.05, "million tokens", _VOYAGE, "2026-11"),
    Row("voyage", "rerank-2-lite", 0.02, "million tokens", _VOYAGE, "2026-11"),
    Row(
        "jina",
        "jina-reranker-m0",
        0.05,
        "million tokens",
        f"{_BIFROST}/jina_ai/model/jina-reranker-m0.md",
        "2026-11",
    ),
    Row(
        "mixedbread",
        "mixedbread-ai/mxbai-rerank-base-v2",
        0.15,
        "million tokens",
        f"{_MXBAI}/mxbai-rerank-base-v2",
        "2026-11",
    ),
    Row(
        "mixedbread",
        "mixedbread-ai/mxbai-rerank-base-v1",
        0.15,
        "million tokens",
        f"{_MXBAI}/mxbai-rerank-base-v1",
        "2026-11",
    ),
    Row(
        "together",
        "Salesforce/Llama-Rank-V1",
        0.10,
        "million tokens",
        f"{_BIFROST}/together_ai/model/llama-rank-v1.md",
        "2026-11",
    ),
    Row(
        "dashscope",
        "qwen3-rerank",
        0.10,
        "million tokens",
        f"{_ALIBABA}/qwen3-rerank",
        "2026-11",
        hosts="dashscope-intl.aliyuncs.com",
    ),
    Row(
        "dashscope",
        "qwen3-rerank",
        0.069,
        "million tokens",
        f"{_ALIBABA}/qwen3-rerank",
        "2026-11",
        hosts="dashscope.aliyuncs.com",
    ),
    Row(
        "dashscope",
        "gte-rerank-v2",
        0.115,
        "million tokens",
        f"{_ALIBABA}/text-rerank-api",
        "2026-03",
        hosts="dashscope.aliyuncs.com",
    ),
)


class RerankTariff:
    """The price of one model at one address: as given, else of the table, else unknown."""

    def __init__(self, price: Price | None) -> None:
        self.price = price

    @classmethod
    def at(cls, host: str, model: str | None) -> RerankTariff:
        """By the table. A model on a server of one's own costs something nobody here knows."""
        provider = provider_at(host).name
        for row in PRICES:
            if row.provider == provider and fnmatch(host, row.hosts) and _same(model, row.model):
                return cls(row.price)
        return cls(None)

    def cost(self, tokens: int, units: int, documents: int) -> float | None:
        """US dollars for an answer that states so many tokens and search units, 0 where none.

        None where the price is unknown, or is per token and the server did not say how many.
        Searches it did not count are one for each hundred `documents` begun.
        """
        if self.price is None:
            return None
        dollars = 0.0
        if (by_search := self.price.get("search")) is not None:
            dollars += by_search * (units or math.ceil(documents / SEARCH))
        if by_token := self.price.get("million_tokens"):
            if not tokens:
                return None
            dollars += by_token * tokens / 1_000_000
        return dollars


def checked_price(price: Mapping[str, Any] | None) -> Price | None:
    """The price, as plain numbers. Raises `ConfigurationError` for what is none."""
    if price is None:
        return None
    known = tuple(Price.__annotations__)
    wrong = (
        'price is US dollars, such as {"search": 0.002} or {"million_tokens": 0.05}, not '
        f"{price!r:.80}"
    )
    if not isinstance(price, Mapping) or not price or set(price) - set(known):
        raise ConfigurationError(wrong)
    made: Price = {}
    for name, value in price.items():
        number = None if isinstance(value, bool | str) else _number(value)
        if number is None or number < 0:
            raise ConfigurationError(wrong)
        made[name] = number  # type: ignore[literal-required]
    return made


def table() -> str:
    """The prices as a table of Markdown, as docs/scorers.md has it."""
    lines = ["| provider | model | US dollars | a | read at | in |", "|---|---|---|---|---|---|"]
    for row in PRICES:
        where = "" if row.hosts == "*" else f" ({row.hosts})"
        lines.append(
            f"| {row.provider}{where} | `{row.model}` | {row.dollars:g} | {row.unit} | "
            f"<{row.source}> | {row.date} |"
        )
    return "\n".join(lines)


def _number(value: Any) -> float | None:
    try:
        return finite(value)
    except (TypeError, ValueError):
        return None


def _same(model: str | None, known: str) -> bool:
    """Whether a model is that of a row, with or without its maker in front."""
    return model is not None and (
        model == known or model.rpartition("/")[2].casefold() == known.rpartition("/")[2].casefold()
    )
