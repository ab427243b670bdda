"""Several signals become one score; what is missing is treated by what its absence means."""

from __future__ import annotations

import json
import math
import pickle
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rerank_core import Candidate
from rerank_core.combine import (
    Combination,
    Recency,
    ReciprocalRankFusion,
    WeightedSum,
)
from rerank_core.errors import ConfigurationError

Values = list[float | None]
BOTH = [WeightedSum({"retrieval": 1, "llm": 2}), ReciprocalRankFusion()]


def length(candidate: Candidate) -> float:
    return float(len(candidate.text))


def words_of_the_query(query: str, candidate: Candidate) -> float:
    return float(sum(word in candidate.text for word in query.split()))


# -- weighted sum ------------------------------------------------------------------------------


def test_a_weighted_sum_is_the_weighted_mean_of_normalized_signals() -> None:
    combined = WeightedSum({"retrieval": 1, "llm": 3}).combine(
        {"retrieval": [12.0, 10.0, 8.0], "llm": [0.25, 0.75, 0.0]}
    )

    assert combined == [0.5, 0.875, 0.0]


def test_each_signal_may_have_its_own_normalization() -> None:
    weighted = WeightedSum({"retrieval": 1, "llm": 1}, normalize={"llm": "none"})

    shown = weighted.components({"retrieval": [4.0, 2.0], "llm": [0.6, 0.5]})

    assert shown == {"retrieval": [1.0, 0.0], "llm": [0.6, 0.5]}


def test_a_static_signal_that_a_document_lacks_leaves_the_others_their_weight() -> None:
    weighted = WeightedSum({"retrieval": 1, "recency": 1}, normalize="none")

    assert weighted.combine({"retrieval": [0.8, 0.6], "recency": [None, 0.2]}) == [0.8, 0.4]


def test_a_scorers_missing_score_is_estimated_and_not_shown() -> None:
    signals: dict[str, Values] = {"retrieval": [4.0, 3.0, 2.0, 1.0], "llm": [0.9, None, 0.1, 0.2]}
    weighted = WeightedSum({"retrieval": 1, "llm": 1}, normalize="none")

    estimated = weighted.combine(signals, estimated=["llm"])

    assert estimated[1] != weighted.combine(signals)[1]
    assert estimated[1] in [(3.0 + score) / 2 for score in (0.9, 0.2, 0.1)]
    assert weighted.components(signals, estimated=["llm"])["llm"] == signals["llm"]


def test_a_document_with_no_signal_at_all_has_no_score() -> None:
    weighted = WeightedSum({"retrieval": 1, "llm": 0}, normalize="none")

    assert weighted.combine({"retrieval": [None, 1.0], "llm": [0.4, 0.4]}) == [None, 1.0]


def test_signals_without_a_weight_do_not_count() -> None:
    assert WeightedSum({"llm": 1}).combine({"retrieval": [9.0, 1.0], "llm": [0.0, 1.0]}) == [0, 1]


def test_the_usual_recipe_weighs_retrieval_scorer_and_recency() -> None:
    usual = WeightedSum.usual("llm")

    assert dict(usual.weights) == {"retrieval": 0.3, "llm": 0.5, "recency": 0.2}
    combined = usual.combine({"retrieval": [20.0, 10.0], "llm": [0.0, 1.0], "recency": [0.5, 0.25]})
    assert combined == pytest.approx([0.3 + 0.1, 0.5 + 0.05])


# -- reciprocal rank fusion --------------------------------------------------------------------


def test_fusion_sums_reciprocal_ranks() -> None:
    fused = ReciprocalRankFusion(k=60).combine(
        {"retrieval": [3.0, 2.0, 1.0], "bm25": [1.0, 5.0, 2.0]}
    )

    assert fused == pytest.approx([1 / 61 + 1 / 63, 1 / 62 + 1 / 61, 1 / 63 + 1 / 62])


def test_equal_values_share_their_mean_rank() -> None:
    assert ReciprocalRankFusion(k=0).components({"a": [7.0, 9.0, 7.0]}) == {"a": [0.4, 1.0, 0.4]}


def test_a_signal_that_a_document_lacks_is_not_held_against_it() -> None:
    fused = ReciprocalRankFusion(k=1).combine({"retrieval": [2.0, 1.0], "recency": [None, 0.1]})

    assert fused == pytest.approx([2 * 1 / 2, 1 / 3 + 1 / 2])


def test_fusion_may_be_weighted() -> None:
    fused = ReciprocalRankFusion(k=0, weights={"a": 3, "b": 1})

    assert fused.combine({"a": [1.0, 2.0], "b": [2.0, 1.0]}) == pytest.approx([2.5, 3.5])


