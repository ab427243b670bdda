"""Every fault through every face: what is lost, doubled, raised, silent, and how late it is.

    python benchmarks/faults.py [--deadline 1] [--at-once 20] [--only NAME ...]

Each fault of `tests/faults/cases.py` strikes 20 rankings of 25 documents at once, under a deadline
of 1 s: sync and async, through the core, LangChain and LlamaIndex. The servers are real ones on
loopback, in a process of their own, so that their work is not taken for ours. A name that hangs in
resolution is a stand-in for `socket.getaddrinfo` that sleeps in the thread it is called in.

lost, doubled: documents. raised: errors where the contract says degrade, or none where it says
raise. silent: something went unscored, and the report (for the frameworks, as `on_ranking` was
told) does not say so. over: milliseconds past the deadline, less the median that a bare timer took
too long in the same run (`asyncio.sleep`, `Event.wait`, 20 at once, nothing else going on), of
those rankings that lasted until the deadline struck, which is 2% before its time.

A full garbage collection stops every thread, for a tenth of a second and more with both frameworks
loaded, whoever's timers they are. As a service would once it has started, this calls `gc.freeze()`
before each round (`--no-freeze`: not), and tells at the end how often and how long it was stopped
all the same.

Ends with status 1 if anything was lost, doubled, raised or silent, or if the 95th percentile of
all that were late is over 50 ms.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import logging
import multiprocessing
import os
import platform
import statistics
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

sys.path[:0] = [
    str(Path(__file__).resolve().parents[1] / place) for place in ("core", "tests", ".")
]

from faults.cases import CASES, Case, standing  # noqa: E402
from faults.counted import BLOCKED, BLOCKED_FROM, Outcome, at_once, reranker_for  # noqa: E402
from faults.faces import FACES  # noqa: E402

from rerank_core import Ranking  # noqa: E402
from rerank_core.engine.pipeline import FINISH_SECONDS, FINISH_SHARE  # noqa: E402

ALLOWED_MS = 50
#: What a local scorer's threads may still be at when their rankings are done, in seconds.
WIND_DOWN = 2.5


def serve(pipe: Any) -> None:
    """The servers' own process: a case by name, then its fault, then the end of it."""
    while (name := pipe.recv()) is not None:
        with standing(CASES[name]) as (address, strike):
            pipe.send(address)
            pipe.recv()
            strike()
            pipe.send("struck")
            pipe.recv()


@contextmanager
def elsewhere(case: Case, pipe: Any) -> Iterator[tuple[str, Callable[[], None]]]:
    """`standing`, in the servers' process where it is a server."""
    if case.serves is None:
        with standing(case) as here:
            yield here
        return

    def strike() -> None:
        pipe.send("strike")
        pipe.recv()

    pipe.send(case.name)
    yield pipe.recv(), strike
    pipe.send("end")


