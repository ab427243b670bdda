"""The engine: gets the scores of one scorer, whatever the world does.

It owns what every scorer needs and none should do itself: loading, batches sent off in the order
of the list, the cache and the sharing of what is asked twice at once, and the deadline, at which
what is in is kept and the rest is let go. One batch is the affair of `asking`.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections import defaultdict
from collections.abc import Collection, MutableMapping, Sequence

from ..errors import Reason
from ..protocols import Scorer, StoredScore, Traits
from ..runtime.deadline import Deadline
from ..runtime.meter import Meter
from .asking import Asker, strange
from .batches import Batch, Scored, timed
from .breaker import ILL, Breaker
from .cache import Cache
from .hedging import hedged
from .loading import AHEAD, Loading
from .rate_limit import RateLimit
from .sizing import Speed, Wave, in_parts

#: The share of a ranking's batches (one at least) that may be hedged, once the others are in.
STRAGGLERS = 0.1
#: A load that a call has waited for longer than this many seconds is worth a word.
NOTICEABLE = 0.1


class Engine:
    """Runs one scorer for one reranker. Used on the background loop only."""

    def __init__(
        self,
        scorer: Scorer,
        traits: Traits,
        max_concurrency: int,
        cache: Cache | None = None,
        *,
        rate_limit: RateLimit | None = None,
        hedge_after: float | None = None,
    ) -> None:
        self.scorer, self.traits, self.max_concurrency = scorer, traits, max_concurrency
        self.hedge_after = hedge_after
        self.breaker = Breaker()
        self.loading = Loading(scorer)
        self.speed = Speed(max_concurrency, traits.batch_size)
        #: None also for a scorer that does not say what its scores depend on.
        self.cache = cache if traits.fingerprint is not None else None
        #: Whether there is a cache that keeps nothing of it, as it might serve another's scores.
        self.uncached = cache is not self.cache and traits.worth_caching
        #: Whether it has ever scored anything: from then on a 401 is the world's doing.
        self.succeeded = False
        self._asker = Asker(scorer, traits, max_concurrency, rate_limit or RateLimit())

    async def warm_up(self) -> None:
        """Let the scorer load what it must."""
        await self.loading.within(Deadline())

    async def aclose(self) -> None:
        """Let the scorer go of what it holds."""
        self.loading.cancel()
        close = getattr(self.scorer, "aclose", None)
        if close is not None:
            await close()

    async def score(
        self, query: str, texts: Sequence[str], deadline: Deadline, meter: Meter
    ) -> Scored:
        """Score the texts, best retrieved first, as far as the deadline allows.

        Raises nothing but cancellation: what failed is in `reasons` and `errors`.
        """
        scored = Scored(len(texts))
        if not texts or not await self._loaded(scored, deadline, meter):
            return scored
        # what is remembered, and asked again, as one: each text, or each group
        units: list[Sequence[int]] = (
            [(position,) for position in range(len(texts))]
            if self.traits.independent
            else self.traits.groups(query, texts)
        )
        keys, under_way = self._keys(query, texts, units)
        left = await self._recall(keys, units, scored, deadline)
        attempt = self.breaker.try_acquire() if left else None
        if left and attempt is None:
            scored.reasons[Reason.CIRCUIT_OPEN] = None
            meter.add(note=f"{self.traits.name} failed too often lately and was not asked")
            return scored
        answered, rounds, in_time, reached, failed = False, 0, True, math.inf, False
        while left and in_time:
            sizing = self.traits.adaptive_batches and not failed  # a failure tells no speed
            wave = self.speed.next_wave(len(left), deadline.left()) if sizing else Wave(len(left))
            now, later, begun = left[: wave.texts], left[wave.texts :], time.monotonic()
            started = self._start(query, texts, keys, now, under_way, deadline, meter, wave)
            rounds += math.ceil(len(started) / self.max_concurrency)
            shares: dict[Batch, list[int]] = defaultdict(list)
            for unit in now:
                shares[under_way[keys[unit[0]]]].extend(unit)
            in_time = await self._until(deadline, shares, started)
            reached = min(reached, *(batch.asked for batch in shares))
            if sizing and (texts_and_done := timed(started)):
                self.speed.note(*texts_and_done, len(started), time.monotonic() - begun)
            for batch, positions in shares.items():
                self._take(batch, positions, keys, scored, shared=batch not in started)
                answered = answered or batch.scored.coverage > 0  # what was known says nothing
            # a shared batch may end with the event loop of the one who started it: then we do
            abandoned = {
                position
                for batch, positions in shares.items()
                if batch not in started and batch.task.cancelled()
                for position in positions
            }
            failed = bool(scored.errors) and not any(batch.scored.coverage for batch in shares)
            if failed and (self._hopeless(shares) or ILL & scored.reasons.keys()):
                later = []  # it is ill, and would fail them too
            left = [*(unit for unit in now if unit[0] in abandoned), *later]
        if not in_time:
            scored.reasons[Reason.TIMEOUT] = None
        if not scored.reasons and scored.coverage < 1:
            scored.reasons[Reason.INCOMPLETE] = None
        if attempt is not None:
            due = math.inf if deadline.at is None else deadline.at
            self.breaker.note(
                attempt, succeeded=answered, reasons=scored.reasons, asked=reached, due=due
            )
        if meter.usage.calls and not meter.usage.rounds:
            meter.add(rounds=rounds)
        if self.traits.to_unit is not None:
            try:
                scored.settle_scale(self.traits.to_unit)
            except Exception as error:
                scored.fail(strange(self.traits.name, error))
        await self._remember(scored, deadline, meter)
        return scored

    async def _loaded(self, scored: Scored, deadline: Deadline, meter: Meter) -> bool:
        """Whether the scorer has what it needs; if not, why not is in `scored`."""
        started = time.monotonic()
        try:
            there = await self.loading.within(deadline)
        except Exception as error:
            scored.unloadable = error
            scored.fail(strange(self.traits.name, error))
            return False
        waited = time.monotonic() - started
        if not there:
            scored.reasons[Reason.LOADING] = None
            meter.add(note=f"{self.traits.name} was still loading after {waited:.1f} s")
        elif waited > NOTICEABLE:
            meter.add(note=f"waited {waited:.1f} s for the scorer to load: {AHEAD}")
        return there

    def _keys(
        self, query: str, texts: Sequence[str], units: Sequence[Sequence[int]]
    ) -> tuple[list[str], MutableMapping[str, Batch]]:
        """A key for each text, and the batches by key that may be joined."""
        if self.cache is None or self.traits.fingerprint is None:
            return [str(position) for position in range(len(texts))], {}
        from .cache_keys import group_keys, text_keys  # only who has a cache needs a hash

        if self.traits.independent:
            return text_keys(self.traits.fingerprint, query, texts), self.cache.under_way
        keys = [""] * len(texts)
        for unit in units:
            together = group_keys(self.traits.fingerprint, query, [texts[p] for p in unit])
            for position, key in zip(unit, together, strict=True):
                keys[position] = key
        return keys, self.cache.under_way

    async def _recall(
        self,
        keys: Sequence[str],
        units: Sequence[Sequence[int]],
        scored: Scored,
        deadline: Deadline,
    ) -> list[Sequence[int]]:
        """Fill in what the cache knows; the units that it does not know in full."""
        known = {} if self.cache is None else await self.cache.get(keys, deadline)
        if self.traits.to_unit is not None:  # what a score was before is all that counts
            known = {key: stored for key, stored in known.items() if stored[1] is not None}
        if not known:
            return list(units)
        left = []
        for unit in units:
            if all(keys[position] in known for position in unit):
                for position in unit:
                    scored.scores[position], scored.raw[position] = known[keys[position]]
                scored.cached += len(unit)
            else:
                left.append(unit)
        return left

    async def _remember(self, scored: Scored, deadline: Deadline, meter: Meter) -> None:
        """See what is new into the store, and tell if it does not work."""
        if self.cache is None:
            return
        await self.cache.written(deadline)
        if (problem := self.cache.problem) is not None:
            scored.reasons[Reason.CACHE] = None
            meter.add(note=problem)

    def _start(
        self,
        query: str,
        texts: Sequence[str],
        keys: Sequence[str],
        left: Sequence[Sequence[int]],
        under_way: MutableMapping[str, Batch],
        deadline: Deadline,
        meter: Meter,
        wave: Wave,
    ) -> set[Batch]:
        """Send off, in retrieval order, what nobody else is asking at this moment."""
        fresh: dict[str, Sequence[int]] = {}
        for unit in left:
            if keys[unit[0]] not in under_way:
                fresh.setdefault(keys[unit[0]], unit)
        groups: list[Sequence[int]] = list(fresh.values())
        if self.traits.independent and groups:
            alone = [position for unit in groups for position in unit]
            groups = [
                [alone[p] for p in group]
                for group in self.traits.groups(query, [texts[position] for position in alone])
            ]
            groups = in_parts(groups, wave)
        started = set()
        for group in groups:
            part = [texts[position] for position in group]
            named = [keys[position] for position in group]
            batch = Batch(query, part, named, under_way, deadline, meter)
            batch.task = asyncio.create_task(self._run(batch))
            started.add(batch)
        return started

    async def _until(
        self, deadline: Deadline, batches: Collection[Batch], started: Collection[Batch]
    ) -> bool:
        """Wait for the batches; leave the rest at the deadline, or once nothing can succeed.

        False if it was the deadline.
        """
        own = {batch.task for batch in started}
        pending = {batch.task for batch in batches}
        hedge_at = Deadline.after(self.hedge_after)
        for batch in batches:
            batch.join(deadline)
        try:
            while pending:
                few = len(pending) <= max(1, len(batches) * STRAGGLERS)
                next_look = hedge_at.earlier(deadline) if few else deadline
                done, pending = await asyncio.wait(
                    pending, timeout=next_look.left(), return_when=asyncio.FIRST_COMPLETED
                )
                if not done and next_look is not deadline:
                    for batch in started:
                        batch.is_straggler.set()
                    hedge_at = Deadline()
                    continue
                if not done:
                    return False
                for task in done:
                    if task in own or not task.cancelled():
                        task.result()  # it notes what fails; what it raises is a defect of ours
                if self._hopeless(batches):
                    break
            return True
        finally:
            for batch in batches:
                batch.leave()

    def _hopeless(self, batches: Collection[Batch]) -> bool:
        """Whether the key or the model was refused, and nothing has ever been scored."""
        return (
            not self.succeeded
            and any(error.fatal for batch in batches for error in batch.scored.errors)
            and not any(batch.scored.coverage for batch in batches)
        )

    def _take(
        self,
        batch: Batch,
        positions: Sequence[int],
        keys: Sequence[str],
        scored: Scored,
        *,
        shared: bool,
    ) -> None:
        """Take over what a batch has so far: it may go on for others."""
        seen = set()
        places, scores, raw = batch.positions, batch.scored.scores, batch.scored.raw
        for position in positions:
            within = places[keys[position]]
            scored.scores[position], scored.raw[position] = scores[within], raw[within]
            if (shared or within in seen) and scores[within] is not None:
                scored.cached += 1
            seen.add(within)
        if batch.scored.coverage:
            self.succeeded = True
        scored.trust = min(scored.trust, batch.scored.trust)
        scored.reasons |= batch.scored.reasons
        scored.errors.extend(batch.scored.errors)
        if batch.scored.trouble is not None and not batch.task.done():
            scored.fail(batch.scored.trouble)  # the deadline struck, but this is why it had to

    async def _run(self, batch: Batch) -> None:
        """Score a batch, and have the cache keep what came of it."""
        try:
            if self.hedge_after is None:
                await self._asker.ask(batch)
            else:
                await hedged(batch, self._asker.ask)
            if self.cache is not None:
                self.cache.put(self._worth_keeping(batch))
        finally:
            batch.retire()

    def _worth_keeping(self, batch: Batch) -> dict[str, StoredScore]:
        """What the same question would be answered with again."""
        found = zip(batch.keys, batch.scored.scores, batch.scored.raw, strict=True)
        scores = {key: (score, raw) for key, score, raw in found if score is not None}
        if self.traits.independent:
            broken = batch.scored.errors and self._asker.streams
        else:
            broken = batch.scored.errors or len(scores) < len(batch.keys)
        return {} if broken else scores
