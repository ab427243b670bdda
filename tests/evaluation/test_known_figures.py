"""Published runs over SciFact and TREC DL 2019 have the figures that are known of them."""

from __future__ import annotations

from pathlib import Path

import ir_measures
import pytest

from rerank_core.evaluation import evaluate, load, read_run

SCIFACT = ("scifact/runs", "scifact/qrels.txt", "bm25-top20.trec")
DL_2019 = ("trec-dl-2019", "trec-dl-2019/qrels.txt", "bm25-top100.trec")
MEASURES = ["nDCG@10", "RR@10", "R@100", "P@10", "AP"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("where", "known"),
    [
        (SCIFACT, {"retriever": 0.6519, "rerank-qwen2.5-1.5b-pointwise": 0.5739}),
        (
            DL_2019,
            {
                "retriever": 0.5058,
                "rerank-gpt35turbo-rankgpt-bm25top100": 0.6799,
                "rerank-rankvicuna7b-bm25top100": 0.6682,
                "rerank-vicuna13b-v1.5-zeroshot-bm25top100": 0.4517,
            },
        ),
    ],
    ids=["scifact", "trec-dl-2019"],
)
def test_figures_are_those_of_ir_measures(
    shared_data: Path, where: tuple[str, str, str], known: dict[str, float]
) -> None:
    """Every measure of every run equals ir_measures called directly; nDCG@10 what is published."""
    folder, qrels, base = where
    files = {file.stem: file for file in sorted((shared_data / folder).glob("*.trec"))}
    collection = load(base=shared_data / folder / base, qrels=shared_data / qrels)
    runs = {name: read_run(file) for name, file in files.items() if file.name != base}
    found = {
        result.name: result for result in evaluate(collection, runs, measures=MEASURES).results
    }

    assert {name: round(found[name].means["nDCG@10"], 4) for name in known} == known
    for name, file in files.items():
        direct = ir_measures.calc_aggregate(
            [ir_measures.parse_measure(measure) for measure in MEASURES],
            ir_measures.read_trec_qrels(str(shared_data / qrels)),  # type: ignore[no-untyped-call]
            ir_measures.read_trec_run(str(file)),  # type: ignore[no-untyped-call]
        )
        for measure, value in direct.items():
            system = "retriever" if file.name == base else name
            assert found[system].means[str(measure)] == pytest.approx(value, abs=1e-9)
