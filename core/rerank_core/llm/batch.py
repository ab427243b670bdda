"""Batch: a group of documents in one call, a grade for each."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from ..errors import ConfigurationError
from ..listwise.passes import merge_scores, restored, shuffles
from ..parsing import read_scores
from ..protocols import Reply
from ..text.truncation import pack
from .answers import graded, note_cuts
from .asking import Asker
from .excerpts import best_of
from .schemas import scores_schema
from .strategy import Strategy

#: Output tokens for one document's entry, and for the frame. `"1":7,` is four of them; there is
#: room for models that write it with names and spaces (13), or a word around it.
TOKENS_PER_SCORE, TOKENS_FOR_FRAME = 13, 64


class BatchStrategy(Strategy):
    """Grades a group in one call, `passes` times in shuffled order where one is not enough.

    A group is filled up to `group_size` documents and the call's token budget.
    """

    independent = False

    def __init__(self, asker: Asker, *, group_size: int, passes: int) -> None:
        if group_size < 1 or passes < 1:
            raise ConfigurationError("group_size and passes are at least 1")
        self.asker, self.group_size, self.passes = asker, group_size, passes
        self.fingerprint = f"batch/{group_size}/{passes}"

    def groups(self, query: str, texts: Sequence[str]) -> list[Sequence[int]]:
        """Consecutive texts, filled from the front: the same ones always meet."""
        lengths = self.asker.lengths
        _, room, _ = lengths.query(query)
        sizes = []
        for text in texts:
            excerpt = lengths.excerpt(text, room)
            # several passages of one document count as several documents
            sizes.append(max(lengths.size(excerpt), len(excerpt.parts) * room // self.group_size))
        return list(pack(room, sizes, self.group_size))

    async def score(self, query: str, texts: Sequence[str]) -> list[float | None]:
        """The grade of each text on 0..1, None where the reply has none."""
        if not texts:
            return []
        query, room, query_cut = self.asker.lengths.query(query)
        excerpts = [self.asker.lengths.excerpt(text, room) for text in texts]
        parts = [part for excerpt in excerpts for part in excerpt.parts]
        orders = shuffles(len(parts), self.passes)
        passes = await self.asker.several(
            query,
            [(texts, partial(self._once, query, parts, order)) for order in orders],
        )
        scores = best_of(merge_scores([one for one in passes if one is not None]), excerpts)
        note_cuts(excerpts, query_cut)
        return graded(scores, self.asker.scale)

    async def _once(
        self, query: str, parts: Sequence[str], order: Sequence[int]
    ) -> list[float | None]:
        asker = self.asker

        def read(reply: Reply) -> list[float | None] | None:
            cut_off = reply.cut_off or reply.broke_schema
            reading = read_scores(reply.text, len(parts), asker.scale, cut_off=cut_off)
            if not reading or (reply.broke_schema and None in reading.values):
                return None
            return reading.values

        scores = await asker.ask(
            query,
            [parts[position] for position in order],
            read=read,
            schema=scores_schema(asker.scale, len(parts)),
            reply_tokens=TOKENS_FOR_FRAME + TOKENS_PER_SCORE * len(parts),
        )
        return restored(scores, order)
