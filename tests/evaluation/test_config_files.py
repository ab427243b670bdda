"""A reranker as a file: what it holds, what it refuses."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from rerank_core import ConfigurationError, Reranker
from rerank_core.combine import ReciprocalRankFusion, WeightedSum
from rerank_core.config import combination, combination_table, load, options, save


@pytest.mark.parametrize("name", ["mine.toml", "mine.json"])
def test_what_is_saved_is_loaded(tmp_path: Path, name: str) -> None:
    """Text of any script and quotes, numbers, tables: as they were."""
    table = {
        "scorer": {"a b": 'q"uo\\te\n\x7f é 東', "plain": "bm25"},
        "top_n": 5,
        "timeout": 2.5,
        "combine": {"kind": "weighted-sum", "weights": {"retrieval": 0.3, "a b": 1e-07}},
    }
    save(tmp_path / name, table, tuned={"notes": ["one", "two"], "kept": None})
    loaded = load(tmp_path / name)

    # a combination that was tuned knows the file, to name it where its scores are missing
    assert loaded["combine"].pop("tuned_in") == str(tmp_path / name)
    assert loaded == table


@pytest.mark.parametrize(
    "combine",
    [
        WeightedSum({"retrieval": 0.3, "bm25": 0.7}, normalize="z-score"),
        WeightedSum({"retrieval": 1, "bm25": 1}, normalize={"bm25": "none"}),
        ReciprocalRankFusion(0, {"retrieval": 1, "bm25": 2}),
        ReciprocalRankFusion(),
    ],
)
def test_combinations_come_back_equal(combine: WeightedSum | ReciprocalRankFusion) -> None:
    """Kind, weights, normalization and k survive."""
    assert combination(combination_table(combine)) == combine


def test_a_table_builds_its_reranker() -> None:
    """A scorer with options, a combination, and plain options."""
    reranker = Reranker(
        **options(
            {
                "scorer": {"use": "bm25", "k1": 2.0},
                "top_n": 3,
                "timeout": "none",
                "combine": {"kind": "weighted-sum", "weights": {"retrieval": 0.5, "bm25": 0.5}},
            }
        )
    )

    assert (reranker.top_n, reranker.timeout) == (3, None)
    assert reranker.scorers["bm25"].k1 == 2.0  # type: ignore[attr-defined]
    assert reranker.combine == WeightedSum({"retrieval": 0.5, "bm25": 0.5})


def test_a_scorer_given_takes_the_place_of_the_one_named() -> None:
    """It keeps the name by which the weights know it."""
    table = {
        "scorer": {"mine": "not a scorer's name"},
        "combine": {"kind": "weighted-sum", "weights": {"retrieval": 0.5, "mine": 0.5}},
    }
    reranker = Reranker(**options(table, scorer=lambda query, texts: [0.5] * len(texts)))

    assert list(reranker.scorers) == ["mine"]
    with pytest.raises(ConfigurationError, match="no scorer is called"):
        Reranker(**options(table))


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({"top_k": 3}, r"unknown \['top_k'\]"),
        ({"scorer": {"use": "bm25", "k2": 1}}, r"bm25 takes no \['k2'\]"),
        ({"scorer": {"use": "llm:x", "api_key": "sk-1"}}, "environment"),
        ({"cache": "redis://user:word@host/0"}, "environment"),
        ({"combine": {"kind": "magic"}}, "weighted-sum"),
        ({"combine": {"kind": "weighted-sum", "weight": {}}}, "unknown"),
    ],
)
def test_what_cannot_be_right_is_refused(table: dict[str, object], said: str) -> None:
    """Unknown options, secrets and unknown combinations raise, with what is wrong."""
    with pytest.raises(ConfigurationError, match=said):
        Reranker(**options(table))


def test_no_secret_is_written(tmp_path: Path) -> None:
    """Nothing is written at all."""
    with pytest.raises(ConfigurationError, match="does not belong in a file"):
        save(tmp_path / "x.toml", {"scorer": {"use": "llm:x", "api_key": "sk-1"}})

    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("text", ["{", "[other]\nx = 1\n", "reranker = 3\n", ""])
def test_a_file_that_is_no_configuration_is_named(tmp_path: Path, text: str) -> None:
    """Broken, or without the table: the message has the file."""
    (tmp_path / "bad.toml").write_text(text)

    with pytest.raises(ConfigurationError, match=r"bad\.toml"):
        load(tmp_path / "bad.toml")


def test_toml_is_written_as_others_read_it(tmp_path: Path) -> None:
    """An empty table too; tables come after plain values."""
    save(tmp_path / "x.toml", {}, tuned={"a": {"b": True}, "c": [1, 2.5]})

    assert tomllib.loads((tmp_path / "x.toml").read_text()) == {
        "reranker": {},
        "tuned": {"c": [1, 2.5], "a": {"b": True}},
    }
