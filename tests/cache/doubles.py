"""Scorers that count what they are asked, and stores that misbehave."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

from rerank_core.errors import Reason, ScorerError
from rerank_core.protocols import ScorerBase, Scores, StoredScore
from rerank_core.runtime.usage import record

TEXTS = ["alpha", "beta beta", "gamma gamma gamma", "delta", "epsilon epsilon"]


class Counting(ScorerBase):
    """Scores by length, a third at a time where it can: floats that no rounding leaves alone."""

    name = "counting"

    def __init__(
        self,
        *,
        independent: bool = True,
        batch_size: int | None = 2,
        fingerprint: str | None = "counting/1",
        forgets: str = "",
    ) -> None:
        self.independent, self.batch_size, self.fingerprint = independent, batch_size, fingerprint
        self.max_concurrency = 8
        self.forgets = forgets
        self.asked: list[tuple[str, list[str]]] = []
        #: Set: answers wait until it is let go.
        self.gate: threading.Event | None = None

    async def score(self, query: str, texts: Sequence[str]) -> list[float | None]:
        self.asked.append((query, list(texts)))
        record(calls=1)
        while self.gate is not None and not self.gate.is_set():  # noqa: ASYNC110
            await asyncio.sleep(0.005)
        beside = 0 if self.independent else len(texts)
        raw = [len(text) / 3 + len(query) / 7 + beside for text in texts]
        scores = [value / (1 + value) for value in raw]
        return Scores(
            [None if t == self.forgets else s for t, s in zip(texts, scores, strict=True)], raw
        )

    @property
    def texts_asked(self) -> int:
        return sum(len(texts) for _, texts in self.asked)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "gate": None}


class Streaming(Counting):
    """Tells one score after another; breaks off after `breaks_after` of them."""

    name = "streaming"
    breaks_after: int | None = None

    async def stream(
        self, query: str, texts: Sequence[str]
    ) -> AsyncIterator[Mapping[int, float | None]]:
        self.asked.append((query, list(texts)))
        for place, text in enumerate(texts):
            if place == self.breaks_after:
                raise ScorerError("the line went dead", reason=Reason.CONNECTION)
            yield {place: 1 / len(text)}


class BrokenStore:
    """Does each time what `read` and `write` say: "fine", "raise", "hang" or "nonsense"."""

    def __init__(self, read: str = "fine", write: str = "fine") -> None:
        self.read, self.write = read, write
        self.reads = self.writes = 0
        self.kept: dict[str, StoredScore] = {}

    async def get_many(self, keys: Sequence[str]) -> Mapping[str, StoredScore]:
        self.reads += 1
        await self._do(self.read)
        if self.read == "nonsense":
            return dict.fromkeys(keys, "high")  # type: ignore[arg-type]
        return {key: self.kept[key] for key in keys if key in self.kept}

    async def set_many(self, scores: Mapping[str, StoredScore]) -> None:
        self.writes += 1
        await self._do(self.write)
        self.kept.update(scores)

    async def aclose(self) -> None:
        await self._do(self.write)

    async def _do(self, what: str) -> None:
        if what == "raise":
            raise OSError("the store is on fire")
        if what == "hang":
            await asyncio.sleep(60)
