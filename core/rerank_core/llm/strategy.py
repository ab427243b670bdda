"""What the ways to ask have in common, as the scorer that composes one sees it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

from .asking import Asker


class Strategy(ABC):
    """One way to ask. `LLMScorer` takes on its traits; see `rerank_core.protocols.ScorerBase`.

    A strategy may also have `groups` (how texts share calls) and `stream` (what is known before
    everything is).
    """

    asker: Asker
    independent: bool = True
    batch_size: int | None = None
    ordinal: bool = False
    #: All that a score depends on beside the model, the prompt and the lengths.
    fingerprint: str = ""

    @abstractmethod
    async def score(self, query: str, texts: Sequence[str]) -> list[float | None]:
        """A score for each text on 0..1, None where there is none."""
