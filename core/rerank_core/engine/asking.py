"""Asks a scorer about one batch: tried again, split where it is too large, and kept."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from contextlib import aclosing

from ..errors import ScorerError
from ..protocols import Scorer, Scores, StreamingScorer, Traits
from ..remote.secret import redact
from ..runtime.context import carrying
from ..runtime.loop import call_where_it_belongs
from ..runtime.numbers import finite
from ..runtime.per_loop import PerLoop
from ..runtime.retries import Policy
from ..telemetry.log import log
from .batches import Batch, Limits, Scored
from .rate_limit import RateLimit


class Asker:
    """Asks one scorer for one engine, so many batches at once over all simultaneous rankings."""

    def __init__(
        self, scorer: Scorer, traits: Traits, max_concurrency: int, rate_limit: RateLimit
    ) -> None:
        self.scorer, self.traits = scorer, traits
        self.max_concurrency, self.rate_limit = max_concurrency, rate_limit
        #: The scorer again, if it is one that streams. Looked at once: it is not a cheap look.
        self._streams = scorer if isinstance(scorer, StreamingScorer) else None
        #: One limit per instance over all simultaneous rankings.
        self._limits = PerLoop(lambda: Limits.of(self.max_concurrency))

    @property
    def streams(self) -> bool:
        """Whether it knows something before it knows everything."""
        return self._streams is not None

    async def ask(self, batch: Batch) -> None:
        """Score the batch into its `scored`; what fails is noted there."""
        await self._group(batch, range(len(batch.texts)))

    async def _group(self, batch: Batch, group: Sequence[int]) -> None:
        """Score these positions of a batch into its `scored`; what fails is noted there."""
        try:
            async with self._limits.get().batches:
                await self._with_retries(batch, group)
        except ScorerError as error:
            if error.splittable and self._worth_splitting(batch, group, error):
                batch.scored.trouble = error
                async with asyncio.TaskGroup() as parts:
                    alone = self.traits.independent
                    for part in batch.parts(group, error.at_most, by_length=alone):
                        parts.create_task(self._group(batch, part))
            else:
                batch.scored.fail(error)

    def _worth_splitting(self, batch: Batch, group: Sequence[int], error: ScorerError) -> bool:
        if not self.traits.may_split or len(group) == 1:
            return False
        # where an eighth of the batch is still too large and nothing has fitted yet, size is not it
        small = len(group) <= len(batch.texts) / 8
        return bool(batch.scored.coverage) or not small or bool(error.at_most)

    async def _with_retries(self, batch: Batch, group: Sequence[int]) -> None:
        policy = Policy(
            self.max_concurrency,
            self.traits.max_attempts,
            limit=self._limits.get().calls,
            admit=self.rate_limit.admit,
            allows=lambda wait: batch.deadline.allows(wait),  # a shared batch's deadline may move
            on_retry=lambda error: self._note_retry(batch, error),
        )
        with carrying(policy=policy):
            await policy.persist(lambda: self._once(batch, group))

    def _note_retry(self, batch: Batch, error: ScorerError) -> None:
        batch.meter.add(retries=1)
        batch.scored.trouble = error

    async def _once(self, batch: Batch, group: Sequence[int]) -> None:
        if batch.left:
            return  # nobody waits for it: nothing is asked any more
        query, scored = batch.query, batch.scored
        part = [batch.texts[position] for position in group]
        if self._streams is None:  # a stream's own calls are paced one by one
            await self.rate_limit.admit(query, part)
        batch.asked = min(batch.asked, time.monotonic())
        try:
            if self._streams is not None:
                async with aclosing(self._streams.stream(query, part)) as found:  # type: ignore[type-var]
                    async for known in found:
                        self._keep(known, None, group, scored)
                return
            if self.traits.on_background_loop:
                scores = await self.scorer.score(query, part)
            else:
                scores = await call_where_it_belongs(None, lambda: self.scorer.score(query, part))
        except (ScorerError, asyncio.CancelledError):
            raise
        except Exception as error:
            raise strange(self.traits.name, error) from error
        if len(scores) != len(part):
            raise ScorerError(
                f"{self.traits.name} returned {len(scores)} scores for {len(part)} texts"
            )
        raw = None
        if isinstance(scores, Scores):
            raw, scored.trust = scores.raw, min(scored.trust, scores.trust)
        self._keep(dict(enumerate(scores)), raw, group, scored)

    def _keep(
        self,
        found: Mapping[int, float | None],
        raw: Sequence[float | None] | None,
        group: Sequence[int],
        scored: Scored,
    ) -> None:
        try:
            numbers = {position: finite(score) for position, score in found.items()}
        except (TypeError, ValueError) as error:
            raise strange(self.traits.name, error) from error
        for position, score in numbers.items():
            scored.scores[group[position]] = score
            scored.raw[group[position]] = finite(raw[position]) if raw is not None else None


def strange(name: str, error: Exception) -> ScorerError:
    """An exception that the scorer did not classify: never retried, always told."""
    log.debug("%s failed", name, exc_info=error)
    return ScorerError(f"{name} raised {type(error).__name__}: {redact(str(error))}".rstrip(": "))
