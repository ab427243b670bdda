"""What a request takes in the frameworks and servers that `rerank serve` could stand on.

    pip install starlette litestar 'uvicorn[standard]' granian
    python benchmarks/http_servers.py [--requests 600] [--rounds 5]

The same handler in each: JSON of 50 documents read, 50 results written, nothing ranked. Each server
is a process of its own on loopback, asked over 8 kept connections; rounds are interleaved. Printed:
milliseconds of wall time a request, the median of the rounds, and the resident memory at the end.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import socket
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

CONNECTIONS = 8
BODY = json.dumps(
    {"model": "m", "query": "how do I cancel a task?", "documents": ["a passage " * 50] * 50}
).encode()


def ranked(body: bytes) -> bytes:
    asked = json.loads(body)
    results = [{"index": at, "relevance_score": 0.5} for at in range(len(asked["documents"]))]
    return json.dumps({"id": "1", "results": results}).encode()


def starlette_app() -> Any:
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route

    async def rerank(request: Request) -> Response:
        return Response(ranked(await request.body()), media_type="application/json")

    return Starlette(routes=[Route("/v2/rerank", rerank, methods=["POST"])])


def litestar_app() -> Any:
    from litestar import Litestar, MediaType, Request, Response, post

    @post("/v2/rerank", status_code=200)
    async def rerank(request: Request[Any, Any, Any]) -> Response[bytes]:
        return Response(ranked(await request.body()), media_type=MediaType.JSON)

    # annotations are strings here, and Litestar looks them up where the module has them
    rerank.fn.__globals__.update(Request=Request, Response=Response)
    return Litestar([rerank], openapi_config=None)


def serve(app: str, server: str, port: int) -> None:
    if server == "granian":
        from granian import Granian

        target = f"{Path(__file__).stem}:{app}_app"
        Granian(target, port=port, interface="asgi", factory=True, log_enabled=False).serve()
        return
    import uvicorn

    http, _, loop = server.removeprefix("uvicorn ").partition("+")
    application = globals()[f"{app}_app"]()
    kind: Any = {"port": port, "http": http, "loop": loop or "asyncio", "log_level": "error"}
    uvicorn.run(application, access_log=False, **kind)


async def connected(port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    for _ in range(200):
        try:
            return await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.05)
    raise RuntimeError("it did not start")


async def asked(port: int, requests: int) -> float:
    """Seconds a request, over so many connections at once."""
    connections = [await connected(port) for _ in range(CONNECTIONS)]
    head = f"POST /v2/rerank HTTP/1.1\r\nHost: x\r\nContent-Length: {len(BODY)}\r\n\r\n".encode()

    async def ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for _ in range(requests // CONNECTIONS):
            writer.write(head + BODY)
            answer = (await reader.readuntil(b"\r\n\r\n")).lower()
            assert answer.startswith(b"http/1.1 200"), answer
            size = int(answer.partition(b"content-length:")[2].split(b"\r\n")[0])
            await reader.readexactly(size)
        writer.close()

    started = time.perf_counter()
    await asyncio.gather(*(ask(*connection) for connection in connections))
    return (time.perf_counter() - started) / requests


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--requests", type=int, default=600)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--serve", nargs=3)
    given = parser.parse_args()
    if given.serve:
        serve(given.serve[0], given.serve[1], int(given.serve[2]))
        return
    servers = ("uvicorn h11", "uvicorn httptools", "uvicorn httptools+uvloop", "granian")
    kinds = [(app, server) for app in ("starlette", "litestar") for server in servers]
    running: dict[tuple[str, str], tuple[int, subprocess.Popen[bytes]]] = {}
    for kind in kinds:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        command = [sys.executable, __file__, "--serve", *kind, str(port)]
        folder = Path(__file__).parent
        running[kind] = port, subprocess.Popen(command, cwd=folder, env=dict(os.environ))
    try:
        seconds: dict[tuple[str, str], list[float]] = {kind: [] for kind in kinds}
        for turn in range(given.rounds + 1):
            for kind in kinds:
                took = asyncio.run(asked(running[kind][0], given.requests))
                if turn:  # the first is to warm up
                    seconds[kind].append(took)
        print(f"{'':10} {'':26} ms a request   MiB")
        for app, server in kinds:
            took = statistics.median(seconds[app, server])
            print(
                f"{app:10} {server:26} {1000 * took:12.2f} {memory(running[app, server][1]):5.0f}"
            )
    finally:
        for _, process in running.values():
            process.terminate()
        for _, process in running.values():
            process.wait(10)


def memory(process: subprocess.Popen[bytes]) -> float:
    """MiB resident, of it and its children."""
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    pids = [str(process.pid), *children]
    pages = sum(int(Path(f"/proc/{pid}/statm").read_text().split()[1]) for pid in pids)
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


if __name__ == "__main__":
    main()
