"""Reads the library's prompts back, as a model that trusts their structure would."""

from __future__ import annotations

import re

from loopback import Prompt

_QUERY = re.compile(r"^Query: (.*)$", re.M)
_FENCED = re.compile(r"^\[(\d+)\] <<<(\w+)\n(.*?)\n\2>>>$", re.M | re.S)


def read_prompt(prompt: str) -> Prompt:
    """The query, and each fenced document with its id."""
    query = _QUERY.search(prompt)
    documents = [(found[1], found[3]) for found in _FENCED.finditer(prompt)]
    return Prompt(query[1] if query else "", documents)
