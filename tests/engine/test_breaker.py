"""The circuit breaker, by a clock of the tests' own."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Sequence

import pytest

from rerank_core import Reason, Reranker, ScorerError
from rerank_core.engine.breaker import Attempt, Breaker
from rerank_core.protocols import ScorerBase


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def acquire(breaker: Breaker) -> Attempt:
    attempt = breaker.try_acquire()
    assert attempt is not None
    return attempt


def fail(breaker: Breaker, clock: Clock, *, takes: float = 0.1) -> None:
    """One ranking, from its start to its failure."""
    attempt = acquire(breaker)
    clock.now += takes
    breaker.note(attempt, succeeded=False, reasons=[Reason.SERVER])


class TestWhatOpensIt:
    def test_failures_one_after_another(self) -> None:
        """Each began after the one before it had failed."""
        clock = Clock()
        breaker = Breaker(failures=3, clock=clock)
        for _ in range(3):
            fail(breaker, clock)

        assert breaker.try_acquire() is None

    @pytest.mark.parametrize("size", [3, 50, 1000])
    def test_a_burst_that_fails_together_is_one(self, size: int) -> None:
        """However large it is: it tells of one moment."""
        clock = Clock()
        breaker = Breaker(failures=2, clock=clock)
        burst = [acquire(breaker) for _ in range(size)]
        for attempt in burst:
            clock.now += 0.01
            breaker.note(attempt, succeeded=False, reasons=[Reason.OVERLOADED])

        assert breaker.try_acquire() is not None

    @pytest.mark.parametrize(("answered", "of"), [(1, 50), (12, 50), (25, 50)])
    def test_a_burst_that_was_answered_in_part_is_none(self, answered: int, of: int) -> None:
        """Who failed while another was served was in a queue that is too long."""
        clock = Clock()
        breaker = Breaker(failures=1, clock=clock)
        burst = [acquire(breaker) for _ in range(of)]
        for number, attempt in enumerate(burst):
            clock.now += 0.1
            breaker.note(attempt, succeeded=number < answered, reasons=[Reason.TIMEOUT])

        assert breaker.try_acquire() is not None

    @pytest.mark.parametrize(
        ("asked", "due", "opens"),
        [
            (0.0, 10.0, True),
            (4.9, 10.0, True),
            (5.1, 10.0, False),  # it had less than half of the time: the rest was our own queue
            (math.inf, 10.0, False),  # it was never asked
            (0.0, 8.0, False),  # we were two seconds late to look: the process was too busy
            (0.0, 9.5, True),
        ],
    )
    def test_a_timeout_only_where_the_time_was_its_own(
        self, asked: float, due: float, opens: bool
    ) -> None:
        """A ranking of ten seconds: when it was asked, and when the deadline was."""
        clock = Clock()
        breaker = Breaker(failures=1, clock=clock)
        attempt = acquire(breaker)
        clock.now = 10.0

        breaker.note(attempt, succeeded=False, reasons=[Reason.TIMEOUT], asked=asked, due=due)

        assert (breaker.try_acquire() is None) == opens

    @pytest.mark.parametrize("reason", [Reason.CONNECTION, Reason.SERVER, Reason.AUTH])
    def test_a_failure_that_it_told_whatever_time_it_had(self, reason: Reason) -> None:
        """An error that came back is the server's own."""
        breaker = Breaker(failures=1, clock=Clock())

        breaker.note(acquire(breaker), succeeded=False, reasons=[Reason.TIMEOUT, reason], asked=9.0)

        assert breaker.try_acquire() is None

    @pytest.mark.parametrize("reason", [Reason.UNPARSEABLE, Reason.REQUEST, Reason.TOO_LARGE])
    def test_no_request_that_was_wrong(self, reason: Reason) -> None:
        """A reply that does not parse says nothing of the server's health."""
        breaker = Breaker(failures=1)

        breaker.note(acquire(breaker), succeeded=False, reasons=[reason])

        assert breaker.try_acquire() is not None


class TestWhenItIsTriedAgain:
    def test_soon_then_later_and_later(self) -> None:
        """After a second, then two, four and so on, and never longer than the longest rest."""
        clock = Clock()
        breaker = Breaker(failures=1, rest=1.0, longest=10.0, clock=clock)
        fail(breaker, clock, takes=0.0)

        rests = []
        for _ in range(6):
            opened = clock.now
            while breaker.try_acquire() is None:
                clock.now += 0.25
            rests.append(clock.now - opened)
            breaker.note(Attempt(clock.now), succeeded=False, reasons=[Reason.SERVER])

        assert rests == [1.0, 2.0, 4.0, 8.0, 10.0, 10.0]

    def test_by_one_ranking_at_a_time(self) -> None:
        """While one tries, the others are not asked; if it never tells, the next one tries."""
        clock = Clock()
        breaker = Breaker(failures=1, rest=1.0, clock=clock)
        fail(breaker, clock, takes=0.0)
        clock.now = 1.0

        acquire(breaker)

        assert breaker.try_acquire() is None
        clock.now = 3.0
        assert breaker.try_acquire() is not None

    def test_the_first_success_closes_it(self) -> None:
        """For all, and the next rest is short again."""
        clock = Clock()
        breaker = Breaker(failures=1, rest=1.0, clock=clock)
        for clock.now in (0.0, 1.0, 3.0):
            fail(breaker, clock, takes=0.0)
        clock.now = 7.0

        breaker.note(acquire(breaker), succeeded=True, reasons=[])

        assert [breaker.try_acquire() is not None for _ in range(3)] == [True] * 3
        fail(breaker, clock, takes=0.0)
        clock.now = 8.0
        assert breaker.try_acquire() is not None


class Crowded(ScorerBase):
    """Serves one ranking at a time, and each takes a while."""

    name = "crowded"

    async def score(self, query: str, texts: Sequence[str]) -> list[float | None]:
        await asyncio.sleep(0.1)
        return [1.0] * len(texts)


class Down(ScorerBase):
    """Fails, the first `together` of its calls at the same time."""

    name = "down"
    max_concurrency = 100

    def __init__(self, together: int = 1) -> None:
        self.together, self.asked = together, 0
        self.all_there = asyncio.Event()

    async def score(self, query: str, texts: Sequence[str]) -> list[float | None]:
        self.asked += 1
        if self.asked >= self.together:
            self.all_there.set()
        await self.all_there.wait()
        raise ScorerError("HTTP 500", reason=Reason.SERVER)


class TestInAReranker:
    def test_an_overload_of_our_own_closes_it_for_nobody(self) -> None:
        """Fifty at once for a place that serves a few in time: the next one is reranked."""
        reranker = Reranker(Crowded(), timeout=0.35)

        async def main() -> list[float]:
            for _ in range(3):
                await asyncio.gather(*(reranker.arank(f"q {n}", ["a", "b"]) for n in range(50)))
            return [(await reranker.arank("alone", ["a"], timeout=60)).report.coverage]

        assert asyncio.run(main()) == [1.0]

    def test_a_burst_of_errors_is_asked_again(self) -> None:
        """One burst is one failure of five."""
        reranker = Reranker(Down(together=20))

        async def main() -> list[Reason]:
            await asyncio.gather(*(reranker.arank(f"q {n}", ["a"]) for n in range(20)))
            return list((await reranker.arank("q", ["a"])).report.reasons)

        assert asyncio.run(main()) == [Reason.SERVER]
