"""RerankAPIScorer: every provider over real sockets; how servers fail is in test_services."""

from __future__ import annotations

from typing import Any

import pytest
from loopback import DIALECTS, RerankAPI, Server, asked, refusing

from rerank_core.errors import ConfigurationError, MissingKeyError, Reason, ScorerError
from rerank_core.protocols import Scores
from rerank_core.runtime import usage
from rerank_core.scorers.services.providers import PROVIDERS, provider_at
from rerank_core.scorers.services.rerank_api import RerankAPIScorer

KEY = "zzq0123456789abcdefgh"
QUERY = "red apples"
TEXTS = ["green pears", "red apples", "", "red wine", "apples", "apples red for you and me now"]


def scorer_for(server: Server, provider: str | None = None, **options: Any) -> RerankAPIScorer:
    options = {"api_key": KEY, "model": "m"} | options
    return RerankAPIScorer(server.url, provider=provider, **options)


@pytest.mark.parametrize("name", DIALECTS)
def test_every_provider_scores_in_input_order(name: str) -> None:
    """Each takes the request as its row writes it, with the key where it looks for it."""
    with Server(RerankAPI(name, api_key=KEY)) as server:
        scores = asked(scorer_for(server, name), QUERY, TEXTS)

    assert scores[2] is None  # a text without content is not sent
    found = [-1.0 if score is None else score for score in scores]
    assert found.index(max(found)) == 1
    assert found[1] > found[4] > found[3] > found[5] > found[0]
    assert all(0 <= score <= 1 for score in scores if score is not None)
    assert KEY not in server.requests[0].body.decode()


@pytest.mark.parametrize("name", DIALECTS)
def test_every_provider_has_a_row(name: str) -> None:
    """The path of the row is one that the server serves."""
    assert PROVIDERS[name].path in DIALECTS[name].paths


def test_logits_leave_as_probabilities() -> None:
    """llama.cpp answers logits: by sigmoid they are 0..1, and the logits are kept."""
    with Server(RerankAPI("llamacpp")) as server:
        scores = asked(scorer_for(server, "llamacpp"), QUERY, ["red apples", "pears", "red wine"])

    assert scores == pytest.approx([1, 0, 0.5], abs=1e-5)
    assert isinstance(scores, Scores)
    assert scores.raw == pytest.approx([13.8, -13.8, 0], abs=0.1)


def test_logits_of_an_unknown_server_are_recognised() -> None:
    """Scores beyond 0..1 are taken for logits, for good, and the report says so."""
    with Server(RerankAPI("llamacpp")) as server, usage.metered() as meter:
        scorer = scorer_for(server)
        one = asked(scorer, QUERY, ["red apples", "red wine"])
        two = asked(scorer, QUERY, ["red wine"])

    assert one[1] == two[0] == pytest.approx(0.5)
    assert "logit" in " ".join(meter.notes)


def test_promised_scores_are_clamped() -> None:
    """A hair above 1 is 1."""
    with Server(RerankAPI("voyage", score=lambda query, text: 1.0000001)) as server:
        scores = asked(scorer_for(server, "voyage"), QUERY, ["a"])

    assert list(scores) == [1.0]


def test_nobody_listens() -> None:
    """A refused connection is a reason too."""
    with refusing() as url, pytest.raises(ScorerError) as caught:
        asked(RerankAPIScorer(url + "/rerank"), QUERY, TEXTS)

    assert caught.value.reason == Reason.CONNECTION


def test_a_wrong_guess_says_how_to_name_the_provider() -> None:
    """TEI takes `texts`: its refusal of `documents` reaches the reader with the fix."""
    tei = Server(RerankAPI("tei"))
    with tei as server, pytest.raises(ScorerError, match=r"provider=.*tei"):
        asked(RerankAPIScorer(server.url + "/rerank"), QUERY, TEXTS)


def test_provider_and_model_fit_into_the_url() -> None:
    """`provider+http://host/path#model`, so that a string names a scorer completely."""
    with Server(RerankAPI("mixedbread")) as server:
        scorer = RerankAPIScorer(f"mixedbread+{server.url}#large", api_key=KEY)
        scores = asked(scorer, QUERY, ["red apples"])

    assert list(scores) == [1.0]
    assert server.requests[0].json["model"] == "large"


