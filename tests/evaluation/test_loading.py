"""Judged queries from files, and what is said of files that hold none."""

from __future__ import annotations

from pathlib import Path

import pytest
from made_up import collection, run, write_jsonl

from rerank_core import InvalidInputError
from rerank_core.evaluation import load, read_qrels, read_run, write_run


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder as BEIR lays it out."""
    write_jsonl(
        tmp_path / "corpus.jsonl",
        [
            {"_id": "1", "title": "Rome", "text": "capital of Italy"},
            {"_id": "2", "title": "", "text": "capital of France"},
            {"_id": "3", "text": "bananas"},
        ],
    )
    write_jsonl(
        tmp_path / "queries.jsonl",
        [{"_id": "a", "text": "Rome"}, {"_id": "b", "text": "nobody judged this"}],
    )
    (tmp_path / "qrels").mkdir()
    (tmp_path / "qrels/test.tsv").write_text("query-id\tcorpus-id\tscore\na\t1\t1\n")
    (tmp_path / "qrels/train.tsv").write_text("query-id\tcorpus-id\tscore\nb\t2\t1\n")
    return tmp_path


def test_a_beir_folder_without_a_run_gets_its_candidates_by_bm25(folder: Path) -> None:
    """Judged queries only, title and text joined, the first `depth` by BM25 over the corpus."""
    found = load(folder, depth=2)

    assert list(found.queries) == ["a"]
    assert found.candidates["a"][0].text == "Rome capital of Italy"
    assert (len(found.candidates["a"]), found.base.name, found.recall) == (2, "retriever", 1.0)


def test_a_split_names_the_judgements(folder: Path) -> None:
    """Of several files of judgements the split says which."""
    assert list(load(folder, split="train").queries) == ["b"]
    with pytest.raises(InvalidInputError, match="name one with qrels"):
        load(folder, split="dev")


def test_a_run_brings_the_candidates(folder: Path) -> None:
    """Candidates come in the order of the run, with its scores; a strange document is refused."""
    file = folder / "mine.trec"
    file.write_text("a Q0 2 1 0.5 x\na Q0 1 2 0.25 x\n")

    assert [(c.id, c.score) for c in load(folder, base=file).candidates["a"]] == [
        ("2", 0.5),
        ("1", 0.25),
    ]
    file.write_text("a Q0 77 1 0.5 x\n")
    with pytest.raises(InvalidInputError, match="'77', not in the corpus"):
        load(folder, base=file)


def test_json_lines_bring_queries_documents_and_judgements(tmp_path: Path) -> None:
    """Grades may be left out; a document without an id is known by its place."""
    file = write_jsonl(
        tmp_path / "mine.jsonl",
        [{"query": "q", "documents": [{"text": "x", "relevance": 2}, {"text": "y", "id": "why"}]}],
    )
    found = load(file)

    assert found.qrels == {"1": {"1/0": 2}}
    assert [c.id for c in found.candidates["1"]] == ["1/0", "why"]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{", "is not JSON"),
        ("[1]", "is not a JSON object"),
        ('{"query": "q"}', '"documents"'),
        ('{"query": "q", "documents": [{"id": 1}]}', "has no text"),
        (
            '{"query": "q", "documents": [{"text": "a", "id": 1}, {"text": "b", "id": 1}]}',
            "same id",
        ),
    ],
)
def test_a_line_that_cannot_be_read_is_named(tmp_path: Path, line: str, said: str) -> None:
    """The message has file, line and what is wrong."""
    file = tmp_path / "mine.jsonl"
    file.write_text(f'{{"query": "p", "documents": []}}\n{line}\n')

    with pytest.raises(InvalidInputError, match=rf"mine\.jsonl:2.*{said}"):
        load(file)


@pytest.mark.parametrize("line", ["a Q0 d one 0.5 x", "a Q0 d 1 nan x", "a d 1"])
def test_a_line_that_is_no_runs_is_named(tmp_path: Path, line: str) -> None:
    """Rank and score are numbers, and there are at least five fields."""
    file = tmp_path / "bad.trec"
    file.write_text(f"a Q0 c 1 0.5 x\n{line}\n")

    with pytest.raises(InvalidInputError, match=r"bad\.trec:2"):
        read_run(file)


def test_tied_scores_keep_the_order_of_their_ranks(tmp_path: Path) -> None:
    """Scores decide first, as in trec_eval; where they tie, the rank column does."""
    file = tmp_path / "tied.trec"
    file.write_text("a Q0 c 2 0.5 x\na Q0 b 1 0.5 x\na Q0 d 3 0.9 x\n")

    assert list(read_run(file).rankings["a"].ids) == ["d", "b", "c"]


def test_what_is_written_is_read_back_in_the_same_order(tmp_path: Path) -> None:
    """Also where scores tie or are missing, and the name has spaces."""
    base = collection(queries=1, candidates=4)
    written = run("my run", base, {"q0": [0.5, 0.5, None, 0.9]})
    write_run(written, tmp_path / "run.trec")
    read = read_run(tmp_path / "run.trec")

    assert list(read.rankings["q0"].ids) == list(written.rankings["q0"].ids)
    assert read.tied == 0.0


def test_qrels_of_either_kind(tmp_path: Path) -> None:
    """TREC's four columns and BEIR's three with a header hold the same."""
    (tmp_path / "trec").write_text("a 0 d 2\n")
    (tmp_path / "beir").write_text("query-id\tcorpus-id\tscore\na\td\t2\n")

    assert read_qrels(tmp_path / "trec") == read_qrels(tmp_path / "beir") == {"a": {"d": 2}}
