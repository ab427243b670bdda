"""A job that is killed goes on where it was: nothing is lost, repeated, or taken for another's."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from bulk_runs import as_pairs, free, made_up, read_lines, score, write_lines, write_parquet

from rerank_core import InvalidInputError, Reranker, ScorerError
from rerank_core.bulk import run
from rerank_core.bulk.folder import Folder
from rerank_core.scorers import FunctionScorer

ROWS = made_up(120)

#: A job in a process of its own, slow enough to be killed within it.
JOB = f"""
import sys, time
sys.path[:0] = {sys.path!r}
from bulk_runs import score
from rerank_core import Reranker
from rerank_core.bulk import folder, run
from rerank_core.scorers import FunctionScorer

folder.COMMIT_SECONDS = 0.02
import rerank_core.bulk.job as job
job.COMMIT_SECONDS = 0.02

def slow(query, texts):
    time.sleep(0.02)
    print(query, flush=True)
    return score(query, texts)

scorer = FunctionScorer(slow, name="free", independent=True, cache_name="free")
with Reranker(scorer) as reranker:
    run(sys.argv[1], sys.argv[2], reranker, at_once=2)
"""


def killed_until_done(source: Path, output: Path, most: int) -> int:
    """Start the job, and kill it at a random moment of its work, until it is done. How often."""
    moments = random.Random(7)
    for kills in range(most):
        job = subprocess.Popen(
            [sys.executable, "-c", JOB, str(source), str(output)], stdout=subprocess.PIPE
        )
        assert job.stdout is not None
        job.stdout.readline()  # it is at work
        try:
            job.wait(moments.uniform(0.3, 1.0))
        except subprocess.TimeoutExpired:
            job.send_signal(signal.SIGKILL)
        code = job.wait()
        job.stdout.close()
        if code == 0:
            return kills
    raise AssertionError("it never came to its end")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("shape", "ending"), [("queries.jsonl", "jsonl"), ("pairs.parquet", "trec")]
)
def test_killed_at_any_moment_it_ends_as_if_it_had_not_been(
    shape: str, ending: str, tmp_path: Path
) -> None:
    """The output is the same to the byte."""
    rows = ROWS if shape.startswith("queries") else as_pairs(ROWS)
    if shape.endswith("parquet"):
        pytest.importorskip("pyarrow")
    write = write_parquet if shape.endswith("parquet") else write_lines
    source = write(tmp_path / shape, rows)
    with Reranker(free()) as reranker:
        run(source, tmp_path / f"whole.{ending}", reranker)

    kills = killed_until_done(source, tmp_path / f"out.{ending}", 30)

    assert kills >= 1
    whole = (tmp_path / f"whole.{ending}").read_bytes()
    assert (tmp_path / f"out.{ending}").read_bytes() == whole


def interrupted(tmp_path: Path, after: int) -> Path:
    """A job that stopped after so many queries, as the server was gone."""
    asked: list[str] = []

    def breaks(query: str, texts: list[str]) -> list[float]:
        asked.append(query)
        if len(asked) > after:
            raise OSError("no route to host")
        return score(query, texts)

    scorer = FunctionScorer(breaks, name="free", independent=True, cache_name="free")
    source = write_lines(tmp_path / "in.jsonl", ROWS)
    with Reranker(scorer) as reranker, pytest.raises(ScorerError, match="no route to host"):
        run(source, tmp_path / "out.jsonl", reranker, at_once=1)
    return source


@pytest.mark.slow
def test_a_scheduler_that_ends_it_loses_nothing(tmp_path: Path) -> None:
    """SIGTERM: exit code 130, what was ranked is kept, and the same command goes on."""
    source = write_lines(tmp_path / "in.jsonl", made_up(2000, 20))
    state = tmp_path / "out.trec.bulk" / "state.json"
    output = tmp_path / "out.trec"
    code = f"import sys; sys.path[:0] = {sys.path!r}; from rerank_core.cli import main; main()"
    command = [sys.executable, "-c", code, "bulk", source, "-o", output, "-s", "bm25"]
    job = subprocess.Popen(command, stderr=subprocess.PIPE)
    while not state.exists() and job.poll() is None:
        time.sleep(0.01)
    job.terminate()
    _, said = job.communicate(timeout=60)
    reached = json.loads(state.read_text())["queries"]
    again = subprocess.run(command, capture_output=True, check=False)

    assert (job.returncode, again.returncode) == (130, 0), said
    assert 0 < reached < 2000
    assert len(output.read_text().splitlines()) == 40_000


def test_what_was_ranked_is_not_asked_again(tmp_path: Path) -> None:
    """All that had come is kept."""
    source = interrupted(tmp_path, 50)
    state = json.loads((tmp_path / "out.jsonl.bulk" / "state.json").read_text())
    again: list[str] = []

    def counted(query: str, texts: list[str]) -> list[float]:
        again.append(query)
        return score(query, texts)

    scorer = FunctionScorer(counted, name="free", independent=True, cache_name="free")
    with Reranker(scorer) as reranker:
        summary = run(source, tmp_path / "out.jsonl", reranker)

    assert state["queries"] == 50
    assert len(again) == 70
    assert (summary.counts.queries, summary.counts.pairs) == (120, 1200)
    assert [row["query_id"] for row in read_lines(tmp_path / "out.jsonl")] == [
        row["query_id"] for row in ROWS
    ]


def test_a_record_that_was_cut_short_is_cut_off(tmp_path: Path) -> None:
    """Bytes beyond what was committed never hold, whatever they are."""
    source = interrupted(tmp_path, 50)
    with (tmp_path / "out.jsonl.bulk" / "output.part").open("ab") as part:
        part.write(b'{"query_id": "q51", "docu')

    with Reranker(free()) as reranker:
        run(source, tmp_path / "out.jsonl", reranker)
        run(source, tmp_path / "whole.jsonl", reranker)

    assert (tmp_path / "out.jsonl").read_bytes() == (tmp_path / "whole.jsonl").read_bytes()


@pytest.mark.parametrize("changed", ["configuration", "input", "form"])
def test_another_job_is_not_mixed_in(changed: str, tmp_path: Path) -> None:
    """A sentence says what is another."""
    source = interrupted(tmp_path, 50)
    if changed == "input":
        write_lines(source, made_up(121))
    scorer = "bm25" if changed == "configuration" else free()
    options: dict[str, Any] = {"top_n": 3} if changed == "form" else {}

    with (
        Reranker(scorer) as reranker,
        pytest.raises(InvalidInputError, match=f"begun with another {changed}"),
    ):
        run(source, tmp_path / "out.jsonl", reranker, **options)


def test_a_complete_job_is_not_done_again(tmp_path: Path) -> None:
    """The same call says so; another configuration is refused; so is a file of somebody else's."""
    source = write_lines(tmp_path / "in.jsonl", ROWS)
    (tmp_path / "theirs.jsonl").write_text("precious")
    with Reranker(free()) as reranker, Reranker("bm25") as other:
        run(source, tmp_path / "out.jsonl", reranker)

        again = run(source, tmp_path / "out.jsonl", reranker)
        with pytest.raises(InvalidInputError, match="begun with another configuration"):
            run(source, tmp_path / "out.jsonl", other)
        with pytest.raises(InvalidInputError, match="is there already"):
            run(source, tmp_path / "theirs.jsonl", reranker)

    assert (again.outcome, again.pairs, again.counts.pairs) == (0, 0, 1200)
    assert str(again).startswith("complete before this start, which asked nothing: ")
    assert "pairs/s" not in str(again)
    assert (tmp_path / "theirs.jsonl").read_text() == "precious"


