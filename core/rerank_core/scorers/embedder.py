"""The seam behind `EmbeddingScorer`: texts in, vectors out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

from ..errors import ConfigurationError

#: What an embedding is here: a vector, a matrix with a vector a token, or None for none.
Vector = Any


class Embedder(ABC):
    """Makes one vector for the query and one for each text, and says how it likes to be asked."""

    batch_size: int | None = 32
    max_concurrency = 1
    #: See `ScorerBase`.
    adaptive_batches = False
    max_attempts = 1
    default_timeout: float | None = None
    takes_gpu = False
    #: Names what the vectors depend on; None: unknown.
    identity: str | None = None

    @abstractmethod
    async def embed(self, query: str, texts: Sequence[str]) -> tuple[Vector, Sequence[Vector]]:
        """The query's vector, and one for each text in input order."""

    def with_instruction(self, instruction: str) -> Embedder:
        """Another one that says so in front of the query.

        Raises `ConfigurationError` where nobody says how.
        """
        raise ConfigurationError(
            "how an instruction stands before the query is not known of this embedder: say it with "
            "query_prompt="
        )

    def groups(self, texts: Sequence[str]) -> list[Sequence[int]]:
        """The batches it likes: positions in `texts`, each once."""
        size = self.batch_size or max(1, len(texts))
        return [range(at, min(at + size, len(texts))) for at in range(0, len(texts), size)]

    async def warm_up(self) -> None:
        """Load what must be loaded; by default there is nothing."""
        return

    async def aclose(self) -> None:
        """Let go of it; by default there is nothing to let go of."""
        return
