"""Depth, and a reranker written to a file and read back."""

from __future__ import annotations

from pathlib import Path

import pytest

from rerank_core import ConfigurationError, Reranker
from rerank_core.combine import Combination, ReciprocalRankFusion, WeightedSum

DOCUMENTS = [f"alpha {'beta ' * (place % 3)}{place}" for place in range(6)]


@pytest.mark.parametrize(
    ("depth", "order"),
    [(0, [0, 1, 2, 3, 4, 5]), (3, [2, 1, 0, 3, 4, 5]), (None, [2, 5, 1, 4, 0, 3])],
)
def test_only_so_many_candidates_are_reranked(depth: int | None, order: list[int]) -> None:
    """Those beneath the depth stay there, as retrieved and unscored; 0 leaves all as they are."""
    ranking = Reranker("bm25", depth=depth).rank("beta", DOCUMENTS)

    assert [hit.index for hit in ranking.all] == order
    assert [hit.scored for hit in ranking.all] == [
        place < (6 if depth is None else depth) for place in range(6)
    ]
    assert (ranking.report.coverage, ranking.report.degraded) == (1.0, False)


@pytest.mark.parametrize(
    "reranker",
    [
        Reranker(),
        Reranker("bm25", top_n=None, timeout=None, depth=3, fallback="hybrid"),
        Reranker("bm25", combine=ReciprocalRankFusion(0, {"bm25": 1, "retrieval": 2})),
        Reranker({"a": "bm25"}, combine=WeightedSum({"retrieval": 0.4, "a": 0.6})),
    ],
)
@pytest.mark.parametrize("name", ["mine.toml", "mine.json"])
def test_what_is_written_is_read_back(tmp_path: Path, reranker: Reranker, name: str) -> None:
    """Scorer by name, options and combination come back equal."""
    reranker.to_config(tmp_path / name)
    back = Reranker.from_config(tmp_path / name)

    def told(one: Reranker) -> tuple[list[str], Combination | None, int | None, object, int | None]:
        return list(one.scorers), one.combine, one.top_n, one.timeout, one.depth

    assert told(back) == told(reranker)


def test_what_no_file_can_hold_is_refused(tmp_path: Path) -> None:
    """A scorer that is an object has no name to write."""
    with pytest.raises(ConfigurationError, match="no config file can hold scorer"):
        Reranker(lambda query, texts: [0.5] * len(texts)).to_config(tmp_path / "mine.toml")
