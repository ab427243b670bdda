"""What a LangChain or LlamaIndex model is called in the cache, where that can be told for certain.

A model that is chosen when it is called (configurable fields, alternatives, fallbacks, a router) or
hidden in a function has no name here.
"""

from __future__ import annotations

from typing import Any

from ..remote.identity import name_of
from .prices import address_of


def name_of_model(llm: Any) -> str | None:
    """By its class, its fields and its server; a chain by every part of it. None: no name."""
    if _is_a(llm, "BaseLanguageModel") or _is_a(llm, "BaseLLM") or _is_a(llm, "BaseOutputParser"):
        named = name_of(llm)
        return None if named is None else f"{named}@{address_of(llm) or ''}"
    if not type(llm).__module__.startswith("langchain_core."):
        return None
    if _is_a(llm, "RunnableBindingBase") and not llm.config_factories:  # a retry is one, too
        configured = (llm.config or {}).get("configurable")
        return _all(name_of_model(llm.bound), name_of([llm.kwargs, configured]))
    if _is_a(llm, "RunnableSequence"):
        return _all(*map(name_of_model, llm.steps))
    return None


def _all(*names: str | None) -> str | None:
    known = [name for name in names if name is not None]
    return " | ".join(known) if len(known) == len(names) else None


def _is_a(thing: Any, name: str) -> bool:
    """Whether it is of a framework's class of this name; that need not be imported to see it."""
    return any(
        kind.__name__ == name and kind.__module__.startswith(("langchain_core.", "llama_index."))
        for kind in type(thing).__mro__
    )
