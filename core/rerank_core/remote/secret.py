"""API keys: found at construction, shown nowhere, carried nowhere."""

from __future__ import annotations

import os
from collections.abc import Sequence

from ..errors import MissingKeyError


class Secret:
    """A key that does not show in a repr, a log or a traceback, and does not pickle.

    What is pickled is where it came from: on the other side it is read from the environment
    again, and if it is not there, `reveal` raises `MissingKeyError`.

    >>> Secret("sk-123", ["OPENAI_API_KEY"])
    Secret(***)
    """

    __slots__ = ("_value", "variables", "what")

    def __init__(self, value: str | None, variables: Sequence[str], what: str = "the API") -> None:
        self._value, self.variables, self.what = value, tuple(variables), what

    @classmethod
    def required(cls, given: str | None, variables: Sequence[str], what: str) -> Secret:
        """The key as given, else from the first of these environment variables that has one.

        Raises `MissingKeyError`, naming the variables.
        """
        secret = cls(given, variables, what)
        secret.reveal()
        return secret

    def reveal(self) -> str:
        """The key itself, for the one place that sends it."""
        if value := (self._value or self._from_environment() or "").strip():
            return value  # stripped: clients quote a header that ends in a newline
        raise MissingKeyError(
            f"no key for {self.what}: set {' or '.join(self.variables)} in the environment, "
            "or pass api_key= (a server that asks for none takes any value)"
        )

    def _from_environment(self) -> str | None:
        return next((os.environ[name] for name in self.variables if os.environ.get(name)), None)

    def __deepcopy__(self, memo: object) -> Secret:
        return self  # within a process a key may be carried along

    def __repr__(self) -> str:
        return "Secret(***)"

    def __reduce__(self) -> tuple[type[Secret], tuple[None, tuple[str, ...], str]]:
        return Secret, (None, self.variables, self.what)
