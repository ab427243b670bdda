"""Shuffled passes cancel a judge's liking for where a text stands."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rerank_core.errors import InvalidInputError
from rerank_core.listwise import NoneRelevant, ShuffledJudge, top_down_partitioning
from rerank_core.listwise.passes import merge_orders, merge_scores, restored, shuffles
from tests.listwise.judges import (
    ADVERSARIAL,
    FakeJudge,
    failing_at,
    perfect,
    raising,
    ranks,
    run,
    shuffled_texts,
)


def ordered(judge: FakeJudge, texts: list[str], passes: int) -> list[int]:
    return asyncio.run(ShuffledJudge(judge, passes).order("query", texts))


def test_the_first_pass_is_straight_and_the_second_reversed() -> None:
    assert shuffles(4, 2) == [[0, 1, 2, 3], [3, 2, 1, 0]]
    assert len({tuple(order) for order in shuffles(10, 5)}) == 5
    assert shuffles(10, 5, seed=1) == shuffles(10, 5, seed=1) != shuffles(10, 5, seed=2)


@pytest.mark.parametrize("passes", [1, 2, 3, 5])
def test_a_judge_without_bias_answers_as_before(passes: int) -> None:
    texts, judge = shuffled_texts(20), FakeJudge(perfect)

    assert ranks(ordered(judge, texts, passes), texts) == list(range(20))
    assert judge.calls == judge.most_under_way == passes


def test_a_liking_for_the_first_places_cancels_out() -> None:
    """The judge takes each text for half again as many ranks worse as its place is later."""

    def biased(group: list[int]) -> list[int]:
        return sorted(range(len(group)), key=lambda place: group[place] + 1.5 * place)

    texts = shuffled_texts(20)

    def misplaced(passes: int) -> int:
        order = ordered(FakeJudge(biased), texts, passes)
        return sum(abs(rank - place) for place, rank in enumerate(ranks(order, texts)))

    assert misplaced(2) < misplaced(1) / 2


def test_an_algorithm_runs_over_it_unchanged() -> None:
    texts, judge = shuffled_texts(100), FakeJudge(perfect)

    last = run(top_down_partitioning("query", texts, ShuffledJudge(judge, 3)))[-1]

    assert ranks(last, texts)[:10] == list(range(10))


def test_a_pass_that_fails_has_no_vote() -> None:
    texts = shuffled_texts(20)

    assert ranks(ordered(FakeJudge(failing_at({0, 2})), texts, 3), texts) == list(range(20))
    with pytest.raises(ConnectionError, match="no answer"):
        ordered(FakeJudge(raising), texts, 3)


@pytest.mark.parametrize("temper", ADVERSARIAL)
def test_it_names_nothing_twice_and_nothing_else(temper: str) -> None:
    order = ordered(FakeJudge(ADVERSARIAL[temper]), shuffled_texts(20), 3)

    assert len(set(order)) == len(order)
    assert set(order) <= set(range(20))


def test_cancelled_it_leaves_no_call_under_way() -> None:
    judge = FakeJudge(perfect, pause=lambda: 60.0)

    async def stop() -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await ShuffledJudge(judge, 3).order("query", ["0", "1"])
        assert (judge.calls, judge.under_way) == (3, 0)
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(stop())


def test_orders_merge_by_mean_rank() -> None:
    assert merge_orders([[0, 1, 2], [0, 2, 1], [1, 0, 2]], 3) == [0, 1, 2]


def test_what_an_order_leaves_out_shares_the_ranks_it_left() -> None:
    assert merge_orders([[2], [0, 1, 2]], 3) == [0, 2, 1]
    assert merge_orders([[2], [1, 2]], 3) == [2, 1]


def test_a_pass_in_which_none_is_relevant_leaves_the_rest_behind() -> None:
    """Whom another pass names comes first, the others follow as given; all of them are judged."""
    texts = ["0", "1", "2", "3"]
    answers = iter([NoneRelevant(), [1]])  # reversed, 1 is text 2

    assert ordered(FakeJudge(lambda group: next(answers)), texts, 2) == [2, 0, 1, 3]
    assert isinstance(ordered(FakeJudge(lambda group: NoneRelevant()), texts, 3), NoneRelevant)


def test_an_order_that_names_nothing_has_no_vote() -> None:
    assert merge_orders([[], [1, 0], []], 2) == [1, 0]
    assert merge_orders([[], []], 2) == []


def test_scores_merge_by_their_mean_over_what_is_known() -> None:
    assert merge_scores([[1.0, None, 0.5], [0.0, None, None]]) == [0.5, None, 0.5]
    assert merge_scores([]) == []


@given(st.integers(0, 30), st.integers(1, 5), st.integers())
def test_shuffled_scores_find_back(count: int, passes: int, seed: int) -> None:
    for shuffle in shuffles(count, passes, seed=seed):
        assert sorted(shuffle) == list(range(count))
        assert restored([float(p) for p in shuffle], shuffle) == [float(p) for p in range(count)]


def test_no_pass_at_all_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="passes"):
        ShuffledJudge(FakeJudge(perfect), 0)
