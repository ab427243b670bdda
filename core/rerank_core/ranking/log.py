"""A file of what was asked and answered: the queries that a judge or a comparison starts from."""

from __future__ import annotations

import json
import os
import threading
from datetime import UTC, datetime
from hashlib import blake2b
from pathlib import Path
from typing import Any

from ..errors import ConfigurationError, InvalidInputError
from .candidate import RAW, RETRIEVAL, Candidate, to_candidate
from .ranking import RankedCandidate, Ranking

#: What a line of the log has that a line of judged queries has not.
SERVED = "ranking"


class RankingLog:
    """Appends every ranking to a file of JSON lines: `Reranker(…, on_ranking=RankingLog(path))`.

    A line has the query, its candidates in the retriever's order with ids, texts, scores and
    metadata, and under "ranking" the order that was answered, its scores and their signals. `rerank
    judge`, `diff`, `eval` and `doctor` read it as it is. `metadata=False` leaves that out.

    The file holds what users asked and what they were shown, as plain text: it is made readable
    by its owner alone. Threads and processes may share it: a line is one write.

    Raises `ConfigurationError` here where the file cannot be written, or holds something else.

    >>> import tempfile
    >>> from rerank_core import Reranker
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     log = RankingLog(f"{folder}/rankings.jsonl")
    ...     with Reranker("bm25", on_ranking=log) as reranker:
    ...         _ = reranker.rank("capital of Italy", ["Paris", "Rome, capital of Italy"])
    ...     sorted(json.loads(log.path.read_text()))
    ['at', 'documents', 'id', 'query', 'ranking']
    """

    def __init__(self, path: Path | str, *, metadata: bool = True) -> None:
        self.path, self.metadata = Path(path), metadata
        self._lock = threading.Lock()
        try:
            self._append(b"")
            with self.path.open("rb") as file:
                first = file.readline().strip()
        except OSError as error:
            raise ConfigurationError(
                f"the log {path} cannot be written: {error.strerror or error}"
            ) from None
        if first and not _is_line(first):
            raise ConfigurationError(f"{path} is there and is no log of rankings: name another")

    def __call__(self, ranking: Ranking) -> None:
        """Write it down."""
        try:
            text = json.dumps(self._row(ranking), ensure_ascii=False, default=str)
        except (TypeError, ValueError):  # metadata that no JSON can hold: keys that are no strings
            text = json.dumps(_without_metadata(self._row(ranking)), ensure_ascii=False)
        self._append(text.encode("utf-8", "backslashreplace") + b"\n")

    def _append(self, line: bytes) -> None:
        with self._lock:
            file = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            try:
                while line:
                    line = line[os.write(file, line) :]
            finally:
                os.close(file)

    def _row(self, ranking: Ranking) -> dict[str, Any]:
        retrieved = sorted(ranking.all, key=lambda hit: hit.retrieved)
        place = {hit.index: at for at, hit in enumerate(retrieved)}
        names = {name: None for hit in ranking.all for name in hit.components}
        report = ranking.report
        return {
            "id": query_id(ranking.query),
            "query": ranking.query,
            "at": datetime.now(UTC).isoformat(timespec="seconds"),
            "documents": _documents(retrieved, self.metadata),
            SERVED: {
                "order": [place[hit.index] for hit in ranking.all],
                "scores": [hit.score for hit in ranking.all],
                "components": {
                    name: [hit.components.get(name) for hit in ranking.all] for name in names
                },
                "top_n": ranking.top_n,
                "shadow": ranking.shadow,
                "coverage": report.coverage,
                "degraded": report.degraded,
                "reasons": [str(reason) for reason in report.reasons],
                "seconds": report.seconds,
                "cost": report.cost,
            },
        }

    def __repr__(self) -> str:
        return f"RankingLog({str(self.path)!r})"

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "_lock"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._lock = threading.Lock()


def query_id(query: str) -> str:
    """The name of a query that has none: the same text has the same, in every log."""
    return "q" + _digest(query)


def _documents(retrieved: list[RankedCandidate], metadata: bool) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    taken: set[str] = set()
    for hit in retrieved:
        identity = name = hit.id if hit.id is not None else "d" + _digest(hit.text)
        number = 1
        while identity in taken:  # the same document twice in one list
            number += 1
            identity = f"{name}#{number}"
        taken.add(identity)
        row: dict[str, Any] = {"id": identity, "text": hit.text}
        if (score := _retrieval_score(hit)) is not None:
            row["score"] = score
        if metadata and hit.metadata:
            row["metadata"] = dict(hit.metadata)
        rows.append(row)
    return rows


def _retrieval_score(hit: RankedCandidate) -> float | None:
    try:
        return to_candidate(hit.document).score
    except InvalidInputError:  # an object of a framework's own
        found = hit.components.get(RETRIEVAL + RAW, hit.components.get(RETRIEVAL))
        return Candidate("", score=found).score


def _without_metadata(row: dict[str, Any]) -> dict[str, Any]:
    documents = [{k: v for k, v in one.items() if k != "metadata"} for one in row["documents"]]
    return {**row, "documents": documents}


def _digest(text: str) -> str:
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=6).hexdigest()


def _is_line(line: bytes) -> bool:
    try:
        row = json.loads(line)
    except ValueError:
        return False
    return isinstance(row, dict) and SERVED in row and "documents" in row
