"""A batch under way, and how the rankings that wait for it share it."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Collection, MutableMapping, Sequence
from typing import NamedTuple

from ..errors import Reason, ScorerError
from ..runtime.deadline import Deadline
from ..runtime.meter import Meter
from ..runtime.numbers import finite

#: How long a batch that nobody waits for is left alone before it is cancelled, in seconds: taking
#: a call to a server apart costs milliseconds, and whoever met their deadline is to answer first.
CANCEL_GRACE = 0.02

#: How long closing waits for what was cancelled, in seconds.
CLOSE_TIMEOUT = 0.25

# A cancelled batch may take a moment to notice; until then something must hold on to it.
_leaving: set[asyncio.Task[None]] = set()


class Limits(NamedTuple):
    """How much is under way at once: batches, and calls within batches that take several.

    Apart from each other, or a batch would wait for the place that it holds itself.
    """

    batches: asyncio.Semaphore
    calls: asyncio.Semaphore

    @classmethod
    def of(cls, width: int) -> Limits:
        """So many of either."""
        return cls(asyncio.Semaphore(width), asyncio.Semaphore(width))


class Scored:
    """What came of it: a score or None for each text, and why some are None."""

    def __init__(self, count: int) -> None:
        """No score yet for so many texts."""
        self.scores: list[float | None] = [None] * count
        self.raw: list[float | None] = [None] * count
        #: How far the scorer trusts them, 0..1: as far as the least of its batches.
        self.trust = 1.0
        self.reasons: dict[Reason, None] = {}  # a set that keeps its order
        self.errors: list[ScorerError] = []
        #: What the last try failed with, while the next one is waited for.
        self.trouble: ScorerError | None = None
        #: What the scorer raised where it could not load.
        self.unloadable: Exception | None = None
        #: How many of the scores needed no call: remembered, or shared with another ranking.
        self.cached = 0

    @property
    def coverage(self) -> float:
        """The share of texts that have a score."""
        wanted = len(self.scores)
        return (wanted - self.scores.count(None)) / wanted if wanted else 1.0

    @property
    def hopeless(self) -> bool:
        """Whether every call was refused in words that say a wrong key or model, and none else."""
        return (
            bool(self.errors)
            and not any(score is not None for score in self.scores)
            and all(error.likely_fatal for error in self.errors)
            and Reason.TIMEOUT not in self.reasons
        )

    def fail(self, error: ScorerError) -> None:
        """Note a batch that will have no scores."""
        self.reasons[error.reason] = None
        self.errors.append(error)

    def settle_scale(
        self, to_unit: Callable[[Sequence[float | None]], Sequence[float | None]]
    ) -> None:
        """Map what is in to 0..1, as a scorer does that needs all scores of a ranking for it."""
        if not any(raw is not None for raw in self.raw):
            return
        mapped = [finite(score) for score in to_unit(self.raw)]
        self.scores = [
            score if raw is None else one
            for one, score, raw in zip(mapped, self.scores, self.raw, strict=True)
        ]


class Batch:
    """Texts that are scored together, for one ranking or for several that ask for the same.

    It goes on for as long as one of them waits, and tries again for as long as the most patient
    of them has time. What it costs is on the bill (`meter`) of the one that started it.
    """

    def __init__(
        self,
        query: str,
        texts: Sequence[str],
        keys: Sequence[str],
        under_way: MutableMapping[str, Batch],
        deadline: Deadline,
        meter: Meter,
    ) -> None:
        self.query, self.texts, self.keys = query, texts, keys
        self.deadline, self.meter = deadline, meter
        self.scored = Scored(len(texts))
        #: Where in the batch each key's text is.
        self.positions = {key: position for position, key in enumerate(keys)}
        self.task: asyncio.Task[None]
        #: Whether the last of those who waited has gone.
        self.left = False
        #: When the scorer was first asked, after all waiting for a place; infinite: not yet.
        self.asked = math.inf
        #: Set once its peers are in and it is not.
        self.is_straggler = asyncio.Event()
        self._under_way, self._waiting = under_way, 0
        for key in keys:
            under_way[key] = self

    def join(self, deadline: Deadline) -> None:
        """One more waits for it, until this deadline."""
        self._waiting += 1
        if self.deadline.at is not None and (deadline.at is None or deadline.at > self.deadline.at):
            self.deadline = deadline

    def leave(self) -> None:
        """One less; with the last of them the work ends."""
        self._waiting -= 1
        if not self._waiting and not self.task.done():
            self.left = True
            self.retire()
            _leaving.add(self.task)
            self.task.add_done_callback(_leaving.discard)
            self.task.get_loop().call_later(CANCEL_GRACE, self.task.cancel)

    def parts(
        self, group: Sequence[int], at_most: int | None, *, by_length: bool
    ) -> list[Sequence[int]]:
        """These places in smaller groups: of so many at most, else in halves.

        `by_length`: the shorter texts, which are likely to fit, apart from the longer ones.
        """
        if at_most is not None and at_most < len(group):
            return [group[at : at + at_most] for at in range(0, len(group), at_most)]
        half = len(group) // 2
        if not by_length:
            return [group[:half], group[half:]]
        by_size = sorted(group, key=lambda place: len(self.texts[place]))
        return [sorted(by_size[:half]), sorted(by_size[half:])]

    def twin(self) -> Batch:
        """The same texts once more, for a second try beside the first; nobody joins it."""
        return Batch(self.query, self.texts, (), {}, self.deadline, self.meter)

    def adopt(self, other: Batch) -> None:
        """Take over what another try of it brought."""
        self.scored = other.scored

    def retire(self) -> None:
        """From now on nobody joins it."""
        for key in self.keys:
            if self._under_way.get(key) is self:
                del self._under_way[key]


def timed(wave: Collection[Batch]) -> tuple[int, int] | None:
    """How many texts were in these batches, and in those that are done.

    None where that says nothing of a speed: something failed, or nobody was asked.
    """
    if any(batch.scored.errors or batch.scored.trouble for batch in wave):
        return None
    if all(math.isinf(batch.asked) for batch in wave):
        return None
    done = sum(len(batch.texts) for batch in wave if batch.task.done())
    return sum(len(batch.texts) for batch in wave), done


async def cancel_abandoned() -> None:
    """Cancel at once what nobody waits for, and wait a moment until it has let go of its calls."""
    here = asyncio.get_running_loop()
    if leaving := [task for task in _leaving if task.get_loop() is here]:
        for task in leaving:
            task.cancel()
        await asyncio.wait(leaving, timeout=CLOSE_TIMEOUT)
