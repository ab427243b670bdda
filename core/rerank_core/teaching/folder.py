"""A student's folder while it is taught, such that the process may be killed any time.

`FOLDER/.teaching/` has what the way needs: which teaching this is, the teacher's scores as they
came, and the trainer's checkpoints. At the end the checkpoints go; the scores, which were paid
for, stay.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

from ..errors import InvalidInputError
from ..runtime.file_lock import held
from ..runtime.replacing import replaced
from .result import Teaching
from .splits import RECORD


class Folder:
    """The folder of one student. `with` it, as only one process may be at work in it."""

    def __init__(self, path: Path) -> None:
        self.path, self.work = path, path / ".teaching"
        self.scores = self.work / "teacher.jsonl"
        self._lock: IO[bytes] | None = None

    def __enter__(self) -> Folder:
        foreign = self.path.exists() and not self.work.is_dir()
        if foreign and (not self.path.is_dir() or any(self.path.iterdir())):
            raise InvalidInputError(f"{self.path} holds something else: name a folder of its own")
        self._lock = held(self.work, self.path)
        return self

    def __exit__(self, *exc: object) -> None:
        if self._lock is not None:
            self._lock.close()

    def take(self, job: Mapping[str, Any]) -> None:
        """Raise `InvalidInputError` where another student was begun here.

        Where none was (a start that was not to be had, a budget that did not do), nothing is lost:
        the teacher's scores are good for any.
        """
        known, begun = self.work / "job.json", (self.work / "checkpoints", self.path / RECORD)
        if known.exists() and any(path.exists() for path in begun):
            before = json.loads(known.read_text(encoding="utf-8"))
            if other := [name for name in job if before.get(name) != job[name]]:
                raise InvalidInputError(
                    f"{self.path} has a student with another {' and another '.join(other)}: name "
                    "another folder, or remove that one"
                )
            return
        replaced(known, json.dumps(dict(job), indent=2) + "\n")

    def checkpoints(self, examples: str) -> Path:
        """Where the trainer keeps them, for these examples (by their fingerprint)."""
        return self.work / "checkpoints" / examples

    def finished(self, examples: str) -> Teaching | None:
        """What came of it, where all of it was done with these examples."""
        record = self.path / RECORD
        if not record.exists():
            return None
        whole = json.loads(record.read_text(encoding="utf-8"))
        if whole["examples"] != examples:  # a larger budget brought more of them
            return None
        return Teaching.from_dict(whole["result"])

    def tidy(self) -> None:
        """Let go of the checkpoints."""
        shutil.rmtree(self.work / "checkpoints", ignore_errors=True)
