"""Overlapping blocks order in one round what mostly never met."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rerank_core.listwise import NoneRelevant, blocks, overlapping_blocks
from rerank_core.listwise.blocks import design
from rerank_core.listwise.pagerank import pagerank
from tests.listwise.judges import FakeJudge, failing_at, perfect, ranks, run, shuffled_texts


def recall(count: int, **options: object) -> float:
    """Of the true top 10, how many a perfect judge brings there; mean of five draws."""
    found = 0
    for seed in range(5):
        texts = shuffled_texts(count, seed)
        order = run(overlapping_blocks("query", texts, FakeJudge(perfect), **options))[-1]  # type: ignore[arg-type]
        found += sum(rank < 10 for rank in ranks(order, texts)[:10])
    return found / 50


@settings(deadline=None)
@given(st.integers(1, 120), st.integers(2, 25), st.integers(1, 4))
def test_each_position_stands_in_as_many_blocks_as_the_others(
    count: int, window: int, replicas: int
) -> None:
    made = design(count, window, replicas, 0)

    assert all(1 <= len(block) <= window and list(block) == sorted(set(block)) for block in made)
    assert Counter(p for block in made for p in block) == dict.fromkeys(range(count), replicas)
    assert len(made) == replicas * -(-count // window)


def test_pairs_meet_about_equally_often() -> None:
    """100 positions in 5 blocks of 20: new blocks take four from each old one."""
    old, new = design(100, 20, 2, 0)[:5], design(100, 20, 2, 0)[5:]

    assert {len(set(a).intersection(b)) for a in old for b in new} <= {3, 4, 5}
    met = Counter(pair for block in design(100, 20, 3, 0) for pair in combinations(block, 2))
    assert max(met.values()) <= 3


def test_the_blocks_nearest_the_top_are_sent_first() -> None:
    judge = FakeJudge(perfect)

    run(overlapping_blocks("query", [str(n) for n in range(100)], judge))

    assert judge.groups[0] == list(range(20))


@pytest.mark.parametrize(
    ("count", "options", "calls", "rounds"),
    [
        (100, {}, 10, 1),
        (100, {"replicas": 3}, 15, 1),
        (100, {"refine": True}, 11, 2),
        (21, {}, 4, 1),
        (1000, {}, 100, 1),
    ],
)
def test_all_blocks_are_one_round(
    count: int, options: dict[str, int], calls: int, rounds: int
) -> None:
    judge = FakeJudge(perfect)

    last = run(overlapping_blocks("query", shuffled_texts(count), judge, **options))[-1]  # type: ignore[arg-type]

    assert blocks.plan(count, **options) == (judge.calls, last.rounds) == (calls, rounds)  # type: ignore[arg-type]
    assert judge.most_under_way == calls - (rounds - 1)


def test_a_perfect_judge_brings_most_of_the_true_top() -> None:
    assert recall(50) >= 0.85
    assert recall(100) >= 0.8
    assert recall(100, replicas=4) > recall(100)


def test_refined_the_top_of_a_hundred_is_nearly_exact() -> None:
    assert recall(100, refine=True) >= 0.95


def test_the_order_does_not_depend_on_who_answers_first() -> None:
    texts = shuffled_texts(100)
    chance = random.Random(1)
    slow = FakeJudge(perfect, pause=lambda: chance.random() / 50)

    assert (
        run(overlapping_blocks("query", texts, slow))[-1]
        == run(overlapping_blocks("query", texts, FakeJudge(perfect)))[-1]
    )


def test_another_seed_makes_other_blocks() -> None:
    assert design(100, 20, 2, 0) != design(100, 20, 2, 1)


def test_every_answer_that_comes_alone_yields_an_order() -> None:
    places = iter(range(10))
    judge = FakeJudge(perfect, pause=lambda: next(places) / 50)

    yielded = run(overlapping_blocks("query", shuffled_texts(100), judge))

    assert [len(order.judged) for order in yielded[:5]] == [20, 40, 60, 80, 100]
    assert len(yielded) == 10


def test_whom_no_block_named_where_none_is_relevant_stands_last() -> None:
    """Whatever the retriever thought of it: here the blocks around its first 20 name nobody."""

    def temper(group: list[int]) -> object:
        return NoneRelevant() if set(group) & set(range(20)) else perfect(group)

    texts = [str(rank) for rank in range(100)]
    order = run(overlapping_blocks("query", texts, FakeJudge(temper)))[-1]

    assert order[-20:] == list(range(20))
    assert len(order.judged) == 100


def test_what_no_answer_named_stands_where_the_retriever_put_it() -> None:
    """Among what lost and what was never asked about, only the order given decides."""
    judge = FakeJudge(failing_at(set(range(1, 10)), lambda group: list(range(len(group)))))

    assert run(overlapping_blocks("query", shuffled_texts(100), judge))[-1] == list(range(100))


def test_calls_beyond_the_judges_own_limit_wait_inside_it() -> None:
    limit = asyncio.Semaphore(3)
    judge = FakeJudge(perfect)

    class Limited:
        async def order(self, query: str, texts: list[str]) -> list[int]:
            async with limit:
                return await judge.order(query, texts)

    run(overlapping_blocks("query", shuffled_texts(100), Limited()))  # type: ignore[arg-type]

    assert judge.most_under_way == 3


def test_weights_are_a_distribution() -> None:
    weights = pagerank(4, [([2, 0], [1]), ([2, 3], [])])

    assert sum(weights) == pytest.approx(1)
    assert max(weights) == weights[2]


def test_without_answers_weights_fall_with_the_position() -> None:
    weights = pagerank(50, [])

    assert weights == sorted(weights, reverse=True)
