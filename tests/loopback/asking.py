"""Asking one scorer, on a loop of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rerank_core.protocols import ScorerBase


def asked(scorer: ScorerBase, query: str, texts: Sequence[str]) -> list[float | None]:
    """What it says, with its connections closed after it."""

    async def ask() -> list[float | None]:
        try:
            return await scorer.score(query, texts)
        finally:
            await scorer.aclose()

    return asyncio.run(ask())
