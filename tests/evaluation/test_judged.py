"""Unjudged is not irrelevant: how much of what stands on top was judged, and what that hides."""

from __future__ import annotations

import pytest

pytest.importorskip("ir_measures")

from made_up import collection, noisy

from rerank_core import Reranker
from rerank_core.doctor import Cause, diagnose
from rerank_core.evaluation import Collection, evaluate, tune
from rerank_core.evaluation.judged import condensed, judged_share, unjudged

GOOD = 30.0


def _pooled(refused: bool = True) -> tuple[Collection, Collection]:
    """40 queries of 30 documents, relevant at the fourth and the twentieth; judged all, and judged
    down to the fifth alone."""
    whole = collection(queries=40, candidates=30, relevant_at=19)
    grades = {query: {f"{query}d3": 1, f"{query}d19": 1} for query in whole.qrels}
    head = {
        query: {f"{query}d{place}": int(place == 3) for place in range(5) if refused or place == 3}
        for query in whole.qrels
    }
    full = Collection(whole.queries, whole.candidates, grades, whole.base)
    return full, Collection(whole.queries, whole.candidates, head, whole.base)


def test_the_share_of_the_first_ten_that_is_judged() -> None:
    """By hand; a query that is not judged does not count, a short list counts as it is."""
    orders = {"a": list("abcdefghijkl"), "b": ["x", "y"], "c": ["z"]}

    assert judged_share(orders, {"a": {"a": 1, "l": 0}, "b": {"x": 0}}) == pytest.approx(0.3)
    assert judged_share(orders, {}) is None


def test_a_condensed_list_leaves_out_what_is_unjudged() -> None:
    """The order of the others stays."""
    left = condensed({"a": ["x", "b", "y", "a"]}, {"a": {"a": 1, "b": 0}})

    assert sorted(left["a"], key=left["a"].__getitem__, reverse=True) == ["b", "a"]


@pytest.mark.parametrize("refused", [True, False])
def test_a_run_that_finds_what_was_not_judged_is_said_to(refused: bool) -> None:
    """Also where only relevant documents are listed, if all of them are from the base's head."""
    full, head = _pooled(refused)
    good = noisy("good", full, GOOD)
    found = unjudged(head.base.orders(), good.orders(), head.qrels)

    assert found is not None or not refused
    assert unjudged(full.base.orders(), good.orders(), full.qrels) is None
    if found is not None:
        assert found.down_to == 5
        assert found.run < found.base


def test_every_table_has_the_share_and_the_advice_is_not_to_rerank_less() -> None:
    """In `evaluate` and `tune`: the figures, and a sentence with what to do."""
    full, head = _pooled()
    good = noisy("good", full, GOOD)
    compared, tuned = evaluate(head, {"good": good}), tune(head, {"good": good}, splits=1)

    assert compared.base.judged == pytest.approx(0.5)
    assert compared.systems[0].judged is not None
    assert compared.systems[0].judged < 0.5
    assert compared.systems[0].condensed is not None
    assert compared.to_dict()["systems"][0]["judged_10"] == pytest.approx(0.5)
    for notes in (compared.notes, tuned.notes):
        assert any("before you rerank less" in note for note in notes)
    assert tuned.judged["retriever"] == pytest.approx(0.5)
    assert not any("before you rerank less" in note for note in evaluate(full, {"g": good}).notes)


def test_the_doctor_claims_no_phantom_hits_over_unjudged_documents() -> None:
    """A scorer that is right about all, on judgements of the retriever's first five."""
    full, head = _pooled()
    texts = {c.text: c.id for found in full.candidates.values() for c in found}

    def right(query: str, documents: list[str]) -> list[float]:
        ids = [str(texts[document]) for document in documents]
        return [
            1.0 - place / 100 if doc.endswith(("d19", "d3")) else 0.5 - place / 100
            for place, doc in enumerate(ids)
        ]

    def finds_others(query: str, documents: list[str]) -> list[float]:
        """What was not judged first, the relevant ones among it."""
        return [
            score - 0.6 * (str(texts[document])[-2:] in ("d0", "d1", "d2", "d4"))
            for score, document in zip(right(query, documents), documents, strict=True)
        ]

    with Reranker(finds_others) as reranker:
        on_head = diagnose(reranker, head, probe=False)
        on_all = diagnose(reranker, full, probe=False)

    assert [finding.cause for finding in on_head] == [Cause.UNJUDGED]
    assert "do not rerank less" in on_head[0].change
    assert not list(on_all)
