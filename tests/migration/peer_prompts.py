"""One judge behind everybody's prompts: it grades by word overlap whoever asks, and answers in the
form that was asked for.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from loopback import Answer, ordering, overlap, regex_reader, scoring
from loopback.judges import Messages, ReadPrompt, text_of

_RANKGPT = regex_reader(
    r"Search Query: ([^\n]*?)\. \n", r"(?m:^)\[(\d+)\] (.*?)\n\nReceived passage"
)
_CHOICE = regex_reader(
    r".*\nQuestion: ([^\n]*)", r"\nDocument (\d+):\s+(.*?)(?=\n+Document \d|\n+Question)"
)


def any_judge(messages: Messages, body: Mapping[str, Any]) -> str | Answer:
    """Answers LangChain, LlamaIndex, a plain loop, and us."""
    said = text_of(messages)
    if "Document ID: 0" in said:
        return _langchain_listwise(messages)
    if "RankGPT" in said:
        return " > ".join(f"[{name}]" for name, _ in _graded(_RANKGPT, said))
    if "Let's try this now" in said:
        return _choices(said.partition("Let's try this now")[2], body)
    if "Only the number." in said:
        query, text = re.findall(r"Query: (.*?)\n\nDocument: (.*?)\n\nHow", said, re.DOTALL)[0]
        return f"{10 * overlap(query, text):.3f}"
    return (ordering() if '"order"' in said else scoring())(messages, body)  # type: ignore[return-value]


def _langchain_listwise(messages: Messages) -> str:
    query = text_of(messages[-1:])
    texts = re.findall(r"Document ID: (\d+)\n```(.*?)```", text_of(messages), re.DOTALL)
    best = sorted(texts, key=lambda pair: -overlap(query, pair[1]))
    return json.dumps({"ranked_document_ids": [int(name) for name, _ in best]})


def _choices(said: str, body: Mapping[str, Any]) -> str | Answer:
    graded = [(name, 10 * grade) for name, grade in _graded(_CHOICE, said)]
    if "response_format" not in body and not body.get("tools"):
        return "\n".join(f"Doc: {name}, Relevance: {grade:.3f}" for name, grade in graded)
    # whole numbers, says the schema, and holds nobody to a scale
    documents = [
        {"document_number": int(name), "relevance": round(1000 * grade)} for name, grade in graded
    ]
    if not body.get("tools"):
        return json.dumps({"documents": documents})
    name = body["tools"][0]["function"]["name"]
    function = {"name": name, "arguments": json.dumps({"documents": documents})}
    call = {"id": "call_1", "type": "function", "function": function}
    return Answer(None, finish_reason="tool_calls", message={"tool_calls": [call]})


def _graded(reader: ReadPrompt, said: str) -> list[tuple[str, float]]:
    """Ids and grades (0..1), best first."""
    prompt = reader(said)
    assert prompt.query, said
    assert prompt.documents, said
    grades = [(name, overlap(prompt.query, text)) for name, text in prompt.documents]
    return sorted(grades, key=lambda pair: -pair[1])
