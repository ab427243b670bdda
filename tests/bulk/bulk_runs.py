"""Made-up runs for bulk jobs, in every shape that one may come in, and a scorer that is free."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rerank_core.scorers import FunctionScorer

Rows = list[dict[str, Any]]


def score(query: str, texts: Sequence[str]) -> list[float]:
    """Without ties for the texts made here, and another for each query."""
    return [1 / (1 + (7 * int(t.split()[-1]) + 3 * len(query)) % 101) for t in texts]


def free() -> FunctionScorer:
    return FunctionScorer(score, name="free", independent=True, cache_name="free")


def made_up(queries: int = 20, documents: int = 10) -> Rows:
    """A record a query."""
    return [
        {
            "query_id": f"q{q}",
            "query": "what" + " is" * (q % 9),
            "documents": [
                {"id": f"d{q}-{d}", "text": f"text {q} {d}", "score": float(documents - d)}
                for d in range(documents)
            ],
        }
        for q in range(queries)
    ]


def as_pairs(rows: Rows) -> Rows:
    """A record a pair."""
    return [
        {
            "query_id": row["query_id"],
            "query": row["query"],
            "document_id": document["id"],
            "text": document["text"],
            "score": document["score"],
        }
        for row in rows
        for document in row["documents"]
    ]


def write_lines(path: Path, rows: Sequence[Any]) -> Path:
    lines = [row if isinstance(row, str) else json.dumps(row) for row in rows]
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


def write_parquet(path: Path, rows: Rows) -> Path:
    import pyarrow as pa
    from pyarrow import parquet

    parquet.write_table(pa.Table.from_pylist(rows), path, row_group_size=7)
    return path


def write_trec(folder: Path, rows: Rows) -> dict[str, Path]:
    """A run, and its texts in files of their own."""
    lines = [
        f"{row['query_id']} Q0 {document['id']} {rank} {document['score']} made-up"
        for row in rows
        for rank, document in enumerate(row["documents"], 1)
    ]
    corpus = [
        {"_id": document["id"], "title": "", "text": document["text"]}
        for row in rows
        for document in row["documents"]
    ]
    queries = [{"_id": row["query_id"], "text": row["query"]} for row in rows]
    return {
        "candidates": write_lines(folder / "run.trec", lines),
        "corpus": write_lines(folder / "corpus.jsonl", corpus),
        "queries": write_lines(folder / "queries.jsonl", queries),
    }


def read_lines(path: Path) -> Rows:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
