"""The text of a model's message, wherever in it the answer stands.

Most give a string; some blocks (Mistral's and Anthropic's thinking models), a tool call, or, behind
a parser for reasoning that took too much, nothing but what they thought (vLLM, SGLang).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

#: What servers call the thinking that stands beside the answer.
_THOUGHTS = ("reasoning_content", "reasoning")


def text_of(content: Any) -> str:
    """The text of a content: a string, or the text blocks of a list (thinking left out).

    >>> text_of([{"type": "thinking", "thinking": "3?"}, {"type": "text", "text": "9"}])
    '9'
    """
    if isinstance(content, str):
        return content
    if isinstance(content, Mapping):
        content = [content]
    blocks = content if isinstance(content, list) else []
    return "".join(map(_block, blocks))


def _block(block: Any) -> str:
    if isinstance(block, str):
        return block
    if not isinstance(block, Mapping):  # an object of a framework's own
        thinks = "thinking" in str(getattr(block, "block_type", ""))
        block = {} if thinks else {"text": getattr(block, "text", "")}
    if block.get("type", "text") not in ("text", "output_text"):
        return ""
    text = block.get("text")
    text = text.get("value") if isinstance(text, Mapping) else text
    return text if isinstance(text, str) else ""


def answer_of(message: Mapping[str, Any]) -> str:
    """The answer in a message as OpenAI's protocol has it, by the first place that has one."""
    return (
        _unless_blank(text_of(message.get("content")))
        or arguments_of(message.get("tool_calls"))
        or arguments_of([message.get("function_call")])
        or thoughts_of(message)
    )


def arguments_of(calls: Any) -> str:
    """The arguments of the first tool call that has any, as JSON; "" without one."""
    for call in calls if isinstance(calls, list) else []:
        if not isinstance(call, Mapping):
            continue
        function = call.get("function")
        function = function if isinstance(function, Mapping) else call
        arguments = function.get("arguments") or function.get("args")
        if arguments:
            return arguments if isinstance(arguments, str) else json.dumps(arguments, default=str)
    return ""


def thoughts_of(message: Mapping[str, Any]) -> str:
    """What it thought aloud, where the server says so; else ""."""
    found = (_unless_blank(text_of(message.get(name))) for name in _THOUGHTS)
    return next(filter(None, found), "")


def _unless_blank(text: str) -> str:
    return text if text.strip() else ""
