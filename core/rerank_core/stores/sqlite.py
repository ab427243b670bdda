"""Scores in a file that several processes may share.

SQLite's write-ahead log keeps readers and the one writer out of each other's way, and the file
whole through a `kill -9`. Work is done in threads of our own, never on an event loop.
"""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar
from weakref import WeakSet

from ..errors import ConfigurationError, RerankError
from ..protocols import StoredScore
from ..runtime.deadline import Timeout, seconds
from ..runtime.fork import after_fork
from ..runtime.threads import Stop, run
from ..telemetry.log import log
from .packing import pack, unpack

T = TypeVar("T")

#: In the file's header: what program wrote it ("rrnk"), and in which layout.
APPLICATION, LAYOUT = 0x72726E6B, 1
#: How long another process that is writing is waited for, in seconds.
BUSY = 5.0
#: Keys in one question; old builds of SQLite take 999.
AT_ONCE = 500
#: A clock may be off by so many seconds against the one that wrote.
CLOCKS = 60.0

_CREATE = (
    # rowids count up, so the oldest scores are found without looking
    "CREATE TABLE scores (id INTEGER PRIMARY KEY, key BLOB UNIQUE NOT NULL, "
    "score BLOB NOT NULL, written REAL NOT NULL)"
)
_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_SUFFIXES = ("", "-wal", "-shm")


class SqliteStore:
    """Keeps the last `max_scores` scores in a file, for `ttl`: seconds, a timedelta, None for good.

    About 0.1 kB a score. The file and those beside it (-wal, -shm) are for their owner only
    (0600). A file that is damaged, or is no database, is moved aside with a warning, and a new
    one is begun; a sound database of another program is left alone, and nothing is kept. Folders
    on the way to it are made. Not for network file systems: SQLite's locks do not hold there.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        max_scores: int = 1_000_000,
        ttl: Timeout = 30 * 24 * 3600.0,
    ) -> None:
        if not os.fspath(path):
            raise ConfigurationError("the score cache's path is empty")
        if max_scores < 1:
            raise ConfigurationError(f"max_scores is at least 1, not {max_scores}")
        self.path = Path(path).expanduser().absolute()
        self.max_scores, self.ttl = max_scores, seconds("ttl", ttl)
        self._open_sides()

    def _open_sides(self) -> None:
        # two connections, so that nobody who reads waits for someone who waits to write
        self._reader, self._writer = _Side(self.path, False), _Side(self.path, True)
        _stores.add(self)

    async def get_many(self, keys: Sequence[str]) -> Mapping[str, StoredScore]:
        """Those it has."""
        return await run(self._get, list(keys))

    async def set_many(self, scores: Mapping[str, StoredScore]) -> None:
        """Keep them, in one transaction; the oldest ones go."""
        await run(self._set, dict(scores))

    async def aclose(self) -> None:
        """Close the file. The next call opens it again."""
        await run(self._close)

    def _get(self, keys: list[str], *, stop: Stop) -> dict[str, StoredScore]:
        wanted = {bytes.fromhex(key): key for key in keys}
        now = time.time()
        since = -1.0 if self.ttl is None else now - self.ttl

        def read(db: sqlite3.Connection) -> dict[str, StoredScore]:
            found: dict[str, StoredScore] = {}
            asked = list(wanted)
            for at in range(0, len(asked), AT_ONCE):
                if stop():
                    break
                some = asked[at : at + AT_ONCE]
                rows = db.execute(
                    "SELECT key, score FROM scores WHERE written BETWEEN ? AND ? "
                    f"AND key IN ({','.join('?' * len(some))})",
                    (since, now + CLOCKS, *some),
                )
                for key, packed in rows:
                    if (value := unpack(key, packed)) is not None:
                        found[wanted[key]] = value
            return found

        return self._reader.do(read, {})

    def _set(self, scores: dict[str, StoredScore], *, stop: Stop) -> None:
        now = time.time()
        keyed = ((bytes.fromhex(key), value) for key, value in scores.items())
        rows = [(key, pack(key, value), now) for key, value in keyed]

        def write(db: sqlite3.Connection) -> None:
            if stop():  # it has waited for another writer for longer than anyone waits for it
                return
            with _transaction(db):
                db.executemany(
                    "INSERT OR REPLACE INTO scores (key, score, written) VALUES (?, ?, ?)", rows
                )
                db.execute(
                    "DELETE FROM scores WHERE id <= (SELECT max(id) FROM scores) - ?",
                    (self.max_scores,),
                )
                if self.ttl is not None:
                    db.execute(
                        "DELETE FROM scores WHERE id < "
                        "(SELECT id FROM scores WHERE written > ? ORDER BY id LIMIT 1)",
                        (now - self.ttl,),
                    )

        self._writer.do(write, None)

    def _close(self, *, stop: Stop) -> None:
        for side in (self._reader, self._writer):
            with side.lock:
                side.close()

    def __repr__(self) -> str:
        return f"SqliteStore({str(self.path)!r}, max_scores={self.max_scores}, ttl={self.ttl})"

    def __getstate__(self) -> dict[str, Any]:
        return {"path": self.path, "max_scores": self.max_scores, "ttl": self.ttl}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._open_sides()


class _Side:
    """One connection to the file, used by one thread at a time and opened when first used."""

    def __init__(self, path: Path, writes: bool) -> None:
        self.path, self.writes = path, writes
        self.lock = threading.Lock()
        self._db: sqlite3.Connection | None = None
        self._file: tuple[int, int] | None = None

    def do(self, work: Callable[[sqlite3.Connection], T], nothing: T) -> T:
        """The work's result; `nothing` where there is no file to read.

        A damaged file is moved aside, once, and the work done on a new one.
        """
        with self.lock:
            try:
                return self._do(work, nothing)
            except sqlite3.DatabaseError as error:
                if not _is_damage(error):
                    raise
                _move_aside(self.path, error)
                return self._do(work, nothing)

    def _do(self, work: Callable[[sqlite3.Connection], T], nothing: T) -> T:
        file = _identity(self.path)
        if self._db is not None and file != self._file:
            self.close()  # another process, or the user, has put it elsewhere
        if self._db is None and not self.writes and file is None:
            return nothing
        try:
            if self._db is None:
                self._db = self._open()
                self._file = _identity(self.path)
            return work(self._db) if _is_ours(self._db) else nothing
        except BaseException:
            self.close()
            raise

    def _open(self) -> sqlite3.Connection:
        if self.writes:
            _create_private(self.path)
        db = sqlite3.connect(
            self._address(), timeout=BUSY, isolation_level=None, check_same_thread=False, uri=True
        )
        try:
            if self.writes:
                _set_up(db, self.path)
            return db
        except BaseException:
            db.close()
            raise

    def _address(self) -> str:
        address = self.path.as_uri()
        if self.writes or os.access(self.path.parent, os.W_OK) or _beside(self.path, "-wal"):
            return address
        # a finished cache in a folder that nobody writes: SQLite could not lay its files beside it
        return f"{address}?immutable=1"

    def close(self) -> None:
        """Close it; never fails."""
        db, self._db = self._db, None
        if db is not None:
            with suppress(sqlite3.Error):
                db.close()

    def inherit(self) -> None:
        """After a fork: leave the parent's connection alone, and have one of our own."""
        if self._db is not None:
            _inherited.append(self._db)  # closing it, even by dropping it, would touch the file
        self._db, self._file, self.lock = None, None, threading.Lock()


