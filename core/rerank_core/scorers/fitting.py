"""What a server takes at once, learned from what it refuses."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from ..errors import ScorerError, SizeLimit
from ..runtime.usage import record
from ..text.truncation import truncate

T = TypeVar("T")

#: What is left of a limit for what the server adds to the texts, and counts otherwise than we.
ROOM = 0.9
#: What the report says where texts were cut.
CUT = (
    "some documents are longer than max_chars or than the server takes, which saw their "
    "beginning: split them before they are indexed"
)
#: How often a text that is too long is shortened. Each time is a call.
CUTS = 4


class Fitting:
    """Makes requests that fit. One for each scorer; what it learns holds for its server.

    `max_chars`: where every text is cut, None for nowhere. `beside`: texts in a request beside
    those that are scored, such as the query.
    """

    def __init__(self, max_chars: int | None = None, *, beside: int = 0) -> None:
        self.max_chars, self.beside = max_chars, beside
        #: How many texts and characters one request may hold, where the server has said so.
        self.texts: int | None = None
        self.characters: int | None = None
        #: It takes one text a request, so that nothing can go along.
        self.alone = False
        #: A text of so many characters was too long, and one cut to so many was not.
        self.refused: int | None = None
        self.fits: int | None = None

    def groups(self, texts: Sequence[str], batch_size: int | None) -> list[Sequence[int]]:
        """The texts in groups, in their order, that keep to all that is known."""
        sizes = [size for size in (batch_size, self.texts) if size is not None]
        most = min(sizes, default=max(1, len(texts)))
        groups: list[list[int]] = []
        characters = 0
        for place, text in enumerate(texts):
            length = min(len(text), self.max_chars or len(text))
            full = self.characters is not None and characters + length > self.characters
            if not groups or len(groups[-1]) >= most or full:
                groups.append([])
                characters = 0
            groups[-1].append(place)
            characters += length
        return list(groups)

    def cut(self, texts: Sequence[str]) -> list[str]:
        """The texts, those that are too long cut; counted in the report as truncated."""
        found = [
            truncate(text, most) if (most := self._most(text)) else (text, False) for text in texts
        ]
        if count := sum(was_cut for _, was_cut in found):
            record(truncated=count, note=CUT)
        return [text for text, _ in found]

    async def ask(self, send: Callable[[list[str]], Awaitable[T]], texts: Sequence[str]) -> T:
        """What `send` brings for the texts, one that is too long on its own shortened.

        Raises what `send` does; of a refusal for size it learns first, and says how many to send.
        """
        sent = self.cut(texts)
        try:
            return await send(sent)
        except ScorerError as error:
            if not error.splittable:
                raise
            self._learn(error, sent)
            if len(sent) != 1:
                raise
            refusal, alone = error, self.alone
        if alone and self.beside:
            return await send(sent)
        for most in _shorter(len(sent[0]), refusal.limit):
            shorter, _ = truncate(sent[0], most)
            try:
                found = await send([shorter])
            except ScorerError as error:
                if not error.splittable:
                    raise
                continue
            self.refused = min(len(sent[0]), self.refused or len(sent[0]))
            self.fits = min(len(shorter), self.fits or len(shorter))
            record(truncated=1, note=CUT)
            return found
        raise refusal

    def _most(self, text: str) -> int | None:
        if self.refused is not None and self.fits is not None and len(text) >= self.refused:
            return min(self.fits, self.max_chars or self.fits)
        return self.max_chars

    def _learn(self, error: ScorerError, sent: Sequence[str]) -> None:
        limit, count = error.limit, len(sent) + self.beside
        if limit is None:
            return
        if limit.unit == "texts" and limit.most is not None and limit.most <= self.beside:
            self.alone, self.texts, error.at_most = True, 1, 1
        if len(sent) < 2:
            return
        if limit.unit == "texts" and (limit.most is None or limit.most < count):
            # without a number, half of what it refused
            most = (limit.most or count // 2) - self.beside
            self.texts = error.at_most = max(1, min(most, self.texts or most))
        total = sum(map(len, sent))
        if limit.unit == "characters" and limit.most is not None:
            if max(map(len, sent)) < limit.most < total:
                self.characters = min(limit.most, self.characters or limit.most)
        elif limit.unit in ("tokens", "bytes") and limit.most and limit.asked:
            # of the whole request, if the longest text is not what was too much
            most = int(total * limit.most / limit.asked * ROOM)
            if max(map(len, sent)) < most:
                self.characters = min(most, self.characters or most)


def _shorter(length: int, limit: SizeLimit | None) -> list[int]:
    """Lengths in characters to cut a text of that length to, in turn."""
    first = length // 2
    if limit is not None and limit.unit == "characters" and limit.most and limit.most < length:
        first = limit.most
    elif limit is not None and limit.most and limit.asked:
        first = int(length * limit.most / limit.asked * ROOM)
    elif limit is not None and limit.unit == "tokens" and limit.most:
        first = min(first, limit.most * 3)
    return [most for cut in range(CUTS) if (most := first >> cut) > 0]