# -- both --------------------------------------------------------------------------------------

signal = st.lists(st.none() | st.floats(), min_size=8, max_size=8)


@pytest.mark.parametrize("combination", BOTH, ids=["sum", "fusion"])
@given(retrieval=signal, llm=signal)
def test_scores_are_from_0_to_1_whatever_comes(
    combination: Combination, retrieval: Values, llm: Values
) -> None:
    signals = {"retrieval": retrieval, "llm": llm}
    combined = combination.combine(signals, estimated={"llm"})
    shown = combination.components(signals, estimated={"llm"})

    assert all(0 <= score <= 1 for score in combined if score is not None)
    assert all(0 <= v <= 1 for values in shown.values() for v in values if v is not None)


@pytest.mark.parametrize("how", ["min-max", "rank", "z-score", "sigmoid", "none"])
@given(retrieval=signal, llm=signal, weight=st.floats(0, 1e308))
def test_no_weight_and_no_value_overflows(
    how: str, retrieval: Values, llm: Values, weight: float
) -> None:
    weighted = WeightedSum({"retrieval": 1, "llm": weight}, normalize=how)

    combined = weighted.combine({"retrieval": retrieval, "llm": llm}, estimated={"llm"})

    assert all(math.isfinite(score) for score in combined if score is not None)


@pytest.mark.parametrize("combination", BOTH, ids=["sum", "fusion"])
@given(st.lists(st.tuples(st.floats(0, 9), st.floats(0, 9)), min_size=1, max_size=8), st.randoms())
def test_the_order_of_the_candidates_is_of_no_account(
    combination: Combination, pairs: list[tuple[float, float]], chance: Any
) -> None:
    def combined(rows: list[tuple[float, float]]) -> list[float | None]:
        return combination.combine({"retrieval": [a for a, _ in rows], "llm": [b for _, b in rows]})

    places = list(range(len(pairs)))
    chance.shuffle(places)
    straight = combined(pairs)

    assert combined([pairs[place] for place in places]) == [straight[place] for place in places]


@pytest.mark.parametrize("combination", BOTH, ids=["sum", "fusion"])
def test_no_candidates_are_no_error(combination: Combination) -> None:
    assert combination.combine({"retrieval": [], "llm": []}) == []


@pytest.mark.parametrize("combination", BOTH, ids=["sum", "fusion"])
def test_a_scorer_that_told_nothing_leaves_the_order_to_the_others(
    combination: Combination,
) -> None:
    combined = combination.combine(
        {"retrieval": [3.0, 2.0, 1.0], "llm": [None, None, None]}, estimated={"llm"}
    )

    assert combined == sorted(combined, key=lambda score: -(score or 0.0))
    assert len(set(combined)) == 3


# -- functions as signals ----------------------------------------------------------------------


def test_a_function_of_the_candidate_or_of_query_and_candidate_is_a_signal() -> None:
    weighted = WeightedSum(
        {"length": 1, "words": 1}, {"length": length, "words": words_of_the_query}
    )

    computed, problems = weighted.compute_signals(
        "red fox", [Candidate("a red fox"), Candidate("")]
    )

    assert computed == {"length": [9.0, 0.0], "words": [2.0, 0.0]}
    assert problems == []


def test_a_function_that_fails_is_missing_there_and_reported_once() -> None:
    def price(candidate: Candidate) -> float:
        return float(candidate.metadata["price"])

    computed, problems = ReciprocalRankFusion(signals={"price": price}).compute_signals(
        "q", [Candidate("a"), Candidate("b", metadata={"price": "3.5"}), Candidate("c")]
    )

    assert computed == {"price": [None, 3.5, None]}
    assert problems == [
        "signal 'price' could not be computed for 2 of 3 candidates: KeyError: 'price'"
    ]


def test_what_is_no_finite_number_is_missing() -> None:
    told = iter([None, math.nan, math.inf, 1])
    fusion = ReciprocalRankFusion(signals={"odd": lambda candidate: next(told)})

    assert fusion.compute_signals("q", [Candidate("x")] * 4) == ({"odd": [None, None, None, 1]}, [])


def test_a_weight_for_recency_needs_no_function() -> None:
    weighted = WeightedSum({"retrieval": 0.7, "recency": 0.3})

    computed, _ = weighted.compute_signals("q", [Candidate("x", metadata={"date": "2999-01-01"})])

    assert computed == {"recency": [1.0]}


def test_a_date_that_cannot_be_read_is_counted() -> None:
    documents = [Candidate(t, metadata={"date": t}) for t in ("2024-01-01", "soon", "later")]

    computed, (problem,) = WeightedSum.usual("llm").compute_signals("q", documents)

    assert [value is None for value in computed["recency"]] == [False, True, True]
    assert "'recency' could not be computed for 2 of 3" in problem


