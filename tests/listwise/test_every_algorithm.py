"""What holds for every listwise algorithm, whatever the judge answers."""

from __future__ import annotations

import asyncio
import gc
import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rerank_core.errors import InvalidInputError, Reason, ScorerError
from rerank_core.listwise import NoneRelevant, Order, algorithm
from tests.listwise.judges import (
    ADVERSARIAL,
    FakeJudge,
    failing_at,
    noisy,
    perfect,
    raising,
    ranks,
    run,
    shuffled_texts,
)

NAMES = ["sliding-window", "top-down", "blocks"]
every = pytest.mark.parametrize("name", NAMES)


def orders(name: str, texts: list[str], judge: FakeJudge, **options: Any) -> list[Order]:
    return run(algorithm(name).run("query", texts, judge, **options))


@every
@pytest.mark.parametrize("count", [0, 1])
def test_nothing_to_order_asks_nobody(name: str, count: int) -> None:
    judge = FakeJudge(perfect)

    assert orders(name, shuffled_texts(count), judge) == [list(range(count))]
    assert judge.calls == 0
    assert algorithm(name).plan(count) == (0, 0)


@every
@pytest.mark.parametrize("count", [2, 3, 19, 20])
def test_what_fits_one_window_is_one_exact_call(name: str, count: int) -> None:
    texts, judge = shuffled_texts(count), FakeJudge(perfect)

    order = orders(name, texts, judge)[-1]

    assert ranks(order, texts) == list(range(count))
    assert judge.calls == 1
    assert algorithm(name).plan(count) == (1, 1)


@every
@pytest.mark.parametrize("count", [21, 100, 1000])
@pytest.mark.parametrize("temper", ADVERSARIAL)
def test_every_order_holds_every_text_once(name: str, count: int, temper: str) -> None:
    judge = FakeJudge(ADVERSARIAL[temper])

    yielded = orders(name, shuffled_texts(count), judge)

    assert yielded
    for order in yielded:
        assert sorted(order) == list(range(count))
    assert max(map(len, judge.groups)) <= 20
    assert judge.calls <= algorithm(name).plan(count, **most(name)).calls


def most(name: str) -> dict[str, Any]:
    return {"worst": True} if name == "top-down" else {}


