"""How a ranking is written: lines of a TREC run, JSON lines, rows of a Parquet file.

Parquet cannot be appended to and cut back, so its rows are lines of JSON until the job is done.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from ..errors import ConfigurationError, InvalidInputError, require
from ..evaluation.trec import run_lines
from ..ranking.ranking import RankedCandidate, Ranking
from .records import Query

Kind = Literal["trec", "jsonl", "parquet"]
#: The order of a query's documents in the output: best first, or as they came.
Order = Literal["rank", "input"]

#: The kind of output by the ending of its name; a TREC run for any other.
_KINDS: dict[str, Kind] = {
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".parquet": "parquet",
    ".pq": "parquet",
}
#: Rows in a group of a Parquet file.
_ROWS = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """What is written of a ranking. `top_n`: of so many documents; None: of all."""

    kind: Kind
    order: Order = "rank"
    top_n: int | None = None
    name: str = "rerank"

    def check(self, query: Query) -> None:
        """Raise `InvalidInputError` for an id that the output could not hold."""
        if self.kind == "trec":
            for one in (query.id, *query.ids):
                if len(one.split()) != 1:
                    raise InvalidInputError(f"the id {one!r} is not one word, as in a TREC run")

    def output(self, query: Query, ranking: Ranking) -> bytes:
        """The record of a ranking, with the newline at its end."""
        hits: Sequence[RankedCandidate] = ranking.top[: self.top_n]
        if self.order == "input":
            hits = sorted(hits, key=lambda hit: hit.index)
        if self.kind == "trec":
            ids = [query.ids[hit.index] for hit in hits]
            lines = run_lines(query.id, ids, [hit.score for hit in hits], self.name)
            return "".join(lines).encode("utf-8", "backslashreplace")
        rows = [self._row(query, hit) for hit in hits]
        if self.kind == "jsonl":
            return as_line({"query_id": query.id, "documents": rows})
        return b"".join(as_line({"query_id": query.id, **row}) for row in rows)

    def _row(self, query: Query, hit: RankedCandidate) -> dict[str, Any]:
        name = "document_id" if self.kind == "parquet" else "id"
        row = {name: query.ids[hit.index], "rank": hit.rank, "score": hit.score}
        if hit.score is None:
            row["estimate"] = hit.estimate
        return {**row, "retrieved": hit.retrieved}


def form_of(
    output: Path, *, order: Order = "rank", top_n: int | None = None, name: str = "rerank"
) -> Form:
    """The form of an output by its name. Raises `ConfigurationError` for what cannot be."""
    kind = _KINDS.get(output.suffix.lower(), "trec")
    if top_n is not None and top_n < 1:
        raise ConfigurationError(f"top_n is at least 1, not {top_n}")
    if order == "input" and kind == "trec":
        raise ConfigurationError(
            'order="input" (--keep-order) is for .jsonl and .parquet: a TREC run is ranked'
        )
    if kind == "parquet":
        require("Parquet", "bulk", "pyarrow")
    return Form(kind=kind, order=order, top_n=top_n, name="-".join(name.split()) or "rerank")


def as_line(row: dict[str, Any]) -> bytes:
    """The row as a line of JSON. Half a surrogate pair is escaped, as JSON has it."""
    told = json.dumps(row, ensure_ascii=False, default=str)
    return told.encode("utf-8", "backslashreplace") + b"\n"


def dead_record(number: int, why: str, name: str | None = None, shown: str = "") -> bytes:
    """The dead letter of a record that is no query, by its number in the input."""
    told = {"record": number, "query_id": name, "shown": shown}
    known = {key: value for key, value in told.items() if value not in (None, "")}
    return as_line({**known, "reasons": ["input"], "why": why})


def to_parquet(lines: Path, target: Path) -> None:
    """The rows in these lines as a Parquet file, a group of them in memory at a time."""
    import pyarrow as pa
    from pyarrow import parquet as pq

    schema = pa.schema(
        [
            ("query_id", pa.string()),
            ("document_id", pa.string()),
            ("rank", pa.int32()),
            ("score", pa.float64()),
            ("estimate", pa.float64()),
            ("retrieved", pa.int32()),
        ]
    )
    with lines.open("rb") as file, pq.ParquetWriter(target, schema) as writer:
        while rows := [json.loads(line) for _, line in zip(range(_ROWS), file, strict=False)]:
            writer.write_table(pa.Table.from_pylist(rows, schema))
    with target.open("rb") as written:
        os.fsync(written.fileno())