_stores: WeakSet[SqliteStore] = WeakSet()
_inherited: list[sqlite3.Connection] = []


@after_fork
def _after_fork() -> None:
    for store in list(_stores):
        store._reader.inherit()
        store._writer.inherit()


class _transaction:  # noqa: N801 - reads as a verb where it stands
    """A write from its beginning: taking the lock later on could fail half-way."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def __enter__(self) -> None:
        self._db.execute("BEGIN IMMEDIATE")

    def __exit__(self, kind: type[BaseException] | None, *rest: object) -> None:
        if kind is None:
            self._db.execute("COMMIT")
        else:
            with suppress(sqlite3.Error):  # after some errors SQLite has done so itself
                self._db.execute("ROLLBACK")


def _create_private(path: Path) -> None:
    """An empty file for its owner only, if there is none; SQLite gives those beside it its mode."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with suppress(FileExistsError):
        # only a file that is new is opened here: closing one that is in use would drop its locks
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))


def _set_up(db: sqlite3.Connection, path: Path) -> None:
    """Make a file that is new ours, and one in an older layout new.

    Raises `RerankError` for a database of another program.
    """
    if _is_ours(db):
        _tune(db)
        return
    if _pragma(db, "application_id") != APPLICATION and _tables(db):
        raise RerankError(
            f"{path} is a database of another program and is left alone: name another file"
        )
    if path.stat().st_size == 0:
        path.chmod(0o600)
    _tune(db)
    with _transaction(db):
        if _is_ours(db):  # another process was faster
            return
        for table in _tables(db):
            db.execute(f'DROP TABLE "{table}"')
        db.execute(_CREATE)
        db.execute(f"PRAGMA application_id = {APPLICATION}")
        db.execute(f"PRAGMA user_version = {LAYOUT}")


def _tune(db: sqlite3.Connection) -> None:
    # Losing the last writes with the power is no harm to a cache; waiting for the disk would be.
    db.execute("PRAGMA synchronous = NORMAL")
    # Two that switch a new file over at once are refused by SQLite, and not made to wait.
    until = time.monotonic() + BUSY
    while True:
        try:
            db.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if _code(error) != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                raise
            time.sleep(0.01)


def _is_ours(db: sqlite3.Connection) -> bool:
    return (_pragma(db, "application_id"), _pragma(db, "user_version")) == (APPLICATION, LAYOUT)


def _pragma(db: sqlite3.Connection, name: str) -> Any:
    return db.execute(f"PRAGMA {name}").fetchone()[0]


def _tables(db: sqlite3.Connection) -> list[str]:
    return [name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]


def _code(error: sqlite3.Error) -> int:
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def _is_damage(error: sqlite3.Error) -> bool:
    short_read = getattr(error, "sqlite_errorcode", 0) == sqlite3.SQLITE_IOERR_SHORT_READ
    return short_read or _code(error) in _DAMAGED


def _beside(path: Path, suffix: str) -> bool:
    return path.with_name(path.name + suffix).exists()


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _move_aside(path: Path, error: sqlite3.Error) -> None:
    """Give a damaged file another name, so that a new one can be begun; nothing is deleted.

    Of two processes that find it damaged at once, the second may move the first one's new file:
    a few scores are lost, which a cache may do.
    """
    aside = path.with_name(f"{path.name}.damaged-{time.time_ns()}")
    for suffix in _SUFFIXES:
        with suppress(FileNotFoundError):
            os.rename(f"{path}{suffix}", f"{aside}{suffix}")
    log.warning("the score cache is damaged (%s): begun anew, the old one is now %s", error, aside)
