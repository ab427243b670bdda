"""`count_tokens` of the user's own, on texts that it does not like."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from llm.conftest import ANSWER, TEXTS, Rank, Serve
from rerank_core import ConfigurationError
from rerank_core.llm.counting import CheckedCount
from rerank_core.scorers import LLMScorer
from rerank_core.text.truncation import estimate_tokens

SPECIAL = "<|endoftext|> stands in this one"


def tiny(text: str) -> int:
    """As tiktoken counts by default."""
    tiktoken = pytest.importorskip("tiktoken")
    encoding = tiktoken.Encoding(
        "tiny",
        pat_str=r"\S+|\s+",
        mergeable_ranks={bytes([byte]): byte for byte in range(256)},
        special_tokens={"<|endoftext|>": 256},
    )
    return len(encoding.encode(text))


def only_ascii(text: str) -> int:
    return len(text.encode("ascii"))


def lookup(text: str) -> int:
    return {"": 0}[text]


@pytest.mark.parametrize("count", [tiny, only_ascii, lookup])
@pytest.mark.parametrize("strategy", ["batch", "pointwise", "listwise"])
def test_a_document_it_raises_on_is_estimated(
    serve: Serve, rank: Rank, strategy: str, count: Callable[[str], int]
) -> None:
    """Every document is scored, and one note says what happened."""
    serve()

    ranking = rank(texts=[SPECIAL, "Größe", *TEXTS[-2:]], strategy=strategy, count_tokens=count)

    assert ranking.all[0].text == ANSWER
    assert ranking.report.coverage == 1.0
    assert sum("count_tokens" in note for note in ranking.report.notes) == 1


@pytest.mark.parametrize("nonsense", [-1, 2.0, float("nan"), None, "12", True, 0, [1, 2]])
def test_what_is_no_count_is_estimated(nonsense: Any) -> None:
    """A token count is a whole number, and a text that says something has one at least."""
    count = CheckedCount(lambda text: nonsense)

    assert count("some words") == estimate_tokens("some words")


def test_a_count_of_any_kind_of_integer_counts() -> None:
    """Such as NumPy's."""
    numpy = pytest.importorskip("numpy")

    assert CheckedCount(lambda text: numpy.int64(len(text)))("four") == 4
    assert CheckedCount(len)("") == 0


async def awaited(text: str) -> int:
    return 1


@pytest.mark.parametrize("wrong", [awaited, "cl100k_base", 4])
def test_what_cannot_count_is_refused(serve: Serve, wrong: Any) -> None:
    """At construction."""
    serve()

    with pytest.raises(ConfigurationError, match="count_tokens"):
        LLMScorer(count_tokens=wrong)
