"""Trying again: the one policy, for whole batches and for the calls within one.

The engine tries a batch again by it, and leaves it in the context (`current().policy`) for a
scorer whose one batch takes many calls: a listwise algorithm, a document asked about by its
passages. So their calls keep to the same limit, deadline and patience.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, TypeVar

from ..errors import ScorerError
from .threads import run

if TYPE_CHECKING:
    from tenacity import RetryCallState

T = TypeVar("T")

#: The first wait between two tries in seconds; it doubles, with full jitter, up to the longest.
FIRST_WAIT, LONGEST_WAIT = 0.25, 8.0
#: The longest Retry-After that is waited for where no deadline says otherwise, in seconds.
LONGEST_RETRY_AFTER = 60.0


class Policy:
    """How often one call is tried, how many are under way at once, and until when.

    `admit` waits until a call about so much text may go out. `allows` says whether there will be
    anything to do after waiting so many seconds; `on_retry` hears of every failure that is tried
    again.
    """

    def __init__(
        self,
        width: int,
        max_attempts: int,
        *,
        limit: asyncio.Semaphore | None = None,
        admit: Callable[[str, Sequence[str]], Awaitable[None]] | None = None,
        allows: Callable[[float], bool] = lambda wait: True,
        on_retry: Callable[[ScorerError], None] = lambda error: None,
    ) -> None:
        self.width, self.max_attempts = width, max_attempts
        self._limit = limit or asyncio.Semaphore(width)
        self._admit = admit
        self._allows, self._on_retry = allows, on_retry

    async def call(
        self, attempt: Callable[[], Awaitable[T]], query: str, texts: Sequence[str]
    ) -> T:
        """One of a batch's calls, about these texts: within the limit, and tried again.

        What it raises has been tried often enough: it is marked as not retryable.
        """

        async def admitted() -> T:
            if self._admit is not None:
                await self._admit(query, texts)
            return await attempt()

        try:
            async with self._limit:
                return await self.persist(admitted)
        except ScorerError as error:
            error.retryable = False
            raise

    async def persist(self, attempt: Callable[[], Awaitable[T]]) -> T:
        """Await the attempt, again and again while that may help; the last error is raised."""
        try:
            return await attempt()
        except ScorerError as error:
            if not self._worth_it(error):
                raise
            first: ScorerError | None = error
        from tenacity import AsyncRetrying, retry_if_exception, stop_after_attempt

        # the first try, which most often is the only one, counts as the first of these
        async for one in AsyncRetrying(
            retry=retry_if_exception(self._worth_it),
            stop=stop_after_attempt(self.max_attempts),
            wait=_wait,
            sleep=asyncio.sleep,
            before_sleep=self._tell,
            reraise=True,
        ):
            with one:
                if first is not None:
                    again, first = first, None
                    raise again
                return await attempt()
        raise AssertionError("tenacity ends by a result or an error")  # pragma: no cover

    def _worth_it(self, error: BaseException) -> bool:
        wait = getattr(error, "retry_after", None) or 0.0
        return (
            isinstance(error, ScorerError)
            and error.retryable
            and wait <= LONGEST_RETRY_AFTER
            and self._allows(wait)
        )

    def _tell(self, state: RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome else None
        if isinstance(error, ScorerError):
            self._on_retry(error)


def loaded() -> bool:
    """Whether a first try has nothing left to import."""
    return "tenacity" in sys.modules


async def warm_up() -> None:
    """Import what a first try needs, in a thread: it takes longer than some deadlines allow."""
    if not loaded():
        await run(lambda stop: import_module("tenacity"))


def _wait(state: RetryCallState) -> float:
    """Exponential with full jitter, but no sooner than the server asked for.

    https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
    """
    from tenacity import wait_random_exponential

    error = state.outcome.exception() if state.outcome else None
    asked = getattr(error, "retry_after", None) or 0.0
    jittered = wait_random_exponential(multiplier=FIRST_WAIT, max=LONGEST_WAIT)(state)
    return max(float(asked), float(jittered))