# -- what is refused, and what lasts -----------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"weights": {}}, "no weights"),
        ({"weights": {"llm": 0}}, "all weights are 0"),
        ({"weights": {"llm": -1}}, "'llm' is -1"),
        ({"weights": {"llm": math.nan}}, "'llm' is nan"),
        ({"weights": {"llm": math.inf}}, "'llm' is inf"),
        ({"weights": {"llm": "much"}}, "no number: 'much'"),
        ({"weights": {"a": 1.7e308, "b": 1.7e308}}, "infinity"),
        (
            {"weights": {"llm": 1}, "normalize": "maximum"},
            r"is 'min-max', .*not 'maximum'",
        ),
        (
            {"weights": {"llm": 1}, "normalize": {"llm": "maximum"}},
            r"is 'min-max', .*not 'maximum'",
        ),
        ({"weights": {"llm": 1}, "normalize": {"lm": "rank"}}, "no weight"),
        ({"weights": {"a": 1}, "signals": {"a": 3}}, "no function"),
        ({"weights": {"retrieval": 1}, "signals": {"retrieval": length}}, "rename"),
    ],
)
def test_what_cannot_be_combined_is_refused_at_construction(
    options: dict[str, Any], why: str
) -> None:
    with pytest.raises(ConfigurationError, match=why):
        WeightedSum(**options)


def test_an_async_signal_is_refused() -> None:
    async def ask(candidate: Candidate) -> float:
        return 1.0

    with pytest.raises(ConfigurationError, match="async"):
        ReciprocalRankFusion(signals={"ask": ask})  # type: ignore[dict-item]


@pytest.mark.parametrize("k", [-1, math.nan, math.inf, True])
def test_a_k_that_is_none_is_refused(k: float) -> None:
    with pytest.raises(ConfigurationError, match="k must be"):
        ReciprocalRankFusion(k=k)


def test_a_weight_without_a_signal_is_refused_with_the_signals_there_are() -> None:
    weighted = WeightedSum({"retrieval": 1, "lm": 1}, {})

    with pytest.raises(ConfigurationError, match="no signal 'lm': there are 'llm', 'retrieval'"):
        weighted.check(["retrieval", "llm"])
    with pytest.raises(ConfigurationError, match="no signal 'lm'"):
        weighted.combine({"retrieval": [1.0], "llm": [1.0]})


def test_a_signal_may_not_have_a_scorers_name() -> None:
    with pytest.raises(ConfigurationError, match="'llm' names a scorer and another signal"):
        WeightedSum({"llm": 1}, {"llm": length}).check(["retrieval", "llm"])


def test_every_signal_that_there_is_passes_the_check() -> None:
    WeightedSum({"retrieval": 1, "llm": 1, "recency": 1, "length": 1}, {"length": length}).check(
        ["retrieval", "llm"]
    )
    ReciprocalRankFusion().check(["retrieval", "llm"])


@pytest.mark.parametrize("combination", BOTH, ids=["sum", "fusion"])
def test_signals_of_unequal_length_are_refused(combination: Combination) -> None:
    with pytest.raises(ConfigurationError, match="equally long"):
        combination.combine({"retrieval": [1.0, 2.0], "llm": [1.0]})


@pytest.mark.parametrize(
    "combination",
    [
        WeightedSum.usual("llm", Recency("published", half_life=7)),
        WeightedSum({"a": 1, "b": 2}, normalize="rank"),
        ReciprocalRankFusion(),
        ReciprocalRankFusion(k=10, weights={"a": 2}, signals={"recency": Recency()}),
    ],
)
def test_it_survives_a_config_file_and_a_pickle(combination: Any) -> None:
    plain = json.loads(json.dumps(combination.to_dict()))

    assert type(combination).from_dict(plain) == combination
    assert pickle.loads(pickle.dumps(combination)) == combination


def test_a_function_does_not_go_into_a_config_file() -> None:
    with pytest.raises(ConfigurationError, match="'length' is a function"):
        WeightedSum({"length": 1}, {"length": length}).to_dict()


def test_a_config_file_with_a_mistyped_key_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="'normalise'"):
        WeightedSum.from_dict({"weights": {"a": 1}, "normalise": "rank"})


def test_it_cannot_be_changed() -> None:
    given_weights = {"a": 1.0}
    weighted = WeightedSum(given_weights)
    given_weights["a"] = 2.0

    assert weighted.weights == {"a": 1.0}
    with pytest.raises(TypeError):
        weighted.weights["a"] = 2.0  # type: ignore[index]
