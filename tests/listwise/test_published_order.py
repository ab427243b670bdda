"""With a published reranker's order as the judge, the algorithms give its quality (slow)."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from statistics import fmean

import pytest

pytest.importorskip("ir_measures")

import ir_measures

from rerank_core.listwise import algorithm
from tests.listwise.judges import FakeJudge, perfect, run

BM25 = "bm25-top100.trec"
RERANKED = "rerank-gpt35turbo-rankgpt-bm25top100.trec"


def read(path: Path) -> dict[str, list[str]]:
    run: dict[str, list[tuple[int, str]]] = defaultdict(list)
    for line in path.read_text().splitlines():
        query, _, document, rank, *_ = line.split()
        run[query].append((int(rank), document))
    return {query: [document for _, document in sorted(rows)] for query, rows in run.items()}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "options", "least", "calls", "rounds"),
    [
        ("sliding-window", {}, 0.679, 9, 9),
        ("top-down", {}, 0.679, 7.5, 3.5),
        ("blocks", {}, 0.64, 10, 1),
        ("blocks", {"refine": True}, 0.675, 11, 2),
    ],
)
def test_the_judges_quality_is_kept(
    shared_data: Path,
    name: str,
    options: dict[str, int],
    least: float,
    calls: float,
    rounds: float,
) -> None:
    """NDCG@10 over BM25's top 100: BM25 0.506, the published order itself 0.680."""
    folder = shared_data / "trec-dl-2019"
    published = read(folder / RERANKED)
    ranking: dict[str, dict[str, float]] = {}
    asked, waited = [], []
    for query, documents in read(folder / BM25).items():
        places = {document: str(place) for place, document in enumerate(published[query])}
        judge = FakeJudge(perfect)
        last = run(algorithm(name).run(query, [places[d] for d in documents], judge, **options))[-1]
        asked.append(judge.calls)
        waited.append(last.rounds)
        ranking[query] = {documents[p]: -float(rank) for rank, p in enumerate(last)}

    qrels = list(ir_measures.read_trec_qrels(str(folder / "qrels.txt")))  # type: ignore[no-untyped-call]
    measure = ir_measures.nDCG @ 10
    quality = ir_measures.calc_aggregate([measure], qrels, ranking)[measure]

    assert quality >= least
    assert fmean(asked) <= calls
    assert fmean(waited) <= rounds
