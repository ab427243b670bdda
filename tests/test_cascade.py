"""A cascade: scorers one after the other, each over the head of the order so far."""

from __future__ import annotations

import asyncio
import pickle
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rerank_core import (
    Candidate,
    Cascade,
    ConfigurationError,
    Ranking,
    Reason,
    Reranker,
    ScorerError,
    Stage,
)
from rerank_core.combine import ReciprocalRankFusion, WeightedSum
from rerank_core.protocols import ScorerBase
from rerank_core.runtime.usage import record

TEXTS = [f"text {place}" for place in range(8)]


class Says(ScorerBase):
    """Scores a text by the number at its end, times `sign`; counts what it is asked."""

    independent = False
    calibrated = True

    def __init__(self, name: str, sign: float = 0.1, wait: float = 0.0, left_out: str = "") -> None:
        self.name, self.sign, self.wait, self.left_out = name, sign, wait, left_out
        self.seen: list[str] = []

    async def score(self, query: str, texts: Sequence[str]) -> list[float | None]:
        self.seen += texts
        record(calls=1, prompt_tokens=len(texts))
        await asyncio.sleep(self.wait)
        return [
            None if text[-1] in self.left_out else 0.9 + self.sign * (float(text[-1]) - 8) / 10
            for text in texts
        ]


class Refuses(ScorerBase):
    """As a server does that does not know the key."""

    name = "refuses"
    max_attempts = 1

    async def score(self, query: str, texts: Sequence[str]) -> list[float | None]:
        raise ScorerError("HTTP 401: wrong key", reason=Reason.AUTH, fatal=True)


def order(ranking: Ranking) -> list[int]:
    return [hit.index for hit in ranking.all]


def scores_follow(ranking: Ranking) -> bool:
    told = [hit.score for hit in ranking.all if hit.score is not None]
    return all(before >= after for before, after in pairwise(told))


def test_each_stage_is_shown_the_best_so_far() -> None:
    """And what it does not see stays beneath, in the order of the stage before."""
    first, second = Says("first", 1), Says("second", -1)
    with Reranker(Cascade(first, (second, 3))) as reranker:
        ranking = reranker.rank("q", TEXTS)

    assert second.seen == ["text 7", "text 6", "text 5"]
    assert order(ranking) == [5, 6, 7, 4, 3, 2, 1, 0]


def test_scores_follow_the_order() -> None:
    """The last stage's scores on top, those beneath scaled under the lowest of them."""
    with Reranker(Cascade(Says("first", 1), (Says("second", -1), 3))) as reranker:
        ranking = reranker.rank("q", TEXTS)

    head, beneath = ranking.all[:3], ranking.all[3:]
    assert [hit.score for hit in head] == [hit.components["second"] for hit in head]
    assert scores_follow(ranking)
    assert all("second" not in hit.components and "first" in hit.components for hit in beneath)


