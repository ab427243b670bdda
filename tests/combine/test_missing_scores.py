"""Where a combination wants the retriever's scores and has none, or of some alone: it is said."""

from __future__ import annotations

import json
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from rerank_core import ConfigurationError, Ranking, Reranker
from rerank_core.combine import ReciprocalRankFusion, WeightedSum
from rerank_core.errors import Reason

TEXTS = ["Oslo", "Rome, capital of Italy", "Bergen"]
QUERY = "capital of Italy"
SUM = WeightedSum({"retrieval": 0.4, "bm25": 0.6})
TUNED = """
[reranker]
scorer = "bm25"
score_field = "similarity"
metadata_fields = ["title"]

[reranker.combine]
kind = "weighted-sum"
weights = { retrieval = 0.4, bm25 = 0.6 }

[tuned]
kept = "bm25"
"""


def ranked(combine: Any, scores: list[float | None], **options: Any) -> Ranking:
    documents = [{"text": text, "score": score} for text, score in zip(TEXTS, scores, strict=True)]
    with Reranker("bm25", combine=combine, **options) as reranker:
        return reranker.rank(QUERY, documents)


class TestTheReport:
    @pytest.mark.parametrize(
        ("scores", "said"),
        [
            ([None, None, None], "no candidate has a retriever's score, which the combination"),
            ([0.9, None, 0.7], "not every candidate has a retriever's score, which the"),
        ],
    )
    def test_says_that_the_order_stands_in(self, scores: Any, said: str) -> None:
        """With a reason, which degrades nothing; the log tells it once."""
        report = ranked(SUM, scores).report

        assert said in report.why
        assert report.reasons == (Reason.SIGNAL,)
        assert not report.degraded

    @pytest.mark.parametrize(
        ("combine", "scores", "options"),
        [
            (SUM, [0.9, 0.8, 0.7], {}),
            (ReciprocalRankFusion(), [None, None, None], {}),  # it goes by ranks anyway
            (WeightedSum({"retrieval": 0, "bm25": 1}), [None, None, None], {}),
            (WeightedSum(SUM.weights, normalize="rank"), [None, None, None], {}),
            (SUM, [None, None, None], {"retrieval_score": "none"}),  # the user said so
        ],
        ids=["there", "fusion", "no weight", "ranks", "said"],
    )
    def test_says_nothing_where_nothing_is_missing(
        self, combine: Any, scores: Any, options: Any
    ) -> None:
        """Where scores are there, or no combination asks for more than ranks."""
        report = ranked(combine, scores, **options).report

        assert "score" not in report.why
        assert report.reasons == ()

    def test_of_the_embedded_default(self) -> None:
        """It has a way for lists without scores; where some have one, something went wrong."""
        with Reranker() as reranker:
            none = reranker.rank(QUERY, TEXTS).report
            some = reranker.rank(QUERY, [*TEXTS, {"text": "Paris", "score": 1.0}]).report

        assert none.reasons == ()
        assert some.reasons == (Reason.SIGNAL,)


def test_the_log_tells_it_once(caplog: pytest.LogCaptureFixture) -> None:
    """It is so for every query, as a rule."""
    with Reranker("bm25", combine=SUM) as reranker:
        for _ in range(3):
            reranker.rank(QUERY, TEXTS)

    assert caplog.text.count("no candidate has a retriever's score") == 1


