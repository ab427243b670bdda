"""What can go wrong around a ranking, as data."""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Any, Literal

from llm_prompts import read_prompt
from loopback import (
    FAULTS,
    MISCHIEF,
    Answer,
    Latency,
    OpenAIAPI,
    RerankAPI,
    Server,
    black_hole,
    fixed,
    refusing,
    scoring,
)

from faults.names import unresolvable
from rerank_core.protocols import ScorerBase
from rerank_core.scorers import LLMScorer, RerankAPIScorer
from rerank_core.scorers.function import FunctionScorer

KEY = "sk-loopback-0123456789abcdef"
TEXTS = [f"filler number {n} about nothing" for n in range(24)] + ["Rome is the capital of Italy"]

Serves = Literal["llm", "api"]


@dataclass(frozen=True)
class Case:
    """One thing that goes wrong.

    `scorer` is made from an address: that of a loopback server which `serves` one protocol with
    its replies spoilt by `reply` and, once a first ranking has gone well, struck by `fault`; or
    that of `place`, where nobody is. `degrades`: whether every ranking must say that it is
    degraded; None: where retries may mend it. `raises`: the contract says that the caller gets an
    error. `caller` does something meanwhile: its loop is busy, or it cancels.
    """

    name: str
    kind: str
    scorer: Callable[[str], Any]
    serves: Serves | None = None
    reply: str | None = None
    fault: str | None = None
    place: Callable[[], AbstractContextManager[str]] = lambda: nullcontext("")
    degrades: bool | None = True
    raises: bool = False
    #: A ranking goes well before the fault strikes.
    primed: bool = False
    caller: Literal["waits", "is busy", "cancels"] = "waits"
    options: Mapping[str, Any] = field(default_factory=dict)


#: What a model may say that is no answer, by name.
REPLIES: Mapping[str, str | Answer] = {
    "nothing": "",
    "prose": "I cannot help with that.",
    "broken": "{{{",
    "refusal": Answer(None, refusal="I cannot help with that."),
    "wrong-ids": '{"scores": [{"id": 77, "score": 9}, {"id": -1, "score": 8}]}',
    "one-of-many": '{"scores": [{"id": 2, "score": 9}]}',
    "repeated-ids": '{"scores": [{"id": 2, "score": 9}, {"id": 2, "score": 1}]}',
    "cut-off": Answer('{"scores": [{"id": 1, "score": 2}, {"id": 2, "sc', finish_reason="length"),
}


def server_of(case: Case) -> Server:
    """The server that the case asks, not started, with nothing but its replies spoilt."""
    latency = Latency(call=0.02)
    if case.serves == "api":
        return Server(RerankAPI("vllm", mischief=case.reply, latency=latency))
    said = None if case.reply is None else REPLIES[case.reply]
    judge = scoring(reader=read_prompt) if said is None else fixed(said)
    return Server(OpenAIAPI(judge, reader=read_prompt, latency=latency))


@contextmanager
def standing(case: Case) -> Iterator[tuple[str, Callable[[], None]]]:
    """The address that the case asks, and what lets its fault strike."""
    if case.serves is None:
        with case.place() as address:
            yield address, lambda: None
        return
    with server_of(case) as server:

        def strike() -> None:
            server.faults = [FAULTS[case.fault]] if case.fault else []

        yield server.url, strike


def llm(address: str) -> LLMScorer:
    return LLMScorer(base_url=f"{address}/v1", api_key=KEY)


def api(address: str) -> RerankAPIScorer:
    return RerankAPIScorer(f"{address}/v1/rerank", "any", api_key=KEY, batch_size=10)


#: Faults of a server that harm nothing.
_HARMLESS = {"wrong-content-type"}
#: Mischief that costs one document's score or none: an index of 0.5, or twice the same.
_MENDED = {"unsorted", "repeated", "string-index"}
#: Those of the transport and the body that are shown over the second protocol too.
_TWICE = [
    "unauthorized-echo",
    "too-large",
    "batch-size-422",
    "characters-400",
    "tokens-500",
    "unknown-model-400",
    "rate-limit-seconds",
    "unavailable",
    "silent",
    "dripping-head",
    "dripping-body",
    "closed-in-body",
    "reset-in-body",
    "garbage",
    "length-too-long",
    "truncated-json",
    "not-utf8",
    "huge-body",
    "gzip-garbage",
    "redirect-loop",
]


def _struck(serves: Serves, scorer: Callable[[str], Any], fault: str) -> Case:
    kind = "status" if FAULTS[fault].status else "wire"
    degrades = fault not in _HARMLESS
    name = fault if serves == "llm" else f"{fault}, rerank API"
    return Case(name, kind, scorer, serves, fault=fault, primed=True, degrades=degrades)


