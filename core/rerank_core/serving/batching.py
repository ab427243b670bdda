"""One pass through a local model for what several rankings ask within a few milliseconds.

A pass over sixteen pairs costs an accelerator little more than a pass over one. Each ranking alone
sends its pairs in its own batches; here those of all simultaneous rankings wait in one line, and
whoever computes next takes as many as make a good pass, the ones of about the length of the one
that waited longest. On a processor, where sixteen pairs take sixteen times as long as one, a good
pass is a small one: nothing of it is there before all of it is, and a deadline would find nothing.
So it is no longer than what the last ones took allows. Policy around a scorer: its scores are its
own.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Mapping, Sequence
from contextvars import Context
from dataclasses import dataclass
from typing import Any, Self

from ..errors import ConfigurationError
from ..protocols import ScorerBase, Scores, traits_of
from ..runtime.per_loop import PerLoop
from ..scorers.cascade import Cascade, Stage
from ..scorers.local.limit import record_cut
from ..scorers.local.local_model import PairScores, SharesPasses
from ..scorers.local.passes import guided
from ..scorers.named import Recipe, ScorerLike, stages

#: So many times a pass's pairs are looked through for those of like length.
_LOOK_AHEAD = 4
#: Parts of rankings in the line at once; each waits without holding up anybody.
_PARTS = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class Batching:
    """At most so many pairs in one pass, which takes about so many seconds at the `longest`, and
    how many seconds an idle model waits for company.
    """

    most: int = 16
    wait: float = 0.002
    longest: float = 0.05


def batched(scorer: ScorerLike, how: Batching) -> ScorerLike:
    """The same scorer, its local models shared by simultaneous rankings; itself where it has none.

    A cascade's stages each. What cannot share a pass without changing its scores (int8 in
    onnxruntime, a score function of the list) is left as it is.
    """
    recipes = stages(scorer)
    if not any(_shareable(one) for recipe in recipes for one in recipe.scorers.values()):
        return scorer
    made = [
        Stage(
            _wrapped(recipe, how) if recipe.name is None else recipe.name,
            recipe.depth,
            unless=recipe.unless,
            combine=recipe.combine if recipe.name is None else None,
        )
        for recipe in recipes
    ]
    return made[0].scorer if len(made) == 1 else Cascade(*made)


def _shareable(scorer: Any) -> bool:
    return isinstance(scorer, SharesPasses) and scorer.shares_passes


def _wrapped(recipe: Recipe, how: Batching) -> Mapping[str, Any]:
    return {
        name: SharedPasses(one, how) if _shareable(one) else one
        for name, one in recipe.scorers.items()
    }


class SharedPasses(ScorerBase):
    """A local scorer, asked by all simultaneous rankings together. Used on the background loop."""

    max_concurrency = _PARTS

    def __init__(self, scorer: Any, how: Batching) -> None:
        traits = traits_of(scorer)
        self.inner, self.how, self.workers = scorer, how, traits.max_concurrency
        self.name, self.fingerprint = traits.name, traits.fingerprint
        self.model = getattr(scorer, "model", None)
        self._line = PerLoop(lambda: _Line(scorer, how, self.workers))

    def with_instruction(self, instruction: str) -> Self:
        """The same around another scorer, which is told so."""
        told = getattr(self.inner, "with_instruction", None)
        if told is None:
            raise ConfigurationError(f"{self.name} takes no instruction")
        return type(self)(told(instruction), self.how)

    def groups(self, query: str, texts: Sequence[str]) -> list[Sequence[int]]:
        """A few at once, so that a deadline keeps what was computed before it."""
        return guided(len(texts), self.workers)

    async def warm_up(self) -> None:
        """Load the model."""
        await self.inner.warm_up()

    async def score(self, query: str, texts: Sequence[str]) -> list[float | None]:
        """One score per text, as the scorer itself gives it."""
        if not texts:
            return []
        part = _Part(query, texts)
        self._line.get().join(part)
        try:
            await part.over
        finally:
            part.left = True  # what of it is not computed yet need not be
        record_cut(part.truncated)
        return Scores(part.scores, part.raw)

    async def aclose(self) -> None:
        """Let go of the model."""
        await self.inner.aclose()


class _Part:
    """What one ranking asks at once, and what of it is known."""

    def __init__(self, query: str, texts: Sequence[str]) -> None:
        self.query, self.texts = query, texts
        self.scores: list[float | None] = [None] * len(texts)
        self.raw: list[float | None] = [None] * len(texts)
        self.truncated, self.missing, self.left = 0, len(texts), False
        self.over: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def take(self, position: int, score: float | None, raw: float | None, cut: bool) -> None:
        self.scores[position], self.raw[position] = score, raw
        self.truncated += cut
        self.missing -= 1
        if not self.missing and not self.over.done():
            self.over.set_result(None)

    def fail(self, error: Exception) -> None:
        if not self.over.done():
            self.over.set_exception(error)


_Place = tuple[_Part, int]


class _Line:
    """The pairs that wait, and the few tasks that take them to the model."""

    def __init__(self, scorer: SharesPasses, how: Batching, workers: int) -> None:
        self.scorer, self.how, self.most_workers = scorer, how, workers
        self.waiting: deque[_Place] = deque()
        self.workers: set[asyncio.Task[None]] = set()
        #: What a character took in the last passes, the padding counted; None before the first.
        self.seconds: float | None = None

    def join(self, part: _Part) -> None:
        self.waiting.extend((part, position) for position in range(len(part.texts)))
        if len(self.workers) < self.most_workers:
            # in a context of its own: it is no part of the ranking that happens to come first
            worker = asyncio.get_running_loop().create_task(self._run(), context=Context())
            self.workers.add(worker)

    async def _run(self) -> None:
        try:
            await self._work()
        finally:
            # at once, not by a callback of the loop's: who joins before that would wait for nobody
            if (worker := asyncio.current_task()) is not None:
                self.workers.discard(worker)

    async def _work(self) -> None:
        if self.waiting and len(self.waiting) < self._most(_length(self.waiting[0])):
            await asyncio.sleep(self.how.wait)
        while together := self._next():
            started = time.monotonic()
            try:
                found = await self._ask(together)
            except Exception as error:
                await self._apart(together, error)
            else:
                self._took(time.monotonic() - started, together)
                self._tell(together, found)

    def _most(self, length: int) -> int:
        """How many pairs of this length make a pass; one, as long as nothing is known."""
        if self.seconds is None:
            return 1
        each = self.seconds * max(1, length)
        if each * self.how.most <= self.how.longest:  # by a coarse clock it may be none at all
            return self.how.most
        return max(1, int(self.how.longest / each))

    def _took(self, seconds: float, together: Sequence[_Place]) -> None:
        last = seconds / (len(together) * max(1, *map(_length, together)))
        self.seconds = last if self.seconds is None else (self.seconds + last) / 2

    def _next(self) -> list[_Place]:
        """The pair that has waited longest, and those like it; none that nobody waits for."""
        while self.waiting and self.waiting[0][0].left:
            self.waiting.popleft()
        ahead: list[_Place] = []
        while self.waiting and len(ahead) < _LOOK_AHEAD * self.how.most:
            place = self.waiting.popleft()
            if not place[0].left:
                ahead.append(place)
        if not ahead:
            return []
        length = _length(ahead[0])
        by_likeness = sorted(
            range(len(ahead)), key=lambda at: (at > 0, abs(_length(ahead[at]) - length))
        )
        chosen = set(by_likeness[: self._most(length)])
        self.waiting.extendleft(
            place for at, place in reversed(list(enumerate(ahead))) if at not in chosen
        )
        return [place for at, place in enumerate(ahead) if at in chosen]

    async def _ask(self, together: Sequence[_Place]) -> PairScores:
        return await self.scorer.score_pairs(
            [(part.query, part.texts[at]) for part, at in together]
        )

    async def _apart(self, together: Sequence[_Place], error: Exception) -> None:
        """One ranking's texts must not spoil another's: each asks for itself."""
        parts = list(dict.fromkeys(part for part, _ in together))
        if len(parts) == 1:
            parts[0].fail(error)
            return
        for one in parts:
            own = [(part, at) for part, at in together if part is one]
            try:
                self._tell(own, await self._ask(own))
            except Exception as alone:
                one.fail(alone)

    @staticmethod
    def _tell(together: Sequence[_Place], found: PairScores) -> None:
        raw = found.scores.raw or [None] * len(together)
        told = zip(together, found.scores, raw, found.truncated, strict=True)
        for (part, at), score, was, cut in told:
            part.take(at, score, was, cut)


def _length(place: _Place) -> int:
    part, position = place
    return len(part.query) + len(part.texts[position])
