"""Tables in docs/migration have every option of the real classes, and name real ones of ours."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from importlib import import_module
from typing import Any

import pytest
from pages import PAGES, tables

TABLES = [
    pytest.param(
        *(theirs, ours, rows),
        id=f"{theirs.rpartition('.')[2]}-{page.stem}",
        # it imports whatever it may need
        marks=[pytest.mark.slow] if page.stem == "rerankers" else [],
    )
    for page in PAGES
    for theirs, ours, rows in tables(page)
]
#: What every class of a framework has, which says nothing of the reranker.
COMMON = {"self", "callback_manager"}
#: Where options stand beside the constructor, by the words of the table: "`llm` of `from_llm()`".
METHODS = ("from_llm", "rerank", "rank")


def loaded(path: str) -> Any:
    module, _, name = path.rpartition(".")
    try:
        return getattr(import_module(module), name)
    except ImportError:
        pytest.skip(f"{module} is not installed")


def options_of(thing: Any) -> Iterator[str]:
    """The options of a class, as the table names them."""
    fields = getattr(thing, "model_fields", {})
    yield from (name for name in fields if name not in COMMON)
    constructor = thing if inspect.isfunction(thing) else thing.__init__
    # a pydantic class that has no constructor of its own takes its fields
    own = inspect.isfunction(thing) or "pydantic" not in (constructor.__module__ or "")
    own = own and not {"data", "kwargs"} >= set(_parameters(constructor))
    yield from _parameters(constructor) if own else ()
    for method in METHODS:
        if inspect.isclass(thing) and method in vars(thing):
            for name in _parameters(getattr(thing, method)):
                if not (method == "rerank" and name in fields):
                    yield f"{name} of {method}()"


def _parameters(function: Any) -> list[str]:
    return [name for name in inspect.signature(function).parameters if name not in COMMON]


def in_words(cell: str) -> str:
    """ "`llm` of `from_llm()`" as "llm of from_llm()", "`top_n` (3)" as "top_n"."""
    named = re.match(r"`(\w+)`(?: of `(\w+\(\))`)?", cell)
    assert named is not None, cell
    return named[1] + (f" of {named[2]}" if named[2] else "")


@pytest.mark.parametrize(("theirs", "ours", "rows"), TABLES)
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
def test_every_option_of_theirs_has_a_row(
    theirs: str, ours: str, rows: list[tuple[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """And nothing else has, but what a class of the same name once took."""
    monkeypatch.setenv("LITELLM_LOCAL_MODEL_COST_MAP", "True")  # `rerankers` imports it
    wanted = set(options_of(loaded(theirs)))
    listed = {in_words(cell) for cell, _ in rows if "old class" not in cell}

    assert wanted - listed == set(), "without a row"
    assert listed - wanted == set(), "there is no such option"


@pytest.mark.parametrize(("theirs", "ours", "rows"), TABLES)
def test_every_row_names_options_of_ours_or_a_reason(
    theirs: str, ours: str, rows: list[tuple[str, str]]
) -> None:
    """An option is written with its "=", and is one that the class takes."""
    taken = set(inspect.signature(loaded(ours)).parameters)

    for option, counterpart in rows:
        named = set(re.findall(r"`(\w+)=", counterpart))
        assert named <= taken, option
        if not named:
            assert re.match(r"none: .{12}|the same|.*`[\w.]+|.*first argument", counterpart), option


def test_the_classes_that_most_people_come_from_have_a_table() -> None:
    """Of LangChain, of LlamaIndex, and the package."""
    assert {param.values[0].rpartition(".")[2] for param in TABLES} >= {
        "CohereRerank",
        "CrossEncoderReranker",
        "FlagEmbeddingReranker",
        "FlashrankRerank",
        "JinaRerank",
        "LLMListwiseRerank",
        "LLMRerank",
        "RankGPTRerank",
        "Reranker",
        "SentenceTransformerRerank",
        "StructuredLLMRerank",
        "TextEmbeddingInference",
        "VoyageAIRerank",
    }