def _spin(seconds: float) -> None:
    """Work that never lets go of the interpreter of its own accord."""
    until, number = time.perf_counter() + seconds, 0
    while time.perf_counter() < until:
        number = (number * 31 + 7) % 1_000_003


def _multiply(seconds: float) -> None:
    """Work in native code, which does."""
    import numpy as np

    until, matrix = time.perf_counter() + seconds, np.random.default_rng(0).random((600, 600))
    while time.perf_counter() < until:
        matrix = matrix @ matrix / 300


def _busy(work: Callable[[float], None], seconds: float, **options: Any) -> Callable[[str], Any]:
    def score(query: str, texts: Sequence[str]) -> list[float]:
        work(seconds)
        return [random.random() for _ in texts]

    return lambda address: FunctionScorer(score, name="busy", **options)


class Deaf(ScorerBase):
    """Goes on for two seconds after it was cancelled."""

    name = "deaf"

    async def score(self, query: str, texts: Sequence[str]) -> list[float | None]:
        import asyncio

        try:
            await asyncio.sleep(30)
        finally:
            await asyncio.sleep(2)
        return [1.0] * len(texts)


def _returning(value: Any) -> Callable[[str], Any]:
    def score(query: str, texts: Sequence[str]) -> Any:
        if isinstance(value, Exception):
            raise value
        return value(texts) if callable(value) else value

    return lambda address: FunctionScorer(score, name="strange", independent=True, batch_size=10)


def _cases() -> Iterator[Case]:
    for fault in FAULTS:
        yield _struck("llm", llm, fault)
    for fault in _TWICE:
        yield _struck("api", api, fault)

    first = {"serves": "llm", "primed": False}
    for fault in (
        "unauthorized",
        "forbidden",
        "unknown-model",
        "unknown-model-400",
        "unknown-model-500",
        "wrong-key-400",
        "wrong-key-422",
    ):
        name = f"{fault}, at first"
        yield Case(name, "status", llm, fault=fault, raises=True, **first)  # type: ignore[arg-type]
    with_fallback = {"options": {"fallback": "bm25"}, **first}
    for fault in ("unauthorized", "wrong-key-400", "silent", "server-error"):
        name = f"{fault}, with a fallback"
        yield Case(name, "status", llm, fault=fault, **with_fallback)  # type: ignore[arg-type]

    for reply in REPLIES:
        yield Case(f"reply: {reply}", "reply", llm, "llm", reply)
    for mischief in MISCHIEF:
        whole = mischief in _MENDED
        name = f"results: {mischief}"
        yield Case(name, "reply", api, "api", mischief, degrades=None if whole else True)

    for serves, scorer in (("llm", llm), ("api", api)):
        beside = "" if serves == "llm" else ", rerank API"
        yield Case(f"connection refused{beside}", "network", scorer, place=refusing)
        yield Case(f"black hole{beside}", "network", scorer, place=black_hole)
        yield Case(f"name resolution hangs{beside}", "network", scorer, place=unresolvable)

    yield Case("one long step, Python", "local", _busy(_spin, 3.0))
    yield Case("one long step, native", "local", _busy(_multiply, 3.0))
    # in small steps one of several rankings may just be through in time
    steps = {"independent": True, "batch_size": 5}
    yield Case("small steps, Python", "local", _busy(_spin, 0.2, **steps), degrades=None)
    yield Case("small steps, native", "local", _busy(_multiply, 0.2, **steps), degrades=None)
    at_once = _busy(_spin, 0.5, max_concurrency=4, **steps)
    yield Case("four steps at once, Python", "local", at_once, degrades=None)
    yield Case("deaf to cancellation", "local", lambda address: Deaf())
    yield Case("raises", "local", _returning(ZeroDivisionError("by zero")))
    yield Case("returns too few", "local", _returning([0.5]))
    yield Case("returns words", "local", _returning(lambda texts: ["high"] * len(texts)))
    yield Case("returns None", "local", _returning(None))
    yield Case("returns NaN", "local", _returning(lambda texts: [math.nan] * len(texts)))

    served_well = {"serves": "llm", "primed": True}
    yield Case(
        "caller's loop busy, good server",
        "caller",
        llm,
        caller="is busy",
        degrades=False,
        **served_well,  # type: ignore[arg-type]
    )
    yield Case(
        "caller's loop busy, silent server",
        "caller",
        llm,
        fault="silent",
        caller="is busy",
        **served_well,  # type: ignore[arg-type]
    )
    yield Case(
        "caller cancels",
        "caller",
        llm,
        fault="silent",
        caller="cancels",
        degrades=None,
        **served_well,  # type: ignore[arg-type]
    )


#: By name.
CASES: Mapping[str, Case] = {case.name: case for case in _cases()}
