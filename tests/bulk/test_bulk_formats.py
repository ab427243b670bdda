"""What a bulk job reads and writes: the same ranking from every shape of input, in every output."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from bulk_runs import as_pairs, free, made_up, read_lines, write_lines, write_parquet, write_trec

from rerank_core import InvalidInputError, Reranker
from rerank_core.bulk import run

ROWS = made_up()


def expected() -> dict[str, list[tuple[str, float | None]]]:
    """By the reranker itself, one query after the other."""
    with Reranker(free(), top_n=None) as reranker:
        return {
            row["query_id"]: [
                (str(hit.id), hit.score) for hit in reranker.rank(row["query"], row["documents"])
            ]
            for row in ROWS
        }


def made(shape: str, folder: Path) -> dict[str, Any]:
    """The input, as `run` takes it."""
    match shape:
        case "queries.jsonl":
            return {"candidates": write_lines(folder / shape, ROWS)}
        case "pairs.jsonl":
            return {"candidates": write_lines(folder / shape, as_pairs(ROWS))}
        case "queries.parquet":
            pytest.importorskip("pyarrow")
            return {"candidates": write_parquet(folder / shape, ROWS)}
        case "pairs.parquet":
            pytest.importorskip("pyarrow")
            return {"candidates": write_parquet(folder / shape, as_pairs(ROWS))}
    return dict(write_trec(folder, ROWS))


@pytest.mark.parametrize(
    "shape", ["queries.jsonl", "pairs.jsonl", "queries.parquet", "pairs.parquet", "trec"]
)
def test_every_input_is_ranked_as_the_reranker_ranks_it(shape: str, tmp_path: Path) -> None:
    """Every document once, with the score that it has alone."""
    with Reranker(free()) as reranker:
        summary = run(output=tmp_path / "out.jsonl", reranker=reranker, **made(shape, tmp_path))

    found = {
        row["query_id"]: [(hit["id"], hit["score"]) for hit in row["documents"]]
        for row in read_lines(tmp_path / "out.jsonl")
    }
    assert found == expected()
    assert (summary.outcome, summary.counts.queries, summary.counts.pairs) == (0, 20, 200)


def test_a_trec_run_comes_out(tmp_path: Path) -> None:
    """In the form that trec_eval reads: queries as they came, ranks from 1."""
    with Reranker(free()) as reranker:
        run(write_lines(tmp_path / "in.jsonl", ROWS), tmp_path / "out.trec", reranker)

    lines = [line.split() for line in (tmp_path / "out.trec").read_text().splitlines()]
    order = [(query, doc) for query, _, doc, *_ in lines]
    assert order == [(query, doc) for query, hits in expected().items() for doc, _ in hits]
    assert [line[3] for line in lines[:10]] == [str(rank) for rank in range(1, 11)]


def test_a_parquet_file_comes_out(tmp_path: Path) -> None:
    """A row a pair."""
    parquet = pytest.importorskip("pyarrow.parquet")
    with Reranker(free()) as reranker:
        run(write_lines(tmp_path / "in.jsonl", ROWS), tmp_path / "out.parquet", reranker, top_n=3)

    rows = parquet.read_table(tmp_path / "out.parquet").to_pylist()
    best = {query: hits[:3] for query, hits in expected().items()}
    assert [(row["query_id"], row["document_id"], row["score"]) for row in rows] == [
        (query, doc, score) for query, hits in best.items() for doc, score in hits
    ]
    assert {row["estimate"] for row in rows} == {None}


def test_documents_may_stay_where_they_were(tmp_path: Path) -> None:
    """For whoever wants the scores: with the rank beside them."""
    with Reranker(free()) as reranker:
        source = write_lines(tmp_path / "in.jsonl", ROWS)
        run(source, tmp_path / "out.jsonl", reranker, order="input")

    first = read_lines(tmp_path / "out.jsonl")[0]["documents"]
    assert [hit["id"] for hit in first] == [document["id"] for document in ROWS[0]["documents"]]
    assert sorted(hit["rank"] for hit in first) == list(range(1, 11))


def test_what_has_no_ids_is_named_by_its_place(tmp_path: Path) -> None:
    """A query by its number, a document by its query and position."""
    rows = [{"query": "what", "documents": ["text 1", {"text": "text 2"}]}]
    with Reranker(free()) as reranker:
        run(write_lines(tmp_path / "in.jsonl", rows), tmp_path / "out.jsonl", reranker)

    (row,) = read_lines(tmp_path / "out.jsonl")
    assert row["query_id"] == "1"
    assert {hit["id"] for hit in row["documents"]} == {"1/0", "1/1"}


@pytest.mark.parametrize(
    ("name", "lines", "said"),
    [
        ("in.jsonl", [], "holds no query"),
        ("in.jsonl", ["{"], "first record: it is not JSON"),
        ("in.jsonl", [{"question": "what"}], 'it needs "query"'),
        ("in.trec", ["q1 Q0 d1 1 0.5 x"], "is read as a TREC run"),
        ("in.parquet", ["no parquet"], "is no Parquet file"),
    ],
)
def test_a_wrong_file_is_refused(name: str, lines: list[Any], said: str, tmp_path: Path) -> None:
    """In words; and once it is right, the same output can be named again."""
    if name.endswith("parquet"):
        pytest.importorskip("pyarrow")
    source = write_lines(tmp_path / name, lines)
    with Reranker(free()) as reranker:
        with pytest.raises(InvalidInputError, match=said):
            run(source, tmp_path / "out.jsonl", reranker)

        right = write_lines(tmp_path / "right.jsonl", ROWS)
        assert run(right, tmp_path / "out.jsonl", reranker).outcome == 0


def test_a_corpus_with_an_id_twice_is_refused(tmp_path: Path) -> None:
    """Nobody could tell which text was meant."""
    files = write_trec(tmp_path, ROWS)
    with files["corpus"].open("a") as corpus:
        corpus.write('{"_id": "d0-0", "text": "another"}\n')

    with Reranker(free()) as reranker, pytest.raises(InvalidInputError, match="two entries"):
        run(output=tmp_path / "out.trec", reranker=reranker, **files)