@given(st.lists(st.tuples(*[st.floats(-5, 5)] * 3), min_size=2, max_size=12), st.integers(1, 12))
def test_scores_follow_the_order_whatever_the_scales(
    told: list[tuple[float, float, float]], depth: int
) -> None:
    """Negative scores too, and with a stage in between."""
    texts = [str(place) for place in range(len(told))]

    def says(which: int) -> Callable[[str, list[str]], list[float]]:
        return lambda query, texts: [told[int(text)][which] for text in texts]

    cascade = Cascade(
        Stage({"a": says(0)}), Stage({"b": says(1)}, depth), Stage({"c": says(2)}, (depth + 1) // 2)
    )
    ranking = Reranker(cascade, timeout=None).rank("q", texts)

    assert sorted(order(ranking)) == list(range(len(texts)))
    assert scores_follow(ranking)


def test_the_report_says_what_each_stage_did() -> None:
    """What it was shown, scored, moved, took and cost; the whole is their sum."""
    with Reranker(Cascade(Says("first", 1), (Says("second", -1), 3))) as reranker:
        report = reranker.rank("q", TEXTS).report

    first, second = report.stages
    assert (first.name, first.seen, first.scored, first.changed) == ("first", 8, 8, 8)
    assert (second.name, second.seen, second.scored, second.changed) == ("second", 3, 3, 2)
    assert (first.prompt_tokens, second.prompt_tokens, report.prompt_tokens) == (8, 3, 11)
    assert (report.calls, report.coverage, report.degraded) == (2, 1.0, False)
    assert report.to_dict()["stages"][1]["seen"] == 3
    assert type(report).from_dict(report.to_dict()) == report


def test_a_reranker_without_a_cascade_has_one_stage() -> None:
    """The same record."""
    with Reranker(Says("alone", 1), depth=5) as reranker:
        (stage,) = reranker.rank("q", TEXTS).report.stages

    assert (stage.name, stage.seen, stage.scored) == ("alone", 5, 5)


def test_where_a_stage_fails_the_order_so_far_stands() -> None:
    """Degraded, with the reason and the stage; the stages after it are asked all the same."""
    with Reranker(Cascade(Says("first", 1), (Refuses(), 4), (Says("last", -1), 2))) as reranker:
        ranking = reranker.rank("q", TEXTS)

    assert order(ranking) == [6, 7, 5, 4, 3, 2, 1, 0]
    assert ranking.report.reasons == (Reason.AUTH,)
    assert "refuses scored 0 of 4" in ranking.report.why
    assert ranking.report.stages[1].reasons == (Reason.AUTH,)
    assert scores_follow(ranking)


def test_a_first_stage_that_is_refused_is_raised() -> None:
    """Beneath it is only the retriever, as where there is no cascade."""
    with Reranker(Cascade(Refuses(), (Says("last"), 2))) as reranker, pytest.raises(ScorerError):
        reranker.rank("q", TEXTS)


def test_at_the_deadline_the_order_so_far_stands() -> None:
    """And no later stage is begun."""
    never = Says("never")
    cascade = Cascade(Says("first", 1), (Says("slow", -1, wait=30), 4), (never, 2))
    with Reranker(cascade, timeout=0.3) as reranker:
        ranking = reranker.rank("q", TEXTS)

    assert order(ranking) == [7, 6, 5, 4, 3, 2, 1, 0]
    assert all(hit.score == hit.components["first"] for hit in ranking.all)
    assert ranking.report.reasons == (Reason.TIMEOUT,)
    assert not never.seen
    assert [stage.scored for stage in ranking.report.stages] == [8, 0, 0]


def test_what_a_stage_leaves_unscored_is_placed_by_the_stage_before() -> None:
    """Its score is missing and not a guess; what the stage before said is in the components."""
    with Reranker(Cascade(Says("first", 1), (Says("second", 1, left_out="6"), 4))) as reranker:
        ranking = reranker.rank("q", TEXTS)

    missing = next(hit for hit in ranking.all if hit.index == 6)
    assert (missing.rank, missing.score) == (2, None)
    assert missing.components["first"] is not None
    assert ranking.report.reasons == (Reason.INCOMPLETE,)


@pytest.mark.parametrize(("second", "skipped"), [(6.0, True), (9.0, False), (None, False)])
def test_a_stage_is_skipped_where_the_best_stands_far_ahead(
    second: float | None, skipped: bool
) -> None:
    """By (best - second) / best; where a score is missing it is asked."""
    documents = [Candidate("text 1", score=10.0), Candidate("text 2", score=second)]
    scorer = Says("dear")
    with Reranker(Cascade(Stage(scorer, unless=0.4))) as reranker:
        ranking = reranker.rank("q", documents)

    assert ranking.report.stages[0].skipped == skipped
    assert bool(scorer.seen) != skipped
    assert (ranking.report.coverage, ranking.report.degraded) == (1.0, False)


def test_unless_looks_at_the_scores_of_the_stage_before() -> None:
    """From the second stage on."""
    documents = [Candidate("text 1", score=10.0), Candidate("text 2", score=1.0)]
    scorer = Says("dear")
    with Reranker(Cascade(Says("even", 0.0), Stage(scorer, unless=0.4))) as reranker:
        reranker.rank("q", documents)

    assert scorer.seen


def test_a_cascade_by_name_is_the_same() -> None:
    """A depth is the last "@" of up to five digits: more belong to the model's own name."""
    name = "hybrid > llm:claude@20240620 > llm:gpt-4o-mini@10"

    assert Cascade.named(name) == Cascade("hybrid", "llm:claude@20240620", ("llm:gpt-4o-mini", 10))


def test_scorers_of_all_stages_have_names_of_their_own() -> None:
    """The second of a kind has a number."""
    assert list(Reranker("hybrid > bm25@5 > bm25@2").scorers) == ["bm25", "bm25-2", "bm25-3"]


def test_a_stage_may_weigh_what_earlier_ones_said() -> None:
    """By their names: here the second says nothing new, and the first decides."""
    combine = WeightedSum({"first": 1.0, "second": 0.0})
    cascade = Cascade(Says("first", 1), Stage(Says("second", -1), 3, combine=combine))
    with Reranker(cascade) as reranker:
        assert order(reranker.rank("q", TEXTS)) == [7, 6, 5, 4, 3, 2, 1, 0]


def test_depth_is_how_many_enter_the_cascade() -> None:
    """What lies beneath stays as retrieved."""
    with Reranker(Cascade(Says("first", 1), (Says("second", -1), 2)), depth=4) as reranker:
        assert order(reranker.rank("q", TEXTS)) == [2, 3, 1, 0, 4, 5, 6, 7]


def test_a_fallback_stands_in_for_the_first_stage() -> None:
    """For the later ones there is the stage before."""
    cascade = Cascade(Refuses(), (Refuses(), 3))
    with Reranker(cascade, fallback=Says("spare", 1)) as reranker:
        ranking = reranker.rank("q", TEXTS)

    assert order(ranking) == [7, 6, 5, 4, 3, 2, 1, 0]
    assert [Reason.FALLBACK in stage.reasons for stage in ranking.report.stages] == [True, False]


def test_a_threshold_is_for_what_the_last_stage_scored() -> None:
    """What lies beneath it has not been judged by it, whatever its score."""
    with Reranker(Cascade(Says("first", 1), (Says("second", 1), 3)), threshold=0.0) as reranker:
        assert len(reranker.rank("q", TEXTS)) == 3


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Cascade(), "without a stage"),
        (lambda: Cascade("bm25", ("bm25", 5), ("bm25", 9)), "depth 9 comes after depth 5"),
        (lambda: Cascade(("bm25", 0)), "at least 1"),
        (lambda: Cascade(("bm25", 5, 0.2)), "a scorer and a depth"),
        (lambda: Stage("bm25", unless=2), "unless is 2"),
        (lambda: Stage("bm25 > bm25"), "side by side"),
        (lambda: Reranker("bm25 > > bm25"), "without a scorer"),
        (lambda: Reranker("bm25 > nothing@5"), "no scorer is called 'nothing'"),
        (lambda: Reranker("bm25", fallback="bm25 > bm25@5"), "no part"),
        (lambda: Reranker("bm25 > bm25", combine=ReciprocalRankFusion()), "is for one stage"),
        (lambda: Reranker("bm25 > hybrid@9"), "another name"),
        (
            lambda: Reranker(Cascade("bm25", (Says("x"), 2)), threshold=0.5).replace(
                scorer=Cascade(Stage(Says("x"), unless=0.5))
            ),
            "leave out its unless",
        ),
    ],
)
def test_what_cannot_work_is_refused(make: Callable[[], object], message: str) -> None:
    """With a sentence that says what would."""
    with pytest.raises(ConfigurationError, match=message):
        make()


