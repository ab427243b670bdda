"""A server for the tests; and the coroutines of frameworks' own suites, run without a plugin."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Iterator

import pytest
from loopback import OpenAIAPI, Server, scoring
from openai_server import HANG_UP, KEY


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """An OpenAI-compatible server, and the environment that points at it."""
    with Server(OpenAIAPI(scoring()), faults=[HANG_UP]) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", f"{server.url}/v1")
        monkeypatch.setenv("OPENAI_API_KEY", KEY)
        yield server


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    names = pyfuncitem._fixtureinfo.argnames
    asyncio.run(pyfuncitem.obj(**{name: pyfuncitem.funcargs[name] for name in names}))
    return True
