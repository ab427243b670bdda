"""What the scores that candidates arrive with are: similarities, distances, or nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from rerank_core import Candidate, Reranker
from rerank_core.combine import ReciprocalRankFusion, WeightedSum
from rerank_core.ranking.retrieval import retrieval_of

#: As stores hand them over, nearest first: L2, negative inner products, cosine with a tie.
DISTANCES = [[0.2, 0.9, 7.5, 31.0], [-0.9, -0.4, -0.1, 0.3], [0.0, 0.0, 0.3, 0.9]]


def candidates(scores: Any) -> list[Candidate]:
    return [Candidate(f"text {n}", score=score) for n, score in enumerate(scores)]


def alike(query: str, texts: list[str]) -> list[float]:
    return [0.5] * len(texts)


def fails(query: str, texts: list[str]) -> list[float]:
    raise ConnectionError("down")


def order(ranking: Any) -> list[int]:
    return [hit.index for hit in ranking.all]


@pytest.mark.parametrize("scores", DISTANCES)
@pytest.mark.parametrize(
    "options",
    [
        {"scorer": alike},
        {"scorer": fails},
        {"scorer": {"s": alike}, "combine": WeightedSum({"retrieval": 1, "s": 1})},
        {"scorer": {"s": alike}, "combine": ReciprocalRankFusion()},
    ],
    ids=["one scorer", "an outage", "a weighted sum", "rank fusion"],
)
def test_scores_that_ascend_are_distances(scores: list[float], options: dict[str, Any]) -> None:
    """The order of arrival stands, whoever goes by it, and the report says why."""
    ranking = Reranker(**options, top_n=None).rank("q", candidates(scores))

    assert order(ranking) == [0, 1, 2, 3]
    assert [hit.retrieved for hit in ranking.all] == [1, 2, 3, 4]
    assert "taken for distances" in ranking.report.why
    assert [hit.components["retrieval:raw"] for hit in ranking.all] == scores


@pytest.mark.parametrize("scores", [[0.9, 0.5, 0.1], [0.1, 0.9], [0.5, 0.5, 0.9], [0.1, 0.9, 0.5]])
def test_others_are_similarities(scores: list[float]) -> None:
    """Falling ones, mixed ones, and too few to tell: higher is better, and there is no note."""
    found = retrieval_of(candidates(scores))

    assert list(found.order) == sorted(range(len(scores)), key=lambda n: -scores[n])
    assert (found.scores, found.note) == (scores, None)


def test_one_that_is_missing_hides_no_distance() -> None:
    """The order is that of arrival either way, and what is there is turned round."""
    found = retrieval_of(candidates([0.1, None, 0.4, 0.8]))

    assert (list(found.order), found.scores) == ([0, 1, 2, 3], [-0.1, None, -0.4, -0.8])


def test_what_is_said_goes() -> None:
    """Similarities that ascend are sorted by, distances that do not ascend too; none says none."""
    rising, mixed = candidates([0.1, 0.5, 0.9]), candidates([0.5, 0.1, 0.9])

    assert list(retrieval_of(rising, "similarity").order) == [2, 1, 0]
    assert list(retrieval_of(mixed, "distance").order) == [1, 0, 2]
    assert list(retrieval_of(mixed, "none").order) == [0, 1, 2]
    assert not any(retrieval_of(rising, said).note for said in ("similarity", "distance", "none"))


def test_none_leaves_the_combination_to_the_others() -> None:
    """Neither the scores nor the positions count."""
    combine = WeightedSum({"retrieval": 9, "s": 1}, normalize="none")
    reranker = Reranker(
        {"s": lambda q, texts: [0.1, 0.2, 0.3]}, combine=combine, retrieval_score="none"
    )

    ranking = reranker.rank("q", candidates([0.9, 0.5, 0.1]))

    assert [hit.score for hit in ranking] == pytest.approx([0.3, 0.2, 0.1])
    assert "retrieval:raw" not in ranking[0].components


@pytest.mark.parametrize("how", ["none", "sigmoid"])
def test_distances_that_nobody_declared_are_no_scores(how: Any) -> None:
    """Where a combination takes them as they are: they are left out, unless somebody says so."""
    combine = WeightedSum({"retrieval": 1, "s": 1}, normalize=how)
    reranker = Reranker({"s": alike}, combine=combine)

    guessed = reranker.rank("q", candidates([1.0, 2.0, 3.0]))
    declared = reranker.replace(retrieval_score="distance").rank("q", candidates([1.0, 2.0, 3.0]))

    assert len({hit.score for hit in guessed}) == 1
    assert "left out" in guessed.report.why
    assert len({hit.score for hit in declared}) == 3


def test_it_goes_into_a_file(tmp_path: Path) -> None:
    """As any other option does."""
    Reranker("bm25", retrieval_score="distance").to_config(tmp_path / "r.toml")

    assert Reranker.from_config(tmp_path / "r.toml").retrieval_score == "distance"
