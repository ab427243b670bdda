"""An application asked in process, and the command in a process of its own."""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
from real_servers.redis_servers import free_ports, until

from rerank_core import Reranker
from rerank_core.serving.app import make_app
from rerank_core.serving.keys import Keys
from rerank_core.serving.limits import Limits
from rerank_core.serving.models import Models

ROOT = Path(__file__).resolve().parents[2]
QUERY = "capital of Italy"
TEXTS = ["Paris is in France", "Rome, the capital of Italy", "Oslo"]

Source = Path | Mapping[str, Reranker]


def run(
    source: Source,
    talk: Callable[[httpx.AsyncClient, Models], Awaitable[Any]],
    *,
    limits: Limits | None = None,
    keys: Keys | None = None,
) -> Any:
    """Have `talk` talk to the application while it lives."""

    async def main() -> Any:
        limited = limits or Limits()
        models = Models(source, limited)
        app = make_app(models, limits=limited, keys=keys)
        async with app.router.lifespan_context(app):
            await models.load()
            transport = httpx.ASGITransport(app)
            async with httpx.AsyncClient(transport=transport, base_url="http://served") as client:
                return await talk(client, models)

    return asyncio.run(main())


def ask(source: Source, path: str, body: Any, *, headers: Any = None, **how: Any) -> httpx.Response:
    """One request: a dict goes as JSON, bytes as they are."""

    async def talk(client: httpx.AsyncClient, models: Models) -> httpx.Response:
        if isinstance(body, bytes):
            return await client.post(path, content=body, headers=headers)
        return await client.post(path, json=body, headers=headers)

    answer: httpx.Response = run(source, talk, **how)
    return answer


class Running:
    """`rerank serve` on a free port."""

    def __init__(self, folder: Path, process: subprocess.Popen[bytes], url: str) -> None:
        self.folder, self.process, self.url = folder, process, url

    @property
    def log(self) -> str:
        return (self.folder / "serve.log").read_text()


@contextlib.contextmanager
def running(
    folder: Path,
    *arguments: str,
    scheme: str = "http",
    environment: Mapping[str, str] | None = None,
) -> Iterator[Running]:
    """The command, ready to answer; ended by its pid."""
    folder.mkdir(parents=True, exist_ok=True)
    (port,) = free_ports(1)
    code = "import sys; from rerank_core.cli import main; main()"
    command = [sys.executable, "-c", code, "serve", *arguments, "--port", str(port)]
    known = {**os.environ, "PYTHONPATH": str(ROOT / "core"), **(environment or {})}
    with (folder / "serve.log").open("w") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, env=known, cwd=folder)
    url = f"{scheme}://127.0.0.1:{port}"
    try:
        with httpx.Client(verify=False) as client:
            until(lambda: client.get(f"{url}/ready").status_code == 200, "it is ready")
        yield Running(folder, process, url)
    finally:
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(10)
