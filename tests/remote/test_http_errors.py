"""What a failure says: its cause, the address where that is to blame, and the server's words."""

from __future__ import annotations

import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import pytest
from loopback import FAULTS, Request, RerankAPI, Response, Server, refusing

from rerank_core import Reranker
from rerank_core.errors import Reason
from rerank_core.protocols import ScorerBase
from rerank_core.remote.http_errors import explanation, from_status
from rerank_core.scorers import CohereScorer, EmbeddingScorer, LLMScorer, RerankAPIScorer

for _package in ("openai", "cohere", "httpx"):
    pytest.importorskip(_package)

KEY = "zzq0123456789abcdefgh"
MAKE: dict[str, Callable[[str], ScorerBase]] = {
    "llm": lambda url: LLMScorer("m", base_url=f"{url}/v1", api_key=KEY),
    "embedding": lambda url: EmbeddingScorer("openai:m", base_url=f"{url}/v1", api_key=KEY),
    "cohere": lambda url: CohereScorer(base_url=url, api_key=KEY),
    "api": lambda url: RerankAPIScorer(f"{url}/v1/rerank", "m", provider="vllm", api_key=KEY),
}


@pytest.fixture(params=MAKE)
def make(request: pytest.FixtureRequest) -> Callable[[str], ScorerBase]:
    return MAKE[request.param]


def why(scorer: ScorerBase) -> str:
    """What the report of a ranking by it says."""
    with Reranker(scorer, timeout=4.0, fallback="bm25") as reranker:
        reranker.warm_up()
        return reranker.rank("capital of Italy", ["Paris", "Rome, capital of Italy"]).report.why


@pytest.fixture(scope="module")
def ports() -> Iterator[str]:
    with refusing() as url:
        yield url


def test_a_refused_connection_is_said_with_its_address(
    make: Callable[[str], ScorerBase], ports: str
) -> None:
    """Not "Connection error."."""
    assert f"connection refused at {ports.removeprefix('http://')}" in why(make(ports))


def test_an_unknown_host_is_said(make: Callable[[str], ScorerBase]) -> None:
    """With its name."""
    assert "no such host at no-such-host.invalid" in why(make("http://no-such-host.invalid"))


@pytest.fixture(scope="module")
def untrusted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, list[int]]]:
    """A server whose certificate nobody signed, and how many came to it."""
    if (openssl := shutil.which("openssl")) is None:
        pytest.skip("no openssl to make a certificate with")
    folder = tmp_path_factory.mktemp("tls")
    made = f"req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=localhost -keyout {folder}/k"
    subprocess.run([openssl, *made.split(), "-out", f"{folder}/c"], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "c", folder / "k")
    listener, came = socket.create_server(("127.0.0.1", 0)), [0]

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            came[0] += 1
            with connection, suppress(OSError):
                context.wrap_socket(connection, server_side=True).close()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield f"https://127.0.0.1:{listener.getsockname()[1]}", came
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join()


def test_a_certificate_that_is_not_trusted_is_said_and_not_tried_again(
    make: Callable[[str], ScorerBase], untrusted: tuple[str, list[int]]
) -> None:
    """It will not be the next time either."""
    url, came = untrusted
    came[0] = 0
    said = why(make(url))

    assert f"the certificate at {url.removeprefix('https://')} is not trusted: self-signed" in said
    assert came == [1]


def test_a_404_and_a_redirect_name_the_address(make: Callable[[str], ScorerBase]) -> None:
    """As that is likely to be what is wrong."""
    with Server(RerankAPI("vllm"), [FAULTS["redirect-loop"]]) as server:
        port = server.url.rpartition(":")[2]
        moved = why(make(server.url))
        server.faults = [FAULTS["unknown-model"]]
        missing = why(make(server.url))

    assert f":{port}" in missing
    assert "HTTP 404 at http://127.0.0.1" in missing
    assert "redirect" in moved.lower()


@dataclass
class Saying:
    """Answers every request with that."""

    said: Any
    status: int = 200

    async def answer(self, request: Request) -> Response:
        return Response.of(self.said, self.status)

    def error(self, status: int, message: str, code: str | None = None) -> Response:
        return Response.of({"message": message}, status)


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (422, {"detail": [{"loc": ["body"], "msg": "the field wibble is missing"}]}),
        (400, {"detail": "the field wibble is missing"}),
        (400, {"message": "the field wibble is missing"}),
        (400, {"error": {"message": "the field wibble is missing", "code": 3}}),
        (400, {"error": "the field wibble is missing"}),
    ],
)
def test_the_servers_words_are_in_the_report(
    make: Callable[[str], ScorerBase], status: int, said: Any
) -> None:
    """In whatever shape it puts them."""
    with Server(Saying(said, status)) as server:
        assert "the field wibble is missing" in why(make(server.url))


@pytest.mark.parametrize(
    "said",
    [
        {"error": {"message": "wibble is out of order"}},
        {"detail": "wibble is out of order"},
        {"error": "wibble is out of order"},
    ],
)
@pytest.mark.parametrize("name", ["api", "embedding"])
def test_an_error_in_an_answer_of_200_is_told(name: str, said: Any) -> None:
    """Some gateways put one there."""
    with Server(Saying(said)) as server:
        assert "wibble is out of order" in why(MAKE[name](server.url))


def test_a_redirect_shows_no_secret() -> None:
    """Its target is shown, less what is secret in it."""
    error = from_status(307, "", {"Location": f"https://u:{KEY}@h/x?key={KEY}&v=1"}, "http://a/b")

    assert str(error) == "HTTP 307 at http://a/b: a redirect to https://u@h/x?v=1"
    assert error.reason is Reason.REQUEST


def test_an_explanation_of_any_shape() -> None:
    """Objects, lists and plain words."""
    assert explanation({"error": {"message": "no", "code": "quota"}}) == "no (quota)"
    assert explanation({"error": "no", "code": "quota"}) == "no (quota)"
    assert explanation([{"msg": "a"}, "b", 3]) == "a; b"
    assert explanation(None) == ""
