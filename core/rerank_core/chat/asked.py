"""Asking a framework's model object of the user's own."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from ..errors import ScorerError
from ..remote.foreign_errors import foreign_errors
from ..runtime.usage import record
from .dialect import folded, refuses_system

Messages = list[dict[str, Any]]


class Asked:
    """Asks with a system message, or without one where the model has shown that it takes none."""

    def __init__(self) -> None:
        self._folds = False

    async def ask(self, messages: Messages, call: Callable[[Messages], Awaitable[Any]]) -> Any:
        """What `call` returns for the messages. Raises `ScorerError` for what it raises."""
        if not self._folds:
            try:
                return await self._once(messages, call)
            except ScorerError as error:
                if not refuses_system(error):
                    raise
        answer = await self._once(folded(messages), call)
        self._folds = True
        return answer

    async def _once(self, messages: Messages, call: Callable[[Messages], Awaitable[Any]]) -> Any:
        record(calls=1)
        with foreign_errors():
            return await call(messages)
