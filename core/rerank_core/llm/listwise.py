"""Listwise: the model orders groups, and an algorithm makes one order of them."""

from __future__ import annotations

import math
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from inspect import signature
from typing import Any

from ..errors import ConfigurationError, InvalidInputError, ScorerError
from ..listwise import AlgorithmName, NoneRelevant, ShuffledJudge, algorithm
from ..listwise.plan import at_least
from ..parsing import read_permutation
from ..protocols import Judge, Reply
from ..runtime.retries import Policy
from ..runtime.usage import record
from .answers import note_cuts
from .asking import Asker
from .schemas import order_schema
from .strategy import Strategy

#: Output tokens for one document's id, two of them as asked for, with room for white space and
#: brackets; and for the frame.
TOKENS_PER_ID, TOKENS_FOR_FRAME = 5, 64


class ListwiseStrategy(Strategy):
    """Runs a listwise algorithm over the model, with scores that only tell an order.

    The scores of whom some answer has named are even steps from 1 down to 1/n, by rank; of the
    others, None. They are told after every answer, so that a deadline can take the last ones.
    `options` are the algorithm's (see `rerank_core.listwise`).

    Raises `ConfigurationError` for an algorithm or an option that there is not.
    """

    independent = False
    ordinal = True

    def __init__(
        self,
        asker: Asker,
        *,
        name: AlgorithmName,
        window: int,
        passes: int,
        options: Mapping[str, Any],
    ) -> None:
        self.asker, self.window, self.passes = asker, window, passes
        self.options = {**options, "window": window}
        try:
            self.algorithm = algorithm(name)
            known = [*signature(self.algorithm.run).parameters][len(("query", "texts", "judge")) :]
            if unknown := [option for option in self.options if option not in known]:
                raise InvalidInputError(
                    f"{name} has no option {', '.join(unknown)}: there are {', '.join(known)}"
                )
            self.algorithm.plan(100, **self.options)
            at_least(1, passes=passes)
        except (InvalidInputError, TypeError) as error:
            raise ConfigurationError(f"strategy='listwise': {error}") from error
        told = "/".join(f"{option}={value}" for option, value in sorted(self.options.items()))
        self.fingerprint = f"listwise/{name}/{told}/{passes}"

    async def score(self, query: str, texts: Sequence[str]) -> list[float | None]:
        """The last that `stream` knows."""
        scores: list[float | None] = [None] * len(texts)
        async with aclosing(self.stream(query, texts)) as found:
            async for known in found:
                scores = [known[position] for position in range(len(texts))]
        return scores

    async def stream(
        self, query: str, texts: Sequence[str]
    ) -> AsyncGenerator[Mapping[int, float | None], None]:
        """Scores of all texts, better ones after every answer.

        Raises the first error at the end if a call failed for good, though what was yielded
        stands.
        """
        count = len(texts)
        if count < 2:
            yield dict.fromkeys(range(count), 1.0)
            return
        lengths = self.asker.lengths
        query, room, query_cut = lengths.query(query)
        excerpts = [lengths.excerpt(text, room // min(self.window, count)) for text in texts]
        panel = _Panel(self, query, self.asker.policy())
        judge: Judge = panel if self.passes == 1 else ShuffledJudge(panel, self.passes)
        shown = [excerpt.parts[0] for excerpt in excerpts]
        rounds, asked, told = 0, 0, False
        async with aclosing(self.algorithm.run(query, shown, judge, **self.options)) as orders:
            async for order in orders:
                if not told:
                    note_cuts(excerpts, query_cut)
                    told = True
                if order.rounds > rounds:
                    # calls of one round that have no room at once wait for each other, too
                    waves = math.ceil((panel.asked - asked) / panel.policy.width)
                    record(rounds=max(order.rounds - rounds, waves))
                    rounds, asked = order.rounds, panel.asked
                yield {
                    position: (count - above) / count if position in order.judged else None
                    for above, position in enumerate(order)
                }
        if panel.error is not None:
            raise panel.error


class _Panel:
    """The model as a judge of groups, asked by the engine's policy."""

    def __init__(self, strategy: ListwiseStrategy, query: str, policy: Policy) -> None:
        self.strategy, self.query, self.policy = strategy, query, policy
        self.asked = 0
        self.error: ScorerError | None = None

    async def order(self, query: str, texts: Sequence[str]) -> list[int]:
        """Positions in `texts`, best first, as the reply names them."""
        self.asked += 1
        try:
            return await self.policy.call(lambda: self._once(texts), query, texts)
        except ScorerError as error:
            self.error = self.error or error
            raise

    async def _once(self, texts: Sequence[str]) -> list[int]:
        asker = self.strategy.asker
        count = len(texts)

        def read(reply: Reply) -> list[int] | None:
            reading = read_permutation(reply.text, count)
            if not reading or (reply.broke_schema and len(reading.values) < count):
                return None
            return reading.values or NoneRelevant()

        return await asker.ask(
            self.query,
            texts,
            read=read,
            schema=order_schema(),
            reply_tokens=TOKENS_FOR_FRAME + TOKENS_PER_ID * count,
        )
