"""Scores kept in real Redis set-ups (a cluster, Sentinel, TLS, a socket), and what befalls them.

`make real-servers` runs these; they start the servers themselves, and skip where there are none.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cache.doubles import TEXTS, Counting

from real_servers.faces import FACES, ranked
from real_servers.redis_servers import (
    PASSWORD,
    Sentinel,
    answers,
    cluster,
    ended,
    free_ports,
    over_tls,
    redis_server,
    sentinel,
    until,
)
from rerank_core import Ranking, Reason, Reranker
from rerank_core.engine import cache as policy

redis = pytest.importorskip("redis")
pytestmark = pytest.mark.slow


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy machine is not what is tested."""
    monkeypatch.setattr(policy, "STORE_TIMEOUT", 20.0)
    monkeypatch.setattr(policy, "LONGEST", 20.0)
    monkeypatch.setattr(policy, "CLOSING", 20.0)


@pytest.fixture(scope="module")
def cluster_ports(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[int]]:
    with cluster(tmp_path_factory.mktemp("cluster")) as ports:
        yield ports


@pytest.fixture(scope="module")
def tls_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with over_tls(tmp_path_factory.mktemp("tls")) as url:
        yield url


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sentinel]:
    with sentinel(tmp_path_factory.mktemp("sentinel")) as found:
        yield found


def twice(cache: Callable[[], Any], face: str, query: str) -> list[Ranking]:
    """Two rankings by rerankers of their own; the second asks nobody."""
    scorer = Counting()
    rankings = [ranked(face, scorer, query, TEXTS, cache=cache()) for _ in range(2)]
    assert [ranking.report.reasons for ranking in rankings] == [(), ()]
    assert scorer.texts_asked == len(TEXTS)
    assert rankings[1].report.cache_hits == len(TEXTS)
    first, second = ([(hit.text, hit.score) for hit in ranking] for ranking in rankings)
    assert first == second
    return rankings


@pytest.mark.usefixtures("patient")
class TestASecondRankingIsAHit:
    @pytest.mark.parametrize("face", FACES)
    def test_in_a_cluster(self, cluster_ports: list[int], face: str) -> None:
        """The keys lie on three nodes; any of them will do to begin with."""
        hosts = ",".join(f"127.0.0.1:{port}" for port in cluster_ports)
        for number, nodes in enumerate((hosts, f"127.0.0.1:{cluster_ports[1]}")):
            url = f"redis+cluster://:{PASSWORD}@{nodes}"
            twice(lambda url=url: url, face, f"{face} {number}")

    @pytest.mark.parametrize("face", FACES)
    def test_behind_sentinel(self, watched: Sentinel, face: str) -> None:
        """At the primary that it names."""
        twice(lambda: watched.url, face, face)

    @pytest.mark.parametrize("face", FACES)
    def test_over_tls_as_a_user_of_its_own(self, tls_url: str, face: str) -> None:
        """An ACL user, who may see these keys only, and a certificate of one's own."""
        twice(lambda: tls_url, face, face)

    @pytest.mark.parametrize("face", FACES)
    def test_by_a_unix_socket(self, tmp_path: Path, face: str) -> None:
        """`unix:///path`, with a password."""
        (port,) = free_ports(1)
        path = tmp_path / "redis.sock"
        options = ("--unixsocket", str(path), "--requirepass", PASSWORD)
        with ended([redis_server(tmp_path / "server", port, *options)]):
            until(answers(port, password=PASSWORD), "it answers")
            twice(lambda: f"unix://:{PASSWORD}@{path}", face, face)

    @pytest.mark.parametrize("decoded", [False, True])
    @pytest.mark.parametrize("kind", ["sync", "async"])
    def test_by_clients_of_ones_own(
        self, cluster_ports: list[int], watched: Sentinel, tls_url: str, kind: str, decoded: bool
    ) -> None:
        """They go on working afterwards: nothing of theirs is used, and nothing closed."""
        for name, client in _clients(cluster_ports, watched, tls_url, kind, decoded):
            twice(lambda client=client: client, "core", f"{name} {kind} {decoded}")
            if kind == "sync":
                assert client.get("rerank:none") is None
                client.close()

    def test_by_a_client_in_use_on_a_loop_of_ones_own(self, watched: Sentinel) -> None:
        """Its connections belong to that loop, and stay there."""
        import redis.asyncio

        async def main() -> list[int]:
            client = redis.asyncio.Redis(port=watched.ports[0], password=PASSWORD)
            await client.ping()
            reranker = Reranker(Counting(), cache=client)
            found = [(await reranker.arank("q", TEXTS)).report.cache_hits for _ in range(2)]
            assert await client.ping()
            await reranker.aclose()
            assert await client.ping()
            await client.aclose()
            return found

        assert asyncio.run(main()) == [0, len(TEXTS)]


def _clients(
    cluster_ports: list[int], watched: Sentinel, tls_url: str, kind: str, decoded: bool
) -> Iterator[tuple[str, Any]]:
    import redis.asyncio.cluster
    import redis.asyncio.sentinel
    import redis.sentinel

    place: Any = redis if kind == "sync" else redis.asyncio
    options = {"decode_responses": decoded, "password": PASSWORD}
    yield "server", place.Redis(port=watched.ports[0], **options)
    yield "tls", place.Redis.from_url(tls_url, decode_responses=decoded)
    yield "cluster", place.RedisCluster(host="127.0.0.1", port=cluster_ports[0], **options)
    manager = place.sentinel.Sentinel(
        [("127.0.0.1", watched.ports[2])], sentinel_kwargs={"password": PASSWORD}
    )
    yield "sentinel", manager.master_for("scores", **options)


