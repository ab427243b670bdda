"""The whole evaluation: measures, comparison, and what the reader should know."""

from __future__ import annotations

import json

import pytest
from made_up import collection, noisy, run

from rerank_core import Reranker
from rerank_core.evaluation import Collection, evaluate, of_candidates
from rerank_core.evaluation.unjudged import overlap


def without_judgements(judged: Collection) -> Collection:
    return of_candidates(judged.queries, judged.candidates, {}, judged.base.name)


def test_a_perfect_reranker_reaches_the_ceiling() -> None:
    """What puts the relevant document first reaches what no order can exceed, in every measure."""
    judged = collection(queries=30)
    found = evaluate(judged, {"best": judged.best()})

    assert found.systems[0].means == found.ceiling
    assert found.base.means["RR@10"] == pytest.approx(1 / 3)
    assert found.systems[0].against["nDCG@10"].significant
    assert found.systems[0].against["nDCG@10"].wins == 30


def test_it_is_all_json() -> None:
    """`to_dict` holds only what JSON does."""
    found = evaluate(collection(), {"bm25": Reranker("bm25")})

    assert json.loads(json.dumps(found.to_dict()))["measures"][0] == "nDCG@10"


def test_a_system_may_be_called_as_the_base() -> None:
    """The base steps back: a run of BM25 as the base of the scorer of that name."""
    found = evaluate(collection(), {"retriever": Reranker("bm25")})

    assert [result.name for result in found.results] == ["retriever (base)", "retriever"]


def test_few_judged_queries_are_said_to_be_few() -> None:
    """Below 25 it says so, and of a difference by chance how many queries would show it."""
    judged = collection(queries=12)
    found = evaluate(judged, {"noise": noisy("noise", judged, 0.2)})

    assert any(note.startswith("only 12 judged queries") for note in found.notes)
    assert any("may be chance" in note and "queries would show it" in note for note in found.notes)


def test_one_judged_query_is_measured_and_tells_nothing_of_chance() -> None:
    """From one difference nothing can be said of how much differences vary."""
    judged = collection(queries=1)
    found = evaluate(judged, {"best": judged.best()})

    assert any("one query cannot tell" in note for note in found.notes)


def test_enough_queries_and_a_clear_difference_need_no_note() -> None:
    """Nothing is said where there is nothing to say."""
    judged = collection(queries=60)

    assert evaluate(judged, {"best": judged.best()}).notes == []


def test_a_low_ceiling_is_named() -> None:
    """Where the relevant documents are not among the candidates, no reranker is to blame."""
    judged = collection(queries=40, relevant_at=99)
    found = evaluate(judged, {"best": judged.best()})

    assert any("no order of these candidates has more than 0.000" in note for note in found.notes)


def test_without_judgements_agreement_and_movement_remain() -> None:
    """No measure, no verdict; how far systems agree, move documents, and tell them apart."""
    judged = without_judgements(collection(queries=3))
    turned = run("turned", judged, {q: [0.1, 0.2, 0.3, 0.4, 0.5] for q in judged.candidates})
    flat = run("flat", judged, dict.fromkeys(judged.candidates, [0.5] * 5))
    found = evaluate(judged, {"turned": turned, "flat": flat})
    pairs = {(pair.first, pair.second): pair for pair in found.agreements()}

    assert found.base.means == {}
    assert "no query is judged" in found.notes[0]
    assert pairs["retriever", "turned"].tau == pytest.approx(-1)
    assert pairs["retriever", "flat"].tau == pytest.approx(1)
    assert pairs["retriever", "flat"].rbo == pytest.approx(1)
    assert found.systems[0].movement.moved == pytest.approx(2.4)
    assert (found.systems[0].movement.distinct, found.systems[1].movement.distinct) == (1.0, 0.0)


def test_rank_biased_overlap_by_hand() -> None:
    """1 for the same order, 0 for nothing in common, and the top counts most."""
    assert overlap("abcd", "abcd") == pytest.approx(1)
    assert overlap("abcd", "efgh") == 0
    assert overlap("abcd", "abdc") > overlap("abcd", "bacd")
    # agreement 0, 1 at depths 1, 2: (1-p)/p · (0·p + 1·p²) + p² at p = 0.5
    assert overlap("ab", "ba", 0.5) == pytest.approx(0.5)
