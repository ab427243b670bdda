"""A cache file among the accidents of life: other processes, kill -9, and what files become."""

from __future__ import annotations

import asyncio
import logging
import os
import random
import signal
import sqlite3
import stat
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cache.doubles import TEXTS, Counting
from rerank_core import Ranking, Reason, Reranker
from rerank_core.engine.cache_keys import text_keys
from rerank_core.stores import SqliteStore

LINES = 300
KEYS = text_keys("f", "q", [str(number) for number in range(LINES)])


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "scores.sqlite"


def rank(file: Path, times: int = 2) -> tuple[list[Ranking], Counting]:
    """Rank the same by a new reranker each time."""
    scorer, rankings = Counting(), []
    for _ in range(times):
        with Reranker(scorer, cache=file) as reranker:
            rankings.append(reranker.rank("q", TEXTS))
    return rankings, scorer


def fill(file: Path, count: int = LINES) -> None:
    async def main() -> None:
        store = SqliteStore(file)
        await store.set_many({key: (n / LINES, float(n)) for n, key in enumerate(KEYS[:count])})
        await store.aclose()

    asyncio.run(main())


def kept(file: Path) -> dict[str, Any]:
    async def main() -> Any:
        store = SqliteStore(file)
        found = await store.get_many(KEYS)
        await store.aclose()
        return found

    return dict(asyncio.run(main()))


