"""`rerank serve` in a process of its own: how it ends, and how it bears the worst clients."""

from __future__ import annotations

import concurrent.futures
import contextlib
import json
import shutil
import signal
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

pytest.importorskip("uvicorn")

from serving.served import QUERY, TEXTS, Running, running

pytestmark = pytest.mark.slow

BODY = {"query": QUERY, "documents": TEXTS}
#: A scorer of its own kind of slowness, behind a rerank API.
SLOW = """
import json, sys, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
class Slow(BaseHTTPRequestHandler):
    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        time.sleep(1.0)
        results = [{"index": at, "relevance_score": 0.5} for at in range(len(asked["documents"]))]
        body = json.dumps({"results": results}).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *said): pass
server = ThreadingHTTPServer(("127.0.0.1", 0), Slow)
print(server.server_port, flush=True)
server.serve_forever()
"""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """BM25, for whoever has patience for two seconds, and twenty connections."""
    limits = ["--read-timeout", "2", "--max-bytes", "100000", "--connections", "20"]
    with running(tmp_path_factory.mktemp("served"), *limits) as server:
        yield server


def memory(server: Running) -> float:
    pages = int(Path(f"/proc/{server.process.pid}/statm").read_text().split()[1])
    return pages * 4096 / 2**20


def connected(server: Running) -> socket.socket:
    return socket.create_connection(("127.0.0.1", httpx.URL(server.url).port or 0), timeout=20)


def said(connection: socket.socket) -> bytes:
    """What comes until the other side closes."""
    parts = []
    try:
        while part := connection.recv(65536):
            parts.append(part)
    except ConnectionError:
        pass
    return b"".join(parts)


def test_told_to_stop_it_answers_what_is_under_way(tmp_path: Path) -> None:
    """Whole, and the process ends with 0; whoever comes now finds nobody."""
    code = [shutil.which("python3") or "python3", "-c", SLOW]
    with subprocess.Popen(code, stdout=subprocess.PIPE, text=True) as slow:
        assert slow.stdout is not None
        port = int(slow.stdout.readline())
        file = tmp_path / "far.toml"
        file.write_text(f'[reranker]\nscorer = "api:http://127.0.0.1:{port}/v1/rerank"\n')
        with (
            running(tmp_path, str(file)) as server,
            concurrent.futures.ThreadPoolExecutor(4) as pool,
        ):
            asked = [
                pool.submit(httpx.post, f"{server.url}/v2/rerank", json=BODY, timeout=20)
                for _ in range(4)
            ]
            time.sleep(0.5)
            server.process.send_signal(signal.SIGTERM)
            answers = [one.result() for one in asked]

            assert [answer.status_code for answer in answers] == [200] * 4
            assert all(len(answer.json()["results"]) == 3 for answer in answers)
            assert server.process.wait(10) == 0
            with pytest.raises(httpx.ConnectError):
                httpx.post(f"{server.url}/v2/rerank", json=BODY)
        slow.terminate()


def test_who_sends_its_headers_slowly_is_let_go(served: Running) -> None:
    """Others are answered meanwhile."""
    with connected(served) as connection:
        connection.sendall(b"POST /v2/rerank HTTP/1.1\r\nHo")
        assert httpx.post(f"{served.url}/v2/rerank", json=BODY).status_code == 200
        assert said(connection) == b""  # closed, within the timeout of the socket


def test_who_sends_its_body_slowly_is_told(served: Running) -> None:
    """408, and let go."""
    with connected(served) as connection:
        head = b"POST /v2/rerank HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{"
        connection.sendall(head)

        assert said(connection).startswith(b"HTTP/1.1 408")


def test_who_says_nothing_more_on_a_kept_connection_is_let_go(served: Running) -> None:
    """Half a second request is no reason to wait."""
    with connected(served) as connection:
        connection.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
        assert connection.recv(65536).startswith(b"HTTP/1.1 200")
        connection.sendall(b"GET /hea")

        said(connection)


def test_a_huge_body_is_told_and_not_kept(served: Running) -> None:
    """By a client that goes on sending, too, while the memory stays as it is."""
    body = json.dumps({**BODY, "documents": ["a" * 20_000_000]}).encode()
    before = memory(served)

    for _ in range(3):
        answer = httpx.post(f"{served.url}/v2/rerank", content=body, timeout=20)
        assert answer.status_code == 413

    assert memory(served) < before + 30


