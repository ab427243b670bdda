"""A Redis server of the tests' own, and the three stores."""

from __future__ import annotations

import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from rerank_core.engine import cache as policy
from rerank_core.protocols import ScoreStore
from rerank_core.stores import MemoryStore, RedisStore, SqliteStore

PASSWORD = "s3same-open"
STORES = ["memory", "sqlite", "redis"]


@pytest.fixture(autouse=True)
def _patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy machine is not what is tested: what should work is given the time."""
    monkeypatch.setattr(policy, "STORE_TIMEOUT", 20.0)
    monkeypatch.setattr(policy, "SHARE", 1.0)
    monkeypatch.setattr(policy, "LONGEST", 20.0)
    monkeypatch.setattr(policy, "CLOSING", 20.0)


@pytest.fixture
def hurry(monkeypatch: pytest.MonkeyPatch, _patience: None) -> None:
    """What should not work is not waited for."""
    monkeypatch.setattr(policy, "STORE_TIMEOUT", 0.1)
    monkeypatch.setattr(policy, "COOLDOWN", 0.5)
    monkeypatch.setattr(policy, "CLOSING", 1.0)


@pytest.fixture(scope="session")
def redis_server() -> Iterator[str]:
    """The URL, password included, of a server that keeps nothing beyond the tests."""
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip("no redis-server here: apt-get install redis-server")
    pytest.importorskip("redis")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        options = f"--port {port} --bind 127.0.0.1 --appendonly no --requirepass {PASSWORD}"
        server = subprocess.Popen(
            [program, *options.split(), "--save", "", "--dir", folder], stdout=subprocess.DEVNULL
        )
        try:
            _wait_for(port)
            yield f"redis://:{PASSWORD}@127.0.0.1:{port}/0"
        finally:
            server.terminate()
            server.wait(10)


def _wait_for(port: int) -> None:
    for _ in range(200):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise RuntimeError("redis-server did not start")


@pytest.fixture
def redis_url(redis_server: str) -> Iterator[str]:
    """The server, empty."""
    import redis

    with redis.Redis.from_url(redis_server) as client:
        client.flushall()
        yield redis_server


@pytest.fixture(params=STORES)
def cache(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    """What is passed as `Reranker(cache=…)` for each kind of store."""
    if request.param == "redis":
        return request.getfixturevalue("redis_url")
    return "memory" if request.param == "memory" else tmp_path / "scores.sqlite"


@pytest.fixture(params=STORES)
def make_store(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[..., ScoreStore]:
    """Makes a store of each kind, with its options."""
    if request.param == "memory":
        return MemoryStore
    if request.param == "sqlite":
        return lambda **options: SqliteStore(tmp_path / "scores.sqlite", **options)
    url = request.getfixturevalue("redis_url")
    return lambda **options: RedisStore(url, **options)
