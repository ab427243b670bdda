"""What `diagnose` takes, and what it answers."""

from __future__ import annotations

import json
import logging
import random
from collections.abc import Sequence
from pathlib import Path

import pytest

pytest.importorskip("ir_measures")

from planted import world

from rerank_core import Candidate, Ranking, Reranker
from rerank_core.combine import ReciprocalRankFusion
from rerank_core.doctor import Cause, Diagnosis, diagnose
from rerank_core.errors import InvalidInputError, Reason, ScorerError
from rerank_core.evaluation import evaluate, load, of_candidates, read_run

DOCUMENTS = [f"document {n} of its own words {n * 7} {n * 11}" for n in range(30)]


def test_a_finding_says_what_was_seen_why_it_matters_and_what_to_change() -> None:
    """Three sentences, and all of them in JSON."""
    found = diagnose(Reranker("bm25", top_n=5), {"words": DOCUMENTS[:4]})

    (finding,) = found
    assert finding.cause == Cause.NO_CHOICE
    assert "4 candidates" in finding.seen
    assert "LangChain" in finding.seen
    assert finding.why
    assert "50 to 100" in finding.change
    assert json.loads(json.dumps(found.to_dict()))["findings"][0]["severity"] == "limits"


def test_a_reranker_that_reranks_nothing_has_no_other_fault() -> None:
    """A depth of 0 is asked for, and no failure of the scorer's."""
    made = world(10, 8)

    with Reranker("bm25", depth=0) as reranker:
        found = diagnose(reranker, made.queries, made.qrels)

    assert [finding.cause for finding in found] == [Cause.IDLE]
    assert found[0].seen.startswith("depth = 0")
    assert "leave the reranker out" in found[0].change


def test_it_counts_queries_as_eval_does() -> None:
    """What is judged and has nothing relevant counts as 0, in every figure."""
    made = world(9, 30)
    texts = {query: query for query in made.queries}
    grades: dict[str, dict[str, int]] = dict(made.qrels)
    for query in list(grades)[:3]:
        grades[query] = dict.fromkeys(grades[query], 0)
    judged = of_candidates(texts, made.queries, grades)

    with Reranker(made.scorer()) as reranker:
        measured = evaluate(judged, {"it": reranker}, measures=["nDCG@10"])
        found = diagnose(reranker, judged, probe=False)

    before, after = (result.means["nDCG@10"] for result in measured.results)
    assert (found.judged, found.unanswerable) == (9, 3)
    assert found.before == pytest.approx(before)
    assert found.after == pytest.approx(after)
    (few,) = [finding for finding in found if finding.cause == Cause.TOO_FEW]
    assert few.seen.startswith("9 judged queries (3 without a relevant document")
    assert f"by {after - before:+.3f} over all of them" in few.seen


def test_a_top_at_the_ceiling_is_one_finding_of_a_scorer() -> None:
    """Though it is flat as well; of two scorers each has its own."""
    made = world(10, 30)

    def clipped(query: str, texts: Sequence[str]) -> list[float]:
        best = sorted((made.worth(text) for text in texts), reverse=True)[9]
        return [min(best, made.worth(text)) for text in texts]

    def ceiling_of_four(query: str, texts: Sequence[str]) -> list[float]:
        best = sorted((made.worth(text) for text in texts), reverse=True)[3]
        return [min(best, made.worth(text)) for text in texts]

    alone = diagnose(Reranker(clipped, top_n=10), made.queries, probe=False)
    with Reranker(
        {"flat": clipped, "capped": ceiling_of_four}, combine=ReciprocalRankFusion(), top_n=10
    ) as two:
        both = diagnose(two, made.queries, probe=False)

    assert [str(one.cause) for one in alone].count("tied_scores") == 1
    tied = [one for one in both if one.cause == Cause.TIED]
    assert [one.seen.partition(":")[0] for one in tied] == ["flat", "capped"]
    assert ["share the highest score" in one.seen for one in tied] == [False, True]


def test_rankings_that_were_kept_are_enough() -> None:
    """As `on_ranking=` gets them: nothing is asked again, and what that takes is said."""
    made = world(20, 30)
    rankings: list[Ranking] = []
    with Reranker(lambda q, ts: [-made.worth(t) for t in ts], on_ranking=rankings.append) as r:
        for query, candidates in made.queries.items():
            r.rank(query, candidates)

    found = diagnose(rankings, qrels=made.qrels)

    assert [finding.cause for finding in found] == [Cause.WRONG_WAY]
    assert any(line.startswith("position_bias") for line in found.untold)


def test_rankings_of_the_same_documents_in_other_orders_tell_of_position_bias() -> None:
    """Without asking again."""
    made = world(10, 30)
    rankings = []

    def first_is_best(query: str, texts: Sequence[str]) -> list[float]:
        return [made.worth(text) - place / 5 for place, text in enumerate(texts)]

    with Reranker(first_is_best) as reranker:
        for query, candidates in made.queries.items():
            plain = [Candidate(c.text) for c in candidates]
            rankings += [reranker.rank(query, plain), reranker.rank(query, plain[::-1])]

    assert [finding.cause for finding in diagnose(rankings)] == [Cause.POSITION]


