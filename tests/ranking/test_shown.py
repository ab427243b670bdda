"""A ranking in a terminal, and as a table of pandas."""

from __future__ import annotations

import builtins
import copy
import pickle
from typing import Any

import doc_pages
import pytest

from rerank_core import Candidate, MissingExtraError, Reranker
from rerank_core.ranking.hits import Hits
from rerank_core.ranking.ranking import Ranking

DOCUMENTS = [
    Candidate("a pear", "p", 0.9, {"page": 3}),
    Candidate("a red\n apple \x1b[31m of the country", "a", 0.8),
    Candidate("the red apple", score=0.7),
]


def ranked(top_n: int | None = 2, **options: Any) -> Ranking:
    """Three documents, the best two of them returned."""
    with Reranker("hybrid", top_n=top_n, **options) as reranker:
        return reranker.rank("red apple", DOCUMENTS)


def test_it_prints_as_a_table(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rank, movement, score, each signal, as much of the text as the terminal has room for."""
    monkeypatch.setenv("COLUMNS", "72")

    heading, titles, *rows = str(ranked()).splitlines()

    assert heading == "Ranking('red apple': 2 of 3)"
    assert titles.split() == ["rank", "moved", "score", "retrieval", "bm25", "document"]
    assert [row.split()[:2] for row in rows] == [["1", "+1"], ["2", "-1"]]
    assert max(map(len, rows)) <= 72
    assert "[a] a red apple ?[31m" in "".join(rows)


def test_the_page_shows_what_is_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    """docs/reading-results.md, to the letter."""
    pytest.importorskip("pandas")
    monkeypatch.setenv("COLUMNS", "100")
    page = doc_pages.ROOT / "docs" / "reading-results.md"

    shown = str(doc_pages.run(page)["ranking"])

    assert f"```\n{shown}\n```" in page.read_text(encoding="utf-8")


def test_it_prints_wherever_nothing_but_ascii_does() -> None:
    """The table itself has no letter that a terminal could lack."""
    assert str(ranked()).isascii()
    assert repr(ranked().all).isascii()


def test_wide_letters_are_counted_as_wide(monkeypatch: pytest.MonkeyPatch) -> None:
    """A line of Chinese is no longer than one of Latin."""
    monkeypatch.setenv("COLUMNS", "60")
    with Reranker("bm25") as reranker:
        row = str(reranker.rank("苹果", ["红苹果" * 40])).splitlines()[-1]

    assert len(row) + sum(letter > "\u2e80" for letter in row) <= 60
    assert row.endswith("...")


def test_a_hit_and_a_report_are_a_line_each() -> None:
    """The text is cut; of a report, what is as always is left out."""
    ranking = ranked()
    hit, report = repr(ranking[0]), repr(ranking.report)

    assert hit.startswith("RankedCandidate(rank=1, retrieved=")
    assert len(hit) < 250
    assert report.startswith("Report(coverage=1.000, degraded=False, seconds=")
    assert "calls" not in report
    assert "reasons=[incomplete]" in repr(_degraded().report)


def _degraded() -> Ranking:
    with Reranker(lambda query, texts: [1.0, None, None]) as reranker:
        return reranker.rank("red apple", DOCUMENTS)


def test_hits_are_a_tuple_still() -> None:
    """Equal to one, sliced, pickled, copied; never a list."""
    every = ranked().all

    assert every == tuple(every)
    assert isinstance(every[:1], Hits)
    assert isinstance(ranked()[:1], Hits)
    for same in (pickle.loads(pickle.dumps(every)), copy.deepcopy(every)):
        assert same == every
        assert same.query == "red apple"


def test_it_becomes_a_data_frame() -> None:
    """The top_n, `all` every one; a missing score is NaN; the input is not touched."""
    pytest.importorskip("pandas")
    ranking = ranked()

    frame = ranking.to_df()

    assert list(frame.columns) == [
        "rank", "retrieved", "movement", "score", "estimate", "retrieval", "bm25",
        *(name for name in frame.columns if name.endswith(":raw")),
        "id", "text", "index", "metadata",
    ]  # fmt: skip
    assert list(frame["rank"]) == [1, 2]
    assert list(frame["score"]) == [hit.score for hit in ranking]
    assert len(ranking.all.to_df()) == 3
    degraded = _degraded().to_df()
    assert list(degraded["score"].isna()) == [False, True, True]
    assert not degraded["estimate"].iloc[1:].isna().any()
    assert len(ranked(top_n=None).all[:0].to_df()) == 0


def test_a_signal_named_like_a_column_is_not_lost() -> None:
    """It has a column of its own."""
    pytest.importorskip("pandas")

    def rank(query: str, texts: list[str]) -> list[float]:
        return [3.0, 1.0, 2.0]

    with Reranker(rank) as reranker:
        frame = reranker.rank("red apple", DOCUMENTS).to_df()

    assert list(frame["rank"]) == [1, 2, 3]
    assert list(frame["signal:rank"]) == [3.0, 2.0, 1.0]


def test_without_pandas_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """The command, and no ranking is harmed."""
    there = builtins.__import__

    def without(name: str, *rest: Any, **named: Any) -> Any:
        if name == "pandas":
            raise ModuleNotFoundError("No module named 'pandas'", name="pandas")
        return there(name, *rest, **named)

    monkeypatch.setattr(builtins, "__import__", without)

    with pytest.raises(MissingExtraError, match=r"the extra 'pandas' .*pip install"):
        ranked().to_df()
