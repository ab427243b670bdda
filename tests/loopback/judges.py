"""What the model behind the chat API answers.

A judge takes the messages and the whole request body, and returns the reply's text (or an
`Answer`, where it has more to say). It may be a coroutine function.
"""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, repeat
from typing import Any

from loopback.relevance import overlap

Messages = Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Answer:
    """A reply with more to it than its text."""

    text: str | None
    finish_reason: str = "stop"
    #: By token: candidates with their log probabilities, the chosen one first.
    logprobs: Sequence[Mapping[str, float]] | None = None
    #: A refusal in the protocol's own field.
    refusal: str | None = None
    #: What else is in the message; it may replace the content.
    message: Mapping[str, Any] = field(default_factory=dict)
    #: Tokens that it thought before.
    reasoning_tokens: int = 0
    #: Not a reply but an error: its status, and what the body says beside `text`.
    status: int = 200
    error: Mapping[str, Any] = field(default_factory=dict)


Judge = Callable[[Messages, Mapping[str, Any]], "str | Answer | Awaitable[str | Answer]"]


@dataclass(frozen=True)
class Prompt:
    """What a model that trusts the prompt's structure reads in it."""

    query: str
    #: Document ids as the prompt names them, with their texts.
    documents: Sequence[tuple[str, str]] = field(default=())


ReadPrompt = Callable[[str], Prompt]


def regex_reader(query: str, document: str) -> ReadPrompt:
    """Reads prompts by two patterns: `query` with one group, `document` with two (id, text)."""
    find_query, find_document = re.compile(query, re.DOTALL), re.compile(document, re.DOTALL)

    def read(prompt: str) -> Prompt:
        found = find_query.search(prompt)
        return Prompt(found[1] if found else "", find_document.findall(prompt))

    return read


_QUERY = r"(?m:^)(?:Query|Question): ([^\n]*)"

#: Reads "Query: …" and documents that each begin a line with "[1] ".
plain_reader = regex_reader(_QUERY, r"(?m:^)\[(\d+)\] (.*?)(?=\n\[|\Z)")

#: A document between two lines of `<<<marker` and `marker>>>`, after its id.
_FENCED = re.compile(r"^\[(\d+)\] <<<(\w+)\n(.*?)\n\2>>>$", re.DOTALL | re.MULTILINE)


def fenced_reader(prompt: str) -> Prompt:
    """Reads documents that stand between fences, as `rerank_core.llm` writes them; else plainly.

    It trusts structure: any fence that looks like one is one, whatever its marker.
    """
    documents = [(name, text) for name, _, text in _FENCED.findall(prompt)]
    plain = plain_reader(prompt)
    return Prompt(plain.query, documents) if documents else plain


def text_of(messages: Messages) -> str:
    """Everything that the messages say, one after the other."""
    parts: list[str] = []
    for message in messages:
        content = message.get("content") or ""
        if isinstance(content, str):
            parts.append(content)
        else:
            parts += [part.get("text", "") for part in content]
    return "\n\n".join(parts)


def keyed_scores(scores: Iterable[tuple[str, float]]) -> str:
    """`{"1":7,"2":3,…}`."""
    return json.dumps({name: round(score, 3) for name, score in scores}, separators=(",", ":"))


def json_scores(scores: Iterable[tuple[str, float]]) -> str:
    """`{"scores": [{"id": 1, "score": 7}, …]}`."""
    return json.dumps(
        {"scores": [{"id": int(name), "score": round(score, 3)} for name, score in scores]}
    )


def line_scores(scores: Iterable[tuple[str, float]]) -> str:
    """`[1] 7`, a line each."""
    return "\n".join(f"[{name}] {score:g}" for name, score in scores)


def scoring(
    score: Callable[[str, str], float] = overlap,
    *,
    scale: tuple[float, float] = (0, 10),
    reader: ReadPrompt = fenced_reader,
    write: Callable[[Iterable[tuple[str, float]]], str] = keyed_scores,
) -> Judge:
    """Scores each document of the prompt; `score` takes query and text and says 0..1."""
    low, high = scale

    def judge(messages: Messages, body: Mapping[str, Any]) -> str:
        prompt = reader(text_of(messages))
        return write(
            (name, low + (high - low) * score(prompt.query, text))
            for name, text in prompt.documents
        )

    return judge


def ordering(
    score: Callable[[str, str], float] = overlap, *, reader: ReadPrompt = fenced_reader
) -> Judge:
    """Names the documents of the prompt best first: `[2] > [1] > [3]`."""

    def judge(messages: Messages, body: Mapping[str, Any]) -> str:
        prompt = reader(text_of(messages))
        best = sorted(prompt.documents, key=lambda pair: -score(prompt.query, pair[1]))
        return " > ".join(f"[{name}]" for name, _ in best)

    return judge


def fixed(reply: str | Answer) -> Judge:
    """Always says the same."""
    return lambda messages, body: reply


def sequence(replies: Sequence[str | Answer]) -> Judge:
    """Says one after the other, and the last one from then on."""
    left = chain(replies, repeat(replies[-1]))
    return lambda messages, body: next(left)
