"""Pointwise: one document a call, so that no document can sway the grade of another."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from ..errors import ConfigurationError
from ..listwise.passes import merge_scores
from ..parsing import parse_score
from ..protocols import Reply
from .answers import graded, note_cuts
from .asking import Asker
from .excerpts import best_of
from .expected import expected_grade
from .strategy import Strategy

#: Output tokens: a number, and room for a model that says a little more.
REPLY_TOKENS = 32


class PointwiseStrategy(Strategy):
    """Grades a document by itself; where the server gives log probabilities, by the mean of the
    grades it considered. With `passes` it is asked as often, and the mean is taken.
    """

    independent = True
    batch_size = 1

    def __init__(self, asker: Asker, *, passes: int) -> None:
        if passes < 1:
            raise ConfigurationError("passes is at least 1")
        self.asker, self.passes = asker, passes
        self.fingerprint = f"pointwise/{passes}"

    async def score(self, query: str, texts: Sequence[str]) -> list[float | None]:
        """The grade of each text on 0..1, None where the reply has none."""
        if not texts:
            return []
        query, room, query_cut = self.asker.lengths.query(query)
        excerpts = [self.asker.lengths.excerpt(text, room) for text in texts]
        parts = [part for excerpt in excerpts for part in excerpt.parts]
        answers = await self.asker.several(
            query,
            [
                ([part], partial(self._once, query, part))
                for _ in range(self.passes)
                for part in parts
            ],
        )
        passes = [answers[at : at + len(parts)] for at in range(0, len(answers), len(parts))]
        note_cuts(excerpts, query_cut)
        return graded(best_of(merge_scores(passes), excerpts), self.asker.scale)

    async def _once(self, query: str, text: str) -> float:
        asker = self.asker

        def read(reply: Reply) -> float | None:
            score = expected_grade(reply, asker.scale)
            return parse_score(reply.text, asker.scale) if score is None else score

        return await asker.ask(query, [text], read=read, reply_tokens=REPLY_TOKENS, logprobs=True)