def test_unset_fields_are_left_out_and_options_are_sent() -> None:
    """A null can be refused; what the user adds goes along."""
    with Server(RerankAPI("vllm")) as server:
        asked(scorer_for(server, "vllm", options={"truncate_prompt_tokens": 512}), QUERY, ["a"])

    assert server.requests[0].json == {
        "query": QUERY,
        "documents": ["a"],
        "model": "m",
        "top_n": 1,
        "truncate_prompt_tokens": 512,
    }


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("api.cohere.com", "cohere"),
        ("api.jina.ai", "jina"),
        ("api.voyageai.com", "voyage"),
        ("api.mixedbread.com", "mixedbread"),
        ("api.together.xyz", "together"),
        ("api.pinecone.io", "pinecone"),
        ("localhost", "common"),
        ("api.jina.ai.example.org", "common"),
        ("notapi.jina.ai", "common"),
    ],
)
def test_a_vendor_is_known_by_its_host(host: str, name: str) -> None:
    """And by nothing that merely contains it: its key goes to no one else."""
    assert provider_at(host).name == name


def test_a_vendor_needs_its_key_and_a_model(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both are said at construction; the key is read from the vendor's own variable."""
    monkeypatch.delenv("VOYAGE_API_KEY", raising=False)
    with pytest.raises(MissingKeyError, match="VOYAGE_API_KEY"):
        RerankAPIScorer("https://api.voyageai.com", "rerank-2.5")
    monkeypatch.setenv("VOYAGE_API_KEY", KEY)
    with pytest.raises(ConfigurationError, match="model="):
        RerankAPIScorer("https://api.voyageai.com")

    scorer = RerankAPIScorer("https://api.voyageai.com", "rerank-2.5")
    assert scorer.url == "https://api.voyageai.com/v1/rerank"
    assert scorer.batch_size == 1000


def test_a_server_of_ones_own_needs_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """No header is sent then."""
    monkeypatch.delenv("TEI_API_KEY", raising=False)
    with Server(RerankAPI("tei")) as server:
        asked(RerankAPIScorer(server.url, provider="tei"), QUERY, TEXTS)

    assert "authorization" not in server.requests[0].headers


@pytest.mark.parametrize(
    "options",
    [
        {"url": "localhost:8080/rerank"},
        {"url": "ftp://host/rerank"},
        {"url": "http:///rerank"},
        {"url": "http://host:port/rerank"},
        {"url": "nobody+http://host/rerank"},
        {"url": "http://host", "provider": "nobody"},
        {"url": "http://host", "batch_size": 0},
        {"url": "http://host", "scale": "percent"},
    ],
)
def test_what_cannot_be_right_is_refused_at_construction(options: dict[str, Any]) -> None:
    """Before anything is sent anywhere."""
    with pytest.raises(ConfigurationError):
        RerankAPIScorer(**options)


def test_caps_are_batches() -> None:
    """TEI takes 32; a listwise model gets everything at once."""
    tei = RerankAPIScorer("tei+http://host")
    listwise = RerankAPIScorer("jina+http://host#jina-reranker-v3", api_key=KEY)

    assert tei.batch_size == 32
    assert tei.independent
    assert listwise.batch_size is None
    assert not listwise.independent


def test_an_address_shows_no_secret() -> None:
    """A query is left out of what is shown; a password has no place in a URL."""
    scorer = RerankAPIScorer(f"http://host:80/rerank?key={KEY}")
    with pytest.raises(ConfigurationError, match="api_key=") as caught:
        RerankAPIScorer(f"http://name:{KEY}@host:80/rerank")

    assert KEY not in repr(scorer) + scorer.url + str(scorer.fingerprint) + str(caught.value)
    assert scorer.fingerprint != RerankAPIScorer("http://host:80/rerank").fingerprint


def test_tokens_are_counted_as_the_server_says() -> None:
    """Where it does."""
    with Server(RerankAPI("voyage")) as server, usage.metered() as meter:
        asked(scorer_for(server, "voyage"), QUERY, ["red apples" * 10])

    assert meter.usage.prompt_tokens == 27
