"""What a server and model have been seen to refuse, for the life of the process.

Servers of one protocol differ in what they take: a JSON schema, a temperature, the name of the
limit on the reply, a system role. What is refused is found out by asking, once for each server
and model, and only what a call has shown is remembered: it failed with it, and succeeded without.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..errors import ScorerError
from ..protocols import Reply

#: What can be left out, and what servers call it in their refusals; in the order it is tried in.
_OPTIONAL: Mapping[str, re.Pattern[str]] = {
    "response_format": re.compile(
        r"response[_ ]format|json_schema|structured output|guided", re.IGNORECASE
    ),
    "reasoning_effort": re.compile("reasoning_effort", re.IGNORECASE),
    "temperature": re.compile("temperature", re.IGNORECASE),
    "logprobs": re.compile("logprobs", re.IGNORECASE),
    "max_completion_tokens": re.compile("max_completion_tokens", re.IGNORECASE),
    "max_tokens": re.compile("max_tokens", re.IGNORECASE),
    # the chat templates of Gemma and Mistral, Google's and OpenAI's own words, and their like
    "system": re.compile(
        r"system[ _-]?(role|message|prompt|instruction)|role[^a-z]{0,3}system|['\"`]system['\"`]"
        r"|developer (role|message|instruction)|messages\[0\]|roles? must alternate"
        r"|(first|start)\w*( with)?( an?)?( message)?.{0,20}user|only .{0,12}user.{0,20} roles",
        re.IGNORECASE,
    ),
}
#: What goes with a parameter.
_TOGETHER = {"logprobs": ("top_logprobs",)}
#: A role that a chat template does not know makes some servers fail (500) where others refuse.
_SYSTEM_STATUSES = (400, 422, 500)
#: How often more room may be tried in vain before it is not tried any more.
_VAIN_TRIES = 2


@dataclass(slots=True)
class Dialect:
    """One server and model."""

    refused: set[str] = field(default_factory=set)
    #: What was in a call that succeeded.
    accepted: set[str] = field(default_factory=set)
    #: A refusal that named nothing was followed by a success without anything optional.
    doubted: bool = False
    #: Changes when something was found out.
    version: int = 0
    #: It was cut off while it thought, and needs more room.
    needs_reasoning_tokens: bool = False
    _vain_tries: int = 0

    def noted_room(self, reply: Reply, *, given: bool) -> bool:
        """Whether a call that was cut off is worth sending again with room to think.

        `given`: it had that room. Where it was of no use it is taken back.
        """
        if given:
            self._vain_tries = self._vain_tries + 1 if reply.cut_off else 0
            self.needs_reasoning_tokens = not reply.cut_off
            return False
        if reply.cut_off and reply.thought and self._vain_tries < _VAIN_TRIES:
            self.needs_reasoning_tokens = True
            return True
        return False


class Attempt:
    """One call, which leaves out on trial what the server may have refused."""

    def __init__(self, known: Dialect) -> None:
        self._known, self._version = known, known.version
        self._left_out: set[str] = set()
        self._named: list[str] = []
        #: Left out one after the other, as a refusal that names nothing came a second time.
        self._narrowed: list[str] = []
        self._without_all = False

    def parameters(self, wanted: Mapping[str, Any], reply_tokens: int | None) -> dict[str, Any]:
        """The parameters less what is left out, with the limit under the name it is known by."""
        without = self._known.refused | self._left_out
        without |= {part for name in without for part in _TOGETHER.get(name, ())}
        parameters = {name: value for name, value in wanted.items() if name not in without}
        if "system" in without:
            parameters["messages"] = folded(wanted["messages"])
        if reply_tokens is not None:
            names = ("max_completion_tokens", "max_tokens")
            name = next((name for name in names if name not in without), None)
            if name is not None:
                parameters[name] = reply_tokens
        return parameters

    @property
    def outdated(self) -> bool:
        """Whether somebody else has found something out meanwhile."""
        return self._version != self._known.version

    def learn(self, error: ScorerError, sent: Mapping[str, Any]) -> bool:
        """Whether the call that failed so is worth sending again, without what it was about.

        A 400 or 422 that names nothing may be about anything that has never been accepted. It is
        tried once without all of that; if this succeeds, and the next call is refused so again,
        one part after the other is left out.
        """
        if error.splittable or error.status not in _SYSTEM_STATUSES:
            return False
        optional = _optional(sent)
        named = next((name for name in optional if _OPTIONAL[name].search(str(error))), None)
        if named is not None and (error.status < 500 or named == "system"):
            self._named.append(named)
            self._left_out.add(named)
            return True
        suspects = [name for name in optional if name not in self._known.accepted]
        if error.status >= 500 or error.likely_fatal or not suspects or self._without_all:
            return False
        if self._known.doubted:
            self._narrowed.append(suspects[0])
            self._left_out.add(suspects[0])
        else:
            self._without_all = True
            self._left_out |= set(_OPTIONAL) - self._known.accepted
        return True

    def succeeded(self, sent: Mapping[str, Any]) -> None:
        """Remember what it showed; what it does not show comes back with the next call."""
        known = self._known
        before = (set(known.refused), set(known.accepted), known.doubted)
        for name in self._named:
            # of what was accepted before, one refusal may be about something else: look again
            (known.accepted.discard if name in known.accepted else known.refused.add)(name)
        if self._narrowed:  # with the last of these it failed, without it it did not
            known.refused.add(self._narrowed[-1])
        elif self._without_all:
            known.doubted = True
        elif not self._named:
            known.doubted = False
        known.accepted |= set(_optional(sent))
        known.accepted -= known.refused
        known.version += before != (known.refused, known.accepted, known.doubted)


def folded(messages: list[dict[str, str]]) -> list[dict[str, str]]:
    """The messages for a model without a system role: what it would say stands before the user's.

    >>> folded([{"role": "system", "content": "a"}, {"role": "user", "content": "b"}])
    [{'role': 'user', 'content': 'a\\n\\nb'}]
    """
    return [{"role": "user", "content": "\n\n".join(one["content"] for one in messages)}]


def refuses_system(error: ScorerError) -> bool:
    """Whether the error says that the model has no system role."""
    return _OPTIONAL["system"].search(str(error)) is not None


def _optional(sent: Mapping[str, Any]) -> list[str]:
    has_system = sent["messages"][0]["role"] == "system"
    return [name for name in _OPTIONAL if name in sent or (name == "system" and has_system)]


_known: dict[tuple[str, str], Dialect] = {}


def dialect(address: str | None, model: str) -> Dialect:
    """What is known of this model on this server."""
    return _known.setdefault((address or "", model), Dialect())
