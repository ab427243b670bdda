"""Redis as it is run: alone behind TLS, as a cluster, under Sentinel. From Debian's packages.

Each on free ports of loopback, in a folder of its own, ended by its pid.
"""

from __future__ import annotations

import contextlib
import random
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

PASSWORD = "s3same-open"


def until(true: Callable[[], Any], what: str, seconds: float = 60.0) -> Any:
    """Wait until it is so, whatever it raises before."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with contextlib.suppress(Exception):
            if found := true():
                return found
        time.sleep(0.1)
    raise AssertionError(f"it never happened: {what}")


def program(name: str, package: str) -> str:
    """Where it is; skips the test where it is not."""
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"no {name} here: apt-get install {package}")
    return found


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on, in a range whose ports 10,000 higher a cluster may use too."""
    ports: list[int] = []
    while len(ports) < count:
        port = random.randrange(20_000, 30_000)
        with socket.socket() as probe:
            if port not in ports and probe.connect_ex(("127.0.0.1", port)) != 0:
                ports.append(port)
    return ports


class Process:
    """A server that can be stopped and started again."""

    def __init__(self, command: list[str], folder: Path) -> None:
        self.command, self.folder = command, folder
        folder.mkdir(parents=True, exist_ok=True)
        self.start()

    def start(self) -> None:
        with (self.folder / "log").open("a") as log:
            self.running = subprocess.Popen(
                self.command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, cwd=self.folder
            )

    def stop(self) -> None:
        self.running.kill()
        self.running.wait(10)


@contextlib.contextmanager
def ended(processes: list[Process]) -> Iterator[list[Process]]:
    try:
        yield processes
    finally:
        for process in processes:
            process.stop()


def redis_server(folder: Path, port: int, *options: str) -> Process:
    command = [program("redis-server", "redis-server"), "--port", str(port), "--bind", "127.0.0.1"]
    plain = ["--save", "", "--appendonly", "no", "--protected-mode", "no", "--dir", str(folder)]
    return Process([*command, *plain, *options], folder)


def answers(port: int, **options: Any) -> Callable[[], Any]:
    import redis

    def ping() -> Any:
        with redis.Redis(port=port, **options) as client:
            return client.ping()

    return ping


@contextlib.contextmanager
def cluster(folder: Path) -> Iterator[list[int]]:
    """The ports of three nodes that share the slots, behind a password."""
    ports = free_ports(3)
    options = ("--cluster-enabled", "yes", "--requirepass", PASSWORD, "--masterauth", PASSWORD)
    nodes = [redis_server(folder / str(port), port, *options) for port in ports]
    with ended(nodes):
        for port in ports:
            until(answers(port, password=PASSWORD), "a node answers")
        made = [program("redis-cli", "redis-tools"), "-a", PASSWORD, "--cluster", "create"]
        made += [f"127.0.0.1:{port}" for port in ports] + ["--cluster-yes"]
        subprocess.run(made, check=True, capture_output=True, timeout=60)
        for port in ports:
            until(lambda port=port: _whole(port), "the cluster is whole")
        yield ports


def _whole(port: int) -> bool:
    import redis

    with redis.Redis(port=port, password=PASSWORD, decode_responses=True) as client:
        return "ok" in str(client.execute_command("CLUSTER INFO").get("cluster_state"))


class Sentinel:
    """A primary, its replica, and the sentinel that watches them under the name "scores"."""

    def __init__(self, primary: Process, replica: Process, ports: list[int]) -> None:
        self.primary, self.replica, self.ports = primary, replica, ports

    @property
    def url(self) -> str:
        return (
            f"redis+sentinel://:{PASSWORD}@127.0.0.1:{self.ports[2]}/scores/0"
            f"?sentinel_password={PASSWORD}"
        )

    def is_primary(self, port: int) -> bool:
        import redis

        with redis.Redis(port=port, password=PASSWORD) as client:
            return client.info("replication")["role"] == "master"


@contextlib.contextmanager
def sentinel(folder: Path) -> Iterator[Sentinel]:
    """One that finds a primary gone after half a second."""
    watch = program("redis-sentinel", "redis-sentinel")
    ports = free_ports(3)
    keys = ("--requirepass", PASSWORD, "--masterauth", PASSWORD)
    primary = redis_server(folder / "primary", ports[0], *keys)
    replica = redis_server(
        folder / "replica", ports[1], *keys, "--replicaof", f"127.0.0.1 {ports[0]}"
    )
    with ended([primary, replica]) as processes:
        for port in ports[:2]:
            until(answers(port, password=PASSWORD), "a server answers")
        config = folder / "sentinel.conf"
        config.write_text(
            f"port {ports[2]}\nbind 127.0.0.1\nprotected-mode no\nrequirepass {PASSWORD}\n"
            f"sentinel monitor scores 127.0.0.1 {ports[0]} 1\n"
            f"sentinel auth-pass scores {PASSWORD}\n"
            "sentinel down-after-milliseconds scores 500\nsentinel failover-timeout scores 3000\n"
        )
        processes.append(Process([watch, str(config)], folder / "sentinel"))
        until(lambda: _knows_a_replica(ports[2]), "the sentinel knows both")
        yield Sentinel(primary, replica, ports)


def _knows_a_replica(port: int) -> bool:
    import redis

    with redis.Redis(port=port, password=PASSWORD) as client:
        found = client.sentinel_slaves("scores")
        return bool(found) and found[0]["master-link-status"] == "ok"


@contextlib.contextmanager
def over_tls(folder: Path) -> Iterator[str]:
    """The URL of a server that speaks TLS only, with a certificate of the tests' own."""
    openssl = program("openssl", "openssl")
    certificate, key = folder / "cert.pem", folder / "key.pem"
    made = [openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
    made += ["-keyout", str(key), "-out", str(certificate), "-subj", "/CN=localhost"]
    made += ["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
    subprocess.run(made, check=True, capture_output=True, timeout=60)
    (port,) = free_ports(1)
    options = ["--tls-port", str(port), "--tls-cert-file", str(certificate)]
    options += ["--tls-key-file", str(key), "--tls-auth-clients", "no"]
    users = folder / "users.acl"
    users.write_text(f"user scores on >{PASSWORD} ~rerank:* +@all\nuser default off\n")
    server = redis_server(folder / "tls", 0, *options, "--aclfile", str(users))
    with ended([server]):
        trusted = {"ssl": True, "ssl_ca_certs": str(certificate)}
        until(answers(port, username="scores", password=PASSWORD, **trusted), "it answers over TLS")
        yield f"rediss://scores:{PASSWORD}@localhost:{port}/0?ssl_ca_certs={certificate}"