CASCADE = Cascade(
    "hybrid",
    ("bm25", 50),
    Stage({"a": "bm25", "b": "bm25"}, 10, unless=0.25, combine=WeightedSum({"a": 1, "b": 2})),
)


@pytest.mark.parametrize("name", ["mine.toml", "mine.json"])
@pytest.mark.parametrize("scorer", [CASCADE, "hybrid > bm25@5"])
def test_a_cascade_is_written_and_read_back(
    tmp_path: Path, scorer: Cascade | str, name: str
) -> None:
    """As its name, or as a table a stage."""
    reranker = Reranker(scorer, timeout=2.0)
    reranker.to_config(tmp_path / name)
    back = Reranker.from_config(tmp_path / name)

    def told(one: Reranker) -> list[object]:
        return [(list(s.scorers), s.combine, s.depth, s.unless) for s in one.stages]

    assert told(back) == told(reranker)
    assert back.timeout == 2.0


def test_a_stage_in_a_file_has_its_scorers_options_beside_it(tmp_path: Path) -> None:
    """As a scorer's table has them."""
    file = tmp_path / "mine.toml"
    file.write_text(
        '[[reranker.scorer.stages]]\nuse = "hybrid"\n'
        '[[reranker.scorer.stages]]\nuse = "bm25"\nk1 = 0.9\ndepth = 5\n'
    )
    second = Reranker.from_config(file).stages[1]

    assert (second.depth, second.scorers["bm25-2"].k1) == (5, 0.9)  # type: ignore[attr-defined]


def test_a_cascade_is_pickled_and_replaced() -> None:
    """As any other reranker is."""
    reranker = pickle.loads(pickle.dumps(Reranker(CASCADE)))

    assert reranker.replace(top_n=1).stages == reranker.stages
    assert reranker.replace(scorer="bm25").rank("beta", ["alpha", "beta"])[0].text == "beta"
