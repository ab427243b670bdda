"""What the parser is worth: a listwise reranking replayed from the models' recorded replies."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from rerank_core.parsing import parse_permutation


def replayed(folder: Path, model: str) -> float:
    """nDCG@10 after every window of every query has been reordered as its reply says."""
    import ir_measures  # untyped
    from ir_measures import nDCG

    read_run: Any = ir_measures.read_trec_run
    read_qrels: Any = ir_measures.read_trec_qrels

    ranking: dict[str, list[str]] = {}
    for hit in sorted(read_run(str(folder / "bm25-top100.trec")), key=lambda hit: -hit.score):
        ranking.setdefault(hit.query_id, []).append(hit.doc_id)
    with (folder / "replays" / f"{model}.jsonl").open(encoding="utf-8") as lines:
        for window in map(json.loads, lines):
            start, end = window["window"]
            held = window["docids"]
            order = parse_permutation(window["raw"], len(held))
            now = ranking[window["qid"]][start:end]
            # An id stands for the document that the recorded window held under it.
            named = [held[i] for i in order if held[i] in now]
            rest = [doc_id for doc_id in now if doc_id not in named]
            ranking[window["qid"]][start:end] = named + rest
    run = [
        ir_measures.ScoredDoc(query_id, doc_id, -rank)
        for query_id, doc_ids in ranking.items()
        for rank, doc_id in enumerate(doc_ids)
    ]
    qrels = list(read_qrels(str(folder / "qrels.txt")))
    return float(ir_measures.calc_aggregate([nDCG @ 10], qrels, run)[nDCG @ 10])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("model", "at_least"), [("vicuna-13b-zeroshot", 0.505), ("vicuna-7b-finetuned", 0.667)]
)
def test_a_replayed_reranking_is_as_good_as_a_careful_reader_makes_it(
    shared_data: Path, model: str, at_least: float
) -> None:
    """Counts read as ids cost one model 0.05; a lost first bracket costs the other 0.09."""
    assert replayed(shared_data / "trec-dl-2019", model) >= at_least
