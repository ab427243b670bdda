"""Redis: shared by machines, gone at times, and behind a password that nobody sees."""

from __future__ import annotations

import asyncio
import logging
import os
import pickle
import subprocess
import sys
import traceback
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
from loopback.nowhere import black_hole, refusing

from cache.conftest import PASSWORD
from cache.doubles import TEXTS, Counting
from rerank_core import ConfigurationError, Reason, Reranker, RerankError
from rerank_core.stores import RedisStore
from rerank_core.stores.redis import of_a_file

pytest.importorskip("redis")


class TestThePassword:
    @pytest.mark.parametrize(
        ("url", "shown"),
        [
            ("redis://:s3same-open@host:1/2", "redis://host:1/2"),
            ("rediss://me:s3same-open@host?db=3", "rediss://me@host?db=3"),
            ("redis://host/0?password=s3same-open&db=3", "redis://host/0?db=3"),
            ("unix://me:s3same-open@/run/redis.sock", "unix://me@/run/redis.sock"),
            ("unix:///run/redis.sock?password=s3same-open", "unix:///run/redis.sock"),
            ("redis://:s3same%2Dopen@host", "redis://host"),
            ("redis://host:1", "redis://host:1"),
        ],
    )
    def test_is_not_shown(self, url: str, shown: str) -> None:
        """Wherever in the URL it stands; it is found there all the same."""
        store = RedisStore(url)

        assert store.url == shown
        assert (store._password is None) == (url == shown)
        assert store._password is None or store._password.reveal() == PASSWORD
        assert PASSWORD not in repr(store) + repr(vars(store)) + str(pickle.dumps(store))

    def test_is_in_no_log_exception_or_report(
        self, redis_server: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        """Whether it is right, wrong, or the server is not there."""
        wrong = redis_server.replace(PASSWORD, f"wrong-{PASSWORD}")
        seen = []
        with caplog.at_level(logging.DEBUG), refusing() as address:
            for url in (redis_server, wrong, address.replace("http://", f"redis://:{PASSWORD}@")):
                with Reranker(Counting(), cache=url) as reranker:
                    seen += [repr(reranker), str(reranker.rank("q", TEXTS).report.to_dict())]
                    seen += [str(pickle.dumps(reranker)), repr(vars(reranker))]
                seen.append(asyncio.run(_trouble(url)))

        assert PASSWORD not in "".join(seen) + caplog.text
        assert "Redis: " in seen[-1]

    def test_comes_from_the_environment_after_a_pickle(
        self, redis_url: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """And if it is not there, there is no cache, and the report names the variable."""
        first = Reranker(Counting(), cache=redis_url)
        first.rank("q", TEXTS)
        first.close()
        without = pickle.loads(pickle.dumps(first))
        monkeypatch.setenv("REDIS_PASSWORD", PASSWORD)
        with_it = pickle.loads(pickle.dumps(first))
        assert with_it.rank("q", TEXTS).report.cache_hits == len(TEXTS)
        with_it.close()
        monkeypatch.delenv("REDIS_PASSWORD")

        report = without.rank("q", TEXTS).report

        assert report.coverage == 1.0
        assert "REDIS_PASSWORD" in report.why

    def test_comes_from_the_environment_for_a_configuration_file(
        self, redis_server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Which holds none, whether it was written here or by hand."""
        file = tmp_path / "reranker.toml"
        with Reranker("bm25", cache=redis_server) as reranker:
            reranker.to_config(file)
        assert PASSWORD not in file.read_text()
        monkeypatch.setenv("REDIS_PASSWORD", PASSWORD)

        with Reranker.from_config(file, scorer=Counting()) as reranker:
            reports = [reranker.rank("q", TEXTS).report for _ in range(2)]

        assert [report.notes for report in reports] == [(), ()]
        assert reports[1].cache_hits == len(TEXTS)
        assert PASSWORD not in repr(reranker) + repr(vars(reranker))

    @pytest.mark.parametrize(
        ("url", "whole"),
        [
            ("redis://me@host:1/2", "redis://me@host:1/2?password=s3same-open"),
            ("redis://host?db=3", "redis://host?db=3&password=s3same-open"),
            (
                "redis+sentinel://a:1,b:2/scores",
                "redis+sentinel://a:1,b:2/scores?password=s3same-open&sentinel_password=a%26b",
            ),
        ],
    )
    def test_is_found_in_the_environment_by_any_url(
        self, url: str, whole: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Sentinel's own has a variable of its own."""
        assert of_a_file(url) == url
        monkeypatch.setenv("REDIS_PASSWORD", PASSWORD)
        monkeypatch.setenv("REDIS_SENTINEL_PASSWORD", "a&b")

        assert of_a_file(url) == whole
        assert RedisStore(of_a_file(url)).url == url


async def _trouble(url: str) -> str:
    store = RedisStore(url)
    try:
        await store.get_many(["ab"])
        await store.set_many({"ab": (0.5, None)})
    except RerankError as error:
        return "".join(traceback.format_exception(error))
    finally:
        await store.aclose()
    return ""


class TestTheServer:
    def test_holds_no_text(self, redis_url: str) -> None:
        """Hashes and numbers only."""
        import redis

        with Reranker(Counting(), cache=redis_url) as reranker:
            reranker.rank("the secret question", TEXTS)
        with redis.Redis.from_url(redis_url) as client:
            names = list(client.scan_iter())
            content = b"".join(names) + b"".join(client.mget(names))
            lifetimes = [client.pttl(name) for name in names]

        assert len(names) == len(TEXTS)
        for word in ("secret", "question", "alpha", "beta", "counting"):
            assert word.encode() not in content
        assert min(lifetimes) > 0

    @pytest.mark.usefixtures("hurry")
    @pytest.mark.parametrize("gone", [refusing, black_hole])
    def test_may_be_gone(self, gone: Callable[[], AbstractContextManager[str]]) -> None:
        """A ranking is whole without it, whether connecting fails or never ends."""
        with (
            gone() as address,
            Reranker(Counting(), cache=address.replace("http", "redis")) as reranker,
        ):
            report = reranker.rank("q", TEXTS).report

        assert report.coverage == 1.0
        assert not report.degraded
        assert report.reasons == (Reason.CACHE,)

    def test_may_hold_nonsense(self, redis_url: str) -> None:
        """What nobody of ours has written is asked again."""
        import redis

        reranker = Reranker(Counting(), cache=redis_url)
        reranker.rank("q", TEXTS)
        reranker.close()
        with redis.Redis.from_url(redis_url) as client:
            good, short, moved, *_ = sorted(client.scan_iter())
            client.set(short, b"0.99")
            client.set(moved, client.get(good))

        fresh = Counting()
        with Reranker(fresh, cache=redis_url) as reranker:
            ranking = reranker.rank("q", TEXTS)

        assert ranking.report.cache_hits == len(TEXTS) - 2
        assert fresh.texts_asked == 2
        assert ranking.to_dicts() == Reranker(Counting()).rank("q", TEXTS).to_dicts()

    @pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
    def test_is_spoken_to_by_each_process_for_itself(self, redis_url: str) -> None:
        """After a fork the child opens a connection of its own."""
        code = (
            "import os, sys, warnings; warnings.simplefilter('ignore')\n"
            "from cache.doubles import Counting, TEXTS\n"
            "from rerank_core import Reranker\n"
            "from rerank_core.engine import cache; cache.STORE_TIMEOUT = 20.0\n"
            "r = Reranker(Counting(), cache=sys.argv[1])\n"
            "r.rank('before', TEXTS)\n"
            "pid = os.fork()\n"
            "hits = [r.rank('before', TEXTS).report.cache_hits for _ in range(20)]\n"
            "assert hits == [len(TEXTS)] * 20, hits\n"
            "r.close()\n"
            "if pid == 0: os._exit(0)\n"
            "raise SystemExit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))\n"
        )
        environment: dict[str, Any] = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
        command = [sys.executable, "-c", code, redis_url]

        assert subprocess.run(command, env=environment, timeout=60, check=False).returncode == 0


class TestWhereItIs:
    @pytest.mark.parametrize(
        ("url", "kind", "nodes", "settings"),
        [
            ("redis+cluster://a", "cluster", (("a", 6379),), {}),
            (
                f"redis+cluster://me:{PASSWORD}@a:1,b:2?socket_timeout=3",
                "cluster",
                (("a", 1), ("b", 2)),
                {"username": "me", "socket_timeout": 3.0},
            ),
            ("rediss+cluster://[::1]:7/0", "cluster", (("::1", 7),), {"ssl": True}),
            ("redis+sentinel://a/scores", "sentinel", (("a", 26379),), {}),
            (
                f"redis+sentinel://:{PASSWORD}@a:1,b:2/scores/3",
                "sentinel",
                (("a", 1), ("b", 2)),
                {"db": 3},
            ),
            (
                f"rediss+sentinel://me@a:1/scores?ssl_ca_certs=x&sentinel_password={PASSWORD}",
                "sentinel",
                (("a", 1),),
                {"ssl": True, "ssl_ca_certs": "x", "username": "me"},
            ),
        ],
    )
    def test_a_url_says(
        self, url: str, kind: str, nodes: tuple[Any, ...], settings: dict[str, Any]
    ) -> None:
        """Its nodes and settings; no password among them."""
        store = RedisStore(url)
        target = store._target

        assert (target.kind, target.nodes) == (kind, nodes)
        assert {name: value for name, value in target.settings.items() if value != 0} == settings
        assert PASSWORD not in repr(store) + repr(vars(store)) + str(pickle.dumps(store))

    @pytest.mark.parametrize(
        ("url", "says"),
        [
            ("redis+sentinel://a:1", "names the service"),
            ("redis+sentinel://a:1/", "names the service"),
            ("redis+cluster://a:1/2", "one database"),
            ("redis+cluster://a:port", "host:port"),
            ("redis+proxy://a", "begins with"),
            ("redis+sentinel://a/scores/x", "cannot be read|database"),
            ("redis+cluster://a?secret_token=abcdefgh1", "client"),
        ],
    )
    def test_a_url_that_leads_nowhere_is_refused(self, url: str, says: str) -> None:
        """At construction."""
        with pytest.raises(ConfigurationError, match=says):
            RedisStore(url)

    @pytest.mark.parametrize("kind", ["sync", "async"])
    def test_a_client_of_ones_own_says(self, redis_url: str, kind: str) -> None:
        """It is a cache as it stands, does not pickle, and shows no password."""
        import redis.asyncio

        place: Any = redis if kind == "sync" else redis.asyncio
        client = place.Redis.from_url(redis_url, decode_responses=True)
        with Reranker(Counting(), cache=client) as reranker:
            hits = [reranker.rank("q", TEXTS).report.cache_hits for _ in range(2)]
            with pytest.raises(ConfigurationError, match="cannot be pickled"):
                pickle.loads(pickle.dumps(reranker.cache))
            assert PASSWORD not in repr(reranker.cache)

        assert hits == [0, len(TEXTS)]
