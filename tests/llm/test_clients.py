"""Calls are spread over clients of a few calls each."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

import pytest

from rerank_core.chat.clients import CALLS_A_CLIENT, Clients


class Client:
    def __init__(self) -> None:
        self.closed = False

    async def close(self) -> None:
        self.closed = True


@pytest.fixture
def made() -> list[Client]:
    return []


@pytest.fixture
def clients(made: list[Client]) -> Clients[Client]:
    def make() -> Client:
        made.append(Client())
        return made[-1]

    return Clients(make, Client.close)


def test_no_client_has_more_than_its_share(clients: Clients[Client], made: list[Client]) -> None:
    """One more is made when all have their share."""

    async def together() -> list[Client]:
        async with AsyncExitStack() as calls:
            return [
                await calls.enter_async_context(clients.one())
                for _ in range(2 * CALLS_A_CLIENT + 1)
            ]

    used = asyncio.run(together())

    assert len(made) == 3
    assert [used.count(one) for one in made] == [CALLS_A_CLIENT, CALLS_A_CLIENT, 1]


def test_each_is_made_once(clients: Clients[Client], made: list[Client]) -> None:
    """However many calls start at once."""

    async def call() -> Client:
        async with clients.one() as client:
            await asyncio.sleep(0.01)
            return client

    async def together() -> list[Client]:
        return await asyncio.gather(*(call() for _ in range(2 * CALLS_A_CLIENT)))

    used = asyncio.run(together())

    assert len(made) == 2
    assert [used.count(one) for one in made] == [CALLS_A_CLIENT] * 2


def test_the_first_is_used_again(clients: Clients[Client], made: list[Client]) -> None:
    """One after the other, also where a call failed, they need one client and its connection."""

    async def in_turn() -> None:
        for _ in range(3 * CALLS_A_CLIENT):
            try:
                async with clients.one():
                    raise ConnectionError
            except ConnectionError:
                pass

    asyncio.run(in_turn())

    assert len(made) == 1


def test_all_are_closed(clients: Clients[Client], made: list[Client]) -> None:
    """Also those that were needed for a moment; later calls open new ones."""

    async def then_closed() -> None:
        async with AsyncExitStack() as calls:
            for _ in range(CALLS_A_CLIENT + 1):
                await calls.enter_async_context(clients.one())
        await clients.aclose()
        assert [one.closed for one in made] == [True, True]
        async with clients.one() as fresh:
            assert not fresh.closed

    asyncio.run(then_closed())


def test_what_another_loop_is_at_does_not_count(
    clients: Clients[Client], made: list[Client]
) -> None:
    """A loop that ended in the middle of its calls leaves no place taken."""

    async def left_open() -> None:
        for _ in range(CALLS_A_CLIENT):
            await clients.one().__aenter__()

    async def one() -> Client:
        async with clients.one() as client:
            return client

    asyncio.run(left_open())

    assert asyncio.run(one()) is made[-1]
    assert len(clients._clients) == 1
