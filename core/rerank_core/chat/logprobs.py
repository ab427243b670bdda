"""Log probabilities as OpenAI's protocol tells them."""

from __future__ import annotations

from typing import Any


def logprobs_of(told: Any) -> list[dict[str, float]]:
    """By position in the reply: candidate tokens with theirs; empty for what is not so shaped.

    >>> logprobs_of({"content": [{"top_logprobs": [{"token": "7", "logprob": -0.1}]}]})
    [{'7': -0.1}]
    """
    try:
        return [
            {top["token"]: float(top["logprob"]) for top in position.get("top_logprobs") or []}
            for position in (told or {}).get("content") or []
        ]
    except (AttributeError, KeyError, TypeError, ValueError):
        return []
