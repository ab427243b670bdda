"""What a server refuses as too large is sent in smaller parts, and the next time at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from loopback import (
    OpenAIAPI,
    Picky,
    RerankAPI,
    Server,
    a_longer_text_than,
    fixed,
    more_characters_than,
    more_texts_than,
)

from rerank_core import ConfigurationError, Ranking, Reranker
from rerank_core.errors import SizeLimit
from rerank_core.protocols import ScorerBase
from rerank_core.remote.size_limits import size_limit
from rerank_core.scorers import CohereScorer, EmbeddingScorer, RerankAPIScorer
from rerank_core.scorers.fitting import CUT

KEY = "zzq0123456789abcdefgh"
TEXTS = [f"document number {place} is about something" for place in range(40)]
LONG = [*TEXTS[:8], "words without end " * 300, *TEXTS[8:12]]

#: Every scorer that sends batches, and the server that it asks.
SERVICES: dict[str, tuple[Callable[[], Any], Callable[..., ScorerBase]]] = {
    "api": (
        lambda: RerankAPI("vllm"),
        lambda url, **options: RerankAPIScorer(f"{url}/v1/rerank", "m", **options),
    ),
    "tei": (
        lambda: RerankAPI("tei"),
        lambda url, **options: RerankAPIScorer(url, provider="tei", **options),
    ),
    "cohere": (
        lambda: RerankAPI("cohere"),
        lambda url, **options: CohereScorer(base_url=url, api_key=KEY, **options),
    ),
    "embedding": (
        lambda: OpenAIAPI(fixed("")),
        lambda url, **options: EmbeddingScorer(
            "openai:m", base_url=f"{url}/v1", api_key=KEY, **options
        ),
    ),
}


@pytest.fixture(params=SERVICES)
def service(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def ranked_twice(service: str, refusal: Any, texts: list[str]) -> tuple[list[Ranking], list[int]]:
    """Two rankings by one scorer, and how many requests of each were refused."""
    make_api, make = SERVICES[service]
    api = Picky(make_api(), refusal)
    rankings, refused = [], []
    with Server(api) as server, Reranker(make(server.url), timeout=60.0) as reranker:
        for _ in range(2):
            rankings.append(reranker.rank("number 7", texts))
            refused.append(api.refused)
            api.refused = 0
    return rankings, refused


@pytest.mark.parametrize(
    ("status", "most", "message"),
    [
        (400, 10, "Value error, batch size is invalid, it should not be larger than {most}."),
        (413, 6, "batch size {count} > maximum allowed batch size {most}"),
        (422, 8, "documents: List should have at most {most} items, not {count}"),
        (500, 12, "too many inputs: {count}, the limit is {most}"),
        (400, 4, "'input' must have {most} items or less"),
        (422, 16, "top_n: Input should be less than or equal to {most}"),
    ],
)
def test_too_many_texts(service: str, status: int, most: int, message: str) -> None:
    """They go in so many as the server says; from then on at once."""
    rankings, refused = ranked_twice(service, more_texts_than(most, message, status), TEXTS)

    assert [ranking.report.coverage for ranking in rankings] == [1.0, 1.0]
    assert 0 < refused[0] <= 3
    assert refused[1] == 0


def test_too_many_texts_of_a_number_that_is_not_told(service: str) -> None:
    """Halves, until they are few enough."""
    refusal = more_texts_than(9, "batch size too large", 400)

    rankings, _ = ranked_twice(service, refusal, TEXTS)

    assert [ranking.report.coverage for ranking in rankings] == [1.0, 1.0]


@pytest.mark.parametrize(
    ("status", "message"),
    [
        (400, "the request exceeds the available context size (512), try increasing it"),
        (413, "Payload Too Large"),
        (422, "`inputs` must have less than 512 tokens. Given: 1350"),
        (500, "input (1350 tokens) is too large to process. increase the physical batch size "
              "(current batch size: 512)"),
        (400, "string too long. Expected a string with maximum length {most}"),
    ],
)  # fmt: skip
def test_one_text_that_is_too_long(service: str, status: int, message: str) -> None:
    """It is scored by its beginning and counted as truncated; the others by all they hold."""
    rankings, _ = ranked_twice(service, a_longer_text_than(2500, message, status), LONG)

    assert [ranking.report.coverage for ranking in rankings] == [1.0, 1.0]
    assert [ranking.report.truncated for ranking in rankings] == [1, 1]
    assert all(CUT in ranking.report.notes for ranking in rankings)


@pytest.mark.parametrize(
    ("status", "message"),
    [
        (400, "the texts hold {count} characters, at most {most} characters are allowed"),
        (
            400,
            "The max allowed tokens per batch is {most}. Your batch has {count} tokens",
        ),
        (413, "Request body too large: {count} > limit of {most} bytes"),
        (500, "too many tokens in one batch"),
    ],
)
def test_too_much_text_in_all(service: str, status: int, message: str) -> None:
    """It goes in parts, whole."""
    rankings, refused = ranked_twice(service, more_characters_than(500, message, status), TEXTS)

    assert [ranking.report.coverage for ranking in rankings] == [1.0, 1.0]
    assert [ranking.report.truncated for ranking in rankings] == [0, 0]
    if "{most}" in message:
        assert refused[1] == 0


def test_many_long_texts_cost_only_themselves(service: str) -> None:
    """A sixth of them, spread over all, which cannot be scored even by a part."""

    def refusal(texts: Any) -> tuple[int, str] | None:
        return (400, "input is too long") if any("unreadable" in text for text in texts) else None

    texts = [text if place % 6 else "unreadable" + "x" * 999 for place, text in enumerate(TEXTS)]

    rankings, _ = ranked_twice(service, refusal, texts)

    assert rankings[0].report.coverage == pytest.approx(33 / 40)
    assert "too_large" in rankings[0].report.reasons


def test_a_server_that_takes_one_text_at_a_time() -> None:
    """Then the query's embedding is asked for on its own."""
    refusal = more_texts_than(1, "at most 1 input is allowed")

    rankings, refused = ranked_twice("embedding", refusal, TEXTS[:5])

    assert [ranking.report.coverage for ranking in rankings] == [1.0, 1.0]
    assert refused[1] == 0