def test_rankings_of_the_same_list_tell_of_chance() -> None:
    """Kept rankings in the very same order tell of no position, but of a scorer that wavers."""
    made = world(10, 30)
    draw = random.Random(1)
    rankings = []

    with Reranker(lambda q, ts: [draw.random() for _ in ts]) as reranker:
        for query, candidates in made.queries.items():
            rankings += [reranker.rank(query, candidates), reranker.rank(query, candidates)]
    found = diagnose(rankings)

    assert [finding.cause for finding in found] == [Cause.UNSTABLE]
    assert any(line.startswith("position_bias") for line in found.untold)


def test_lists_that_were_all_ranked_for_one_query() -> None:
    """A template that was never filled in."""
    made = world(10, 30)

    with Reranker(made.scorer()) as reranker:
        rankings = [reranker.rank("{question}", found) for found in made.queries.values()]

    (one,) = diagnose(rankings)
    assert one.cause == Cause.QUERY
    assert 'for one query ("{question}")' in one.seen


def test_a_model_that_orders_the_first_of_many_is_no_echo() -> None:
    """It leaves a long rest as it was, so that nearly all of the list is the retriever's."""
    made = world(10, 100)
    first = {c.text for found in made.queries.values() for c in found[:15]}
    at = {c.text: n for found in made.queries.values() for n, c in enumerate(found)}

    def score(query: str, texts: Sequence[str]) -> list[float]:
        return [made.worth(t) + 100 if t in first else -at.get(t, 0) for t in texts]

    assert not list(diagnose(Reranker(score, top_n=10), made.queries))


def test_nobody_who_counts_rankings_hears_of_it() -> None:
    """`on_ranking` is the production's."""
    heard: list[Ranking] = []

    diagnose(Reranker("bm25", on_ranking=heard.append), {"words": DOCUMENTS})

    assert not heard


def test_a_refused_key_is_a_finding(caplog: pytest.LogCaptureFixture) -> None:
    """Not an exception, as it would be on a first call."""
    caplog.set_level(logging.CRITICAL)

    def refused(query: str, texts: Sequence[str]) -> list[float]:
        raise ScorerError("401", reason=Reason.AUTH, fatal=True)

    found = diagnose(Reranker(refused), {"words": DOCUMENTS})

    assert found[0].cause == Cause.UNANSWERED
    assert "auth" in found[0].seen
    assert "key" in found[0].change


def test_judgements_go_by_id_position_or_text() -> None:
    """And relevant ones may be just listed."""
    made = world(6, 12)
    query, candidates = next(iter(made.queries.items()))
    by_text = {query: [candidates[0].text]}
    by_position = {query: {0: 1}}

    texts = {query: [c.text for c in candidates]}
    first = diagnose(Reranker("bm25", top_n=3), texts, by_text)
    second = diagnose(Reranker("bm25", top_n=3), texts, by_position)  # type: ignore[arg-type]

    assert first.judged == 1
    assert first.before == second.before == 1.0


def test_judgements_of_other_queries_are_an_error() -> None:
    """Which would otherwise look like a recall of nothing."""
    with pytest.raises(InvalidInputError, match="no key of qrels is a query"):
        diagnose(Reranker("bm25"), {"words": DOCUMENTS}, {"q1": {"d1": 1}})


def test_without_a_query_there_is_nothing_to_look_at() -> None:
    """An error, and no clean bill of health."""
    with pytest.raises(InvalidInputError, match="nothing to look at"):
        diagnose(Reranker("bm25"), {})


@pytest.mark.parametrize(
    ("run", "causes"),
    [
        ("rerank-qwen2.5-1.5b-pointwise", [Cause.WEIGHTS]),
        ("rerank-qwen2.5-3b-pointwise", []),
        ("rerank-qwen2.5-3b-gccp", []),
    ],
)
def test_real_runs(shared_data: Path, run: str, causes: list[Cause]) -> None:
    """The model that is weaker than BM25 is named so; those that help are let be."""
    runs = shared_data / "scifact" / "runs"
    collection = load(shared_data / "scifact", base=runs / "bm25-top20.trec")

    found = diagnose(read_run(runs / f"{run}.trec", run), collection)

    assert [finding.cause for finding in found] == causes


def test_a_loss_is_no_clean_bill_of_health() -> None:
    """Where no cause is found, that it does not help is said all the same."""
    worse = Diagnosis((), (), 30, 30, before=0.80, after=0.78)
    better = Diagnosis((), (), 30, 30, before=0.80, after=0.81)
    unknown = Diagnosis((), (), 30, 0, before=None, after=None)

    assert "does not help here: nDCG@10 -0.0200 over 30 judged queries" in str(worse)
    assert "nothing found that would keep it from helping" in str(better)
    assert "takes judgements" in str(unknown)


def test_a_fusion_that_helps_is_let_be() -> None:
    """Its tiny scores are no ties."""
    made = world(30, 30)

    fused = Reranker(made.scorer(), combine=ReciprocalRankFusion())

    assert not list(diagnose(fused, made.queries, made.qrels))


def test_a_query_whose_first_candidates_have_no_text() -> None:
    """It is looked at with the others, and nothing is concluded from it."""
    queries = {
        f"what is a topic{n}": [
            "" if n == 3 and at < 6 else f"something of topic{n} and of matter{at} here"
            for at in range(10)
        ]
        for n in range(8)
    }

    found = diagnose(Reranker("bm25", top_n=5), queries, probe=False)

    assert found.queries == 8
    assert Cause.QUERY not in {finding.cause for finding in found}
