"""Depth, and a reranker written to a file and read back."""

from __future__ import annotations

from pathlib import Path

import pytest

from rerank_core import ConfigurationError, Reranker
from rerank_core.combine import ReciprocalRankFusion, WeightedSum
from rerank_core.options import NAMES

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
        Reranker("bm25", retrieval_score="none", duplicates="drop", max_per=("parent_id", 2)),
        Reranker("bm25", shadow=0.5, hedge_after=0.1, on_error="raise", cache="memory"),
        Reranker("bm25", max_concurrency=2, requests_per_minute=9, tokens_per_minute=8),
    ],
)
@pytest.mark.parametrize("name", ["mine.toml", "mine.json", "mine.yaml"])
def test_what_is_written_is_read_back(tmp_path: Path, reranker: Reranker, name: str) -> None:
    """Scorer by name, options and combination come back equal."""
    if name.endswith(".yaml"):
        pytest.importorskip("yaml")
    reranker.to_config(tmp_path / name)
    back = Reranker.from_config(tmp_path / name)

    def told(one: Reranker) -> list[object]:
        options = [getattr(one, name) for name in NAMES if name not in ("check", "cache")]
        options[NAMES.index("fallback")] = list(one.fallback)
        return [list(one.scorers), *options, type(one.cache)]

    assert told(back) == told(reranker)


@pytest.mark.parametrize(
    ("outside", "said"),
    [
        ('scorer = "bm25"\n', "scorer stands outside of .reranker.: put scorer below it"),
        ("[combine]\nkind = 'weighted-sum'\n", r"outside of .reranker.: \[reranker.combine\]"),
    ],
)
def test_what_stands_beside_the_table_and_belongs_in_it_is_an_error(
    tmp_path: Path, outside: str, said: str
) -> None:
    """Nobody would read it. Tables of other readers are let be."""
    file = tmp_path / "mine.toml"
    file.write_text(f"{outside}[reranker]\ntop_n = 3\n[theirs]\nx = 1\n")
    with pytest.raises(ConfigurationError, match=said):
        Reranker.from_config(file)

    file.write_text("[reranker]\ntop_n = 3\n[theirs]\nx = 1\n[cache]\nsize = 1\n")
    assert Reranker.from_config(file).top_n == 3

    file.write_text("[cache]\nsize = 1\n[reranker]\ntop_n = 3\n")
    with pytest.raises(ConfigurationError, match="cache stands outside"):
        Reranker.from_config(file)


def test_what_no_file_can_hold_is_refused(tmp_path: Path) -> None:
    """A scorer that is an object has no name to write."""
    with pytest.raises(ConfigurationError, match="no config file can hold scorer"):
        Reranker(lambda query, texts: [0.5] * len(texts)).to_config(tmp_path / "mine.toml")
