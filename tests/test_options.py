"""The options of a reranker: one place says what each is, and everything else follows."""

from __future__ import annotations

import copy
import inspect
import pickle
from dataclasses import fields
from datetime import timedelta
from pathlib import Path
from typing import Any, get_type_hints

import numpy
import pytest

from rerank_core import ConfigurationError, InvalidInputError, Reranker
from rerank_core.chat.openai import OpenAIChat
from rerank_core.combine import WeightedSum
from rerank_core.errors import UnknownOptionError
from rerank_core.llm.prompts import Prompt
from rerank_core.options import NAMES, Options, RerankerOptions
from rerank_core.protocols import ChatRequest, Reply, ScorerBase
from rerank_core.scorers import LLMScorer

TEXTS = ["Paris is in France", "Rome is in Italy", "bananas"]

#: For each option a value that cannot be.
WRONG: dict[str, Any] = {
    "top_n": 0,
    "timeout": -1,
    "combine": "weighted-sum",
    "instruction": " ",
    "fallback": "bm52",
    "cache": "redis",
    "on_error": "ignore",
    "max_concurrency": 1.5,
    "on_ranking": "print",
    "depth": -1,
    "retrieval_score": "cosine",
    "duplicates": "merge",
    "max_per": "parent_id",
    "threshold": float("nan"),
    "shadow": 2,
    "hedge_after": -1,
    "requests_per_minute": 0,
    "tokens_per_minute": True,
    "check": 1,
}


def test_the_record_and_the_keywords_agree() -> None:
    """Names, types and order."""
    assert list(get_type_hints(RerankerOptions).items()) == list(get_type_hints(Options).items())
    assert not RerankerOptions.__required_keys__


