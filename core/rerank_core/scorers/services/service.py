"""What the scorers behind a rerank service share: the text that is sent, the scores that return."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from hashlib import blake2b
from typing import Any, Self

from ...errors import ConfigurationError
from ...protocols import ScorerBase, Scores
from ...remote.address import check_environment
from ...remote.secret import Secret, held, revealed
from ...remote.size_limits import checked_max_chars
from ...runtime.per_loop import PerLoop
from ...runtime.threads import run
from ...runtime.usage import record
from ...text.utf8 import as_utf8
from ..fitting import Fitting
from .providers import ScoreScale
from .replies import by_index
from .scale import looks_like, to_unit


class ServiceScorer(ScorerBase, ABC):
    """A scorer that asks a server for an index and a score of each text.

    A subclass imports what it needs (`_load`), makes the client (`_clients`) and asks (`_ask`).
    A text without any content is not sent, since most servers refuse the whole request for it:
    its score is None. Pickles without its key and its client.
    """

    max_concurrency = 8
    default_timeout = 5.0
    #: What the server's scores are; None: seen from them.
    scale: ScoreScale | None = "unit"

    def __init__(
        self,
        key: Secret,
        *,
        keyed: bool,
        headers: Mapping[str, str] | None = None,
        given: object = None,
        max_chars: int | None = None,
    ) -> None:
        self._key, self._keyed = key, keyed
        self.max_chars = checked_max_chars(max_chars)
        self._fitting = Fitting(max_chars)
        self.headers = held(headers or {}, "headers")
        #: The user's own client, which brings its own connections; it is not ours to close.
        self._given = given
        if given is None:
            check_environment()
        self._client: PerLoop[Any] = self._clients()
        self._loaded = False

    @staticmethod
    @abstractmethod
    def _load() -> None:
        """Import the client's package: a second of work that must not hold up the loop."""

    @abstractmethod
    def _clients(self) -> PerLoop[Any]:
        """One client a loop."""

    @abstractmethod
    async def _ask(self, query: str, texts: Sequence[str]) -> Iterable[tuple[object, object]]:
        """Index and score of each result, as the server states them."""

    async def score(self, query: str, texts: Sequence[str]) -> list[float | None]:
        """0..1 for each text, None where the server gave no usable score; its own in `raw`."""
        raw: list[float | None] = [None] * len(texts)
        positions = [position for position, text in enumerate(texts) if text and not text.isspace()]
        if len(positions) < len(texts):
            record(note=f"{self.name} is sent no blank texts, which have no score")
        if positions:
            sent = [as_utf8(texts[position]) for position in positions]

            async def ask(shortened: list[str]) -> Iterable[tuple[object, object]]:
                return await self._ask(as_utf8(query), shortened)

            found, strange = by_index(await self._fitting.ask(ask, sent), len(sent))
            for position, score in zip(positions, found, strict=True):
                raw[position] = score
            if strange:
                record(note=f"{self.name}: {strange} results were about no document that was sent")
        return Scores(self.to_unit(raw), raw)

    @property
    def groups(self) -> Callable[[str, Sequence[str]], list[Sequence[int]]] | None:
        """Batches that keep to what the server is known to take; None where all go together."""
        return self._groups if self.independent or self.batch_size is not None else None

    def _groups(self, query: str, texts: Sequence[str]) -> list[Sequence[int]]:
        return self._fitting.groups(texts, self.batch_size)

    def to_unit(self, raw: Sequence[float | None]) -> list[float | None]:
        """The scores that a server stated, each on 0..1; see `scale.to_unit`.

        Where nothing says what they are, they are as they look; once they looked like log-odds
        they are, for good, so that one ranking is on the scale of the next.
        """
        if self.scale is None and looks_like(raw) == "logit":
            self.scale = "logit"
            record(note=f'{self.name}: scores beyond 0..1 were taken for logits; say scale="logit"')
        scores, note = to_unit(raw, self.scale)
        record(note=note and f"{self.name}: {note}")
        return scores

    def _twin(self) -> Self:
        """Another one like it, with connections of its own."""
        other = object.__new__(type(self))  # not by pickle's ways, which leave a user's client
        other.__dict__.update(self.__dict__)
        other._client = other._clients()
        return other

    def _key_or_none(self) -> str | None:
        """The key; None where there is none and the server may do without."""
        return self._key.reveal() if self._keyed else None

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
        state = {name: value for name, value in self.__dict__.items() if name != "_client"}
        return state | {"_given": None if self._given is None else "left behind"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        # what is not there is said now, not at the first ranking
        if self._given is not None:
            raise ConfigurationError(
                f"{type(self).__name__}: a client of your own cannot be pickled: make it again here"
            )
        self._key_or_none()
        revealed(self.headers)
        self._client = self._clients()
        self._loaded = False


def digest(query: Mapping[str, str | Secret], headers: Mapping[str, str | Secret]) -> str:
    """What parameters and headers a server goes by, for the name of a score in a cache: a hash, as
    they may be secret.
    """
    private = json.dumps([revealed(query), revealed(headers)], sort_keys=True)
    return blake2b(private.encode(), digest_size=8).hexdigest()
