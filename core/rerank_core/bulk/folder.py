"""What a job keeps beside its output while it is under way, such that it may be killed any time.

`OUT.bulk/` holds the output so far, the dead letters so far, and `state.json`: how many bytes of
each hold, and where in the input they end. Bytes are written and synced first, then the state,
by a rename; what stands beyond it was cut short, and is cut off by the next start.
"""

from __future__ import annotations

import json
import os
import shutil
import threading
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any

from ..errors import ConfigurationError, InvalidInputError
from ..runtime.file_lock import held
from ..runtime.replacing import replaced, sync_folder
from .forms import Form, dead_record, to_parquet
from .index import Seen
from .records import Done
from .summary import Counts

#: A ranking is on disk within so many seconds, or when so many bytes wait for it.
COMMIT_SECONDS, COMMIT_BYTES = 1.0, 8_000_000
_JOB, _STATE, _OUTPUT, _DEAD = "job.json", "state.json", "output.part", "dead.part"


class Folder:
    """The folder of one job. `with` it, as only one process may be at work in it."""

    def __init__(self, output: Path, dead_letters: Path) -> None:
        self.output, self.dead_letters = output, dead_letters
        self.path = output.with_name(f"{output.name}.bulk")
        self.indexes = self.path / "indexes"
        self._lock: IO[bytes] | None = None

    def __enter__(self) -> Folder:
        self._lock = held(self.path, self.output)
        return self

    def __exit__(self, *exc: object) -> None:
        if self._lock is not None:
            self._lock.close()

    def take(self, job: Mapping[str, Any]) -> Counts:
        """How far this job is. Raises `InvalidInputError` where another job was begun here."""
        known, state, counts = self.path / _JOB, self.path / _STATE, Counts()
        if state.exists():
            counts = Counts.from_dict(json.loads(state.read_text(encoding="utf-8")))
        if self.output.exists() and not counts.finished:
            raise InvalidInputError(f"{self.output} is there already: remove it, or name another")
        if counts.complete and not self.output.exists():
            raise InvalidInputError(
                f"{self.output} was complete, and is gone: remove {self.path} to make it anew"
            )
        if counts.number or counts.finished:
            before = json.loads(known.read_text(encoding="utf-8"))
            if other := [name for name in job if before.get(name) != job[name]]:
                raise InvalidInputError(
                    f"{self.output} was begun with another {' and another '.join(other)}: name "
                    f"another output, or remove {self.path} and begin anew"
                )
        else:
            replaced(known, json.dumps(dict(job), indent=1))
        return counts

    def writer(self, counts: Counts) -> Writer:
        """What appends to the job's files, after what holds of them."""
        return Writer(self.path, counts)

    def finish(self, counts: Counts, form: Form) -> None:
        """Put the output where it belongs; what was for the way is removed."""
        part, target = self.path / _OUTPUT, self.output
        if part.exists():  # else it was killed between this rename and the next state
            if form.kind == "parquet":
                table = self.path / "output.table"
                to_parquet(part, table)
                os.replace(table, target)
                part.unlink()
            else:
                os.replace(part, target)
        if (dead := self.path / _DEAD).exists():
            if counts.dead:
                os.replace(dead, self.dead_letters)
            else:
                dead.unlink()
        sync_folder(target.parent)
        counts.complete = True
        replaced(self.path / _STATE, json.dumps(asdict(counts), indent=1))
        (self.path / "seen.sqlite").unlink(missing_ok=True)
        shutil.rmtree(self.indexes, ignore_errors=True)


class Writer:
    """Appends results, and commits them. From any thread."""

    def __init__(self, folder: Path, counts: Counts) -> None:
        self.counts = counts
        self._folder, self._lock = folder, threading.Lock()
        self._waiting: list[Done] = []
        self._bytes = 0
        self._output = _appended(folder / _OUTPUT, counts.output)
        self._dead = _appended(folder / _DEAD, counts.dead)
        self._seen = Seen(folder / "seen.sqlite", counts.number)

    @property
    def full(self) -> bool:
        """Whether so much waits that it should be written first."""
        return self._bytes > COMMIT_BYTES

    def put(self, done: Done) -> None:
        """What is to be written next."""
        with self._lock:
            self._waiting.append(done)
            self._bytes += len(done.output) + len(done.dead)

    def commit(self, *, seconds: float, finished: bool = False) -> None:
        """Write what waits; once this returns it holds. `seconds`: of the job so far."""
        with self._lock:
            if self._output.closed:
                return
            waiting, self._waiting, self._bytes = self._waiting, [], 0
            for done in waiting:
                self._write(done)
            for file in (self._output, self._dead):
                file.flush()
                os.fsync(file.fileno())
            self._seen.commit()
            self.counts.seconds = seconds
            self.counts.finished = finished or self.counts.finished
            replaced(self._folder / _STATE, json.dumps(asdict(self.counts), indent=1))

    def close(self) -> None:
        """Let go of the files; what was not committed is lost."""
        with self._lock:
            self._output.close()
            self._dead.close()
            self._seen.close()

    def _write(self, done: Done) -> None:
        new = done.id is None or not done.output or self._seen.add(done.id, done.after.number)
        if not new:
            done = _again(done)
        self._output.write(done.output)
        self._dead.write(done.dead)
        self.counts.add(done)


def _again(done: Done) -> Done:
    """Of a query whose id was there before: a second list would be taken for the first's."""
    why = f"query {done.id!r} was there before"
    return Done(
        done.after,
        done.id,
        dead=dead_record(done.after.number, why, done.id),
        pairs=done.pairs,
        priced=done.priced,
        unscored=done.pairs,
        reasons=["input"],
        usage=done.usage,
    )


def _appended(path: Path, size: int) -> IO[bytes]:
    """The file, open at that size: what stands beyond it was never committed."""
    file = path.open("ab")
    there = file.tell()
    if there < size:
        file.close()
        raise ConfigurationError(
            f"{path} has {there:,} bytes of {size:,}: it was changed; remove {path.parent}"
        )
    file.truncate(size)
    return file