def test_killed_between_the_last_renames_it_is_finished(tmp_path: Path) -> None:
    """The output is where it belongs, and the state does not know yet."""
    source = write_lines(tmp_path / "in.jsonl", ROWS)
    with Reranker(free()) as reranker:
        run(source, tmp_path / "out.jsonl", reranker)
        state = tmp_path / "out.jsonl.bulk" / "state.json"
        state.write_text(json.dumps({**json.loads(state.read_text()), "complete": False}))

        summary = run(source, tmp_path / "out.jsonl", reranker)

    assert summary.outcome == 0
    assert len(read_lines(tmp_path / "out.jsonl")) == 120


def test_two_processes_do_not_write_one_output(tmp_path: Path) -> None:
    """The second is told."""
    source = write_lines(tmp_path / "in.jsonl", ROWS)
    target = tmp_path / "out.jsonl"
    with (
        Folder(target, tmp_path / "dead"),
        Reranker(free()) as reranker,
        pytest.raises(InvalidInputError, match="another process is at work"),
    ):
        run(source, target, reranker)


def test_what_is_read_ahead_is_bounded(tmp_path: Path) -> None:
    """However long the input, and however slow the first query."""
    source = write_lines(tmp_path / "in.jsonl", made_up(400, 3))
    reached: list[int] = []

    def slow_first(query: str, texts: list[str]) -> list[float]:
        number = int(texts[0].split()[1])
        if number == 0:
            time.sleep(0.5)
            reached.append(max(reached))
        else:
            reached.append(number)
        return score(query, texts)

    scorer = FunctionScorer(slow_first, name="free", independent=True, max_concurrency=4)
    with Reranker(scorer) as reranker:
        run(source, tmp_path / "out.jsonl", reranker, at_once=4)

    first = next(at for at in range(1, len(reached)) if reached[at] <= max(reached[:at]))
    assert max(reached[: first + 1]) <= 4 * 4 + 4
    assert len(read_lines(tmp_path / "out.jsonl")) == 400