def test_the_signature_tells_the_truth() -> None:
    """Every option by keyword, with its default and its type."""
    signature = inspect.signature(Reranker)

    scorer, *options = signature.parameters.values()
    assert scorer.name == "scorer"
    assert [(one.name, one.default, one.annotation, one.kind) for one in options] == [
        (each.name, each.default, each.type, inspect.Parameter.KEYWORD_ONLY)
        for each in fields(Options)
    ]
    assert set(inspect.signature(Reranker("bm25").replace).parameters) == {"scorer", *NAMES}
    assert set(inspect.signature(Reranker.from_config).parameters) == {"path", "scorer", *NAMES}
    assert all(f"`{name}`" in (Reranker.__doc__ or "") for name in NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_an_error_names_its_own_option(name: str) -> None:
    """And no other one: `hedge_after=-1` has nothing to do with the timeout."""
    with pytest.raises(ConfigurationError, match=rf"^{name}\b") as caught:
        Reranker("bm25", **{name: WRONG[name]})

    assert not [other for other in NAMES if other != name and f"{other} is" in str(caught.value)]


@pytest.mark.parametrize(
    ("mistyped", "meant"),
    [("top_k", "top_n"), ("time_out", "timeout"), ("caches", "cache"), ("max_concurency", "max_c")],
)
def test_the_nearest_option_is_suggested(mistyped: str, meant: str, tmp_path: Path) -> None:
    """By the constructor, `replace` and `from_config`; it is a `TypeError`, too, as Python's is."""
    Reranker("bm25").to_config(tmp_path / "r.toml")

    for make in (
        lambda **o: Reranker("bm25", **o),
        Reranker("bm25").replace,
        lambda **o: Reranker.from_config(tmp_path / "r.toml", **o),
    ):
        with pytest.raises(UnknownOptionError, match=f"'{mistyped}': did you mean {meant}"):
            make(**{mistyped: 1})
    assert issubclass(UnknownOptionError, (ConfigurationError, TypeError))


def test_numpys_numbers_are_numbers() -> None:
    """They are kept as Python's own."""
    reranker = Reranker(
        lambda query, texts: [0.5] * len(texts),
        top_n=numpy.int64(2),
        depth=numpy.int32(3),
        max_concurrency=numpy.uint8(1),
        timeout=numpy.float32(2.5),
        threshold=numpy.float64(0.5),
        shadow=numpy.int64(1),
        hedge_after=timedelta(seconds=2),
    )

    found = {name: getattr(reranker, name) for name in NAMES}
    assert [type(found[name]) for name in ("top_n", "depth", "max_concurrency")] == [int] * 3
    assert [type(found[n]) for n in ("timeout", "threshold", "shadow", "hedge_after")] == [
        float
    ] * 4
    assert (
        len(Reranker("bm25").rank("Rome", TEXTS, top_n=numpy.int64(1), timeout=numpy.int8(9))) == 1
    )


def test_numbers_beyond_any_float() -> None:
    """A time that long is none at all; a threshold is refused like infinity."""
    assert Reranker("bm25", timeout=10**400).timeout is None
    with pytest.raises(ConfigurationError, match=r"threshold is .*: give a finite number"):
        Reranker(lambda query, texts: [0.5] * len(texts), threshold=10**400)


@pytest.mark.parametrize("options", [{"top_n": 0}, {"timeout": 0}])
def test_what_is_wrong_with_a_call_is_said_by_the_call(options: dict[str, Any]) -> None:
    """In the same words, as `InvalidInputError`."""
    with pytest.raises(ConfigurationError) as at_construction:
        Reranker("bm25", **options)
    with pytest.raises(InvalidInputError) as at_call:
        Reranker("bm25").rank("q", TEXTS, **options)

    assert str(at_call.value) == str(at_construction.value)


@pytest.mark.parametrize("name", [*(name for name in NAMES if name != "on_ranking"), "scorers"])
def test_attributes_are_read_only(name: str) -> None:
    """Whoever assigns one is told how to have another value."""
    reranker = Reranker("bm25")
    before = getattr(reranker, name)

    with pytest.raises(AttributeError, match=rf"reranker\.replace\({name.removesuffix('rs')}"):
        setattr(reranker, name, None)
    assert getattr(reranker, name) == before


def test_who_is_told_may_be_assigned() -> None:
    """It changes nothing of the rankings; what is no function is refused."""
    told: list[Any] = []
    reranker = Reranker("bm25")
    reranker.on_ranking = told.append  # type: ignore[misc]

    ranking = reranker.rank("q", TEXTS)

    assert told == [ranking]
    with pytest.raises(ConfigurationError, match="on_ranking"):
        reranker.on_ranking = 3  # type: ignore[assignment,misc]


class Counted(ScorerBase):
    """Says how often it was closed."""

    name = "counted"
    fingerprint = "counted"

    def __init__(self) -> None:
        self.closed = 0

    async def score(self, query: str, texts: Any) -> list[float | None]:
        return [float(len(text)) for text in texts]

    async def aclose(self) -> None:
        self.closed += 1


class Subclass(Reranker):
    """A user's own."""


class TestReplace:
    def test_it_gives_another_one(self) -> None:
        """Of the same class, with the change; the first stays as it was."""
        first = Subclass("bm25", top_n=3, depth=7)

        second = first.replace(top_n=1, on_error="raise")

        assert type(second) is Subclass
        assert (second.top_n, second.on_error, second.depth) == (1, "raise", 7)
        assert (first.top_n, first.on_error) == (3, "degrade")
        assert len(second.rank("Rome", TEXTS)) == 1

    def test_it_is_checked(self) -> None:
        """As a new one is, the options together included."""
        with pytest.raises(ConfigurationError, match="top_n is 0"):
            Reranker("bm25").replace(top_n=0)
        with pytest.raises(ConfigurationError, match="threshold= needs scores"):
            Reranker("bm25").replace(threshold=0.5)
        with pytest.raises(ConfigurationError, match="llm"):
            Reranker("bm25").replace(combine=WeightedSum({"llm": 1}))

    def test_another_scorer(self) -> None:
        """What "hybrid" implied goes with it."""
        alone = Reranker().replace(scorer="bm25", top_n=2)

        assert (list(alone.scorers), alone.combine, alone.top_n) == (["bm25"], None, 2)
        assert alone.replace(scorer=None).combine is not None

    def test_scorers_and_store_are_the_same(self) -> None:
        """Neither is loaded or opened twice, and what one has scored the other knows."""
        first = Reranker(Counted(), cache="memory", fallback="bm25")
        second = first.replace(top_n=1)

        first.rank("q", TEXTS)

        assert second.scorers["counted"] is first.scorers["counted"]
        assert second.fallback["bm25"] is first.fallback["bm25"]
        assert second.cache is first.cache
        assert second.rank("q", TEXTS).report.cache_hits == 3

    def test_closing_one_leaves_the_other_what_they_share(self) -> None:
        """It is let go of with the last that is in use."""
        scorer = Counted()
        first = Reranker(scorer)
        second = first.replace(top_n=1)
        first.rank("q", TEXTS)
        second.rank("q", TEXTS)

        first.close()
        assert scorer.closed == 0
        second.close()
        assert scorer.closed == 1

    def test_one_that_is_forgotten_holds_up_nothing(self) -> None:
        """`r = r.replace(…)` needs no close of the first; nor does one that never ranked."""
        scorer = Counted()
        reranker = Reranker(scorer)
        reranker.rank("q", TEXTS)
        idle = reranker.replace(depth=1)
        reranker = reranker.replace(top_n=1)
        reranker.rank("q", TEXTS)

        reranker.close()

        assert (scorer.closed, idle.depth) == (1, 1)

    def test_a_chat_model_of_two_prompts_is_shared(self) -> None:
        """Closing the one that asks with the old prompt leaves it to the new one."""

        class Chat(OpenAIChat):
            closed = 0

            async def complete(self, request: ChatRequest) -> Reply:
                return Reply("[7, 8, 9]")

            async def aclose(self) -> None:
                self.closed += 1

        scorer = LLMScorer(chat := Chat("any", base_url="http://localhost:1", api_key="any"))
        prompt = Prompt(system="Grade {low} to {high}.")
        first = Reranker(scorer)
        second = first.replace(scorer=scorer.with_prompt(prompt))
        first.rank("q", TEXTS)
        second.rank("q", TEXTS)

        first.close()
        assert chat.closed == 0
        second.close()
        assert chat.closed == 1

    def test_a_store_of_the_users_own_stays_open(self, tmp_path: Path) -> None:
        """One that a name stood for is closed with the last, and opens again."""
        first = Reranker(Counted(), cache=tmp_path / "scores.sqlite")
        second = first.replace(top_n=1)
        with second:
            second.rank("q", TEXTS)
        first.rank("q", TEXTS)
        first.close()

        assert second.rank("q", TEXTS).report.cache_hits == 3
        second.close()

    def test_it_goes_into_a_file(self, tmp_path: Path) -> None:
        """By the names that were given, first or later."""
        made = Reranker("bm25", cache="memory", depth=7).replace(fallback="hybrid", cache=None)
        made.to_config(tmp_path / "r.toml")

        back = Subclass.from_config(tmp_path / "r.toml", top_n=3)

        assert type(back) is Subclass
        assert (list(back.fallback), back.cache, back.depth, back.top_n) == (["bm25"], None, 7, 3)


@pytest.mark.parametrize(
    "again", [copy.copy, copy.deepcopy, lambda one: pickle.loads(pickle.dumps(one))]
)
def test_copies_have_the_same_options(again: Any) -> None:
    """Shallow, deep, and in another process."""
    reranker = Reranker("hybrid", top_n=2, timeout=3, cache="memory", fallback="bm25")

    other = again(reranker)

    # `check` is what the option asks for, and the method of that name
    told = [name for name in NAMES if name not in ("cache", "fallback", "check")]
    assert [getattr(other, name) for name in told] == [getattr(reranker, name) for name in told]
    assert other.rank("Rome", TEXTS).to_dicts() == reranker.rank("Rome", TEXTS).to_dicts()
