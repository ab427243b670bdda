"""The one flow: candidates in, every one of them placed, and the report of how.

    warm up ─► score, all scorers at once ─► fall back ─► combine signals ─► place ─► report

Within it every list is in retrieval order, best retrieved first.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from weakref import WeakSet

from ..combine.combination import Combination
from ..combine.fuse import Fused, Scoring, fuse
from ..errors import HARMLESS, Reason
from ..protocols import Scorer
from ..ranking.candidate import RETRIEVAL, Candidate, retrieval_order
from ..ranking.ranking import Placed, as_retrieved
from ..ranking.report import Report
from ..runtime.deadline import Deadline
from ..runtime.meter import Meter
from ..runtime.usage import metered
from .batches import Scored, cancel_abandoned
from .cache import Cache
from .engine import Engine

#: The share of the deadline kept back where there is a fallback, and the most seconds of it.
FALLBACK_SHARE, FALLBACK_SECONDS = 0.2, 1.0
#: The share of the deadline, and the most seconds of it, that is left for putting the answer
#: together: of twenty calls that end at once, the last one waits for the others' turns too.
FINISH_SHARE, FINISH_SECONDS = 0.02, 0.02
#: A load that a call has waited for longer than this many seconds is worth a word.
NOTICEABLE = 0.1

#: Those that have ranked since they were last closed. Scorers and stores may be shared by several
#: (`Reranker.replace`), and are let go of with the last. Touched on the background loop only.
_in_use: WeakSet[Pipeline] = WeakSet()


class Pipeline:
    """Runs the flow over engines: one for each scorer by name, and the fallbacks in turn."""

    def __init__(
        self,
        engines: Mapping[str, Engine],
        fallbacks: Mapping[str, Engine],
        combine: Combination | None,
        cache: Cache | None = None,
        depth: int | None = None,
    ) -> None:
        self.engines, self.fallbacks, self.combine = engines, fallbacks, combine
        self.cache, self.depth = cache, depth

    async def run(
        self, query: str, candidates: Sequence[Candidate], limit: float | None
    ) -> tuple[list[Placed], Report]:
        """Every candidate, best first, within `limit` seconds of warm scorers, and the report.

        Raises a `ScorerError` if the key or the model was refused, nothing has ever succeeded,
        and there is no fallback. All else that the world does is in the report.
        """
        if not candidates or self.depth == 0:
            return as_retrieved(candidates), Report()
        _in_use.add(self)
        with metered() as meter:
            return await self._run(query, candidates, limit, meter)

    async def _run(
        self, query: str, candidates: Sequence[Candidate], limit: float | None, meter: Meter
    ) -> tuple[list[Placed], Report]:
        started = time.monotonic()
        await self._warm_up(self.engines.values(), meter)
        retrieved = retrieval_order(candidates)
        listed = [candidates[position] for position in retrieved[: self.depth]]
        texts = [candidate.text for candidate in listed]

        if limit is not None:
            limit -= min(FINISH_SHARE * limit, FINISH_SECONDS)
        deadline = Deadline.after(limit)
        found = await self._score(query, texts, deadline, limit, meter)
        self._raise_if_hopeless(found)
        fallback = await self._fall_back(query, texts, found, deadline, meter)
        fused = fuse(
            query,
            listed,
            [_scoring(name, scored) for name, scored in found.items()],
            None if fallback is None else _scoring(*fallback),
            self.combine,
        )
        self._advise(fused, found, meter)
        self._tell_uncached(meter)
        placed = [
            Placed(
                index=retrieved[position],
                retrieved=position + 1,
                score=fused.scores[position],
                components={name: values[position] for name, values in fused.components.items()},
            )
            for position in fused.order
        ]
        # beneath the depth nothing is asked, and nothing moves
        if len(listed) < len(candidates):
            placed += as_retrieved(candidates)[len(listed) :]
        return placed, _report(found, fallback, fused, meter, time.monotonic() - started)

    async def warm_up(self) -> None:
        """Load what every scorer, fallbacks too, must load, and open the cache."""
        _in_use.add(self)
        await self._warm_up(self._engines())
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
        return [*self.engines.values(), *self.fallbacks.values()]

    def _parts(self) -> list[object]:
        stores = [] if self.cache is None else [self.cache.store]
        return [*(_part(engine.scorer) for engine in self._engines()), *stores]

    async def _warm_up(self, engines: Iterable[Engine], meter: Meter | None = None) -> None:
        started = time.monotonic()
        await asyncio.gather(*(engine.warm_up() for engine in engines))
        waited = time.monotonic() - started
        if meter is not None and waited > NOTICEABLE:
            meter.add(note=f"waited {waited:.1f} s for the scorer to load: warm_up() does it ahead")

    async def _score(
        self,
        query: str,
        texts: Sequence[str],
        deadline: Deadline,
        limit: float | None,
        meter: Meter,
    ) -> dict[str, Scored]:
        if self.fallbacks and limit is not None:
            # a fallback that gets no time is none
            deadline = Deadline.after(limit - min(FALLBACK_SHARE * limit, FALLBACK_SECONDS))
        scored = await asyncio.gather(
            *(engine.score(query, texts, deadline, meter) for engine in self.engines.values())
        )
        return dict(zip(self.engines, scored, strict=True))

    def _raise_if_hopeless(self, found: Mapping[str, Scored]) -> None:
        if self.fallbacks or any(engine.succeeded for engine in self.engines.values()):
            return
        for scored in found.values():
            for error in scored.errors:
                if error.fatal:
                    raise error
            if scored.hopeless:
                raise scored.errors[0]

    async def _fall_back(
        self,
        query: str,
        texts: Sequence[str],
        found: Mapping[str, Scored],
        deadline: Deadline,
        meter: Meter,
    ) -> tuple[str, Scored] | None:
        """The first fallback that scores anything, where a scorer left something unscored."""
        if all(scored.coverage == 1 for scored in found.values()):
            return None
        for name, engine in self.fallbacks.items():
            if not deadline.allows(0.0):
                break
            scored = await engine.score(query, texts, deadline, meter)
            if scored.coverage:
                return name, scored
            meter.add(note=f"fallback {name} scored nothing{_because(scored)}")
        return None

    def _advise(self, fused: Fused, found: Mapping[str, Scored], meter: Meter) -> None:
        """What a scorer has to say of a ranking in which it was combined with the retriever."""
        retrieval = fused.components.get(RETRIEVAL)
        for name, engine in self.engines.items():
            advise = getattr(engine.scorer, "advise", None)
            if advise is not None and retrieval is not None:
                meter.add(note=advise(found[name].scores, retrieval))

    def _tell_uncached(self, meter: Meter) -> None:
        """Say of which scorers the cache keeps nothing, since it might serve another's scores."""
        for name, engine in self.engines.items():
            if self.cache is None or engine.cache is not None or not engine.traits.worth_caching:
                continue
            meter.add(
                note=f"{name} is not cached: nothing names for certain what its scores depend on; "
                "cache_name= (of a scorer of your own, its fingerprint) says it"
            )


