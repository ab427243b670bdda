"""Rerankers asked the queries of a collection: resumed, counted, timed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from made_up import collection

from rerank_core import InvalidInputError, Reranker
from rerank_core.evaluation import Collection, Journal, evaluate, run_reranker
from rerank_core.evaluation.costs import costs_of
from rerank_core.runtime.usage import record
from rerank_core.scorers import BM25Scorer


class Asked:
    """Scores later documents higher, and counts; stops with an error after `most` queries."""

    def __init__(self, most: int = 99) -> None:
        self.queries: list[str] = []
        self.most = most

    def __call__(self, query: str, texts: Sequence[str]) -> list[float]:
        if len(self.queries) == self.most:
            raise KeyboardInterrupt
        self.queries.append(query)
        record(calls=1, prompt_tokens=10, completion_tokens=2, cost=0.01)
        return [place / len(texts) for place in range(len(texts))]


def test_a_run_has_every_query_and_what_it_cost() -> None:
    """Calls, tokens, cost and coverage add up over the queries; latencies rise with the share."""
    run = run_reranker("mine", Reranker(Asked()), collection(queries=4))
    costs = costs_of(run)

    assert list(run.rankings["q0"].ids) == [f"q0d{d}" for d in (4, 3, 2, 1, 0)]
    assert costs is not None
    assert (costs.queries, costs.calls, costs.tokens, costs.coverage) == (4, 4, 48, 1.0)
    assert costs.cost == pytest.approx(0.04)
    assert 0 < costs.p50 <= costs.p95 <= costs.p99


def test_progress_is_told() -> None:
    """After every query: the system, how many are done, of how many."""
    told: list[tuple[str, int, int]] = []
    run_reranker(
        "mine", Reranker("bm25"), collection(queries=2), progress=lambda *now: told.append(now)
    )

    assert told == [("mine", 1, 2), ("mine", 2, 2)]


def test_a_journal_is_gone_on_with(tmp_path: Path) -> None:
    """What was ranked before is not asked for again, also after a line was cut short."""
    path, judged, first = tmp_path / "journal.jsonl", collection(queries=4), Asked()
    whole = run_reranker("mine", Reranker(first), judged, journal=Journal(path))
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(lines[0] + lines[1] + lines[2][:20])  # killed in the third line
    again = Asked()
    resumed = run_reranker("mine", Reranker(again), judged, journal=Journal(path))

    assert len(first.queries) == 4
    assert sorted(again.queries) == ["question q2", "question q3"]
    assert {q: list(r.ids) for q, r in resumed.rankings.items()} == {
        q: list(r.ids) for q, r in whole.rankings.items()
    }
    assert len([json.loads(line) for line in path.read_text().splitlines()]) == 4


def test_another_system_or_candidate_is_asked_anew(tmp_path: Path) -> None:
    """The key covers system, query and candidates."""
    journal, judged = Journal(tmp_path / "journal.jsonl"), collection(queries=2)
    run_reranker("mine", Reranker(Asked()), judged, journal=journal)
    other, deeper = Asked(), Asked()
    run_reranker("other", Reranker(other), judged, journal=journal)
    run_reranker("mine", Reranker(deeper), judged.cut(3), journal=journal)

    for k1 in (1.2, 1.5):
        run_reranker("bm25", Reranker(BM25Scorer(k1=k1)), judged, journal=journal)

    assert (len(other.queries), len(deeper.queries)) == (2, 2)
    assert len(journal.path.read_text().splitlines()) == 10


def test_a_journal_holds_no_text(tmp_path: Path) -> None:
    """Ids and scores only."""
    path = tmp_path / "journal.jsonl"
    run_reranker("mine", Reranker("bm25"), collection(), journal=Journal(path))

    assert "document" not in path.read_text()
    assert "question" not in path.read_text()


def test_runs_without_texts_can_only_be_compared() -> None:
    """Where queries have ids only there is nothing to ask a reranker."""
    judged = collection()
    blank = replace(judged, queries=dict.fromkeys(judged.queries, ""))

    with pytest.raises(InvalidInputError, match="have no text here"):
        run_reranker("mine", Reranker("bm25"), blank)


def test_a_scorer_that_fails_is_measured_and_said() -> None:
    """Degraded rankings count as they are; a note tells how many there were, and why."""

    def broken(query: str, texts: Sequence[str]) -> list[float]:
        raise KeyError("boo")

    found = evaluate(collection(), {"broken": Reranker(broken, on_error="raise")})
    costs = found.systems[0].costs

    assert found.systems[0].means["nDCG@10"] == found.base.means["nDCG@10"]
    assert costs is not None
    assert (costs.coverage, costs.degraded) == (0.0, 1.0)
    assert any("100% of the rankings were degraded (scorer 4×)" in note for note in found.notes)


def test_queries_are_sampled_with_their_judgements() -> None:
    """A sample is the same for the same seed, and its measures are over its queries alone."""
    judged: Collection = collection(queries=30)
    few = judged.sample(5, seed=3)

    assert few.queries.keys() == judged.sample(5, seed=3).queries.keys() == few.qrels.keys()
    assert len(few.queries) == 5