@pytest.mark.parametrize(
    "garbage",
    [b"\x16\x03\x01\x02\x00" * 20, b"GET / HTTP/9.9\r\n\r\n", b"A" * 200_000, b"\r\n\r\n\r\n"],
    ids=["tls", "version", "endless", "empty"],
)
def test_garbage_is_no_trouble(served: Running, garbage: bytes) -> None:
    """It ends with the connection, and headers without end are not kept."""
    with connected(served) as connection:
        with contextlib.suppress(ConnectionError):
            connection.sendall(garbage)
        said(connection)

    assert httpx.get(f"{served.url}/health").status_code == 200


def test_a_flood_of_connections_is_bounded(served: Running) -> None:
    """Beyond so many it says that it is busy; when they are gone it is as before."""
    before = memory(served)
    flood = [connected(served) for _ in range(60)]
    try:
        flood[-1].sendall(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
        assert flood[-1].recv(65536).startswith(b"HTTP/1.1 503")
    finally:
        for connection in flood:
            connection.close()
    time.sleep(0.5)

    assert httpx.post(f"{served.url}/v2/rerank", json=BODY).status_code == 200
    assert memory(served) < before + 20


def test_a_flood_of_requests_leaves_nothing_behind(served: Running) -> None:
    """The memory of the second one is that of the first."""

    def ask(client: httpx.Client, number: int) -> int:
        return client.post("/v2/rerank", json={**BODY, "query": f"question {number}"}).status_code

    def flood() -> set[int]:
        limits = httpx.Limits(max_connections=8)
        with (
            httpx.Client(base_url=served.url, limits=limits, timeout=30) as client,
            concurrent.futures.ThreadPoolExecutor(8) as pool,
        ):
            return set(pool.map(lambda number: ask(client, number), range(300)))

    assert flood() <= {200, 429}
    before = memory(served)
    assert flood() <= {200, 429}

    assert memory(served) < 1.1 * before


def test_nothing_is_leaked(served: Running) -> None:
    """No traceback, path or class name in any answer to nonsense; nor one in the log."""
    bodies = [b"{", b"[]", b'{"query": 1}', b"\xff", b'{"query": "q", "documents": [[]]}']
    for path in ("/v2/rerank", "/v1/rerank", "/rerank", "/../etc/passwd", "/%00", "/v2/rerank/"):
        for body in bodies:
            answer = httpx.post(f"{served.url}{path}", content=body)
            assert 400 <= answer.status_code < 500, (path, body)
            assert not any(word in answer.text for word in ("Traceback", "/core/", "Error("))

    assert "Traceback" not in served.log


def test_over_tls(tmp_path: Path) -> None:
    """With a certificate of one's own."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("no openssl here")
    made = [openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
    made += ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"]
    made += ["-keyout", "key.pem", "-out", "cert.pem"]
    subprocess.run(made, check=True, capture_output=True, cwd=tmp_path)
    flags = ["--tls-cert", "cert.pem", "--tls-key", "key.pem"]
    with running(tmp_path, *flags, scheme="https") as server:
        known = ssl.create_default_context(cafile=str(tmp_path / "cert.pem"))
        with httpx.Client(verify=known) as client:
            assert client.post(f"{server.url}/v2/rerank", json=BODY).status_code == 200


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nowhere/"], "nowhere"),
        (["--tls-cert", "cert.pem"], "go together"),
        (["--capacity", "0"], "capacity"),
        (["--api-keys", "none.txt"], "none.txt"),
        (["--host", "203.0.113.1"], "cannot be listened on"),
    ],
)
def test_what_cannot_be_is_said_and_ends_with_2(
    tmp_path: Path, arguments: list[str], words: str
) -> None:
    """On one line."""
    import sys

    from serving.served import ROOT

    code = f"import sys; sys.path[:0] = [{str(ROOT / 'core')!r}]; "
    code += "from rerank_core.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code, "serve", *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        timeout=60,
    )

    assert done.returncode == 2
    assert words in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr
