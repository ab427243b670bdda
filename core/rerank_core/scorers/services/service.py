"""What the scorers behind a rerank service share: the text that is sent, the scores that return."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from ...errors import MissingKeyError, ScorerError
from ...protocols import ScorerBase, Scores
from ...remote.http_errors import from_connection
from ...remote.secret import Secret
from ...runtime.numbers import sigmoid
from ...runtime.per_loop import PerLoop
from ...runtime.threads import run
from ...runtime.usage import record
from ...text.utf8 import as_utf8
from .providers import ScoreScale
from .replies import by_index


class ServiceScorer(ScorerBase):
    """A scorer that asks a server for an index and a score of each text.

    A subclass imports what it needs (`_load`), makes the client (`_clients`) and asks (`_ask`).
    A text without any content is not sent, since most servers refuse the whole request for it:
    its score is None. Pickles without its key and its client.
    """

    max_concurrency = 8
    default_timeout = 5.0
    #: What the server's scores are; None: seen from them.
    scale: ScoreScale | None = "unit"

    def __init__(self, key: Secret, *, keyed: bool) -> None:
        self._key, self._keyed = key, keyed
        self._client: PerLoop[Any] = self._clients()
        self._loaded = False

    @staticmethod
    def _load() -> None:
        """Import the client's package: a second of work that must not hold up the loop."""
        raise NotImplementedError

    def _clients(self) -> PerLoop[Any]:
        raise NotImplementedError

    async def _ask(self, query: str, texts: Sequence[str]) -> Iterable[tuple[object, object]]:
        """Index and score of each result, as the server states them."""
        raise NotImplementedError

    async def score(self, query: str, texts: Sequence[str]) -> list[float | None]:
        """0..1 for each text, None where the server gave no usable score; its own in `raw`."""
        raw: list[float | None] = [None] * len(texts)
        positions = [position for position, text in enumerate(texts) if text and not text.isspace()]
        if positions:
            sent = [as_utf8(texts[position]) for position in positions]
            found, strange = by_index(await self._ask(as_utf8(query), sent), len(sent))
            for position, score in zip(positions, found, strict=True):
                raw[position] = score
            if strange:
                record(note=f"{self.name}: {strange} results were about no document that was sent")
        return Scores(self._mapped(raw), raw)

    def _mapped(self, raw: Sequence[float | None]) -> list[float | None]:
        if self.scale is None and any(score is not None and not 0 <= score <= 1 for score in raw):
            # From here on for good, or one ranking would be on another scale than the next.
            self.scale = "logit"
            record(note=f'{self.name}: scores beyond 0..1 were taken for logits; say scale="logit"')
        to_unit = sigmoid if self.scale == "logit" else _clamped
        return [None if score is None else to_unit(score) for score in raw]

    def _concealed(self, message: str) -> str:
        """The message without the key, which servers like to quote."""
        try:
            key = self._key_or_none()
        except MissingKeyError:  # gone from the environment since the client was made
            return message
        # shorter ones are no keys but placeholders, and parts of ordinary words
        return message.replace(key, "[redacted]") if key and len(key) > 5 else message

    def _lost(self, error: Exception) -> ScorerError:
        """The error for a lost connection; one about a header would quote the key."""
        lost = from_connection(error)
        lost.args = (self._concealed(str(lost)),)
        return lost

    def _key_or_none(self) -> str | None:
        """The key; None where there is none and the server may do without."""
        return self._key.reveal().strip() if self._keyed else None

    async def warm_up(self) -> None:
        """Import what the client needs, and make it; nothing is sent."""
        if not self._loaded:
            await run(lambda stop: self._load())
            self._loaded = True
        await self._client.warm_up()

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "_client"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._key_or_none()  # a key that is not there is said now, not at the first ranking
        self._client = self._clients()
        self._loaded = False


def _clamped(score: float) -> float:
    return min(max(score, 0.0), 1.0)
