"""What could not be scored, what it may cost, and how a scheduler learns of it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from bulk_runs import free, made_up, read_lines, score, write_lines, write_trec
from typer.testing import CliRunner, Result

from rerank_core import ConfigurationError, Reranker, ScorerError
from rerank_core.bulk import run
from rerank_core.cli.app import app
from rerank_core.protocols import ScorerBase
from rerank_core.runtime.usage import record
from rerank_core.scorers import FunctionScorer

ROWS = made_up()


def partly(query: str, texts: Sequence[str]) -> list[float | None]:
    """Of query 3 nothing can be told, nor of the second document of query 5."""
    return [
        None if text.split()[1] == "3" or text == "text 5 1" else known
        for text, known in zip(texts, score(query, texts), strict=True)
    ]


def test_what_was_not_scored_is_a_dead_letter_and_still_in_the_output(tmp_path: Path) -> None:
    """With the reason; placed by an estimate, and no document lost."""
    source = write_lines(tmp_path / "in.jsonl", ROWS)
    with Reranker(FunctionScorer(partly, name="free", independent=True)) as reranker:
        summary = run(source, tmp_path / "out.jsonl", reranker)

    dead = read_lines(tmp_path / "out.jsonl.dead.jsonl")
    rows = {row["query_id"]: row["documents"] for row in read_lines(tmp_path / "out.jsonl")}
    assert [(row["query_id"], len(row["documents"])) for row in dead] == [("q3", 10), ("q5", 1)]
    assert dead[1]["reasons"] == ["incomplete"]
    assert all(len(documents) == 10 for documents in rows.values())
    assert [hit["score"] for hit in rows["q3"]] == [None] * 10
    assert all(hit["estimate"] > 0.5 for hit in rows["q3"])
    assert summary.outcome == 3
    assert (summary.counts.unscored, summary.counts.dead_letters) == (11, 2)
    assert summary.dead_letters == tmp_path / "out.jsonl.dead.jsonl"


def test_dead_letters_are_the_candidates_of_another_job(tmp_path: Path) -> None:
    """Once the reason is gone."""
    source = write_lines(tmp_path / "in.jsonl", ROWS)
    with Reranker(FunctionScorer(partly, name="free", independent=True)) as reranker:
        run(source, tmp_path / "out.jsonl", reranker)
    with Reranker(free()) as reranker:
        run(tmp_path / "out.jsonl.dead.jsonl", tmp_path / "rest.jsonl", reranker)

    rest = read_lines(tmp_path / "rest.jsonl")
    assert [(row["query_id"], len(row["documents"])) for row in rest] == [("q3", 10), ("q5", 1)]
    assert all(hit["score"] is not None for row in rest for hit in row["documents"])


def test_odd_records_are_dead_letters_by_their_number(tmp_path: Path) -> None:
    """And all others are ranked."""
    twice = {"query": "what", "query_id": "twice", "documents": [{"id": "a", "text": "text 1"}] * 2}
    blank = {"query": " ", "query_id": "blank", "documents": ["text 1"]}
    odd = {"query": "what", "query_id": "odd", "documents": ["text 1", {"id": "no"}]}
    lines = [*ROWS[:3], "{", twice, blank, odd, ROWS[1], *ROWS[3:]]
    with Reranker(free()) as reranker:
        summary = run(write_lines(tmp_path / "in.jsonl", lines), tmp_path / "out.jsonl", reranker)

    dead = read_lines(tmp_path / "out.jsonl.dead.jsonl")
    rows = {row["query_id"]: row for row in read_lines(tmp_path / "out.jsonl")}
    assert [row.get("query_id") for row in dead] == ["4", "twice", "blank", "odd", "q1"] or [
        row.get("query_id") for row in dead
    ] == [None, "twice", "blank", "odd", "q1"]
    assert dead[0]["record"] == 4
    assert "is not JSON" in dead[0]["why"]
    assert "'a' is there twice" in dead[1]["why"]
    assert "'q1' was there before" in dead[4]["why"]
    assert rows.keys() == {*(row["query_id"] for row in ROWS), "odd"}
    assert len(rows["odd"]["documents"]) == 2
    assert summary.outcome == 3


def test_what_a_run_ranks_and_the_corpus_lacks_is_a_dead_letter(tmp_path: Path) -> None:
    """By its id; the query's other documents are ranked."""
    files = write_trec(tmp_path, ROWS)
    lines = files["corpus"].read_text().splitlines()
    write_lines(files["corpus"], [line for line in lines if '"d2-4"' not in line])
    with Reranker(free()) as reranker:
        run(output=tmp_path / "out.trec", reranker=reranker, **files)

    (dead,) = read_lines(tmp_path / "out.trec.dead.jsonl")
    assert [document["id"] for document in dead["documents"]] == ["d2-4"]
    assert "corpus.jsonl" in dead["documents"][0]["why"]
    assert len((tmp_path / "out.trec").read_text().splitlines()) == 200