class TestATunedFile:
    def test_says_that_it_was_tuned_with_scores(self, tmp_path: Path) -> None:
        """By its name."""
        (tmp_path / "tuned.toml").write_text(TUNED)

        with Reranker.from_config(tmp_path / "tuned.toml") as reranker:
            report = reranker.rank(QUERY, TEXTS).report

        assert "tuned.toml was tuned with: the retriever's order stands in" in report.why

    def test_with_langchains_own_options(self, tmp_path: Path) -> None:
        """The file says where the scores are, and what else is shown; what is given goes first."""
        pytest.importorskip("langchain_core")
        langchain = import_module("langchain_rerank")
        (tmp_path / "tuned.toml").write_text(TUNED)

        for kind in (langchain.RerankCompressor, langchain.BM25Reranker):
            made = kind.from_config(tmp_path / "tuned.toml")
            assert (made.score_field, made.metadata_fields) == ("similarity", ("title",))
            assert kind.from_config(tmp_path / "tuned.toml", score_field="s").score_field == "s"

    @pytest.mark.parametrize(
        ("line", "said"),
        [
            ("score_field = 3", "score_field is a name"),
            ('metadata_fields = "title"', "metadata_fields is a list"),
            ("metadata_fields = [3]", "metadata_fields is a list"),
        ],
    )
    def test_of_which_each_is_checked(self, line: str, said: str, tmp_path: Path) -> None:
        """As everything in a file."""
        pytest.importorskip("langchain_core")
        langchain = import_module("langchain_rerank")
        (tmp_path / "r.toml").write_text(f"[reranker]\n{line}\n")

        with pytest.raises(ConfigurationError, match=said):
            langchain.HybridReranker.from_config(tmp_path / "r.toml")


class TestFiles:
    @pytest.mark.parametrize("name", ["r.toml", "r.json", "r.yaml", "r.yml"])
    def test_three_forms(self, name: str, tmp_path: Path) -> None:
        """What is written is read."""
        if "y" in name:
            pytest.importorskip("yaml")
        made = Reranker("bm25 > bm25@5", top_n=3, timeout=None, fallback={"mine": "bm25"})
        made.to_config(tmp_path / name)

        again = Reranker.from_config(tmp_path / name)

        assert (again.top_n, again.timeout, len(again.stages)) == (3, None, 2)
        assert list(again.fallback) == ["mine"]

    def test_yaml_as_it_is_written_by_hand(self, tmp_path: Path) -> None:
        """With a scorer's options, and null for none."""
        pytest.importorskip("yaml")
        (tmp_path / "r.yaml").write_text(
            "reranker:\n  scorer:\n    use: bm25\n    k1: 2.0\n  timeout: null\n  top_n: 4\n"
        )

        made = Reranker.from_config(tmp_path / "r.yaml")

        assert made.scorers["bm25"].k1 == 2.0  # type: ignore[attr-defined]
        assert (made.top_n, made.timeout) == (4, None)

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("reranker: [", r"r\.yaml is no configuration"),
            ("rerankr:\n  top_n: 3\n", r"no table \[reranker\]: did you mean 'rerankr'\?"),
            ("reranker:\n  topn: 3\n", r"unknown \['topn'\] in \[reranker\]: did you mean 'top_n'"),
            (
                "reranker:\n  scorer: {use: bm25, k_1: 3}\n",
                r"bm25 takes no \['k_1'\]: did you mean 'k1'\?",
            ),
            ("reranker:\n  api_key: sk-1234567890abcdef\n", "does not belong in a file"),
        ],
    )
    def test_what_is_wrong_is_said_with_the_nearest(
        self, text: str, said: str, tmp_path: Path
    ) -> None:
        """Whatever the form."""
        yaml = pytest.importorskip("yaml")
        (tmp_path / "r.yaml").write_text(text)

        with pytest.raises(ConfigurationError, match=said):
            Reranker.from_config(tmp_path / "r.yaml")
        try:
            (tmp_path / "r.json").write_text(json.dumps(yaml.safe_load(text)))
        except yaml.YAMLError:
            return
        with pytest.raises(ConfigurationError, match=said):
            Reranker.from_config(tmp_path / "r.json")

    def test_without_pyyaml_it_says_what_to_install(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        """It is no dependency of the core."""
        (tmp_path / "r.yaml").write_text("reranker: {}\n")
        monkeypatch.setitem(__import__("sys").modules, "yaml", None)

        with pytest.raises(ConfigurationError, match="pip install pyyaml"):
            Reranker.from_config(tmp_path / "r.yaml")