def _scoring(name: str, scored: Scored) -> Scoring:
    return Scoring(name, scored.scores, scored.raw)


def _because(scored: Scored) -> str:
    causes = [str(scored.errors[0])] if scored.errors else []
    if Reason.TIMEOUT in scored.reasons:
        causes.append("the deadline struck")
    return f": {'; '.join(causes)}" if causes else ""


def _part(scorer: Scorer) -> object:
    """What closing the scorer closes: its chat model, which another prompt may be asked of."""
    return getattr(scorer, "chat", scorer)


def _report(
    found: Mapping[str, Scored],
    fallback: tuple[str, Scored] | None,
    fused: Fused,
    meter: Meter,
    elapsed: float,
) -> Report:
    asked = [*found.values(), *([fallback[1]] if fallback else [])]
    cached = sum(scored.cached for scored in asked)
    reasons: dict[Reason, None] = {}
    for name, scored in found.items():
        reasons |= scored.reasons
        if scored.coverage < 1:
            count = len(scored.scores)
            told = sum(score is not None for score in scored.scores)
            meter.add(note=f"{name} scored {told} of {count}{_because(scored)}")
    if fallback is not None:
        reasons[Reason.FALLBACK] = None
        meter.add(note=f"fallback {fallback[0]} stood in")
    if fused.problems:
        reasons[Reason.SIGNAL] = None
        for problem in fused.problems:
            meter.add(note=problem)
    return Report(
        coverage=min(scored.coverage for scored in found.values()),
        degraded=bool(set(reasons) - HARMLESS),
        reasons=tuple(reasons),
        notes=tuple(meter.notes),
        cache_hits=cached,
        cache_hit_rate=cached / sum(len(scored.scores) for scored in asked),
        seconds=elapsed,
        **asdict(meter.usage),
    )
