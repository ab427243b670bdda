"""OpenInference's names for what a span says, and what its switches hide.

https://arize-ai.github.io/openinference/spec/semantic_conventions.html and, for the switches,
https://arize-ai.github.io/openinference/spec/configuration.html (2026-11). As there, texts are
recorded unless a switch hides them. Pure, but for the environment.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from typing import Any

from ..protocols import Reply
from ..ranking.given import Given
from ..ranking.ranking import Ranking

KIND = "openinference.span.kind"
HIDDEN = "__REDACTED__"

#: Attributes that a span may hold where its SDK does not say, by OpenTelemetry's default; and how
#: many of them are for other things than documents.
_ATTRIBUTES, _RESERVED = 128, 48


def asked_of(name: str, asked: Given, top_n: int | None) -> dict[str, Any]:
    """A reranking as it is asked for, without its documents."""
    query = HIDDEN if hides("INPUTS") else asked.query
    return {
        KIND: "RERANKER",
        "reranker.query": query,
        "reranker.model_name": name,
        "reranker.top_k": len(asked.candidates) if top_n is None else top_n,
        "input.value": query,
        **_context(),
    }


def documents_of(asked: Given, ranking: Ranking, room: int) -> dict[str, Any]:
    """What went in, as it came, and what came out, best first, in at most so many attributes.

    Where that is too few, the last of what went in are left out first, and counted.
    """
    import json  # for what is traced only

    found: dict[str, Any] = {}
    left_out = 0
    if not hides("OUTPUTS"):
        for at, hit in enumerate(ranking):
            about = {"id": hit.id, "content": hit.text, "score": hit.score}
            if hit.estimate is not None:
                about["metadata"] = json.dumps({"estimated": True, "estimate": hit.estimate})
            left_out += _add(found, f"reranker.output_documents.{at}", about, room)
    if not hides("INPUTS"):
        for at, one in enumerate(asked.candidates):
            about = {"id": one.id, "content": one.text, "score": one.score}
            left_out += _add(found, f"reranker.input_documents.{at}", about, room)
    return {**found, "rerank.documents_left_out": left_out} if left_out else found


def chat_asked(provider: str | None, model: str, request: Mapping[str, Any]) -> dict[str, Any]:
    """A call of a chat model as it is sent, but for the key."""
    import json

    found = {KIND: "LLM", "llm.model_name": model}
    if provider is not None:
        found["llm.provider"] = provider
    parameters = {name: request[name] for name in request if name != "messages"}
    if parameters and not hides("LLM_INVOCATION_PARAMETERS"):
        found["llm.invocation_parameters"] = json.dumps(parameters, default=str)
    if not hides("INPUTS", "INPUT_MESSAGES"):
        for at, message in enumerate(request["messages"]):
            said = HIDDEN if hides("INPUT_TEXT") else str(message["content"])
            found |= _message(f"llm.input_messages.{at}", str(message["role"]), said)
    return {**found, **_context()}


def chat_answered(reply: Reply) -> dict[str, Any]:
    """What it answered, and the tokens that took, where the server said."""
    found: dict[str, Any] = {}
    if not hides("OUTPUTS", "OUTPUT_MESSAGES"):
        said = HIDDEN if hides("OUTPUT_TEXT") else reply.text
        found |= _message("llm.output_messages.0", "assistant", said)
    counts = {"prompt": reply.prompt_tokens, "completion": reply.completion_tokens}
    found |= {f"llm.token_count.{of}": count for of, count in counts.items() if count is not None}
    if None not in counts.values():
        found["llm.token_count.total"] = sum(count or 0 for count in counts.values())
    return found


def room_in(span: Any) -> int:
    """How many attributes of a span are for documents: an SDK drops what is too much, and warns."""
    limit = getattr(getattr(span, "_limits", None), "max_span_attributes", _ATTRIBUTES)
    return sys.maxsize if limit is None else max(0, limit - _RESERVED)


def hides(*what: str) -> bool:
    """Whether one of OpenInference's switches hides it: "INPUTS" for `OPENINFERENCE_HIDE_INPUTS`.

    Any value but one that says no does: better a text too little than a text too much.
    """
    values = (os.environ.get(f"OPENINFERENCE_HIDE_{name}", "") for name in what)
    return any(value.strip().lower() not in ("", "0", "false", "no", "off") for value in values)


#: Who makes spans of a framework's calls, by its package, and the class in it.
_INSTRUMENTORS = {"langchain": "LangChainInstrumentor", "llama_index": "LlamaIndexInstrumentor"}


def traces(framework: str) -> bool:
    """Whether OpenInference makes spans of "langchain" or "llama_index" in this process."""
    package = sys.modules.get(f"openinference.instrumentation.{framework}")
    kind = getattr(package, _INSTRUMENTORS[framework], None)
    return kind is not None and bool(kind().is_instrumented_by_opentelemetry)


def _context() -> dict[str, Any]:
    """What the caller's `using_attributes` says of everything below it: a session, a user, tags."""
    package = sys.modules.get("openinference.instrumentation")
    read = getattr(package, "get_attributes_from_context", None)
    return {} if read is None else dict(read())


def _message(prefix: str, role: str, said: str) -> dict[str, str]:
    return {f"{prefix}.message.role": role, f"{prefix}.message.content": said}


def _add(found: dict[str, Any], prefix: str, about: Mapping[str, Any], room: int) -> bool:
    """Add a document; True where there is no room for it."""
    there = {f"{prefix}.document.{name}": value for name, value in about.items()}
    if hides("RETRIEVAL_DOCUMENTS"):
        there[f"{prefix}.document.content"] = HIDDEN
    said = {name: value for name, value in there.items() if value is not None}
    if len(found) + len(said) > room:
        return True
    found |= said
    return False
