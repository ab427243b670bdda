"""Rankings that nobody waits for: a share of the calls, scored beside what is answered."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from ..errors import ScorerError
from ..ranking.ranking import Ranking
from ..runtime import threads
from ..telemetry.log import log

#: Calls scored in shadow at the same time; beyond them a sampled call goes unscored.
MOST = 8
#: How long closing waits for them, in seconds.
PATIENCE = 10.0


class Shadows:
    """Those under way, of one reranker."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def sample(
        self, share: float, score: Callable[[], Awaitable[Ranking]], tell: Callable[[Ranking], None]
    ) -> None:
        """Score this share (0..1) of the calls, and tell of each in a thread."""
        import random  # most rerankers never draw

        if random.random() < share and len(self._tasks) < MOST:
            task = asyncio.create_task(_told(score, tell))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def finished(self) -> None:
        """Wait for them, but not forever."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=PATIENCE)


async def _told(score: Callable[[], Awaitable[Ranking]], tell: Callable[[Ranking], None]) -> None:
    from ..telemetry.chat_callbacks import unobserved  # few rankings are scored in shadow

    with unobserved():  # the ranking that was observed is over
        try:
            ranking = await score()
        except ScorerError as error:
            log.warning("scoring in shadow failed: %s", error)
            return
        await threads.run(lambda stop: tell(ranking))
