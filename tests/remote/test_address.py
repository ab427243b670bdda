"""Addresses and environments that no HTTP client can use are refused at construction."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rerank_core import ConfigurationError
from rerank_core.remote.address import Address, check_environment
from rerank_core.remote.secret import Secret
from rerank_core.scorers import CohereScorer, EmbeddingScorer, LLMScorer, RerankAPIScorer

for _package in ("openai", "cohere", "httpx"):
    pytest.importorskip(_package)

KEY = "zzq0123456789abcdefgh"
MAKE: dict[str, Callable[[str], object]] = {
    "llm": lambda url: LLMScorer("m", base_url=url, api_key=KEY),
    "embedding": lambda url: EmbeddingScorer("openai:m", base_url=url, api_key=KEY),
    "cohere": lambda url: CohereScorer(base_url=url, api_key=KEY),
    "api": lambda url: RerankAPIScorer(url, "m", api_key=KEY),
}


@pytest.fixture(params=MAKE)
def make(request: pytest.FixtureRequest) -> Callable[[str], object]:
    return MAKE[request.param]


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR", "SSLKEYLOGFILE"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    "url",
    [
        "http://host/v1\n",
        "http://host\r\n/v1",
        "http://host/\u200bv1",
        "http://ho\tst/v1",
        "http://host/\x7f",
        "\ufeffhttp://host/v1",
        "host:8080/v1",
        "//host/v1",
        '"http://host/v1"',
        "“http://host/v1”",
        "ftp://host/v1",
        "http://",
        "http://host:port/v1",
        "http://[::1/v1",
        f"http://name:{KEY}@host/v1",
    ],
)
def test_an_address_that_no_client_can_use(make: Callable[[str], object], url: str) -> None:
    """Is refused by every scorer alike, by the option's name, and nothing secret is quoted."""
    with pytest.raises(ConfigurationError, match=r"url|URL") as caught:
        make(url)

    assert KEY not in str(caught.value)


@pytest.mark.parametrize(
    ("variable", "make"),
    [
        ("OPENAI_BASE_URL", lambda: LLMScorer("m", api_key=KEY)),
        ("OPENAI_BASE_URL", lambda: EmbeddingScorer("openai:m", api_key=KEY)),
        ("CO_API_URL", lambda: CohereScorer(api_key=KEY)),
    ],
)
def test_the_variable_is_named(
    variable: str, make: Callable[[], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the address came from the environment."""
    monkeypatch.setenv(variable, "http://host/v1\n")

    with pytest.raises(ConfigurationError, match=variable):
        make()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ALL_PROXY", "socks://127.0.0.1:7891/"),
        ("all_proxy", "socks4://127.0.0.1:1080"),
        ("HTTPS_PROXY", "ftp://proxy"),
        ("http_proxy", "http://proxy:port"),
        ("NO_PROXY", "localhost,[::1]"),
        ("no_proxy", "10.0.0.1,[fe80::1]"),
        ("SSL_CERT_FILE", "/no/such/ca.pem"),
        ("SSL_CERT_FILE", __file__),
        ("SSL_CERT_DIR", "/no/such/directory"),
        ("SSLKEYLOGFILE", "/no/such/directory/keys.log"),
    ],
)
def test_an_environment_that_no_client_can_use(
    make: Callable[[str], object], name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Is said at construction, by the variable's name."""
    monkeypatch.setenv(name, value)

    with pytest.raises(ConfigurationError, match=f"{name}=.* cannot be used"):
        make("http://host/v1")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("HTTP_PROXY", "http://proxy:3128"),
        ("https_proxy", "proxy:3128"),
        ("ALL_PROXY", "http://name:word@proxy:3128"),
        ("NO_PROXY", "localhost,127.0.0.1,::1,.example.com,10.0.0.0/8"),
        ("no_proxy", "*"),
        ("SSL_CERT_FILE", ""),
    ],
)
def test_an_environment_that_is_well(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Goes unmentioned."""
    monkeypatch.setenv(name, value)

    check_environment()


def test_a_proxys_password_is_not_quoted(monkeypatch: pytest.MonkeyPatch) -> None:
    """It stands in the variable that the error names."""
    monkeypatch.setenv("ALL_PROXY", f"socks://name:{KEY}@127.0.0.1:1")

    with pytest.raises(ConfigurationError) as caught:
        check_environment()
    assert KEY not in str(caught.value)


def test_a_key_log_that_can_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Debugging TLS goes on as it did."""
    monkeypatch.setenv("SSLKEYLOGFILE", str(tmp_path / "keys.log"))

    check_environment()


def test_a_client_of_ones_own_brings_its_own_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the environment says is then none of our business."""
    import httpx

    client: Any = httpx.AsyncClient(trust_env=False)
    monkeypatch.setenv("ALL_PROXY", "socks://127.0.0.1:7891/")

    assert RerankAPIScorer("http://host", "m", http_client=client).url == "http://host/v1/rerank"


def test_an_address_taken_apart() -> None:
    """Its parameters beside it; one that is a secret is held as one."""
    address = Address.of(f" https://host:8080/v1?api-version=2024-10-21&api-key={KEY} ")

    assert address.base == "https://host:8080/v1"
    assert address.query["api-version"] == "2024-10-21"
    assert isinstance(address.query["api-key"], Secret)
    assert address.parameters() == {"api-version": "2024-10-21", "api-key": KEY}
    assert KEY not in repr(address)
