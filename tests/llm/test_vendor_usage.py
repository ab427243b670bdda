"""What a LlamaIndex LLM of each vendor took: in `response.raw`, in the vendor's own words.

As the integrations hand it over: llama-index-llms-anthropic 0.12, -bedrock-converse 0.15, -gemini
0.6, -google-genai 0.11, -ollama 0.11, -openai 0.8.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from rerank_core import Reranker
from rerank_core.chat.vendors import TokensTaken, provider_of, tokens_taken
from rerank_core.scorers import LLMScorer

llms = pytest.importorskip("llama_index.core.base.llms.types")
mock = pytest.importorskip("llama_index.core.llms")

ANSWER = '{"1":3,"2":9}'


def anthropics() -> dict[str, Any]:
    """`dict(response)`: a dict of the SDK's objects."""
    types = pytest.importorskip("anthropic.types")
    usage = types.Usage(
        input_tokens=30,
        output_tokens=4,
        cache_creation_input_tokens=0,
        cache_read_input_tokens=100,
    )
    return dict(
        types.Message(
            id="msg_1",
            content=[types.TextBlock(text=ANSWER, type="text", citations=None)],
            model="claude-haiku-4-5",
            role="assistant",
            stop_reason="end_turn",
            stop_sequence=None,
            type="message",
            usage=usage,
        )
    )


OLLAMAS = {
    "model": "qwen3",
    "created_at": "2026-11-26T10:00:00Z",
    "done": True,
    "done_reason": "stop",
    "total_duration": 812_000_000,
    "load_duration": 1_000_000,
    "prompt_eval_count": 30,
    "prompt_eval_duration": 200_000_000,
    "eval_count": 4,
    "eval_duration": 600_000_000,
    "message": {"role": "assistant", "content": ANSWER},
}
#: What newer versions of the integration add.
OLLAMAS_USAGE = {"usage": {"prompt_tokens": 30, "completion_tokens": 4, "total_tokens": 34}}
GEMINIS = {
    "content": {"parts": [{"text": ANSWER}], "role": "model"},
    "finish_reason": "STOP",
    "token_count": None,
    "usage_metadata": {
        "prompt_token_count": 130,
        "candidates_token_count": 4,
        "thoughts_token_count": 20,
        "total_token_count": 154,
        "cached_content_token_count": 100,
        "prompt_tokens_details": [{"modality": "TEXT", "token_count": 130}],
    },
}
BEDROCKS = {
    "ResponseMetadata": {"HTTPStatusCode": 200, "RetryAttempts": 0},
    "output": {"message": {"role": "assistant", "content": [{"text": ANSWER}]}},
    "stopReason": "end_turn",
    "usage": {
        "inputTokens": 30,
        "outputTokens": 4,
        "totalTokens": 34,
        "cacheReadInputTokens": 100,
        "cacheWriteInputTokens": 0,
    },
    "metrics": {"latencyMs": 812},
}
#: The older integration for Vertex keeps the SDK's own object.
VERTEXS = {
    "_raw_response": SimpleNamespace(
        usage_metadata=SimpleNamespace(prompt_token_count=30, candidates_token_count=4)
    )
}
OPENAIS = SimpleNamespace(
    id="chatcmpl-1",
    usage=SimpleNamespace(
        prompt_tokens=130,
        completion_tokens=4,
        total_tokens=134,
        prompt_tokens_details=SimpleNamespace(cached_tokens=100),
    ),
)


@pytest.mark.parametrize(
    ("raw", "taken"),
    [
        (anthropics, TokensTaken(130, 4, 100)),
        (OLLAMAS, TokensTaken(30, 4)),
        ({**OLLAMAS, **OLLAMAS_USAGE}, TokensTaken(30, 4)),
        (GEMINIS, TokensTaken(130, 24, 100)),
        (BEDROCKS, TokensTaken(130, 4, 100)),
        (VERTEXS, TokensTaken(30, 4)),
        (OPENAIS, TokensTaken(130, 4, 100)),
        (None, TokensTaken()),
        ("a text", TokensTaken()),
        ({"usage": None}, TokensTaken()),
        ({"usage": {"prompt_tokens": "many"}}, TokensTaken()),
    ],
)
def test_it_is_read_from_the_raw_answer(raw: Any, taken: TokensTaken) -> None:
    """With what is cached counted in, and what a model thinks before it answers."""
    raw = raw() if callable(raw) else raw

    assert tokens_taken(SimpleNamespace(raw=raw, additional_kwargs={})) == taken


def test_else_from_what_the_integration_says() -> None:
    """OpenAI's, and others of its like."""
    more = {"prompt_tokens": 30, "completion_tokens": 4, "total_tokens": 34}

    assert tokens_taken(SimpleNamespace(raw=None, additional_kwargs=more)) == (30, 4, 0)


def test_it_is_in_the_report() -> None:
    """And so in every cap on tokens."""

    class Claude(mock.MockLLM):  # type: ignore[misc, name-defined]
        def chat(self, messages: Any, **kwargs: Any) -> Any:
            message = llms.ChatMessage(role="assistant", content=ANSWER)
            return llms.ChatResponse(message=message, raw=anthropics())

    with Reranker(LLMScorer(Claude())) as reranker:
        report = reranker.rank("q", ["one", "another"]).report

    assert (report.prompt_tokens, report.completion_tokens) == (130, 4)


@pytest.mark.parametrize(
    ("package", "provider"),
    [
        ("anthropic", "anthropic"),
        ("bedrock_converse", "aws"),
        ("google_genai", "google"),
        ("ollama", "ollama"),
        ("openai_like", "openai"),
    ],
)
def test_the_provider_is_known_by_the_integration(package: str, provider: str) -> None:
    """Also of a class derived from its LLM; of any other class nothing is known."""
    theirs = type("Theirs", (), {"__module__": f"llama_index.llms.{package}.base"})

    assert provider_of(type("Mine", (theirs,), {})()) == provider
    assert provider_of(object()) is None