def bare_timers(seconds: float, count: int, awaited: bool) -> list[float]:
    """What so many timers at once take too long, in seconds."""

    async def slept() -> float:
        started = time.perf_counter()
        await asyncio.sleep(seconds)
        return time.perf_counter() - started - seconds

    async def all_slept() -> list[float]:
        return await asyncio.gather(*(slept() for _ in range(count)))

    if awaited:
        return asyncio.run(all_slept())
    late: list[float] = []

    def waited() -> None:
        started = time.perf_counter()
        threading.Event().wait(seconds)
        late.append(time.perf_counter() - started - seconds)

    threads = [threading.Thread(target=waited) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return late


def struck(
    case: Case, pipe: Any, deadline: float, count: int, freeze: bool
) -> list[tuple[bool, Outcome]]:
    """What came of the case through every face: whether it was awaited, and the outcome."""
    outcomes: list[tuple[bool, Outcome]] = []
    told: dict[str, Ranking] = {}
    for face in FACES:
        if case.caller == "cancels" and not face.awaited:
            continue
        # a reranker for each face: five rankings without a score open its circuit
        with (
            elsewhere(case, pipe) as (address, strike),
            reranker_for(case, address, deadline, told) as reranker,
        ):
            if case.primed:
                first = reranker.rank("capital of Italy", ["Rome"], timeout=30)
                assert not first.report.degraded, first.report
            strike()
            if freeze:  # the records of what has been are this script's, not a service's
                gc.collect()
                gc.freeze()
            found = at_once(case, face, reranker, told, count)
            outcomes += [(face.awaited, one) for one in found]
        if case.kind == "local":
            time.sleep(WIND_DOWN)
    return outcomes


def percentile(values: Sequence[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


class Collections:
    """How long Python's garbage collector stopped every thread: frameworks make large heaps."""

    def __init__(self) -> None:
        self.pauses: list[float] = []
        self._since = 0.0

    def __call__(self, phase: str, info: dict[str, int]) -> None:
        if phase == "start":
            self._since = time.perf_counter()
        else:
            self.pauses.append(1000 * (time.perf_counter() - self._since))

    def __str__(self) -> str:
        long = [pause for pause in self.pauses if pause > 10]
        return (
            f"garbage collections that took over 10 ms: {len(long)}, "
            f"the longest {max(self.pauses, default=0):.0f} ms"
        )


class Table:
    """One row a case, and the sum of them."""

    def __init__(self, deadline: float) -> None:
        self.deadline = deadline
        self.bare: dict[bool, list[float]] = {False: [], True: []}
        self.rows: list[tuple[Case, list[tuple[bool, Outcome]]]] = []

    def late(self, outcomes: Sequence[tuple[bool, Outcome]]) -> list[float]:
        """Milliseconds past the deadline, of those that lasted until it struck."""
        usual = {awaited: statistics.median(times) for awaited, times in self.bare.items()}
        return [
            1000 * max(0.0, one.seconds - self.deadline - usual[awaited])
            for awaited, one in outcomes
            if one.seconds >= self.deadline - min(FINISH_SHARE * self.deadline, FINISH_SECONDS)
        ]

    def line(self, name: str, kind: str, outcomes: Sequence[tuple[Case, bool, Outcome]]) -> str:
        late = self.late([(awaited, one) for _, awaited, one in outcomes])
        counts = (
            len(outcomes),
            sum(one.lost for _, _, one in outcomes if not _cancelled(one)),
            sum(one.duplicated for _, _, one in outcomes),
            sum(one.is_unexpected(case) for case, _, one in outcomes),
            sum(one.is_silent(case) for case, _, one in outcomes),
        )
        seconds = statistics.median(one.seconds for _, _, one in outcomes)
        over = f"{percentile(late, 0.95):6.1f} {max(late):7.1f}" if late else f"{'':6} {'':7}"
        figures = "".join(f"{count:9d}" for count in counts)
        return f"{name:38} {kind:8}{figures} {seconds:8.2f} {over}"

    def header(self) -> str:
        names = "".join(f"{n:>9}" for n in ("rankings", "lost", "doubled", "raised", "silent"))
        return f"{'fault':38} {'':8}{names} {'median s':>8} {'over p95':>6} {'max':>5}"

    def everything(self) -> list[tuple[Case, bool, Outcome]]:
        return [(case, awaited, one) for case, outcomes in self.rows for awaited, one in outcomes]


def _cancelled(outcome: Outcome) -> bool:
    return isinstance(outcome.error, asyncio.CancelledError)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--deadline", type=float, default=1.0)
    parser.add_argument("--at-once", type=int, default=20)
    parser.add_argument("--only", nargs="+", default=list(CASES), help="cases by name")
    parser.add_argument("--no-freeze", action="store_true", help="leave the heap as it is")
    asked = parser.parse_args()
    logging.getLogger("rerank_core").setLevel(logging.ERROR)

    for name in ("silent", "silent, rerank API"):  # whatever is imported late is imported now
        with reranker_for(CASES[name], "http://127.0.0.1:9", asked.deadline, {}) as reranker:
            for face in FACES:
                face.ask(reranker, ["text"])
    collections = Collections()
    gc.callbacks.append(collections)
    ours, theirs = multiprocessing.get_context("spawn").Pipe()
    servers = multiprocessing.get_context("spawn").Process(
        target=serve, args=(theirs,), daemon=True
    )
    servers.start()
    table = Table(asked.deadline)
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    print(table.header(), flush=True)
    for number, name in enumerate(asked.only):
        if number % 12 == 0:
            for awaited in (False, True):
                table.bare[awaited] += bare_timers(asked.deadline, asked.at_once, awaited)
        case = CASES[name]
        outcomes = struck(case, ours, asked.deadline, asked.at_once, not asked.no_freeze)
        table.rows.append((case, outcomes))
        whole = [(case, awaited, one) for awaited, one in outcomes]
        print(table.line(case.name, case.kind, whole), flush=True)
        for face, error in {
            (type(o.error).__name__, str(o.error))
            for c, _, o in whole
            if o.error is not None and o.is_unexpected(c)
        }:
            print(f"    {face}: {error[:200]}")
    ours.send(None)
    status = verdict(table)
    print(collections)
    return status


def verdict(table: Table) -> int:
    everything = table.everything()
    print(table.line(f"all {len(table.rows)}", "", everything))
    for awaited, name in ((False, "Event.wait"), (True, "asyncio.sleep")):
        times = table.bare[awaited]
        print(
            f"bare timers, {name}: median {1000 * statistics.median(times):.1f} ms late, p95 "
            f"{1000 * percentile(times, 0.95):.1f}, max {1000 * max(times):.1f}"
        )
    for case, outcomes in table.rows:
        if case.caller == "is busy" and case.fault is None:
            after = [one.seconds - BLOCKED_FROM - BLOCKED for awaited, one in outcomes if awaited]
            print(
                f"caller's loop blocked for {BLOCKED:g} s: answers were there "
                f"{1000 * max(after):.1f} ms at most after it came back"
            )
    late = table.late([(awaited, one) for _, awaited, one in everything])
    broken = any(
        one.duplicated
        or one.is_unexpected(case)
        or one.is_silent(case)
        or (one.lost and not _cancelled(one))
        for case, _, one in everything
    )
    return int(broken or bool(late and percentile(late, 0.95) > ALLOWED_MS))


if __name__ == "__main__":
    sys.exit(main())
