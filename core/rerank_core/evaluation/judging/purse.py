"""The hard cap on what a judge may spend, over all questions and restarts."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import Any

from ...chat.openai import THINKING_TOKENS
from ...errors import ConfigurationError, Reason, ScorerError
from ...protocols import ChatRequest, Reply
from ...text.truncation import estimate_tokens
from .rubric import REPLY_TOKENS

#: Tokens that a chat template adds to a prompt, at most.
_TEMPLATE = 64
#: Tokens of a reply as it usually is: "##final score: 2".
_USUAL_REPLY = 8

#: US dollars a million tokens, of the prompt and of the reply.
Price = tuple[float, float]


class Purse:
    """Knows what a question costs at most before it goes out, and lets none go that has no room.

    A text has no more tokens than bytes (every byte-level tokenizer's bound), and a reply no more
    than it was allowed; that a model thinks, and is asked again with room for that, may show at any
    time. So what is under way is counted many times too dear until it is back, and where there is
    no room for it beside others, it waits for these: the last few before the cap go one by one.
    """

    def __init__(self, chat: Any, price: Price | None, cap: float | None, spent: float) -> None:
        self._chat, self._price, self.cap = chat, price, cap
        self.spent, self._reserved = spent, 0.0
        if price is not None and min(price) < 0:
            raise ConfigurationError(f"price is dollars a million tokens, not {price}")
        if cap is not None and cap < 0:
            raise ConfigurationError(f"max_cost is {cap}: give 0 dollars or more")
        if cap is not None and not self.known:
            raise ConfigurationError(
                f"max_cost cannot be kept: no price is known for {chat.model} (prices come from "
                "the package genai-prices, for hosted models): give price=(2.5, 10), dollars a "
                "million tokens of prompt and reply; 0 and 0 for one of your own"
            )
        self._back = asyncio.Condition()

    @property
    def known(self) -> bool:
        """Whether a price is known."""
        return self.cost(1, 1) is not None

    def cost(self, prompt_tokens: int, reply_tokens: int) -> float | None:
        """US dollars for so many tokens; None where no price is known."""
        if self._price is not None:
            return (prompt_tokens * self._price[0] + reply_tokens * self._price[1]) / 1e6
        tariff = getattr(self._chat, "tariff", None)
        found: float | None = None if tariff is None else tariff.cost(prompt_tokens, reply_tokens)
        return found

    def estimate(self, requests: Iterable[ChatRequest]) -> float:
        """About what these will cost, in US dollars; 0 where no price is known."""
        tokens = replies = 0
        for request in requests:
            tokens += estimate_tokens(request.system) + estimate_tokens(request.user)
            replies += _USUAL_REPLY
        return self.cost(tokens, replies) or 0.0

    def most(self, request: ChatRequest) -> float:
        """What the question costs at most."""
        prompt = len(request.system.encode()) + len(request.user.encode()) + _TEMPLATE
        # what of it is not thought, twice: it may be asked again with room to think
        reply = self.cost(2 * prompt, 2 * REPLY_TOKENS + THINKING_TOKENS)
        return reply or 0.0

    async def reserve(self, most: float) -> None:
        """Set it aside, once there is room. Raises a `ScorerError` with `Reason.BUDGET` if none."""
        async with self._back:
            while self.cap is not None and self.spent + self._reserved + most > self.cap:
                if not self._reserved:
                    raise ScorerError(
                        f"max_cost of ${self.cap:g} leaves no room for the next question, which "
                        f"takes ${most:.4f} at most (${self.spent:.4f} spent)",
                        reason=Reason.BUDGET,
                    )
                await self._back.wait()
            self._reserved += most

    async def settle(self, most: float, cost: float) -> None:
        """It came back, and cost so much."""
        async with self._back:
            self._reserved = max(0.0, self._reserved - most)
            self.spent += cost
            self._back.notify_all()

    def of(self, reply: Reply, request: ChatRequest, recorded: float | None) -> float | None:
        """What a reply cost: as recorded, by its tokens, else the most it can; None: unknown."""
        if not self.known:
            return None
        if self._price is None and recorded is not None:
            return recorded
        if reply.prompt_tokens is None or reply.completion_tokens is None:
            return self.most(request)
        return self.cost(reply.prompt_tokens, reply.completion_tokens) or 0.0


#: Told of progress: answers there are, answers there will be, US dollars so far (None: unknown).
Progress = Callable[[int, int, "float | None"], object]
