"""Top-down partitioning finds the true top in few rounds."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rerank_core.listwise import top_down, top_down_partitioning
from tests.listwise.judges import FakeJudge, failing_at, perfect, ranks, run, shuffled_texts


@settings(deadline=None, max_examples=60)
@given(st.permutations(range(60)), st.integers(2, 21), st.data())
def test_a_perfect_judge_gives_the_true_top(
    true_ranks: list[int], window: int, data: st.DataObject
) -> None:
    top = data.draw(st.integers(1, window - 1))
    texts = [str(rank) for rank in true_ranks]

    order = run(top_down_partitioning("query", texts, FakeJudge(perfect), window=window, top=top))[
        -1
    ]

    assert ranks(order, texts)[:top] == list(range(top))


@pytest.mark.parametrize("count", [21, 39, 40, 100, 500, 1000])
def test_however_bad_the_retriever_the_top_is_true(count: int) -> None:
    worst_first = [str(rank) for rank in reversed(range(count))]
    for texts in (worst_first, shuffled_texts(count)):
        judge = FakeJudge(perfect)

        last = run(top_down_partitioning("query", texts, judge))[-1]

        bound = top_down.plan(count, worst=True)
        assert ranks(last, texts)[:10] == list(range(10))
        assert judge.calls <= bound.calls
        assert last.rounds <= bound.rounds


def test_where_nothing_beats_the_pivot_there_are_two_rounds() -> None:
    judge = FakeJudge(perfect)

    last = run(top_down_partitioning("query", [str(n) for n in range(100)], judge))[-1]

    assert (judge.calls, last.rounds) == (6, 2)
    assert last == list(range(100))


def test_where_few_beat_the_pivot_there_is_one_more() -> None:
    texts = [str(n) for n in [*range(1, 100), 0]]
    judge = FakeJudge(perfect)

    last = run(top_down_partitioning("query", texts, judge))[-1]

    assert (judge.calls, last.rounds) == (7, 3) == top_down.plan(100)
    assert ranks(last, texts)[:10] == list(range(10))
    assert judge.most_under_way == 5


def test_partitions_hold_the_pivot_first_and_are_of_even_size() -> None:
    judge = FakeJudge(perfect)

    run(top_down_partitioning("query", [str(n) for n in range(60)], judge))

    assert [group[0] for group in judge.groups] == [0, 9, 9, 9]
    assert [len(group) for group in judge.groups] == [20, 14, 14, 15]


def test_what_beats_the_pivot_rises_as_soon_as_it_is_known() -> None:
    texts = [str(n) for n in [*range(1, 100), 0]]
    pauses = iter([0.0, 0.05, 0.05, 0.05, 0.05, 0.0, 0.0])
    judge = FakeJudge(perfect, pause=lambda: next(pauses))

    yielded = run(top_down_partitioning("query", texts, judge))

    assert 0 not in ranks(yielded[0], texts)[:10]
    assert 0 in ranks(yielded[1], texts)[:10]
    assert yielded[1].judged == {*range(20), *range(84, 100)}


def test_a_partition_that_fails_stays_beneath_the_pivot_in_its_order() -> None:
    judge = FakeJudge(failing_at({1}, lambda group: list(range(len(group)))[::-1]))

    last = run(top_down_partitioning("query", [str(n) for n in range(38)], judge))[-1]

    assert last == [*range(20)[::-1], *range(20, 38)]
    assert last.judged == set(range(20))


def test_without_the_first_window_its_order_stands() -> None:
    texts = [str(n) for n in [*range(1, 100), 0]]

    last = run(top_down_partitioning("query", texts, FakeJudge(failing_at({0}))))[-1]

    assert ranks(last, texts)[:10] == list(range(10))
