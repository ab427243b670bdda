"""How far a job is, and what may still be spent."""

from __future__ import annotations

import asyncio
import io
from pathlib import Path

import pytest
from bulk_runs import free, made_up, write_lines

from rerank_core import ConfigurationError, Reranker
from rerank_core.bulk import folder, job, run
from rerank_core.bulk.progress import Line, Meter, Progress
from rerank_core.bulk.purse import Purse
from rerank_core.bulk.summary import Counts


def test_a_line_says_share_rate_time_left_and_cost() -> None:
    """And how many dead letters, where there are any."""
    counts = Counts(pairs=12_300, cost=0.5, dead_letters=2)
    assert str(Progress(0.41, 240.4, 3_725.0, counts)) == (
        " 41% 12,300 pairs, 240/s, 1 h 02 min left, cost $0.5000, 2 dead letters"
    )
    assert str(Progress(0.0, 0.0, None, Counts())) == "  0% 0 pairs, 0/s, cost $0"


def test_time_left_is_by_what_this_start_read() -> None:
    """What an earlier start did took it no time."""
    counts = Counts(at=900, pairs=9000, seconds=50.0)
    meter = Meter(counts, 1000)
    counts.at, counts.pairs = 950, 9500
    meter._started -= 100.0  # so long ago

    now = meter.now(counts)

    assert now.share == 0.95
    assert now.left == pytest.approx(100.0, rel=0.1)
    assert meter.pairs(counts) == 500
    assert meter.total >= 150.0


def test_where_nobody_looks_a_line_comes_now_and_then() -> None:
    """Not over and over into the log of a scheduler."""
    log = io.StringIO()
    line, seldom = Line(log, every=0.0), Line(log, every=1000.0)
    for told in (line, seldom):
        told(Progress(0.5, 1.0, 1.0, Counts()))
        told.end()
    assert log.getvalue().count("\n") == 1


def test_a_job_tells_how_far_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From its own counts, which only grow."""
    monkeypatch.setattr(job, "COMMIT_SECONDS", 0.0)
    monkeypatch.setattr(folder, "COMMIT_BYTES", 100)
    told: list[tuple[float, int]] = []
    with Reranker(free()) as reranker:
        run(
            write_lines(tmp_path / "in.jsonl", made_up(60)),
            tmp_path / "out.jsonl",
            reranker,
            progress=lambda now: told.append((now.share, now.counts.pairs)),
        )
    assert told == sorted(told)
    assert told[0][0] > 0


def test_money_is_set_aside_for_what_is_under_way() -> None:
    """The first goes alone; then as many as the dearest price of a document allows."""

    async def spend() -> list[object]:
        purse = Purse(1.0)
        first = await purse.reserve(10)
        assert first is not None
        second = asyncio.create_task(purse.reserve(10))
        await asyncio.sleep(0)
        alone = not second.done()
        await purse.settle(first, 10, 0.3)
        receipt = await second
        assert receipt is not None
        third = await purse.reserve(10)
        fourth = asyncio.create_task(purse.reserve(10))  # 0.3 spent, 0.6 set aside
        await asyncio.sleep(0)
        waits = not fourth.done()
        await purse.settle(receipt, 10, 0.1)
        return [alone, third is not None, waits, await fourth is not None, purse.spent]

    assert asyncio.run(spend()) == [True, True, True, True, 0.4]


@pytest.mark.parametrize("limit", [0, -1.0, float("nan")])
def test_a_limit_is_more_than_nothing(limit: float) -> None:
    """A job that may cost nothing asks nobody."""
    with pytest.raises(ConfigurationError, match="max_cost is US dollars above 0"):
        Purse(limit)
