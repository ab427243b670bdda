"""The journal of a judge: every answer as it comes, and every question before it goes out.

JSON lines. It is what makes a judge resumable, and a cache: an answer is known by model, rubric,
form and the texts of query and document, in whichever collection these are. A question without an
answer is one that was under way when the process was killed; it counts as paid at the most it
could have cost, so that a cap holds across restarts, too.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import blake2b
from pathlib import Path
from typing import Any

from ...errors import InvalidInputError
from ...runtime.file_lock import locked
from ..lines import taken_up, written
from .pool import Pair
from .rubric import RUBRIC, Grade

#: The first line of the file.
HEADING = {"journal": "rerank judge", "version": 1}
#: How the reason begins where a reply came that holds no grade.
UNREADABLE = "no grade in the reply"


class Ledger:
    """The answers in a file, or of this process alone where there is no path.

    Raises `InvalidInputError` for a file that is something else, or that another process has open.
    """

    def __init__(self, path: Path | str | None = None) -> None:
        self.path = None if path is None else Path(path)
        self.answers: dict[str, Grade] = {}
        #: The same by model, pair and form.
        self.by_model: dict[str, dict[str, dict[str, Grade]]] = {}
        self.people: dict[str, int] = {}
        #: Pairs that a person judged because the model was not sure of them.
        self.doubted: set[str] = set()
        #: Questions whose reply held no grade: it was paid, and would be the same again.
        self.unreadable: set[str] = set()
        #: US dollars by model: what was paid, and what may have been for want of an answer.
        self._paid: dict[str, float] = {}
        self._open: dict[str, tuple[str, float]] = {}
        #: Models of which some answer cost nobody knows how much.
        self.unpriced: set[str] = set()
        self._file: int | None = None
        if self.path is not None:
            self._file = _locked(self.path)
            self._load()

    def spent(self, model: str) -> float:
        """US dollars that questions to this model cost so far, those without an answer at most."""
        lost = sum(most for asked, most in self._open.values() if asked == model)
        return self._paid.get(model, 0.0) + lost

    @property
    def lost(self) -> int:
        """How many questions were under way when a process was killed."""
        return len(self._open)

    def ask(self, key: str, model: str, most: float) -> None:
        """A question goes out now, that costs `most` at most."""
        self._begin(key, model, most)
        self._write({"asked": key, "model": model, "most": most})

    def _begin(self, key: str, model: str, most: float) -> None:
        if key in self._open:  # it was under way when a process was killed, and is asked again
            self._close(key, self._open[key][1])
        self._open[key] = (model, most)

    def answer(self, key: str, pair: Pair, form: str, grade: Grade, cost: float | None) -> None:
        """It came back, with this grade and for this much."""
        model = self._close(key, cost)
        self._know(key, model, pair.key, form, grade)
        row = {
            "answer": key,
            "model": model,
            "rubric": RUBRIC,
            "form": form,
            "pair": pair.key,
            "query": pair.query,
            "document": pair.document,
            "grade": grade.grade,
            "expected": grade.expected,
            "cost": cost,
        }
        self._write({**row, "at": _now()})

    def _know(self, key: str, model: str, pair: str, form: str, grade: Grade) -> None:
        self.answers[key] = grade
        self.by_model.setdefault(model, {}).setdefault(pair, {})[form] = grade

    def failed(self, key: str, cost: float | None, why: str) -> None:
        """It came back, for this much, and with no grade."""
        self._write({"failed": key, "model": self._close(key, cost), "cost": cost, "why": why})

    def _close(self, key: str, cost: float | None) -> str:
        model, _ = self._open.pop(key)
        self._pay(model, cost)
        return model

    def _pay(self, model: str, cost: float | None) -> None:
        if cost is None:
            self.unpriced.add(model)
        else:
            self._paid[model] = self._paid.get(model, 0.0) + cost

    def judged_by_person(self, pair: Pair, grade: int, *, doubtful: bool = False) -> None:
        """Write down what a person said of this pair; `doubtful`: chance did not draw it."""
        self.people[pair.key] = grade
        if doubtful:
            self.doubted.add(pair.key)
        row = {"person": pair.key, "query": pair.query, "document": pair.document, "grade": grade}
        self._write({**row, "doubtful": doubtful, "at": _now()})

    def close(self) -> None:
        """Let another process have it."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _write(self, row: Mapping[str, Any]) -> None:
        if self._file is not None:
            line = written(row)
            while line:
                line = line[os.write(self._file, line) :]

    def _load(self) -> None:
        assert self.path is not None
        try:
            rows = taken_up(
                self.path, "journal of rerank judge", written(HEADING).rstrip(), _is_heading
            )
        except InvalidInputError:
            self.close()
            raise
        if not rows:  # it is new, or was killed while writing the very first line
            self._write(HEADING)
        for row in rows:
            try:
                self._take(row)
            except (ValueError, KeyError, TypeError):
                continue

    def _take(self, row: Mapping[str, Any]) -> None:
        if "asked" in row:
            self._begin(row["asked"], row["model"], float(row["most"]))
        elif "failed" in row or "answer" in row:
            key = row.get("answer") or row["failed"]
            self._open.pop(key, None)
            self._pay(row["model"], row.get("cost"))
            if "failed" in row and _unreadable(row):
                self.unreadable.add(key)
            if "answer" in row:
                grade = Grade(int(row["grade"]), row.get("expected"))
                self._know(key, row["model"], row["pair"], row["form"], grade)
        elif "person" in row:
            self.people[row["person"]] = int(row["grade"])
            if row.get("doubtful"):
                self.doubted.add(row["person"])


def answer_key(identity: str, form: str, pair: Pair) -> str:
    """Names an answer by all that it depends on: 32 hexadecimal digits."""
    text = "\0".join((identity, RUBRIC, form, pair.key))
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def _unreadable(row: Mapping[str, Any]) -> bool:
    why = str(row.get("why", ""))
    return why.startswith(UNREADABLE) and not why.endswith(": ''")


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _is_heading(row: Mapping[str, Any]) -> bool:
    return row.get("journal") == HEADING["journal"]


def _locked(path: Path) -> int:
    try:
        file = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
    except OSError as error:
        raise InvalidInputError(f"the journal {path} cannot be written: {error.strerror}") from None
    if not locked(file):
        os.close(file)
        raise InvalidInputError(
            f"another process has the journal {path} open: wait for it, or name another"
        )
    return file