def test_max_chars_cuts_before_anything_is_sent(service: str) -> None:
    """And a refusal of the server's is then none."""
    make_api, make = SERVICES[service]
    api = Picky(make_api(), a_longer_text_than(200, "too long"))
    with (
        Server(api) as server,
        Reranker(make(server.url, max_chars=200), timeout=60.0) as reranker,
    ):
        ranking = reranker.rank("number 7", LONG)

    assert (ranking.report.coverage, ranking.report.truncated, api.refused) == (1.0, 1, 0)


def test_batch_size_is_an_option_of_each(service: str) -> None:
    """So many texts go in one request; the query's embedding beside them."""
    make_api, make = SERVICES[service]
    with Server(make_api()) as server, Reranker(make(server.url, batch_size=7), timeout=60.0) as r:
        ranking = r.rank("number 7", TEXTS)

    assert (ranking.report.coverage, ranking.report.calls) == (1.0, 6)


@pytest.mark.parametrize("option", ["batch_size", "max_chars"])
@pytest.mark.parametrize("value", [0, -1, 2.5, True, "8"])
def test_a_size_is_a_whole_number(service: str, option: str, value: Any) -> None:
    """Of at least 1."""
    with pytest.raises(ConfigurationError, match=option):
        SERVICES[service][1]("http://host", **{option: value})


@pytest.mark.parametrize(
    ("message", "limit"),
    [
        ("Number of documents (200) exceeds the limit (100)", SizeLimit("texts", 100, 200)),
        ("total number of texts must be at most 96", SizeLimit("texts", 96, None)),
        ("this model supports up to 8192 tokens, got 9000", SizeLimit("tokens", 8192, 9000)),
        ("at most 122,880 characters", SizeLimit("characters", 122880, None)),
        ("Document 3 is too long", SizeLimit("tokens", None, None)),
        ("request entity too large", SizeLimit("bytes", None, None)),
    ],
)
def test_a_refusal_is_read(message: str, limit: SizeLimit) -> None:
    """What it counts, how many it takes, and how many it got."""
    assert size_limit(message) == limit


@pytest.mark.parametrize(
    "message",
    [
        "",
        "no such model: m",
        "Rate limit exceeded: at most 10 documents per minute",
        "max_tokens is too large: 9000. This model supports at most 4096 completion tokens",
        "Unknown parameter: 'top_n'",
        "maximum retries exceeded while storing the document",
        "You exceeded your current quota of 1000 tokens",
    ],
)
def test_a_refusal_of_something_else(message: str) -> None:
    """How often, how long a reply, or which model: smaller batches would change nothing."""
    assert size_limit(message) is None
