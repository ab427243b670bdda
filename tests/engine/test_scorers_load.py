"""What a scorer must load counts against the deadline, starts early, and goes on."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence

import pytest

from rerank_core import Cascade, ConfigurationError, Ranking, Reason, Reranker
from rerank_core.protocols import ScorerBase

TEXTS = ["text 0", "text 1", "text 2"]


class Loads(ScorerBase):
    """Scores a text by its last character, once it has been let load."""

    name = "loads"

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error
        self.started, self.may_load = threading.Event(), threading.Event()
        self.loaded = 0

    async def warm_up(self) -> None:
        self.started.set()
        await asyncio.to_thread(self.may_load.wait, 30)
        if self.error is not None:
            raise self.error
        self.loaded += 1

    async def score(self, query: str, texts: Sequence[str]) -> list[float | None]:
        assert self.loaded
        return [float(text[-1]) / 10 for text in texts]


def by_letter(query: str, texts: Sequence[str]) -> list[float]:
    return [float(text[-1]) for text in texts]


@pytest.fixture(params=["sync", "async"])
def rank(request: pytest.FixtureRequest) -> Callable[[Reranker], Ranking]:
    """Through either face."""

    def call(reranker: Reranker) -> Ranking:
        if request.param == "sync":
            return reranker.rank("q", TEXTS)
        return asyncio.run(reranker.arank("q", TEXTS))

    return call


def test_it_starts_to_load_when_the_reranker_is_made() -> None:
    """In the background, before anybody asks."""
    scorer = Loads()
    Reranker(scorer)

    assert scorer.started.wait(30)
    scorer.may_load.set()


def test_what_is_not_loaded_in_time_degrades(rank: Callable[[Reranker], Ranking]) -> None:
    """With the reason, and goes on loading: a later call is whole."""
    scorer = Loads()
    with Reranker(scorer, timeout=0.1) as reranker:
        early = rank(reranker)
        scorer.may_load.set()
        reranker.warm_up()
        later = rank(reranker.replace(timeout=30))

    assert [hit.index for hit in early] == [0, 1, 2]
    assert early.report.reasons == (Reason.LOADING,)
    assert "loads was still loading" in early.report.why
    assert [hit.index for hit in later] == [2, 1, 0]
    assert not later.report.degraded


def test_the_fallback_stands_in_meanwhile() -> None:
    """It has its share of the deadline."""
    scorer = Loads()
    with Reranker(scorer, timeout=0.5, fallback=by_letter) as reranker:
        report = reranker.rank("q", TEXTS).report
        scorer.may_load.set()

    assert report.reasons == (Reason.LOADING, Reason.FALLBACK)


def test_in_a_cascade_the_order_so_far_stands_meanwhile() -> None:
    """And the report says which stage it was."""
    scorer = Loads()
    with Reranker(Cascade(by_letter, (scorer, 2)), timeout=0.3) as reranker:
        ranking = reranker.rank("q", TEXTS)
        scorer.may_load.set()

    assert [hit.index for hit in ranking] == [2, 1, 0]
    assert [stage.reasons for stage in ranking.report.stages] == [(), (Reason.LOADING,)]


def test_without_a_deadline_it_is_waited_for() -> None:
    """However long that takes."""
    scorer = Loads()
    threading.Timer(0.2, scorer.may_load.set).start()
    with Reranker(scorer, timeout=None) as reranker:
        assert not reranker.rank("q", TEXTS).report.degraded


def test_all_who_wait_share_one_load() -> None:
    """It is begun once, and its end is waited for by each."""
    scorer = Loads()

    async def twice(reranker: Reranker) -> None:
        ranked = asyncio.gather(*(reranker.arank("q", TEXTS) for _ in range(5)))
        await asyncio.sleep(0.05)
        scorer.may_load.set()
        await ranked

    with Reranker(scorer, timeout=None) as reranker:
        asyncio.run(twice(reranker))

    assert scorer.loaded == 1


def test_a_load_that_fails_is_raised_at_the_first_call() -> None:
    """As what could never work; the next call tries again."""
    scorer = Loads(ConfigurationError("no such model"))
    scorer.may_load.set()
    with Reranker(scorer) as reranker:
        with pytest.raises(ConfigurationError, match="no such model"):
            reranker.rank("q", TEXTS)
        scorer.error = None
        assert not reranker.rank("q", TEXTS).report.degraded


def test_a_later_stage_that_cannot_load_is_told_in_the_report() -> None:
    """The order so far stands."""
    scorer = Loads(ConfigurationError("no such model"))
    scorer.may_load.set()
    with Reranker(Cascade("bm25", (scorer, 2))) as reranker:
        report = reranker.rank("text", TEXTS).report

    assert report.reasons == (Reason.SCORER,)
    assert "no such model" in report.why
