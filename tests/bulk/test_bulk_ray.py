"""The same job on Ray Data, and our stage in a pipeline of somebody else's."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from bulk_runs import free, made_up, write_lines

from rerank_core import ConfigurationError, InvalidInputError, Reranker
from rerank_core.bulk import RerankStage, run

ROWS = made_up(40)

#: In a process of its own, as Ray leaves threads, sockets and a warning or two.
JOB = f"""
import sys
sys.path[:0] = {sys.path!r}
from rerank_core import Reranker
from rerank_core.bulk import Ray, run

with Reranker("bm25") as reranker:
    summary = run(sys.argv[1], sys.argv[2], reranker, engine=Ray(workers=1, queries_per_task=8))
print(summary.outcome, summary.counts.queries, summary.counts.pairs)
"""


@pytest.mark.slow
def test_ray_writes_what_one_process_writes(tmp_path: Path) -> None:
    """To the byte."""
    pytest.importorskip("ray.data")
    source = write_lines(tmp_path / "in.jsonl", ROWS)
    with Reranker("bm25") as reranker:
        run(source, tmp_path / "one.jsonl", reranker)

    arguments = [sys.executable, "-c", JOB, str(source), str(tmp_path / "ray.jsonl")]
    done = subprocess.run(arguments, capture_output=True, text=True, timeout=240, check=False)

    assert done.stdout.split()[-3:] == ["0", "40", "400"], done.stderr
    assert (tmp_path / "ray.jsonl").read_bytes() == (tmp_path / "one.jsonl").read_bytes()


def test_the_stage_reranks_a_batch_of_queries() -> None:
    """Each query's documents best first; the other columns stay."""
    documents = np.empty(2, dtype=object)
    documents[:] = [row["documents"] for row in ROWS[:2]]
    batch = {
        "id": np.array([4, 5]),
        "query": np.array([row["query"] for row in ROWS[:2]], dtype=object),
        "documents": documents,
    }
    found = RerankStage(Reranker(free()), top_n=3)(batch)

    assert found["id"].tolist() == [4, 5]
    assert found["coverage"].tolist() == [1.0, 1.0]
    with Reranker(free(), top_n=3) as reranker:
        for row, some in zip(ROWS, found["documents"], strict=False):
            ranking = reranker.rank(row["query"], row["documents"])
            assert [(hit["id"], hit["score"]) for hit in some] == [
                (hit.id, hit.score) for hit in ranking
            ]


def test_the_stage_scores_a_batch_of_pairs() -> None:
    """Of any queries, in any order; NaN where there is no score."""
    batch = {
        "query": np.array(["what", "is", "what"], dtype=object),
        "text": np.array(["text 1", "text 1", "text 2"], dtype=object),
    }
    found = RerankStage(Reranker(free()))(batch)
    assert found["score"].tolist() == [1 / 20, 1 / 14, 1 / 27]


def test_the_stage_says_what_it_cannot_do(tmp_path: Path) -> None:
    """Pairs for what looks at whole lists, and columns that it does not know."""
    (tmp_path / "reranker.toml").write_text('[reranker]\nscorer = "bm25"\n')
    stage = RerankStage(tmp_path / "reranker.toml")
    pairs = {"query": np.array(["what"]), "text": np.array(["text 1"])}

    with pytest.raises(ConfigurationError, match="bm25 looks at a query's whole list"):
        stage(pairs)
    with pytest.raises(InvalidInputError, match="columns query and documents"):
        stage({"question": np.array(["what"])})