def test_where_nothing_is_scored_any_more_the_job_stops(tmp_path: Path) -> None:
    """After ten queries in a row, none of which is written: a server that is down loses nothing."""
    source = write_lines(tmp_path / "in.jsonl", ROWS)

    def down(query: str, texts: list[str]) -> list[float]:
        if int(texts[0].split()[1]) >= 5:
            raise OSError("no route to host")
        return score(query, texts)

    def job(fn: object, name: str) -> FunctionScorer:
        return FunctionScorer(fn, name="free", independent=True, cache_name="free")  # type: ignore[arg-type]

    with (
        Reranker(job(down, "down")) as reranker,
        pytest.raises(ScorerError, match=r"10 queries one after the other.*no route to host"),
    ):
        run(source, tmp_path / "out.jsonl", reranker)
    state = json.loads((tmp_path / "out.jsonl.bulk" / "state.json").read_text())
    with Reranker(job(score, "up")) as reranker:
        summary = run(source, tmp_path / "out.jsonl", reranker)

    assert (state["queries"], state["dead_letters"]) == (5, 0)
    assert (summary.outcome, summary.counts.queries) == (0, 20)


class Priced(ScorerBase):
    """Costs a cent a document; `asked` is how many it was asked about."""

    name, independent, max_concurrency, fingerprint = "priced", True, 8, "priced"

    def __init__(self, cost: float | None = 0.01) -> None:
        self.cost, self.asked = cost, 0
        self.silent: str | None = None  # a query that it has no scores for

    async def score(self, query: str, texts: Sequence[str]) -> list[float | None]:
        if query == self.silent:
            return [None] * len(texts)
        self.asked += len(texts)
        record(calls=1, cost=None if self.cost is None else self.cost * len(texts))
        return list(score(query, texts))


def test_nothing_is_asked_that_might_cost_too_much(tmp_path: Path) -> None:
    """Over all starts of the job together, and with more money it goes on."""
    source = write_lines(tmp_path / "in.jsonl", ROWS)
    scorer = Priced()
    with Reranker(scorer) as reranker:
        stopped = run(source, tmp_path / "out.jsonl", reranker, max_cost=0.75)
        again = run(source, tmp_path / "out.jsonl", reranker, max_cost=0.75)

        assert (stopped.outcome, again.outcome) == (4, 4)
        assert stopped.counts.cost == pytest.approx(0.70)
        assert scorer.asked == 70
        assert not (tmp_path / "out.jsonl").exists()

        summary = run(source, tmp_path / "out.jsonl", reranker, max_cost=10)

    assert summary.outcome == 0
    assert summary.counts.cost == pytest.approx(2.0)
    assert scorer.asked == 200


@pytest.mark.parametrize("first", ["refused", "cached", "failed"])
def test_what_costs_nothing_by_chance_tells_no_price(tmp_path: Path, first: str) -> None:
    """The first query that is paid for goes alone, whatever came before it."""
    rows = [dict(row) for row in ROWS]
    scorer = Priced()
    with Reranker(scorer, cache=str(tmp_path / "scores.sqlite")) as reranker:
        if first == "refused":
            rows[0]["query"] = " "
        elif first == "cached":
            reranker.rank(rows[0]["query"], rows[0]["documents"])
        else:
            scorer.silent = rows[0]["query"]
        source = write_lines(tmp_path / "in.jsonl", rows)
        stopped = run(source, tmp_path / "out.jsonl", reranker, max_cost=0.05)

    assert stopped.outcome == 4
    assert stopped.counts.cost == pytest.approx(0.10)


def test_a_limit_on_a_cost_that_nobody_knows_is_refused(tmp_path: Path) -> None:
    """After the first query: before it, nobody knows that."""
    source = write_lines(tmp_path / "in.jsonl", ROWS)
    scorer = Priced(cost=None)
    with (
        Reranker(scorer) as reranker,
        pytest.raises(ConfigurationError, match="give it a price="),
    ):
        run(source, tmp_path / "out.jsonl", reranker, max_cost=1)

    assert scorer.asked == 10


def invoke(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["bulk", *(str(a) for a in arguments)])


def test_the_command_line_takes_the_same_file_as_everything_else(tmp_path: Path) -> None:
    """And tells the summary to programs."""
    source = write_lines(tmp_path / "in.jsonl", ROWS)
    (tmp_path / "reranker.toml").write_text('[reranker]\nscorer = "bm25"\n')
    output = tmp_path / "out.trec"
    result = invoke(source, "-o", output, "--config", tmp_path / "reranker.toml", "--json")

    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert (told["outcome"], told["queries"], told["pairs"]) == ("complete", 20, 200)
    assert len(output.read_text().splitlines()) == 200


def test_a_scheduler_learns_how_it_ended(tmp_path: Path) -> None:
    """By the exit code, with a sentence on standard error for what cannot be right."""
    good = write_lines(tmp_path / "good.jsonl", ROWS)
    odd = write_lines(tmp_path / "odd.jsonl", [*ROWS, "{"])
    missing = invoke(tmp_path / "none.jsonl", "-o", tmp_path / "a.trec")
    both = invoke(good, "-o", tmp_path / "a.trec", "-s", "bm25", "-c", "reranker.toml")
    complete = invoke(good, "-o", tmp_path / "b.trec", "-s", "bm25")
    faults = invoke(odd, "-o", tmp_path / "c.trec", "-s", "bm25")
    other = invoke(good, "-o", tmp_path / "b.trec", "-s", "hybrid")

    assert (missing.exit_code, complete.exit_code, faults.exit_code) == (2, 0, 3)
    assert "there is no file" in missing.stderr
    assert (both.exit_code, other.exit_code) == (2, 2)
    assert "begun with another configuration" in other.stderr
    assert "1 dead letters" in faults.stdout
    assert "20 queries, 200 pairs" in complete.stdout
