"""CohereScorer: what is its own; the rest is in test_services."""

from __future__ import annotations

from typing import Any

import pytest
from loopback import FAULTS, RerankAPI, Server, asked

from rerank_core.errors import (
    ConfigurationError,
    MissingExtraError,
    MissingKeyError,
    Reason,
    ScorerError,
)
from rerank_core.scorers.services.cohere import DEFAULT_MODEL, CohereScorer

KEY = "zzq0123456789abcdefgh"
QUERY = "red apples"


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CO_API_KEY", "COHERE_API_KEY", "CO_API_URL"):
        monkeypatch.delenv(name, raising=False)


def scorer_for(server: Server, **options: Any) -> CohereScorer:
    return CohereScorer(**({"api_key": KEY, "base_url": server.url} | options))


def test_the_sdk_sends_what_is_set() -> None:
    """Scores come in input order, and unset fields are left out."""
    texts = ["green pears", "red apples", "red wine"]
    with Server(RerankAPI("cohere", api_key=KEY)) as server:
        scores = asked(scorer_for(server), QUERY, texts)

    assert scores == [0, 1, 0.5]
    assert server.requests[0].json == {"model": DEFAULT_MODEL, "query": QUERY, "documents": texts}


def test_max_tokens_per_doc_is_sent() -> None:
    """And part of the fingerprint, as the scores depend on it."""
    with Server(RerankAPI("cohere")) as server:
        scorer = scorer_for(server, max_tokens_per_doc=512)
        asked(scorer, QUERY, ["a"])

    assert server.requests[0].json["max_tokens_per_doc"] == 512
    assert scorer.fingerprint != scorer_for(server).fingerprint


@pytest.mark.parametrize(
    ("fault", "mischief"), [("json-list", None), ("wrong-content-type", "not-objects")]
)
def test_what_the_sdk_breaks_on_is_a_failed_reply(fault: str, mischief: str | None) -> None:
    """Which may be better the next time."""
    strange = Server(RerankAPI("cohere", mischief=mischief), [FAULTS[fault]])
    with strange as server, pytest.raises(ScorerError, match="cannot be read") as caught:
        asked(scorer_for(server), QUERY, ["a", "b"])

    assert caught.value.reason == Reason.CONNECTION
    assert caught.value.retryable


def test_a_missing_key_names_its_variables() -> None:
    """At construction."""
    with pytest.raises(MissingKeyError, match="CO_API_KEY or COHERE_API_KEY"):
        CohereScorer()


@pytest.mark.parametrize("name", ["CO_API_KEY", "COHERE_API_KEY"])
def test_the_environment_is_read(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """For the key by the SDK's name or the frameworks', and for the address."""
    monkeypatch.setenv(name, KEY)
    with Server(RerankAPI("cohere", api_key=KEY)) as server:
        monkeypatch.setenv("CO_API_URL", server.url)
        assert asked(CohereScorer(), QUERY, ["red apples"]) == [1.0]


def test_a_missing_package_is_answered_with_a_command(monkeypatch: pytest.MonkeyPatch) -> None:
    """At construction."""
    monkeypatch.setattr("rerank_core.errors.find_spec", lambda name: None)

    with pytest.raises(MissingExtraError, match=r"the extra 'cohere' .*pip install"):
        CohereScorer(api_key=KEY)


def test_a_bad_truncation_is_refused() -> None:
    """At construction."""
    with pytest.raises(ConfigurationError, match="max_tokens_per_doc"):
        CohereScorer(api_key=KEY, max_tokens_per_doc=0)
