"""One stage of the flow: its scorers asked at once, the fallbacks after them, signals combined."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from ..combine.combination import Combination
from ..combine.estimate import STAGE_TRUST, TRUST
from ..combine.fuse import Fused, Scoring, fuse
from ..combine.standing import Standing, margin
from ..errors import Reason
from ..ranking.candidate import RETRIEVAL, Candidate
from ..ranking.report import StageReport
from ..ranking.retrieval import Retrieval
from ..runtime.deadline import Deadline
from ..runtime.meter import Meter
from ..runtime.usage import metered
from ..telemetry.log import log
from .batches import Scored
from .engine import Engine

#: The share of the deadline kept back where there is a fallback, and the most seconds of it.
FALLBACK_SHARE, FALLBACK_SECONDS = 0.2, 1.0


class Outcome(NamedTuple):
    """What came of a stage. Its `meter` may be added to until the ranking is over."""

    name: str
    standing: Standing
    meter: Meter
    seen: int = 0
    changed: int = 0
    skipped: bool = False
    found: Mapping[str, Scored] = MappingProxyType({})
    fallback: tuple[str, Scored] | None = None
    problems: Sequence[str] = ()
    lacking: bool = False
    seconds: float = 0.0

    @property
    def asked(self) -> list[Scored]:
        """What came of each scorer, the fallback that stood in among them."""
        return [*self.found.values(), *([self.fallback[1]] if self.fallback else [])]

    @property
    def coverage(self) -> float:
        """The share of what it was shown that every scorer of its own scored."""
        return min((scored.coverage for scored in self.found.values()), default=1.0)

    @property
    def reasons(self) -> dict[Reason, None]:
        """Why it is not all that it could be, in the order in which it came about."""
        found: dict[Reason, None] = {}
        for scored in self.found.values():
            found |= scored.reasons
        if self.fallback is not None:
            found[Reason.FALLBACK] = None
        if self.problems or self.lacking:
            found[Reason.SIGNAL] = None
        return found

    def notes(self) -> list[str]:
        """The same in sentences, after those of the scorers themselves."""
        told = list(self.meter.notes)
        for name, scored in self.found.items():
            if scored.coverage < 1:
                some, count = scored_of(scored)
                told.append(f"{name} scored {some} of {count}{because(scored)}")
        if self.fallback is not None:
            name, scored = self.fallback
            some, count = scored_of(scored)
            told.append(f"fallback {name} stood in and scored {some} of {count}{because(scored)}")
        return [*told, *self.problems]

    def report(self) -> StageReport:
        """As the reader of the ranking sees it."""
        return StageReport(
            name=self.name,
            seen=self.seen,
            scored=round(self.coverage * self.seen) if self.found else 0,
            changed=self.changed,
            skipped=self.skipped,
            reasons=tuple(self.reasons),
            seconds=self.seconds,
            **self.meter.usage.by_name(),
        )


class StageRunner:
    """Runs one stage over engines: one for each scorer by name, and the fallbacks in turn."""

    def __init__(
        self,
        engines: Mapping[str, Engine],
        combine: Combination | None = None,
        *,
        depth: int | None = None,
        unless: float | None = None,
        fallbacks: Mapping[str, Engine] | None = None,
    ) -> None:
        self.engines, self.combine = engines, combine
        self.depth, self.unless = depth, unless
        self.fallbacks = fallbacks or {}
        self.name = "+".join(engines)
        self._warned = False

    async def run(
        self,
        query: str,
        candidates: Sequence[Candidate],
        retrieval: Retrieval,
        standing: Standing,
        earlier: Mapping[str, Mapping[int, float | None]],
        deadline: Deadline,
    ) -> Outcome:
        """Rerank the head of the order so far. `candidates`, and all positions, as retrieved."""
        seen = standing.head(self.depth)
        listed = [candidates[position] for position in seen]
        if self._skips(standing, retrieval, seen):
            return Outcome(self.name, standing, Meter(), seen=len(seen), skipped=True)
        started = time.monotonic()
        with metered() as meter:
            texts = [candidate.text for candidate in listed]
            found = await self._score(query, texts, deadline, meter)
            fallback = await self._fall_back(query, texts, found, deadline, meter)
            part = self._retrieval(retrieval, meter)
            fused = fuse(
                query,
                listed,
                _retrieved(part, seen),
                [_scoring(name, scored) for name, scored in found.items()],
                None if fallback is None else _scoring(*fallback),
                self.combine,
                ranks=part.ranks,
                ordered=part.ordered,
                retrieved=seen,
                order_trust=STAGE_TRUST if standing.scores else TRUST,
                earlier={
                    name: [told.get(position) for position in seen]
                    for name, told in earlier.items()
                },
            )
            meter.add(note=fused.note)
            if fused.note and (fused.lacking or (part.ordered and not part.scoreless)):
                self._warn(fused.note)
            self._advise(fused, found, meter)
            self._tell_uncached(meter)
            return Outcome(
                self.name,
                standing.with_head(seen, fused, combined=self.combine is not None),
                meter,
                seen=len(seen),
                changed=sum(place != now for place, now in enumerate(fused.order)),
                found=found,
                fallback=fallback,
                problems=fused.problems,
                lacking=fused.lacking,
                seconds=time.monotonic() - started,
            )

    def _warn(self, note: str) -> None:
        """Of what holds for every query, as a rule, the log tells once."""
        if not self._warned:
            self._warned = True
            log.warning("%s (said once)", note)

    def out_of_time(self, standing: Standing) -> Outcome:
        """What comes of it where the deadline has struck before it began."""
        seen = len(standing.head(self.depth))
        late = Scored(seen)
        late.reasons[Reason.TIMEOUT] = None
        found = dict.fromkeys(self.engines, late)
        return Outcome(self.name, standing, Meter(), seen=seen, found=found)

    def _skips(self, standing: Standing, retrieval: Retrieval, seen: Sequence[int]) -> bool:
        if self.unless is None:
            return False
        if standing.scores:
            ahead = margin([standing.scores.get(position) for position in seen])
        else:
            ahead = margin([retrieval.scores[position] for position in seen])
        return ahead is not None and ahead >= self.unless

    async def _score(
        self, query: str, texts: Sequence[str], deadline: Deadline, meter: Meter
    ) -> dict[str, Scored]:
        left = deadline.left()
        if self.fallbacks and left is not None:
            # a fallback that gets no time is none
            deadline = Deadline.after(left - min(FALLBACK_SHARE * left, FALLBACK_SECONDS))
        scored = await asyncio.gather(
            *(engine.score(query, texts, deadline, meter) for engine in self.engines.values())
        )
        return dict(zip(self.engines, scored, strict=True))

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
            meter.add(note=f"fallback {name} scored nothing{because(scored)}")
        return None

    def _retrieval(self, found: Retrieval, meter: Meter) -> Retrieval:
        """The retriever's part as a combination may take it."""
        if found.guessed and self.combine is not None and self.combine.takes_as_is(RETRIEVAL):
            # distances have a scale of their own, and nobody has said that it is meant
            meter.add(note='they are left out of the score: normalize= takes "retrieval" as it is')
            return found.without_scores()
        return found

    def _advise(self, fused: Fused, found: Mapping[str, Scored], meter: Meter) -> None:
        """What a scorer has to say of a ranking in which it was combined with the retriever."""
        retrieval = fused.components.get(RETRIEVAL)
        for name, engine in self.engines.items():
            advise = getattr(engine.scorer, "advise", None)
            if advise is not None and retrieval is not None:
                meter.add(note=advise(found[name].scores, retrieval))

    def _tell_uncached(self, meter: Meter) -> None:
        """Say of which scorers the cache keeps nothing."""
        for name, engine in self.engines.items():
            if engine.uncached:
                meter.add(
                    note=f"{name} is not cached: nothing names for certain what its scores depend "
                    "on; cache_name= (of a scorer of your own, its fingerprint) says it"
                )


def scored_of(scored: Scored) -> tuple[int, int]:
    """How many were scored, and of how many."""
    return sum(score is not None for score in scored.scores), len(scored.scores)


def because(scored: Scored) -> str:
    """Why it is not all scored, to be put after a sentence."""
    causes = [str(scored.errors[0])] if scored.errors else []
    if Reason.TIMEOUT in scored.reasons:
        causes.append("the deadline struck")
    if Reason.LOADING in scored.reasons:
        causes.append("it is still loading")
    return f": {'; '.join(causes)}" if causes else ""


def _retrieved(found: Retrieval, seen: Sequence[int]) -> Scoring:
    """The retriever's own scores, and the distances behind them."""
    before: Sequence[float | None] = found.distances or [None] * len(found.scores)
    return Scoring(RETRIEVAL, [found.scores[at] for at in seen], [before[at] for at in seen])


def _scoring(name: str, scored: Scored) -> Scoring:
    return Scoring(name, scored.scores, scored.raw, scored.trust)