class TestNothingIsLost:
    def test_a_failover_under_load(self, tmp_path: Path) -> None:
        """The primary is killed; every ranking is whole, and the new one is written to."""
        with sentinel(tmp_path) as watched, Reranker(Counting(), cache=watched.url) as reranker:
            rankings, stop = _under_load(reranker)
            watched.primary.stop()
            until(lambda: watched.is_primary(watched.ports[1]), "the replica takes over")
            stop()
            told = [ranking.report for ranking in rankings]
            until(lambda: _is_kept(reranker), "scores are kept again", 60)

        assert {report.coverage for report in told} == {1.0}
        assert not any(report.degraded for report in told)

    @pytest.mark.parametrize("how", ["stopped and started", "restarted at once"])
    def test_a_restart_under_load(self, tmp_path: Path, how: str) -> None:
        """What was kept is gone; no ranking is."""
        (port,) = free_ports(1)
        server = redis_server(tmp_path / "server", port)
        with ended([server]), Reranker(Counting(), cache=f"redis://127.0.0.1:{port}") as reranker:
            until(answers(port), "it answers")
            rankings, stop = _under_load(reranker)
            server.stop()
            if how == "stopped and started":
                until(lambda: _has_said(rankings, Reason.CACHE), "a report says so")
            server.start()
            until(answers(port), "it answers again")
            stop()
            until(lambda: _is_kept(reranker), "scores are kept again", 60)

        assert {ranking.report.coverage for ranking in rankings} == {1.0}
        assert not any(ranking.report.degraded for ranking in rankings)

    @pytest.mark.parametrize(
        ("make_ill", "says"),
        [
            (lambda client, port: client.replicaof("127.0.0.1", port + 1), "ReadOnlyError"),
            (lambda client, port: client.config_set("maxmemory", "1"), "OutOfMemoryError"),
            (lambda client, port: client.config_set("min-replicas-to-write", "1"), "NOREPLICAS"),
            (lambda client, port: client.config_set("requirepass", "other"), "Authentication"),
        ],
        ids=["read-only", "full", "without replicas", "another password"],
    )
    def test_a_server_that_takes_nothing_more(
        self,
        tmp_path: Path,
        caplog: pytest.LogCaptureFixture,
        make_ill: Callable[[Any, int], Any],
        says: str,
    ) -> None:
        """Is named in the report, and no value of it in any log."""
        (port,) = free_ports(1)
        with ended([redis_server(tmp_path / "server", port)]), caplog.at_level(logging.DEBUG):
            until(answers(port), "it answers")
            with redis.Redis(port=port) as client:
                make_ill(client, port)
            with Reranker(Counting(), cache=f"redis://127.0.0.1:{port}") as reranker:
                report = reranker.rank("q", TEXTS).report

        assert (report.coverage, report.degraded) == (1.0, False)
        assert report.reasons == (Reason.CACHE,)
        assert says in report.why
        for trace in ("\\x", "rerank:", "SET "):
            assert trace not in report.why + caplog.text

    def test_what_is_evicted_is_asked_again(self, tmp_path: Path) -> None:
        """And nothing is said, for that is what eviction is for."""
        (port,) = free_ports(1)
        options = ("--maxmemory-policy", "allkeys-lru")
        with ended([redis_server(tmp_path / "server", port, *options)]):
            until(answers(port), "it answers")
            with Reranker(Counting(), cache=f"redis://127.0.0.1:{port}") as reranker:
                reranker.rank("q", TEXTS)
                with redis.Redis(port=port) as client:
                    client.config_set("maxmemory", "1")
                    until(lambda: client.dbsize() == 0 or client.set("x", "y") is None, "evicted")
                    client.config_set("maxmemory", "0")
                report = reranker.rank("q", TEXTS).report

        assert (report.cache_hits, report.coverage) == (0, 1.0)

    def test_a_plain_url_to_a_cluster_says_what_to_write(self, cluster_ports: list[int]) -> None:
        """The ranking is whole."""
        url = f"redis://:{PASSWORD}@127.0.0.1:{cluster_ports[0]}"
        with Reranker(Counting(), cache=url) as reranker:
            report = reranker.rank("q", TEXTS).report

        assert report.coverage == 1.0
        assert "redis+cluster://" in report.why


def _under_load(reranker: Reranker) -> tuple[list[Ranking], Callable[[], None]]:
    """Rankings, known ones and new, from three threads until they are stopped."""
    rankings: list[Ranking] = []
    ending = threading.Event()

    def go(of: int) -> None:
        number = 0
        while not ending.is_set():
            number += 1
            rankings.append(reranker.rank(f"{of} {number % 7} {number // 50}", TEXTS))
            time.sleep(0.01)

    threads = [threading.Thread(target=go, args=(of,)) for of in range(3)]
    for thread in threads:
        thread.start()
    until(lambda: len(rankings) > 10, "rankings come in")

    def stop() -> None:
        ending.set()
        for thread in threads:
            thread.join()

    return rankings, stop


def _is_kept(reranker: Reranker) -> bool:
    """Whether a question that is asked twice is a hit now."""
    query = f"now {time.monotonic()}"
    reranker.rank(query, TEXTS)
    report = reranker.rank(query, TEXTS).report
    return report.cache_hits == len(TEXTS) and Reason.CACHE not in report.reasons


def _has_said(rankings: list[Ranking], reason: Reason) -> bool:
    return any(reason in ranking.report.reasons for ranking in list(rankings))