@every
@settings(deadline=None, max_examples=40)
@given(st.integers(0, 70), st.integers(0, 2**32), st.data())
def test_no_answer_breaks_an_order(name: str, count: int, seed: int, data: st.DataObject) -> None:
    chance = random.Random(seed)

    def answer(group: list[int]) -> object:
        if chance.random() < 0.2:
            raise ConnectionError("no answer")
        return [chance.randrange(-2, len(group) + 2) for _ in range(chance.randrange(30))]

    judge = FakeJudge(answer, pause=lambda: 0.0 if chance.random() < 0.5 else 1e-4)
    window = data.draw(st.integers(2, 21))
    options = {"step": max(1, window // 2)} if name == "sliding-window" else {}

    try:
        yielded = orders(name, shuffled_texts(count), judge, window=window, **options)
    except ConnectionError:
        yielded = []

    assert all(sorted(order) == list(range(count)) for order in yielded)
    bound = algorithm(name).plan(count, window=window, **options, **most(name))
    assert judge.calls <= bound.calls
    assert all(order.rounds <= bound.rounds for order in yielded)


@every
def test_without_a_useful_answer_the_retrievers_order_stands(name: str) -> None:
    judge = FakeJudge(ADVERSARIAL["answers nothing"])

    order = orders(name, shuffled_texts(100), judge)[-1]

    assert order == list(range(100))
    assert not order.judged


@every
def test_where_none_is_relevant_all_are_judged_and_none_moves(name: str) -> None:
    """It is an answer, unlike one that names nobody."""
    judge = FakeJudge(lambda group: NoneRelevant())

    order = orders(name, shuffled_texts(100), judge)[-1]

    assert order == list(range(100))
    assert order.judged == set(range(100))


@every
def test_a_window_of_two_is_enough(name: str) -> None:
    texts = shuffled_texts(30)
    options = {"step": 1} if name == "sliding-window" else {}

    order = orders(name, texts, FakeJudge(perfect), window=2, **options)[-1]

    assert sorted(order) == list(range(30))
    if name != "blocks":
        assert ranks(order, texts)[0] == 0


@every
def test_who_was_judged_is_known(name: str) -> None:
    judge = FakeJudge(failing_at({1}))

    last = orders(name, shuffled_texts(60), judge)[-1]

    asked = {rank for number, group in enumerate(judge.groups) if number != 1 for rank in group}
    assert last.judged == {p for p, text in enumerate(shuffled_texts(60)) if int(text) in asked}


@every
def test_a_noisy_judge_still_betters_the_retriever(name: str) -> None:
    texts = shuffled_texts(100)

    def mean_of_top(order: list[int]) -> float:
        return sum(ranks(order, texts)[:10]) / 10

    order = orders(name, texts, FakeJudge(noisy(10)))[-1]

    assert mean_of_top(order) < mean_of_top(list(range(100))) / 2


@every
def test_one_failed_call_costs_its_group_only(name: str) -> None:
    texts = shuffled_texts(100)
    judge = FakeJudge(failing_at({2}))

    order = orders(name, texts, judge)[-1]

    assert sum(ranks(order, texts)[:10]) < 300


@every
def test_the_first_error_is_raised_if_every_call_failed(name: str) -> None:
    judge = FakeJudge(raising)

    with pytest.raises(ConnectionError, match="no answer"):
        orders(name, shuffled_texts(100), judge)

    assert judge.calls > 1


@every
def test_a_fatal_error_is_raised_at_once(name: str) -> None:
    def answer(group: list[int]) -> object:
        raise ScorerError("wrong key", reason=Reason.AUTH, fatal=True)

    judge = FakeJudge(answer)
    with pytest.raises(ScorerError, match="wrong key"):
        orders(name, shuffled_texts(1000), judge)

    assert judge.calls == (100 if name == "blocks" else 1)


@every
@pytest.mark.parametrize("how", ["aclose", "cancel", "deadline", "break"])
def test_stopping_leaves_no_call_under_way(name: str, how: str) -> None:
    """However it is stopped, after the first answers of a round or within it."""
    pauses = iter([0.0, 0.0, 0.0, *[60.0] * 1000])
    judge = FakeJudge(perfect, pause=lambda: next(pauses))

    async def stop() -> None:
        running = algorithm(name).run("query", shuffled_texts(100), judge)
        seen: list[Order] = []

        async def consume() -> None:
            async for order in running:
                seen.append(order)  # noqa: PERF401 - kept as they come, for when it is stopped

        if how == "aclose":
            await anext(running)
            await running.aclose()
        elif how == "cancel":
            task = asyncio.create_task(consume())
            await asyncio.sleep(0.01)
            assert judge.calls >= 4
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            assert task.cancelled()
        elif how == "deadline":
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.05):
                    await consume()
            assert seen
        else:
            async for _ in running:
                break
            del running
            gc.collect()
            await asyncio.sleep(0.01)
        assert judge.under_way == 0
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(stop())


@every
def test_a_judge_that_is_cancelled_cancels(name: str) -> None:
    def answer(group: list[int]) -> object:
        raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        orders(name, shuffled_texts(100), FakeJudge(answer))


@every
def test_sizes_that_cannot_be_are_refused(name: str) -> None:
    for wrong in (
        {"window": 1},
        {"step": 20},
        {"step": 0},
        {"top": 0},
        {"top": 20},
        {"replicas": 0},
    ):
        with pytest.raises((InvalidInputError, TypeError), match=r"must be|unexpected keyword"):
            algorithm(name).plan(100, **wrong)


def test_an_unknown_name_is_told_the_known_ones() -> None:
    with pytest.raises(InvalidInputError, match="top-down"):
        algorithm("bottom-up")
