"""A job from its first byte to its last: what is asked, what is written, and how it ends."""

from __future__ import annotations

import asyncio
import hashlib
import os
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import AbstractContextManager, aclosing, closing, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

from ..errors import ConfigurationError, InvalidInputError, Reason, ScorerError
from ..evaluation.journal import system_key
from ..reranker import Reranker
from ..runtime import loop, threads
from .folder import COMMIT_SECONDS, Folder, Writer
from .forms import Form, Order, form_of
from .progress import Meter, Told
from .purse import Purse
from .records import Done
from .sources import source
from .summary import Counts, Outcome, Summary
from .worker import Plan, queries_at_once

#: So many queries one after the other of which nothing was scored: it is not the queries.
FAILED_IN_A_ROW = 10
#: Options of a reranker that change what is written, beside its scorers and their combination.
_TELLING = ("threshold", "duplicates", "max_per", "instruction", "retrieval_score")
#: So many bytes at both ends of a file tell it from another of its size.
_ENDS = 1 << 16


class Engine(Protocol):
    """What ranks the queries of a source from a position on, in their order."""

    def connected(self) -> AbstractContextManager[object]:
        """Around all it does; entered in the thread that started the job."""
        ...

    def ranked(self, plan: Plan) -> AsyncGenerator[Done, None]:
        """What came of each. It waits where it is not asked for the next one."""
        ...


class Local:
    """This process."""

    def connected(self) -> AbstractContextManager[object]:
        """Nothing is to be connected."""
        return nullcontext()

    async def ranked(self, plan: Plan) -> AsyncGenerator[Done, None]:
        """What came of each query of the plan."""
        await plan.reranker.awarm_up()
        records = plan.queries.read(plan.counts.position)
        async with aclosing(plan.worker(Purse(*plan.spending)).run(records)) as results:
            async for done in results:
                yield done


def run(
    candidates: str | os.PathLike[str],
    output: str | os.PathLike[str],
    reranker: Reranker,
    *,
    corpus: str | os.PathLike[str] | None = None,
    queries: str | os.PathLike[str] | None = None,
    dead_letters: str | os.PathLike[str] | None = None,
    top_n: int | None = None,
    order: Order = "rank",
    max_cost: float | None = None,
    at_once: int | None = None,
    engine: Engine | None = None,
    progress: Told | None = None,
) -> Summary:
    """Rank every query of a file into another file. Stopped or killed, the same call goes on.

    `candidates`: JSON lines or Parquet, a record a query or a pair (see `bulk.sources`), or a TREC
    run with the texts in `corpus` and `queries` (JSON lines or .tsv). `output`: .jsonl, .parquet,
    else a TREC run; it is there once all of it is. `dead_letters`: where that goes which could not
    be scored, with the reason, as candidates for another job (default: `output` with
    ".dead.jsonl"). `order="input"` leaves a query's documents where they were.

    `max_cost`: US dollars over all starts of the job; nothing is asked that might cost more.
    `at_once`: queries under way together. `engine`: this process, or `Ray(...)`. There is no
    deadline.

    Raises `InvalidInputError` for files that cannot be what they are named as, and where another
    job was begun on this output; a `ScorerError` if key or model is refused, or nothing was scored
    of ten queries one after the other.
    """
    if at_once is not None and at_once < 1:
        raise ConfigurationError(f"at_once is at least 1, not {at_once}")
    Purse(max_cost)  # says what is wrong with it
    target = Path(output)
    dead = Path(dead_letters) if dead_letters is not None else Path(f"{target}.dead.jsonl")
    form = form_of(target, order=order, top_n=top_n, name=reranker.name)
    files = [Path(file) for file in (candidates, queries, corpus) if file is not None]
    for file in files:
        if not file.is_file():
            raise InvalidInputError(f"there is no file {file}")
    with Folder(target, dead) as folder:
        counts = folder.take(_job(files, form, reranker))
        meter = Meter(counts, 0)
        if counts.finished:
            before = counts.complete
            if not before:
                folder.finish(counts, form)
            return replace(_summary(folder, counts, meter), before=before)
        found = source(Path(candidates), folder.indexes, _path(corpus), _path(queries))
        meter = Meter(counts, found.size)
        with closing(found), closing(folder.writer(counts)) as writer:
            plan = Plan(
                reranker=reranker,
                form=form,
                queries=found,
                counts=counts,
                max_cost=max_cost,
                at_once=at_once or queries_at_once(reranker),
            )
            chosen = engine or Local()
            results = chosen.ranked(plan)
            try:
                with chosen.connected():
                    loop.run(_drive(results, writer, meter, progress))
            finally:
                # what was paid for holds, however this ends
                writer.commit(seconds=meter.total)
        if counts.finished:
            folder.finish(counts, form)  # type: ignore[unreachable]  # the writer says so
        return _summary(folder, counts, meter)


