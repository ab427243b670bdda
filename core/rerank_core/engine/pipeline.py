"""The one flow: candidates in, every one of them placed, and the report of how.

    the retriever's order ─► stage ─► stage ─► … ─► report
                     a stage: load, score, fall back, combine signals, place

Most rerankers have one stage; a cascade has several, each over the head of the order so far.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from weakref import WeakSet

from ..combine.estimate import estimate
from ..combine.standing import Standing
from ..errors import HARMLESS, Reason
from ..protocols import Scorer
from ..ranking.candidate import Candidate
from ..ranking.given import Given
from ..ranking.ranking import Placed, as_retrieved
from ..ranking.report import Report
from ..ranking.retrieval import Retrieval
from ..runtime.deadline import Deadline
from ..runtime.meter import Usage
from ..telemetry.tracing import StageSpan, stage_span
from .batches import cancel_abandoned
from .cache import Cache
from .engine import Engine
from .stage import Outcome, StageRunner

#: The share of the deadline, and the most seconds of it, that is left for putting the answer
#: together: of twenty calls that end at once, the last one waits for the others' turns too.
FINISH_SHARE, FINISH_SECONDS = 0.02, 0.02

#: Those that have ranked since they were last closed. Scorers and stores may be shared by several
#: (`Reranker.replace`), and are let go of with the last. Touched on the background loop only.
_in_use: WeakSet[Pipeline] = WeakSet()


class Pipeline:
    """Runs the flow: stage after stage, under one deadline."""

    def __init__(
        self, stages: Sequence[StageRunner], cache: Cache | None = None, depth: int | None = None
    ) -> None:
        self.stages, self.cache, self.depth = stages, cache, depth

    def begin_loading(self) -> None:
        """Start to load what must be loaded, in the background."""
        for engine in self._engines():
            if engine.loading.heavy:
                engine.loading.begin()

    async def run(self, given: Given, deadline: Deadline) -> tuple[list[Placed], Report]:
        """Every candidate, best first, by the deadline, and the report.

        Raises a `ScorerError` if the first stage's key or model was refused, nothing has ever
        succeeded, and there is no fallback; and what loading raised that a scorer of the first
        stage cannot do without. All else that the world does is in the report.
        """
        if not given.candidates or self.depth == 0:
            return as_retrieved(given.retrieval, keep_scores=True), Report(notes=given.notes)
        retrieved = given.retrieval.order[: self.depth]
        legible = [at for at, index in enumerate(retrieved) if index not in given.unread]
        if given.blank or not legible:
            return as_retrieved(given.retrieval), Report(
                coverage=0.0, degraded=True, reasons=given.reasons, notes=given.notes
            )
        _in_use.add(self)
        started = time.monotonic()
        shown = [retrieved[at] for at in legible]
        listed = [given.candidates[index] for index in shown]
        if (left := deadline.left()) is not None:
            deadline = Deadline.after(left - min(FINISH_SHARE * left, FINISH_SECONDS))
        outcomes = await self._stages(given.query, listed, given.retrieval.of(shown), deadline)
        standing = outcomes[-1].standing
        score, components = standing.scores.get, standing.components.get
        placed = [
            Placed(shown[at], legible[at] + 1, score(at), components(at, {}))
            for at in standing.order
        ]
        if len(placed) < len(given.candidates):
            asis = as_retrieved(given.retrieval)
            _insert(placed, [hit for hit in asis[: len(retrieved)] if hit.index in given.unread])
            # beneath the depth nothing is asked, and nothing moves
            placed += asis[len(retrieved) :]
        return placed, _report(
            given, outcomes, len(legible) / len(retrieved), time.monotonic() - started
        )

    async def _stages(
        self,
        query: str,
        listed: Sequence[Candidate],
        retrieval: Retrieval,
        deadline: Deadline,
    ) -> list[Outcome]:
        outcomes: list[Outcome] = []
        standing = Standing(range(len(listed)))
        said: dict[str, dict[int, float | None]] = {}
        for stage in self.stages:
            if outcomes and not deadline.allows(0.0):
                outcome = stage.out_of_time(standing)
            else:
                with self._span(stage, standing) as span:
                    outcome = await stage.run(query, listed, retrieval, standing, said, deadline)
                    span.finish(outcome.report())
            if not outcomes:  # after it there is an order to fall back to
                _raise_if_hopeless(stage, outcome)
            seen = standing.head(stage.depth)
            for name in stage.engines:
                scores = outcome.found[name].scores if name in outcome.found else ()
                said[name] = dict(zip(seen, scores, strict=False))
            outcomes.append(outcome)
            standing = outcome.standing
        return outcomes

    def _span(self, stage: StageRunner, standing: Standing) -> AbstractContextManager[StageSpan]:
        if len(self.stages) == 1:  # then the ranking's own says it all
            return nullcontext(StageSpan())
        return stage_span(stage.name, len(standing.head(stage.depth)))

    async def warm_up(self) -> None:
        """Load what every scorer, fallbacks too, must load, and open the cache."""
        _in_use.add(self)
        await asyncio.gather(*(engine.warm_up() for engine in self._engines()))
        if self.cache is not None:
            await self.cache.warm_up()

    async def aclose(self) -> None:
        """Close every scorer, and the cache, but what another pipeline in use works with too.

        The last one to be closed closes that. One that is gone without a word is not waited for.
        """
        _in_use.discard(self)
        await cancel_abandoned()  # or it would open again what is closed here
        shared = {id(part) for other in _in_use for part in other._parts()}
        for engine in self._engines():
            if id(_part(engine.scorer)) not in shared:
                await engine.aclose()
        if self.cache is not None:
            await self.cache.aclose(keep_store=id(self.cache.store) in shared)

    def _engines(self) -> list[Engine]:
        return [
            engine
            for stage in self.stages
            for engine in (*stage.engines.values(), *stage.fallbacks.values())
        ]

    def _parts(self) -> list[object]:
        stores = [] if self.cache is None else [self.cache.store]
        return [*(_part(engine.scorer) for engine in self._engines()), *stores]


def _raise_if_hopeless(stage: StageRunner, outcome: Outcome) -> None:
    for scored in outcome.found.values():
        if scored.unloadable is not None:
            raise scored.unloadable
    if stage.fallbacks or any(engine.succeeded for engine in stage.engines.values()):
        return
    for scored in outcome.found.values():
        for error in scored.errors:
            if error.fatal:
                raise error
        if scored.hopeless:
            raise scored.errors[0]


def _part(scorer: Scorer) -> object:
    """What closing the scorer closes: its chat model, which another prompt may be asked of."""
    return getattr(scorer, "chat", scorer)


def _insert(placed: list[Placed], unread: Sequence[Placed]) -> None:
    """Put those that could not be read where the scores of the others suggest."""
    if not unread:
        return
    found = sorted([*placed, *unread], key=lambda hit: hit.retrieved)
    numbers = dict(
        zip([hit.index for hit in found], estimate([hit.score for hit in found]), strict=True)
    )
    for hit in unread:
        number = numbers[hit.index]
        beneath = (
            at
            for at, other in enumerate(placed)
            if (-numbers[other.index], other.retrieved) > (-number, hit.retrieved)
        )
        placed.insert(next(beneath, len(placed)), hit)


def _report(given: Given, outcomes: Sequence[Outcome], legible: float, elapsed: float) -> Report:
    """`legible`: the share (0..1) of what was to be scored that could be read."""
    reasons: dict[Reason, None] = dict.fromkeys(given.reasons)
    notes: dict[str, None] = dict.fromkeys(given.notes)
    usage = Usage()
    for outcome in outcomes:
        reasons |= outcome.reasons
        notes |= dict.fromkeys(outcome.notes())
        usage += outcome.meter.usage
    asked = [scored for outcome in outcomes for scored in outcome.asked]
    cached = sum(scored.cached for scored in asked)
    wanted = sum(len(scored.scores) for scored in asked)
    return Report(
        coverage=min(outcome.coverage for outcome in outcomes) * legible,
        degraded=bool(set(reasons) - HARMLESS),
        reasons=tuple(reasons),
        notes=tuple(notes),
        cache_hits=cached,
        cache_hit_rate=cached / wanted if wanted else 0.0,
        seconds=elapsed,
        stages=tuple(outcome.report() for outcome in outcomes),
        **usage.by_name(),
    )
