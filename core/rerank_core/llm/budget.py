"""Hard caps on what one ranking may spend."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from weakref import WeakKeyDictionary

from ..errors import ConfigurationError, Reason, ScorerError
from ..protocols import Reply
from ..runtime.context import current
from ..runtime.meter import Meter

#: US dollars for so many prompt and completion tokens; None: unknown.
Price = Callable[[int, int], float | None]


@dataclass(slots=True)
class _Tally:
    calls: int = 0
    tokens: int = 0
    cost: float = 0.0


class Budget:
    """Refuses a call that could take a ranking over `max_calls`, `max_tokens` or `max_cost`.

    A call under way counts by the most it can take: its prompt, and the longest reply it is
    allowed; once it is back, by what the server reported. So calls at once keep to the cap, too.
    Refused calls raise a `ScorerError` with `Reason.BUDGET`: what is in counts, as at a deadline.

    Raises `ConfigurationError` for a cap below nothing, or on a cost that nobody knows.
    """

    def __init__(
        self,
        max_calls: int | None,
        max_tokens: int | None,
        max_cost: float | None,
        price: Price,
        model: str,
    ) -> None:
        for name, cap in (("calls", max_calls), ("tokens", max_tokens), ("cost", max_cost)):
            if cap is not None and cap < 0:
                raise ConfigurationError(f"max_{name} is {cap}: give 0 or more, or None for no cap")
        if max_cost is not None and price(1, 1) is None:
            raise ConfigurationError(
                f"max_cost cannot be kept: no price is known for {model} (prices come from the "
                "package genai-prices, for hosted models); max_tokens works for any model"
            )
        self.max_calls, self.max_tokens, self.max_cost = max_calls, max_tokens, max_cost
        self._price = price
        self._tallies: WeakKeyDictionary[Meter, _Tally] = WeakKeyDictionary()

    @contextmanager
    def call(self, prompt_tokens: int, reply_tokens: int) -> Iterator[Callable[[Reply], None]]:
        """Room for one call of at most so many tokens; what it yields takes the reply."""
        tally = self._tally()
        reserved = _Tally(1, prompt_tokens + reply_tokens, self._cost(prompt_tokens, reply_tokens))
        self._admit(tally, reserved)
        tally.calls += 1
        tally.tokens += reserved.tokens
        tally.cost += reserved.cost
        spent = _Tally()

        def take(reply: Reply) -> None:
            prompt = prompt_tokens if reply.prompt_tokens is None else reply.prompt_tokens
            said = reply_tokens if reply.completion_tokens is None else reply.completion_tokens
            spent.tokens, spent.cost = prompt + said, self._cost(prompt, said)

        try:
            yield take
        finally:
            tally.tokens += spent.tokens - reserved.tokens
            tally.cost += spent.cost - reserved.cost

    def _admit(self, tally: _Tally, more: _Tally) -> None:
        for name, used, cap in (
            ("max_calls", tally.calls + more.calls, self.max_calls),
            ("max_tokens", tally.tokens + more.tokens, self.max_tokens),
            ("max_cost", tally.cost + more.cost, self.max_cost),
        ):
            if cap is not None and used > cap:
                raise ScorerError(
                    f"{name} of {cap:g} leaves no room for the next call", reason=Reason.BUDGET
                )

    def _tally(self) -> _Tally:
        meter = current().meter
        return _Tally() if meter is None else self._tallies.setdefault(meter, _Tally())

    def _cost(self, prompt_tokens: int, reply_tokens: int) -> float:
        if self.max_cost is None:
            return 0.0
        return self._price(prompt_tokens, reply_tokens) or 0.0

    def __getstate__(self) -> dict[str, object]:
        return {name: value for name, value in self.__dict__.items() if name != "_tallies"}

    def __setstate__(self, state: dict[str, object]) -> None:
        self.__dict__.update(state)
        self._tallies = WeakKeyDictionary()
