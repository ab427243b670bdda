"""What reranking by a service costs: by the vendor's price, by the user's, or nobody knows."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import doc_pages
import pytest
from loopback import RerankAPI, Server

from rerank_core import ConfigurationError, Reranker
from rerank_core.scorers import CohereScorer, RerankAPIScorer
from rerank_core.scorers.services.prices import PRICES, RerankTariff, table
from rerank_core.scorers.services.providers import PROVIDERS

HOSTS = {name: row.hosts[0] for name, row in PROVIDERS.items() if row.hosts}


@pytest.mark.parametrize(
    ("host", "model", "spent", "cost"),
    [
        # tokens, search units, documents
        ("api.cohere.com", "rerank-v3.5", (0, 3, 250), 0.006),
        ("api.cohere.com", "rerank-v4.0-pro", (9_000, 1, 10), 0.0025),
        ("api.cohere.com", "rerank-v4.0-fast", (0, 0, 101), 0.004),
        ("api.cohere.com", "rerank-v5.0-pro", (2_000_000, 1, 10), 0.1),
        ("api.cohere.com", "rerank-v5.0-fast", (0, 1, 10), None),
        ("api.voyageai.com", "rerank-2.5", (1_000_000, 0, 10), 0.05),
        ("api.voyageai.com", "rerank-2.5-lite", (500_000, 0, 10), 0.01),
        ("api.voyageai.com", "rerank-9", (500_000, 0, 10), None),
        ("api.mixedbread.com", "mxbai-rerank-base-v2", (1_000_000, 0, 10), 0.15),
        ("dashscope-intl.aliyuncs.com", "qwen3-rerank", (1_000_000, 0, 10), 0.1),
        ("dashscope.aliyuncs.com", "qwen3-rerank", (1_000_000, 0, 10), 0.069),
        ("localhost", "rerank-2.5", (1_000_000, 1, 10), None),
        ("api.voyageai.com.example.org", "rerank-2.5", (1_000_000, 1, 10), None),
        ("api.jina.ai", None, (1_000_000, 1, 10), None),
    ],
)
def test_a_price_is_the_vendors_at_its_address(
    host: str, model: str | None, spent: tuple[int, int, int], cost: float | None
) -> None:
    """By tokens, or by searches of a hundred documents; what is unknown is None, not 0."""
    found = RerankTariff.at(host, model).cost(*spent)

    assert found == (None if cost is None else pytest.approx(cost))


@pytest.mark.parametrize("row", PRICES, ids=lambda row: f"{row.provider} {row.model}")
def test_every_row_is_found_and_says_where_it_was_read(row: Any) -> None:
    """At the provider's address, by the model's name; with a page and a month."""
    host = HOSTS[row.provider] if row.hosts == "*" else row.hosts

    assert RerankTariff.at(host, row.model).price == row.price
    assert row.dollars > 0
    assert row.source.startswith("https://")
    assert re.fullmatch(r"2026-(0[1-9]|1[0-2])", row.date)


@pytest.mark.parametrize(
    ("dialect", "price", "cost"),
    [
        ("cohere", {"search": 0.002}, 0.002),
        ("pinecone", {"search": 0.5}, 0.5),
        ("tei", {"search": 0.25}, 0.25),
        ("tei", {"million_tokens": 0.05}, None),
        ("tei", {"million_tokens": 0}, 0),
        ("voyage", None, None),
    ],
)
def test_a_price_of_ones_own_is_in_the_report(dialect: str, price: Any, cost: float | None) -> None:
    """By what the server says it counted; where it counts no tokens, nobody knows."""
    with Server(RerankAPI(dialect)) as server:
        model = None if dialect == "tei" else "rerank-2.5"
        scorer = RerankAPIScorer(server.url, model, provider=dialect, api_key="k", price=price)
        with Reranker(scorer) as reranker:
            report = reranker.rank("red apples", ["red wine", "apples"]).report

    assert report.cost == cost
    assert report.calls == 1


def test_tokens_are_added_up_over_batches_and_rankings() -> None:
    """What the server read, times the price."""
    with Server(RerankAPI("voyage")) as server:
        scorer = RerankAPIScorer(
            server.url,
            "m",
            provider="voyage",
            api_key="k",
            batch_size=2,
            price={"million_tokens": 4},
        )
        with Reranker(scorer, timeout=30) as reranker:
            report = reranker.rank("red apples", [f"red wine {n}" for n in range(5)]).report

    assert report.calls == 3
    assert report.prompt_tokens > 0
    assert report.cost == pytest.approx(4 * report.prompt_tokens / 1_000_000)


def test_coheres_own_client_knows_where_it_asks() -> None:
    """Cohere itself has a price; a server of one's own has the one that is given."""
    pytest.importorskip("cohere")

    assert CohereScorer("rerank-v3.5", api_key="k")._tariff.price == {"search": 0.002}
    assert CohereScorer(api_key="k")._tariff.price == {"million_tokens": 0.02}
    with Server(RerankAPI("cohere")) as server:
        for price, cost in ((None, None), ({"search": 1}, 1.0)):
            scorer = CohereScorer("rerank-v3.5", api_key="k", base_url=server.url, price=price)  # type: ignore[arg-type]
            with Reranker(scorer, timeout=30) as reranker:
                assert reranker.rank("red apples", ["red wine"]).report.cost == cost


@pytest.mark.parametrize(
    "price",
    [{}, 0.002, {"searches": 1}, {"search": -1}, {"search": "2"}, {"million_tokens": float("nan")}],
)
def test_what_is_no_price_is_refused(price: Mapping[str, Any]) -> None:
    """With one that is."""
    with pytest.raises(
        ConfigurationError, match=r'price is US dollars, such as \{"search": 0.002\}'
    ):
        RerankAPIScorer("http://h/rerank", price=price)  # type: ignore[arg-type]


def test_the_page_has_this_table() -> None:
    """As the command beside it prints it."""
    assert table() in (doc_pages.ROOT / "docs" / "scorers.md").read_text(encoding="utf-8")
