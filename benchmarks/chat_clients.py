"""Many chat calls at once: one client of the SDK, one over aiohttp, or several for a few each.

    pip install httpx-aiohttp
    python benchmarks/chat_clients.py

A server in a process of its own on loopback, which takes 50 ms a call. Bursts of 32 and of 100
calls, interleaved; medians of milliseconds a burst, and of processor milliseconds that this process
takes for one, with its connections open.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import sys
import time
from contextlib import AbstractAsyncContextManager, nullcontext
from pathlib import Path
from statistics import median
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / folder) for folder in ("core", "tests")]

import openai  # noqa: E402
from loopback import Latency, OpenAIAPI, Server, fixed  # noqa: E402

from rerank_core.chat.clients import Clients  # noqa: E402

BURSTS, ROUNDS = (32, 100), 15
BODY = {"model": "m", "messages": [{"role": "user", "content": "a passage of some length " * 80}]}


def serve(pipe: Any) -> None:
    with Server(OpenAIAPI(fixed("7"), latency=Latency(call=0.05))) as server:
        pipe.send(server.url)
        pipe.recv()


def client(url: str, http: Any) -> openai.AsyncOpenAI:
    return openai.AsyncOpenAI(
        base_url=f"{url}/v1", api_key="any", max_retries=0, http_client=http()
    )


async def measure(url: str) -> None:
    several = Clients(lambda: client(url, openai.DefaultAsyncHttpxClient), lambda one: one.close())
    plain = client(url, openai.DefaultAsyncHttpxClient)
    aio = client(url, openai.DefaultAioHttpClient)
    ways: dict[str, Any] = {
        "one client": lambda: nullcontext(plain),
        "one over aiohttp": lambda: nullcontext(aio),
        "several (ours)": several.one,
    }

    async def call(one: AbstractAsyncContextManager[openai.AsyncOpenAI]) -> None:
        async with one as used:
            await used.post("/chat/completions", cast_to=object, body=BODY)

    for calls in BURSTS:
        taken: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
        for turn in range(ROUNDS + 2):
            for name, way in ways.items():
                started, spent = time.perf_counter(), time.process_time()
                await asyncio.gather(*(call(way()) for _ in range(calls)))
                if turn > 1:  # the first ones open connections
                    both = time.perf_counter() - started, time.process_time() - spent
                    taken[name].append(both)
        for name, times in taken.items():
            wall, processor = (1000 * median(column) for column in zip(*times, strict=True))
            print(f"{calls:4} calls  {name:18}{wall:8.1f} ms{processor:8.1f} ms of processor")
    for one in (plain, aio):
        await one.close()
    await several.aclose()


def main() -> None:
    spawn = multiprocessing.get_context("spawn")
    ours, theirs = spawn.Pipe()
    server = spawn.Process(target=serve, args=(theirs,), daemon=True)
    server.start()
    asyncio.run(measure(ours.recv()))
    ours.send(None)
    server.join()


if __name__ == "__main__":
    main()