def python(code: str, *args: object, stdout: int = subprocess.DEVNULL) -> subprocess.Popen[bytes]:
    """Another process, which imports from where this one does."""
    command = [sys.executable, "-c", code, *map(str, args)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    return subprocess.Popen(command, env=environment, stdout=stdout)


class TestTheFile:
    def test_is_for_its_owner_only(self, file: Path) -> None:
        """Also the two that SQLite keeps beside it, and whatever the umask is."""
        before = os.umask(0)
        try:
            reranker = Reranker(Counting(), cache=file)
            reranker.rank("q", TEXTS)
            modes = {each.name: stat.S_IMODE(each.stat().st_mode) for each in _family(file)}
            reranker.close()
        finally:
            os.umask(before)

        assert modes == dict.fromkeys(
            ["scores.sqlite", "scores.sqlite-shm", "scores.sqlite-wal"], 0o600
        )

    def test_holds_no_text(self, file: Path) -> None:
        """Neither query nor document, in any of its files."""
        secret = "the patient was told on Tuesday"
        reranker = Reranker(Counting(), cache=file)
        reranker.rank(f"what about {secret}?", [secret, f"{secret}, they say", *TEXTS])
        content = b"".join(each.read_bytes() for each in _family(file))
        reranker.close()

        assert len(content) > 1000
        # "on" stands in a few thousand bytes of keys and times by chance
        words = [word for word in secret.lower().split() if len(word) > 3]
        for word in (*words, "counting", "alpha", "beta"):
            for encoding in ("utf-8", "utf-16-le"):
                assert word.encode(encoding) not in content.lower()

    def test_and_the_folders_on_its_way_are_made(self, tmp_path: Path) -> None:
        """`cache="~/.cache/app/scores.db"` needs no preparation."""
        rankings, _ = rank(tmp_path / "not" / "yet" / "there.db")

        assert rankings[1].report.cache_hits == len(TEXTS)

    def test_may_be_removed_under_way(self, file: Path) -> None:
        """A new one is begun."""
        with Reranker(Counting(), cache=file) as reranker:
            reranker.rank("q", TEXTS)
            for each in _family(file):
                each.unlink()
            reports = [reranker.rank("another", TEXTS).report for _ in range(2)]

        assert [report.cache_hits for report in reports] == [0, len(TEXTS)]
        assert [report.cache_hit_rate for report in reports] == [0.0, 1.0]
        assert rank(file, times=1)[0][0].report.cache_hits == 0
        assert file.stat().st_size > 0

    def test_grows_no_further_than_its_bound(self, file: Path) -> None:
        """The room of what was forgotten is used again."""

        async def write(first: int, last: int) -> None:
            store = SqliteStore(file, max_scores=500)
            for turn in range(first, last):
                keys = text_keys("f", str(turn), [str(number) for number in range(250)])
                await store.set_many(dict.fromkeys(keys, (0.5, None)))
            await store.aclose()

        asyncio.run(write(0, 10))
        early = file.stat().st_size
        asyncio.run(write(10, 40))

        assert file.stat().st_size <= 1.2 * early


def _family(file: Path) -> list[Path]:
    return sorted(file.parent.glob(file.name + "*"))


def _text(file: Path) -> None:
    file.write_text("Dear diary, this is no database. " * 500)


def _zeros(file: Path) -> None:
    file.write_bytes(bytes(5000))


def _truncated(file: Path) -> None:
    fill(file)
    os.truncate(file, file.stat().st_size // 2)


def _stub(file: Path) -> None:
    fill(file)
    os.truncate(file, 60)


def _empty(file: Path) -> None:
    file.touch()


def _scrambled(file: Path) -> None:
    fill(file)
    content = bytearray(file.read_bytes())
    content[200:] = random.Random(7).randbytes(len(content) - 200)
    file.write_bytes(content)


def _header_gone(file: Path) -> None:
    fill(file)
    with file.open("r+b") as raw:
        raw.write(b"?" * 100)


def _stray_log(file: Path) -> None:
    fill(file)
    file.with_name(file.name + "-wal").write_bytes(random.Random(7).randbytes(9000))


def _older_layout(file: Path) -> None:
    fill(file)
    db = sqlite3.connect(file)
    db.execute("PRAGMA user_version = 0")
    db.execute("ALTER TABLE scores DROP COLUMN written")
    db.close()


class TestADamagedFile:
    @pytest.mark.parametrize(
        ("damage", "moved"),
        [
            (_text, True),
            (_zeros, True),
            (_truncated, True),
            (_stub, True),
            (_scrambled, True),
            (_header_gone, True),
            (_empty, False),
            (_stray_log, False),
            (_older_layout, False),
        ],
    )
    def test_is_moved_aside_and_begun_anew(
        self,
        file: Path,
        damage: Callable[[Path], None],
        moved: bool,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        """One warning, nothing raised, and the next run finds what this one wrote."""
        damage(file)
        content = file.read_bytes()

        with caplog.at_level(logging.WARNING, "rerank_core"):
            rankings, scorer = rank(file)

        bare = Reranker(Counting()).rank("q", TEXTS)
        aside = list(file.parent.glob("*.damaged-*[0-9]"))
        assert [r.to_dicts() for r in rankings] == [bare.to_dicts()] * 2
        assert [r.report.cache_hits for r in rankings] == [0, len(TEXTS)]
        assert scorer.texts_asked == len(TEXTS)
        assert not any(r.report.reasons for r in rankings)
        assert [each.read_bytes() for each in aside] == ([content] if moved else [])
        assert len(caplog.records) == len(aside)
        assert all("begun anew" in record.message for record in caplog.records)

    def test_is_found_out_under_way_too(self, file: Path) -> None:
        """By whoever has it open."""
        with Reranker(Counting(), cache=file) as reranker:
            reranker.rank("q", TEXTS)
            with file.open("r+b") as raw:
                raw.write(random.Random(7).randbytes(file.stat().st_size))
            os.truncate(f"{file}-wal", 0)
            rankings = [reranker.rank(f"query {number}", TEXTS) for number in range(3)]

        assert all(ranking.report.coverage == 1.0 for ranking in rankings)
        assert rank(file)[0][1].report.cache_hits == len(TEXTS)

    @pytest.mark.parametrize("seed", range(20))
    def test_never_invents_a_score(self, file: Path, seed: int) -> None:
        """Whatever a few overwritten bytes do, what it still gives is what it was given."""
        fill(file)
        chance = random.Random(seed)
        with file.open("r+b") as raw:
            for _ in range(8):
                raw.seek(chance.randrange(100, file.stat().st_size))
                raw.write(chance.randbytes(4))

        async def main() -> Any:
            store = SqliteStore(file)
            try:
                return await store.get_many(KEYS)
            except sqlite3.Error:  # the cache between makes a note of it
                return {}
            finally:
                await store.aclose()

        given = {key: (n / LINES, float(n)) for n, key in enumerate(KEYS)}
        assert asyncio.run(main()).items() <= given.items()


class TestNoPlaceForAFile:
    def _no_cache(self, file: Path, caplog: pytest.LogCaptureFixture) -> None:
        with caplog.at_level(logging.WARNING, "rerank_core"):
            rankings, scorer = rank(file)

        assert scorer.texts_asked == 2 * len(TEXTS)
        for ranking in rankings:
            assert ranking.report.reasons == (Reason.CACHE,)
            assert not ranking.report.degraded
            assert ranking.report.coverage == 1.0
        assert {record.levelname for record in caplog.records} == {"WARNING"}

    def test_a_directory(self, file: Path, caplog: pytest.LogCaptureFixture) -> None:
        """It stays, and there is no cache."""
        file.mkdir()
        (file / "content").touch()

        self._no_cache(file, caplog)

        assert (file / "content").exists()

    def test_a_file_on_its_way(self, file: Path, caplog: pytest.LogCaptureFixture) -> None:
        """A folder cannot be made there."""
        file.touch()

        self._no_cache(file / "scores.db", caplog)

    def test_a_database_of_another_program(
        self, file: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        """It is sound and somebody's: it is not touched."""
        db = sqlite3.connect(file)
        db.execute("CREATE TABLE customers (name TEXT)")
        db.close()
        content = file.read_bytes()

        self._no_cache(file, caplog)

        assert file.read_bytes() == content
        assert list(file.parent.iterdir()) == [file]
        assert "another program" in caplog.text

    @pytest.mark.skipif(not hasattr(os, "setuid"), reason="no other users to be")
    @pytest.mark.parametrize("mode", ["777", "555"])
    def test_a_file_that_may_only_be_read(self, mode: str) -> None:
        """What is in it is used, also where nobody may write beside it; what is new is not kept."""
        code = (
            "import os, sys\n"
            "from pathlib import Path\n"
            "from cache.doubles import Counting, TEXTS\n"
            "from rerank_core import Reranker\n"
            "from rerank_core.engine import cache; cache.STORE_TIMEOUT = 20.0\n"
            "import rerank_core.stores, asyncio, sqlite3, tenacity\n"
            "file = Path(sys.argv[1])\n"
            "reranker = Reranker(Counting(), cache=file)\n"
            "reranker.rank('q', TEXTS); reranker.close()\n"
            "file.chmod(0o444); file.parent.chmod(int(sys.argv[2], 8))\n"
            "if os.geteuid() == 0: os.setuid(65534)\n"
            "reranker = Reranker(Counting(), cache=file)\n"
            "known, new = [reranker.rank(q, TEXTS).report for q in ('q', 'new')]\n"
            "assert (known.cache_hits, known.reasons) == (len(TEXTS), ()), known\n"
            "assert (new.coverage, new.degraded, new.reasons) == (1, False, ('cache',)), new\n"
        )

        # not pytest's own folder, which is not for everybody
        with tempfile.TemporaryDirectory() as folder:
            assert python(code, Path(folder) / "scores.sqlite", mode).wait(60) == 0


class TestSeveralProcesses:
    WRITE = (
        "import asyncio, sys\n"
        "from rerank_core.stores import SqliteStore\n"
        "from rerank_core.engine.cache_keys import text_keys\n"
        "async def main(file, name):\n"
        "    store = SqliteStore(file)\n"
        "    print('ready', flush=True)\n"
        "    for turn in range(int(sys.argv[3])):\n"
        "        keys = text_keys(name, str(turn), [str(n) for n in range(20)])\n"
        "        await store.set_many(dict.fromkeys(keys, (turn / 7, None)))\n"
        "asyncio.run(main(sys.argv[1], sys.argv[2]))\n"
    )

    def test_write_at_once(self, file: Path) -> None:
        """Four that begin the same file together; nothing is lost."""
        names = ["a", "b", "c", "d"]
        writers = [python(self.WRITE, file, name, 40) for name in names]
        codes = [writer.wait(60) for writer in writers]

        async def main() -> list[Any]:
            store = SqliteStore(file)
            found = []
            for name in names:
                for turn in range(40):
                    keys = text_keys(name, str(turn), [str(n) for n in range(20)])
                    found.append((turn, await store.get_many(keys)))
            await store.aclose()
            return found

        assert codes == [0] * 4
        for turn, scores in asyncio.run(main()):
            assert list(scores.values()) == [(turn / 7, None)] * 20

    def test_kill_9_in_mid_write(self, file: Path) -> None:
        """Whole writes are there, the file is sound, and the next process just goes on."""
        for after in (0.0, 0.02, 0.05):
            writer = python(self.WRITE, file, "killed", 1_000_000, stdout=subprocess.PIPE)
            assert writer.stdout is not None
            writer.stdout.readline()
            threading.Event().wait(after)
            writer.send_signal(signal.SIGKILL)
            writer.wait(10)
            writer.stdout.close()
            fill(file)
            db = sqlite3.connect(file)
            verdict = db.execute("PRAGMA integrity_check").fetchone()
            db.close()

            assert len(kept(file)) == LINES
            assert verdict == ("ok",)
        assert list(file.parent.glob("*.damaged*")) == []

    @pytest.mark.usefixtures("hurry")
    def test_a_writer_that_holds_on_does_not_hold_up_a_ranking(self, file: Path) -> None:
        """Reading goes on beside it; what is new is written when it lets go, or not at all."""
        reranker = Reranker(Counting(), cache=file)
        reranker.rank("q", TEXTS)
        other = sqlite3.connect(file, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")

        known, new = reranker.rank("q", TEXTS).report, reranker.rank("new", TEXTS).report
        other.execute("ROLLBACK")
        other.close()
        reranker.close()

        assert (known.cache_hits, known.reasons) == (len(TEXTS), ())
        assert (new.coverage, new.degraded, new.reasons) == (1.0, False, (Reason.CACHE,))
        assert rank(file, times=1)[0][0].report.cache_hits == len(TEXTS)

    @pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
    def test_after_a_fork_both_go_on(self, file: Path) -> None:
        """The child opens the file for itself, and leaves the parent's connection alone."""
        code = (
            "import os, sys, warnings; warnings.simplefilter('ignore')\n"
            "from cache.doubles import Counting, TEXTS\n"
            "from rerank_core import Reranker\n"
            "from rerank_core.engine import cache; cache.STORE_TIMEOUT = 20.0\n"
            "r = Reranker(Counting(), cache=sys.argv[1])\n"
            "r.rank('before', TEXTS)\n"
            "children = []\n"
            "for n in range(3):\n"
            "    pid = os.fork()\n"
            "    if pid == 0:\n"
            "        hits = r.rank('before', TEXTS).report.cache_hits\n"
            "        r.rank(f'child {n}', TEXTS); r.close()\n"
            "        os._exit(0 if hits == len(TEXTS) else 1)\n"
            "    children.append(pid)\n"
            "    r.rank(f'parent {n}', TEXTS)\n"
            "codes = [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in children]\n"
            "asked = [f'{who} {n}' for n in range(3) for who in ('child', 'parent')]\n"
            "r.close()\n"
            "r = Reranker(Counting(), cache=sys.argv[1])\n"
            "hits = [r.rank(q, TEXTS).report.cache_hits for q in asked]\n"
            "assert (codes, hits) == ([0] * 3, [len(TEXTS)] * 6), (codes, hits)\n"
        )

        assert python(code, file).wait(60) == 0
