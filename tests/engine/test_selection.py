"""Near-duplicates and too many of one source: what is returned, and where the others stay."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from rerank_core import Candidate, Cascade, Ranking, Reranker
from rerank_core.combine import WeightedSum
from rerank_core.ranking.given import Retrieved
from rerank_core.text import duplicates

PASSAGE = " ".join(f"word{n}" for n in range(100))
#: The last is retrieved best, and says what the first and the third say.
RETRIEVED = [
    Candidate(PASSAGE, score=0.5, metadata={"parent_id": "a"}),
    Candidate("something else", score=0.6, metadata={"parent_id": "a"}),
    Candidate(PASSAGE.replace("word50", "another"), score=0.4, metadata={"parent_id": "a"}),
    Candidate("and something more", score=0.3, metadata={"parent_id": "b"}),
    Candidate(PASSAGE.upper(), score=0.9, metadata={"parent_id": "c"}),
]


class Counting:
    """Scores by length; keeps what it was shown."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    def __call__(self, query: str, texts: Sequence[str]) -> list[float]:
        self.seen += texts
        return [float(len(text)) for text in texts]


def indices(ranking: Ranking) -> list[int]:
    return [hit.index for hit in ranking]


class TestDuplicates:
    def test_only_the_best_retrieved_is_scored_and_returned(self) -> None:
        """The others stay in `ranking.all`, behind, and say what they repeat."""
        scorer = Counting()

        ranking = Reranker(scorer, duplicates="drop").rank("q", RETRIEVED)

        assert sorted(scorer.seen) == sorted(RETRIEVED[at].text for at in (1, 3, 4))
        assert indices(ranking) == [4, 3, 1]
        assert [(hit.index, hit.repeats, hit.score) for hit in ranking.all[3:]] == [
            (0, 4, None),
            (2, 4, None),
        ]
        assert [hit.dropped for hit in ranking.all] == [None] * 3 + ["duplicate"] * 2
        assert ranking.report.duplicates == 2
        assert "near-duplicates: 2," in ranking.report.why
        assert (ranking.report.coverage, ranking.report.degraded) == (1.0, False)

    def test_kept_unless_told_otherwise(self) -> None:
        """A repeat is a document like any other."""
        ranking = Reranker(Counting()).rank("q", RETRIEVED)

        assert len(ranking) == 5
        assert ranking.report.duplicates == 0
        assert {hit.dropped for hit in ranking.all} == {None}

    @pytest.mark.parametrize("top_n", [None, 2, 4, 10])
    def test_they_never_fill_the_list(self, top_n: int | None) -> None:
        """However many are asked for; and every document is there once."""
        ranking = Reranker("bm25", duplicates="drop", top_n=top_n).rank("more", RETRIEVED)

        assert len(ranking) == min(3, top_n or 3)
        assert sorted(hit.index for hit in ranking.all) == [0, 1, 2, 3, 4]
        assert [hit.rank for hit in ranking.all] == [1, 2, 3, 4, 5]
        assert [hit.retrieved for hit in sorted(ranking.all, key=lambda hit: hit.index)] == [
            3,
            2,
            4,
            5,
            1,
        ]

    def test_the_depth_counts_those_that_are_left(self) -> None:
        """What costs nothing takes no place."""
        scorer = Counting()

        ranking = Reranker(scorer, depth=2, duplicates="drop").rank("q", RETRIEVED)

        assert sorted(scorer.seen) == sorted([RETRIEVED[4].text, RETRIEVED[1].text])
        assert indices(ranking) == [4, 1, 3]

    def test_strings_that_repeat_the_first(self) -> None:
        """Without scores the first of them is the best retrieved."""
        ranking = Reranker("bm25", duplicates="drop").rank("tea", ["Tea?", "no", "tea", "tea!"])

        assert indices(ranking) == [0, 1]
        assert [hit.repeats for hit in ranking.all] == [None, None, 0, 0]

    def test_nothing_and_one_have_none(self) -> None:
        """Nor has a list of one, whatever is asked for."""
        reranker = Reranker("bm25", duplicates="drop", max_per=("parent_id", 1))

        assert len(reranker.rank("q", [])) == 0
        assert len(reranker.rank("q", ["q"])) == 1

    def test_a_search_that_takes_too_long_drops_none(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """The deadline is for scoring; the report says what was left out."""
        monkeypatch.setattr(duplicates, "repeats", lambda texts, stop: time.sleep(2) or [])

        ranking = Reranker("bm25", duplicates="drop", timeout=1.0).rank("q", RETRIEVED)

        assert len(ranking) == 5
        assert "no near-duplicates were dropped" in ranking.report.why

    def test_a_fallback_and_a_failure_keep_them_behind(self) -> None:
        """What is degraded is not what was asked for, but still no repeat is in it."""

        def fails(query: str, texts: Sequence[str]) -> list[float]:
            raise RuntimeError("no")

        for options in ({}, {"fallback": "bm25"}):
            ranking = Reranker(fails, duplicates="drop", **options).rank("more", RETRIEVED)
            assert ranking.report.degraded
            assert [hit.index for hit in ranking.all][3:] == [0, 2]


class TestMaxPer:
    def test_only_the_best_of_each_are_returned(self) -> None:
        """The others stay behind, unscored, with their signals, in their order."""
        ranking = Reranker(Counting(), max_per=("parent_id", 2)).rank("q", RETRIEVED)

        assert indices(ranking) == [2, 4, 0, 3]
        last = ranking.all[-1]
        assert (last.index, last.dropped, last.repeats, last.score) == (1, "max_per", None, None)
        assert last.components["Counting"] == len("something else")
        assert ranking.report.beyond_max_per == 1
        assert "beyond 2 of one parent_id: 1," in ranking.report.why

    @pytest.mark.parametrize(
        "values", [[None, None, None], [float("inf"), "x", 3], [["a"], {"a"}, {"a": 1}]]
    )
    def test_only_equal_values_are_counted_together(self, values: list[Any]) -> None:
        """Whatever they are; a document without the field is of no source."""
        documents: list[Any] = [{"text": f"t{n}", "from": v} for n, v in enumerate(values)]

        ranking = Reranker("bm25", max_per=("from", 1)).rank("t", [*documents, "alone", "alone2"])

        assert len(ranking) == 5

    def test_values_that_cannot_be_hashed_are_counted_too(self) -> None:
        """A list of tags is a source like a name."""
        documents = [{"text": f"t{n}", "tags": ["a", "b"]} for n in range(4)]

        assert len(Reranker("bm25", max_per=("tags", 3)).rank("t", documents)) == 3

    def test_scores_never_contradict_the_order(self) -> None:
        """Of those that have one: also with duplicates, a threshold and combined signals."""
        combine = WeightedSum({"Counting": 0.5, "retrieval": 0.5}, normalize="sigmoid")
        reranker = Reranker(
            Counting(),
            combine=combine,
            duplicates="drop",
            max_per=("parent_id", 1),
            threshold=0.5,
        )

        ranking = reranker.rank("q", RETRIEVED)

        scores = [hit.score for hit in ranking.all if hit.score is not None]
        assert scores == sorted(scores, reverse=True)
        assert [hit.dropped for hit in ranking.all] == [None] * 3 + ["duplicate"] * 2
        assert all(hit.score is not None and hit.score >= 0.5 for hit in ranking)

    def test_it_is_the_same_awaited(self) -> None:
        """And within `replace`, which may lift it again."""
        reranker = Reranker("bm25", max_per=("parent_id", 1))
        ranking = asyncio.run(reranker.arank("more", RETRIEVED))

        assert indices(ranking) == indices(reranker.rank("more", RETRIEVED))
        assert len(reranker.replace(max_per=None).rank("more", RETRIEVED)) == 5

    def test_a_file_holds_both(self, tmp_path: Path) -> None:
        """TOML and JSON have no tuple."""
        for name in ("r.toml", "r.json"):
            Reranker("bm25", max_per=("doc", 2), duplicates="drop").to_config(tmp_path / name)
            back = Reranker.from_config(tmp_path / name)
            assert (back.max_per, back.duplicates) == (("doc", 2), "drop")


def test_shadow_mode_returns_the_retrievers_order_whole() -> None:
    """What is returned is as it was; what would have been is without."""
    told: list[Ranking] = []
    reranker = Reranker("bm25", shadow=1, duplicates="drop", on_ranking=told.append)

    with reranker:
        assert len(reranker.rank("more", RETRIEVED)) == 5
    assert [len(ranking) for ranking in told] == [3]


def test_distances_and_odd_documents_are_no_repeats() -> None:
    """The nearest of those that are alike is asked about; what cannot be read repeats nothing."""
    near = [Candidate(text, score=at) for text, at in (("a b c", 0.1), ("x", 0.2), ("A b c", 0.3))]

    ranking = Reranker("bm25", duplicates="drop", retrieval_score="distance").rank("b", near[::-1])

    assert [(hit.index, hit.repeats) for hit in ranking.all if hit.dropped] == [(0, 2)]
    found = Retrieved([Candidate("a b c"), {"no": "text"}, {"nor": "this"}, Candidate("a b c.")])
    ranking = Reranker("bm25", duplicates="drop").rank("b", found)
    assert sorted(hit.index for hit in ranking) == [0, 1, 2]
    assert (ranking.all[-1].index, ranking.all[-1].repeats) == (3, 0)


def test_a_cascade_sees_each_text_once() -> None:
    """In every stage; what is dropped has neither a score nor an estimate."""
    first, last = Counting(), Counting()
    cascade = Cascade({"first": first}, ({"last": last}, 2))

    ranking = Reranker(cascade, duplicates="drop", max_per=("parent_id", 1)).rank("q", RETRIEVED)

    assert len(first.seen) == 3
    assert len(last.seen) == 2
    assert all((hit.score, hit.estimate) == (None, None) for hit in ranking.all if hit.dropped)
    assert sorted(hit.index for hit in ranking.all) == [0, 1, 2, 3, 4]
