"""Reads the library's prompts back, as a model that trusts their structure would."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from loopback import Prompt, overlap
from loopback.judges import Judge, Messages, text_of

_QUERY = re.compile(r"^Query: (.*)$", re.M)
_FENCED = re.compile(r"^\[(\d+)\] <<<(\w+)\n(.*?)\n\2>>>$", re.M | re.S)


def read_prompt(prompt: str) -> Prompt:
    """The query, and each fenced document with its id."""
    query = _QUERY.search(prompt)
    documents = [(found[1], found[3]) for found in _FENCED.finditer(prompt)]
    return Prompt(query[1] if query else "", documents)


def answering(score: Callable[[str, str], float] = overlap) -> Judge:
    """Answers each of the library's prompts as it asks to, by `score` (query, text) on 0..1."""

    def judge(messages: Messages, body: Mapping[str, Any]) -> str:
        said = text_of(messages)
        prompt = read_prompt(said)
        scores = [score(prompt.query, text) for _, text in prompt.documents]
        if "Answer with one whole number" in said:
            return str(round(10 * scores[0]))
        if "Order all" in said:
            order = sorted(range(len(scores)), key=lambda place: -scores[place])
            return compact({"order": [int(prompt.documents[place][0]) for place in order]})
        names = [name for name, _ in prompt.documents]
        return compact({name: round(10 * one) for name, one in zip(names, scores, strict=True)})

    return judge


def compact(value: object) -> str:
    """JSON without spaces, as the prompts ask for it."""
    return json.dumps(value, separators=(",", ":"))
