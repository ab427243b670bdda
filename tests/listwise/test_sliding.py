"""The sliding window is RankGPT's."""

from __future__ import annotations

import pytest

from rerank_core.listwise import sliding, sliding_window
from tests.listwise.judges import FakeJudge, perfect, ranks, run, shuffled_texts


@pytest.mark.parametrize("count", [21, 25, 30, 95, 100, 1000])
def test_the_top_that_windows_share_is_the_true_one(count: int) -> None:
    texts, judge = shuffled_texts(count), FakeJudge(perfect)

    yielded = run(sliding_window("query", texts, judge))

    assert ranks(yielded[-1], texts)[:10] == list(range(10))
    assert len(yielded) == judge.calls == 1 + -(-(count - 20) // 10) == sliding.plan(count).calls
    assert judge.most_under_way == 1


def test_a_hundred_take_nine_calls_from_the_back() -> None:
    judge = FakeJudge(lambda group: [])

    run(sliding_window("query", [str(n) for n in range(100)], judge))

    assert [group[0] for group in judge.groups] == [80, 70, 60, 50, 40, 30, 20, 10, 0]


def test_the_window_at_the_top_is_as_large_as_the_others() -> None:
    judge = FakeJudge(lambda group: [])

    run(sliding_window("query", [str(n) for n in range(35)], judge))

    assert [(group[0], len(group)) for group in judge.groups] == [(15, 20), (5, 20), (0, 20)]


def test_what_an_answer_leaves_out_stays_beneath_in_its_order() -> None:
    order = run(sliding_window("query", list("01234"), FakeJudge(lambda group: [3, 1])))[-1]

    assert order == [3, 1, 0, 2, 4]
    assert order.judged == {1, 3}
