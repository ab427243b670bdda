"""The core's chat calls as chat-model runs of LangChain, below the run at hand.

As its own models have them: https://docs.langchain.com/langsmith/log-llm-trace. A model of the
user's own makes its runs itself.
"""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import (
    AbstractAsyncContextManager,
    AbstractContextManager,
    asynccontextmanager,
    contextmanager,
    nullcontext,
)
from typing import TYPE_CHECKING, Any

from langchain_core.globals import get_debug
from langchain_core.runnables.config import (
    ensure_config,
    get_async_callback_manager_for_config,
    get_callback_manager_for_config,
)

from rerank_core.telemetry.openinference import traces
from rerank_core.telemetry.tracing import below

if TYPE_CHECKING:
    from langchain_core.callbacks import AsyncCallbackManager, CallbackManager

#: The variables by which LangChain is told to trace.
_TRACING = (
    *(f"{of}_{name}" for of in ("LANGSMITH", "LANGCHAIN") for name in ("TRACING", "TRACING_V2")),
    "LANGCHAIN_HANDLER",
)


def is_heard() -> bool:
    """Whether anybody listens to the run at hand, or to any: there is one to be made below it."""
    return _anybody_may_listen() and bool(get_callback_manager_for_config(ensure_config()).handlers)


@contextmanager
def chat_runs() -> Iterator[None]:
    """Around a ranking, where anybody listens to the run at hand."""
    if not _anybody_may_listen():
        yield
        return
    manager = get_callback_manager_for_config(ensure_config())
    with below(_span()), _telling(manager):
        yield


@asynccontextmanager
async def achat_runs() -> AsyncIterator[None]:
    """Same, around one that is awaited."""
    if not _anybody_may_listen():
        yield
        return
    manager = get_async_callback_manager_for_config(ensure_config())
    with below(_span()):
        async with _atelling(manager):
            yield


def _telling(manager: CallbackManager) -> AbstractContextManager[None]:
    if not manager.handlers:
        return nullcontext()
    from .chat_runs import telling  # most rankings have nobody to tell

    return telling(manager)


def _atelling(manager: AsyncCallbackManager) -> AbstractAsyncContextManager[None]:
    if not manager.handlers:
        return nullcontext()
    from .chat_runs import atelling

    return atelling(manager)


def _span() -> Any:
    """The run at hand as OpenInference shows it, under which our own span belongs."""
    if not traces("langchain"):
        return None
    return sys.modules["openinference.instrumentation.langchain"].get_current_span()


def _anybody_may_listen() -> bool:
    """Whether it is worth while to look for listeners.

    That imports LangSmith and 580 modules with it, a second of somebody's deadline. A run at hand
    has imported them, as has whoever asks to be told of all runs; else only the environment, or
    LangChain's debug mode, can bring a listener.
    """
    return (
        "langchain_core.tracers.context" in sys.modules
        or bool(ensure_config().get("callbacks"))
        or get_debug()
        or traces("langchain")
        or any(name in os.environ for name in _TRACING)
    )
