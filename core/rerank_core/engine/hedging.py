"""Hedged requests: a second try beside a first that is_straggler, and the better of the two.

Dean and Barroso, "The Tail at Scale", CACM 56(2), 2013.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from .batches import Batch


async def hedged(batch: Batch, score: Callable[[Batch], Awaitable[None]]) -> None:
    """Score the batch; once it is said to straggle, by a second try as well.

    The first of the two to score all of it counts, else the one that scored more; the other is
    cancelled. The try is on the ranking's bill as `hedged`.
    """
    tries: dict[asyncio.Future[None], Batch] = {asyncio.ensure_future(score(batch)): batch}
    (first,) = tries
    is_straggler: asyncio.Future[Any] = asyncio.ensure_future(batch.is_straggler.wait())
    try:
        await asyncio.wait([first, is_straggler], return_when=asyncio.FIRST_COMPLETED)
        if not first.done():
            twin = batch.twin()
            batch.meter.add(hedged=1)
            tries[asyncio.ensure_future(score(twin))] = twin
        pending = set(tries)
        while pending:
            done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()  # a batch notes what fails; what it raises is a defect of ours
            if not pending or any(tries[task].scored.coverage == 1 for task in done):
                batch.adopt(max(tries.values(), key=lambda one: one.scored.coverage))
                return
    finally:
        for future in (is_straggler, *tries):
            future.cancel()
