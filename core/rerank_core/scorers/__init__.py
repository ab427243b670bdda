"""The scorers, each imported when it is first asked for."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .bm25 import BM25Scorer as BM25Scorer
    from .function import FunctionScorer as FunctionScorer
    from .llm import LLMScorer as LLMScorer

_HOMES = {
    "BM25Scorer": "bm25",
    "FunctionScorer": "function",
    "LLMScorer": "llm",
}

__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    if (home := _HOMES.get(name)) is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{home}"), name)