def _summary(folder: Folder, counts: Counts, meter: Meter) -> Summary:
    outcome = Outcome.COMPLETE
    if not counts.finished:
        outcome = Outcome.OUT_OF_MONEY
    elif counts.dead or counts.degraded:
        outcome = Outcome.WITH_FAULTS
    dead = folder.dead_letters if counts.dead and counts.complete else None
    return Summary(outcome, folder.output, dead, counts, meter.pairs(counts), meter.seconds)


class _Held:
    """Results that are not written yet: as long as no other query fares better than those of which
    nothing was scored, it may be the world, and not the queries.
    """

    def __init__(self, counts: Counts) -> None:
        self._results: list[Done] = []
        self._failed = 0
        self._ever = counts.pairs > counts.unscored

    def next(self, done: Done) -> list[Done]:
        """What may be written now. Raises `ScorerError` after ten failures in a row."""
        self._results.append(done)
        self._failed += done.failed
        if done.pairs > done.unscored:
            self._ever, self._failed = True, 0
        if self._failed >= FAILED_IN_A_ROW:
            raise self._error()
        return [] if self._failed else self._taken()

    def last(self) -> list[Done]:
        """What is left at the end. Raises `ScorerError` where nothing was ever scored."""
        if self._failed and not self._ever:
            raise self._error()
        return self._taken()

    def _taken(self) -> list[Done]:
        taken, self._results = self._results, []
        return taken

    def _error(self) -> ScorerError:
        last = [one for one in self._results if one.failed][-1]
        return ScorerError(
            f"nothing was scored of {self._failed} queries one after the other "
            f"({', '.join(last.reasons)}: {last.why}); started again, it goes on from there",
            reason=Reason(last.reasons[0]) if last.reasons else Reason.SCORER,
        )


async def _drive(
    results: AsyncGenerator[Done, None],
    writer: Writer,
    meter: Meter,
    progress: Told | None,
) -> None:
    """Have everything written, in another thread than this loop's, as far as the money goes."""
    committing: asyncio.Task[None] | None = None
    last = time.monotonic()
    held = _Held(writer.counts)

    async def commit() -> None:
        await threads.run(lambda stop: writer.commit(seconds=meter.total))
        if progress is not None:
            await threads.run(lambda stop: progress(meter.now(writer.counts)))

    async with aclosing(results):
        async for done in results:
            if done.stopped:
                return
            for one in held.next(done):
                writer.put(one)
            if writer.full and committing is not None:
                await committing
            idle = committing is None or committing.done()
            if idle and (writer.full or time.monotonic() - last >= COMMIT_SECONDS):
                if committing is not None:
                    committing.result()  # a disk that is full ends the job
                last, committing = time.monotonic(), asyncio.create_task(commit())
    for one in held.last():
        writer.put(one)
    if committing is not None:
        await committing
    await threads.run(lambda stop: writer.commit(seconds=meter.total, finished=True))


def _job(files: Sequence[Path], form: Form, reranker: Reranker) -> dict[str, Any]:
    """What another start must have in common with the first, by what it is called there."""
    telling = [(name, getattr(reranker, name)) for name in _TELLING]
    system = repr((system_key("bulk", reranker), telling))
    return {
        "input": [_mark(file) for file in files],
        "configuration": hashlib.blake2b(system.encode(), digest_size=16).hexdigest(),
        "form": [form.kind, form.order, form.top_n],
    }


def _mark(path: Path) -> list[Any]:
    """The size of a file, and a hash of both its ends."""
    size = path.stat().st_size
    digest = hashlib.blake2b(digest_size=16)
    with path.open("rb") as file:
        digest.update(file.read(_ENDS))
        file.seek(max(0, size - _ENDS))
        digest.update(file.read(_ENDS))
    return [size, digest.hexdigest()]


def _path(given: str | os.PathLike[str] | None) -> Path | None:
    return None if given is None else Path(given)
