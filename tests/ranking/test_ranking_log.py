"""A log of rankings: what is in it, who reads it, and that it does no harm."""

from __future__ import annotations

import json
import pickle
import stat
import sys
import threading
from pathlib import Path

import pytest

from rerank_core import Candidate, ConfigurationError, RankingLog, Reranker
from rerank_core.evaluation import load
from rerank_core.evaluation.logged import served_run

DOCUMENTS = ["Paris, capital of France", "Rome, capital of Italy", "Oslo"]


def test_a_log_is_what_the_evaluation_reads(tmp_path: Path) -> None:
    """Candidates in the retriever's order, with its scores; and the order that was answered."""
    log = RankingLog(tmp_path / "log.jsonl")
    given = [Candidate(text, score=3.0 - n) for n, text in enumerate(DOCUMENTS)]
    with Reranker("bm25", on_ranking=log, top_n=1) as reranker:
        ranking = reranker.rank("capital of Italy", given)

    found = load(log.path)
    served = served_run(log.path)

    ((query, candidates),) = found.candidates.items()
    assert found.queries[query] == "capital of Italy"
    assert [candidate.text for candidate in candidates] == DOCUMENTS
    assert [candidate.score for candidate in candidates] == [3, 2, 1]
    assert served is not None
    texts = {candidate.id: candidate.text for candidate in candidates}
    assert [texts[doc] for doc in served.rankings[query].ids] == [h.text for h in ranking.all]
    assert served.rankings[query].scores == [hit.score for hit in ranking.all]


def test_of_a_query_asked_twice_the_latest_counts(tmp_path: Path) -> None:
    """Its id is made of its text."""
    log = RankingLog(tmp_path / "log.jsonl")
    with Reranker("bm25", on_ranking=log) as reranker:
        reranker.rank("capital", DOCUMENTS)
        reranker.rank("capital", DOCUMENTS[:2])

    ((_, candidates),) = load(log.path).candidates.items()
    assert [candidate.text for candidate in candidates] == DOCUMENTS[:2]


def test_the_same_document_twice_has_two_names(tmp_path: Path) -> None:
    """Or nobody could read the line."""
    log = RankingLog(tmp_path / "log.jsonl")
    with Reranker("bm25", on_ranking=log) as reranker:
        reranker.rank("oslo", ["Oslo", "Oslo"])

    ((_, candidates),) = load(log.path).candidates.items()
    assert len({candidate.id for candidate in candidates}) == 2


def test_metadata_is_kept_as_far_as_json_goes(tmp_path: Path) -> None:
    """Dates as text; what cannot be a key is no reason to lose the ranking."""
    log = RankingLog(tmp_path / "log.jsonl")
    with Reranker("bm25", on_ranking=log) as reranker:
        reranker.rank("oslo", [Candidate("Oslo", metadata={"at": Path("x")})])
        reranker.rank("rome", [Candidate("Rome", metadata={"n": {(1, 2): 3}})])
    with Reranker("bm25", on_ranking=RankingLog(log.path, metadata=False)) as reranker:
        reranker.rank("bern", [Candidate("Bern", metadata={"at": 1})])

    first, second, third = map(json.loads, log.path.read_text().splitlines())
    assert first["documents"][0]["metadata"] == {"at": "x"}
    assert "metadata" not in second["documents"][0]
    assert "metadata" not in third["documents"][0]


def test_threads_share_it(tmp_path: Path) -> None:
    """A line is one write."""
    log = RankingLog(tmp_path / "log.jsonl")
    with Reranker("bm25", on_ranking=log) as reranker:
        threads = [
            threading.Thread(target=reranker.rank, args=(f"capital {n}", ["x" * 5000] * 20))
            for n in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert len(load(log.path).queries) == 8


@pytest.mark.skipif(sys.platform == "win32", reason="no modes there")
def test_only_its_owner_reads_it(tmp_path: Path) -> None:
    """It holds what people asked."""
    log = RankingLog(tmp_path / "log.jsonl")

    assert stat.S_IMODE(log.path.stat().st_mode) == 0o600


def test_it_is_checked_at_the_door(tmp_path: Path) -> None:
    """And survives being sent to another process."""
    (tmp_path / "notes.txt").write_text("mine\n")

    with pytest.raises(ConfigurationError, match="no log of rankings"):
        RankingLog(tmp_path / "notes.txt")
    with pytest.raises(ConfigurationError, match="cannot be written"):
        RankingLog(tmp_path / "nowhere" / "log.jsonl")
    assert pickle.loads(pickle.dumps(RankingLog(tmp_path / "a"))).path == tmp_path / "a"
