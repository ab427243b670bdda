"""What a server and model have been seen to refuse, for the life of the process.

Servers of one protocol differ in what they take: a JSON schema, a temperature, the name of the
limit on the reply. What is refused is found out by asking, once for each server and model.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..errors import ScorerError

#: The parameters that can be left out, and what servers call them in their refusals.
_OPTIONAL: Mapping[str, tuple[str, ...]] = {
    "response_format": (
        "response_format",
        "response format",
        "json_schema",
        "structured output",
        "guided",
    ),
    "reasoning_effort": ("reasoning_effort",),
    "temperature": ("temperature",),
    "logprobs": ("logprobs",),
    "max_completion_tokens": ("max_completion_tokens",),
    "max_tokens": ("max_tokens",),
}
#: What goes with a parameter.
_TOGETHER = {"logprobs": ("top_logprobs",)}


@dataclass(slots=True)
class Dialect:
    """One server and model. `probed`: a call has succeeded with all that is not `refused`."""

    refused: set[str] = field(default_factory=set)
    #: Left out on trial, since a refusal named no parameter.
    suspected: set[str] = field(default_factory=set)
    probed: bool = False
    #: Its replies were cut off: it thinks before it answers, and needs more room.
    needs_reasoning_tokens: bool = False

    def parameters(self, wanted: Mapping[str, Any], reply_tokens: int | None) -> dict[str, Any]:
        """The parameters less what is refused, with the limit under the name it is known by."""
        without = self.refused | self.suspected
        without |= {part for name in without for part in _TOGETHER.get(name, ())}
        parameters = {name: value for name, value in wanted.items() if name not in without}
        if reply_tokens is not None:
            names = ("max_completion_tokens", "max_tokens")
            name = next((name for name in names if name not in without), None)
            if name is not None:
                parameters[name] = reply_tokens
        return parameters

    def succeeded(self) -> None:
        """A call came back: what was left out need not be asked about again."""
        self.refused |= self.suspected
        self.suspected.clear()
        self.probed = True

    def learn(self, error: ScorerError, sent: Mapping[str, Any]) -> bool:
        """Whether the call that failed so is worth sending again, without what it was about.

        A 400 or 422 that names none of the parameters may be about any of them, where nothing
        has succeeded yet: then it is tried once without them all.
        """
        if error.status not in (400, 422) or error.splittable:
            return False
        said = str(error).lower()
        optional = [name for name in _OPTIONAL if name in sent]
        named = [name for name in optional if any(alias in said for alias in _OPTIONAL[name])]
        if named:
            if named[0] not in self.refused:
                self.refused.add(named[0])
                self.probed = False
            return True
        if error.likely_fatal:
            return False
        if optional and not self.probed:
            self.suspected = set(_OPTIONAL) - self.refused
            return True
        self.suspected.clear()  # it was not that
        return False


_known: dict[tuple[str, str], Dialect] = {}


def dialect(address: str | None, model: str) -> Dialect:
    """What is known of this model on this server."""
    return _known.setdefault((address or "", model), Dialect())
