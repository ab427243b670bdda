"""Presets of both frameworks: their options come from one definition, and are all there to see."""

from __future__ import annotations

import inspect
import pickle
import pydoc
from importlib import import_module
from pathlib import Path
from typing import Any, get_type_hints

import pytest

from rerank_core import ConfigurationError, Reranker, presets
from rerank_core.combine import WeightedSum
from rerank_core.errors import UnknownOptionError
from rerank_core.options import NAMES, RerankerOptions
from rerank_core.scorers.named import HYBRID, scorer_class

pytest.importorskip("langchain_core")
pytest.importorskip("llama_index.core")

FRAMEWORKS = [import_module("langchain_rerank"), import_module("llamaindex_rerank")]
KINDS = {
    "LLM": "llm",
    "CrossEncoder": "cross-encoder",
    "Onnx": "onnx",
    "Cohere": "cohere",
    "RerankAPI": "api",
    "Embedding": "embedding",
    "BM25": "bm25",
    "Hybrid": "hybrid",
}
OWN = {
    "langchain_rerank": ["metadata_fields", "score_field"],
    "llamaindex_rerank": ["callback_manager", "metadata_mode", "keep_retrieval_score"],
}
both = pytest.mark.parametrize("framework", FRAMEWORKS, ids=lambda one: one.__name__)


def wrapper(framework: Any) -> Any:
    """Its class that takes any reranker."""
    return vars(framework).get("RerankCompressor") or framework.RerankPostprocessor


def scorers(kind: str) -> dict[str, inspect.Parameter]:
    if kind == HYBRID:
        return {}
    given = inspect.signature(scorer_class(kind)).parameters
    return {one: parameter for one, parameter in given.items() if one not in NAMES}


@pytest.mark.parametrize("name", KINDS)
def test_the_typed_options_are_those_of_the_scorer(name: str) -> None:
    """Names, types and order, and beside them the reranker's."""
    kind, typed = KINDS[name], getattr(presets, f"{name}Options")
    # the packages of clients, which are imported for type checkers alone
    where = {package: import_module(package) for package in ("cohere", "httpx", "openai")}
    if kind != HYBRID:
        where |= vars(import_module(scorer_class(kind).__module__))
    hints = get_type_hints(typed, localns=where)
    expected = get_type_hints(scorer_class(kind).__init__, where) if kind != HYBRID else {}

    assert list(hints) == [*NAMES, *scorers(kind)]
    assert {one: hints[one] for one in NAMES} == get_type_hints(RerankerOptions)
    assert {one: hints[one] for one in scorers(kind)} == {
        one: expected[one] for one in scorers(kind)
    }
    assert not typed.__required_keys__


@both
@pytest.mark.parametrize("name", KINDS)
def test_the_signature_tells_the_truth(framework: Any, name: str) -> None:
    """The model first, then every option by keyword, with the default that it has."""
    preset = getattr(framework, f"{name}Reranker")
    theirs, own = scorers(KINDS[name]), OWN[framework.__name__]
    found = inspect.signature(preset).parameters

    assert list(found) == [*theirs, *NAMES, *own]
    assert {one: found[one].default for one in theirs} == {
        one: theirs[one].default for one in theirs
    }
    ours = inspect.signature(Reranker).parameters
    assert {one: found[one].default for one in NAMES} == {one: ours[one].default for one in NAMES}
    assert {at for at, one in enumerate(found.values()) if one.kind is not one.KEYWORD_ONLY} == (
        set() if KINDS[name] in ("bm25", HYBRID) else {0}
    )


@both
def test_a_users_own_class_has_its_own_signature(framework: Any) -> None:
    """Where it takes something else; where it does not, the preset's."""

    class Other(framework.BM25Reranker):  # type: ignore[misc,name-defined]
        def __init__(self, k1: float) -> None:
            super().__init__(k1=k1)

    class Same(framework.BM25Reranker):  # type: ignore[misc,name-defined]
        """With another name."""

    assert list(inspect.signature(Other).parameters)[:1] == ["k1"]
    assert "top_n" not in inspect.signature(Other).parameters
    assert list(inspect.signature(Same).parameters)[:3] == ["k1", "b", "top_n"]
    assert Same(top_n=3).reranker.top_n == 3


@both
class TestAnyReranker:
    def test_it_is_taken_by_place_and_by_name(self, framework: Any) -> None:
        """A reranker as it is, or what `Reranker` takes for a scorer."""
        reranker, kind = Reranker("bm25", top_n=3), wrapper(framework)

        assert kind(reranker).reranker is kind(reranker=reranker).reranker is reranker
        assert kind(reranker).top_n == 3
        assert kind("hybrid").reranker.name == "hybrid"
        assert kind(reranker="hybrid > bm25@5", top_n=2).top_n == 2
        assert kind(lambda query, texts: [1.0] * len(texts)).reranker.top_n == 10
        assert next(iter(inspect.signature(kind).parameters)) == "reranker"

    def test_a_users_own_class_may_have_more_fields(self, framework: Any) -> None:
        """As of any of pydantic's."""

        class Mine(wrapper(framework)):  # type: ignore[misc]
            label: str = "none"

        assert Mine("bm25", label="a").label == "a"
        assert pickle.loads(pickle.dumps(wrapper(framework)("bm25"))).reranker.name == "bm25"

    def test_what_is_missing_or_wrong_is_said_in_our_words(self, framework: Any) -> None:
        """No error of pydantic's comes through."""
        kind, preset = wrapper(framework), framework.BM25Reranker
        name = kind.__name__
        for make, said in (
            (lambda: kind(), rf'{name} goes around a reranker: {name}\("hybrid"\)'),
            (lambda: kind(None), "goes around a reranker"),
            (lambda: kind(3), "a scorer is a name"),
            (lambda: kind("nonesuch"), "no scorer is called 'nonesuch'"),
            (lambda: kind(preset()), "BM25Reranker has a reranker in it already"),
            (lambda: kind("bm25", top_n=0), "^top_n is 0: ask for at least 1"),
            (lambda: kind("bm25", **{OWN[framework.__name__][1]: 3}), "^[a-z_]+: Input .*, not 3"),
            (lambda: preset(**{OWN[framework.__name__][1]: 3}), "^[a-z_]+: Input .*, not 3"),
        ):
            with pytest.raises(ConfigurationError, match=said) as caught:
                make()  # type: ignore[no-untyped-call]
            assert "pydantic" not in str(caught.value)

    def test_an_option_of_the_rerankers_is_said_to_be_so(self, framework: Any) -> None:
        """Whichever it is, with how to write it; an address is not shown, nor a key in it."""
        kind = wrapper(framework)
        name = kind.__name__
        for option in set(NAMES) - {"top_n"}:
            said = rf'^{option} is the reranker\'s: {name}\(Reranker\("hybrid", {option}=…\)\)$'
            with pytest.raises(UnknownOptionError, match=said):
                kind("hybrid", **{option: None})
        said = r"timeout, cache are the reranker's: \w+\(Reranker\(…, timeout=…, cache=…\)\)$"
        with pytest.raises(UnknownOptionError, match=said):
            kind("api:http://user:hush@h/rerank", timeout=1, cache="memory")
        with pytest.raises(UnknownOptionError, match=r"'top_k': did you mean top_n\?"):
            kind("hybrid", top_k=3)


@both
class TestFromAFile:
    def test_it_is_of_its_class(self, framework: Any, tmp_path: Path) -> None:
        """And of a user's own; what is given takes the file's place."""
        file = tmp_path / "r.toml"
        combine = WeightedSum({"retrieval": 0.25, "bm25": 0.75})
        Reranker("bm25", top_n=3, depth=20, fallback="hybrid", combine=combine).to_config(file)

        made = framework.BM25Reranker.from_config(file, top_n=5, on_error="raise")

        assert type(made) is framework.BM25Reranker
        assert (made.reranker.top_n, made.reranker.depth) == (5, 20)
        assert (made.reranker.on_error, made.reranker.combine) == ("raise", combine)
        assert type(pickle.loads(pickle.dumps(made))) is framework.BM25Reranker

    def test_the_scorers_options_come_along(self, framework: Any, tmp_path: Path) -> None:
        """Whether the file names the scorer in a table, or by its signal."""
        for scorer in (
            'scorer = { use = "bm25", k1 = 2.0 }',
            'scorer.bm25 = { use = "bm25", k1 = 2.0 }',
        ):
            (tmp_path / "r.toml").write_text(f"[reranker]\n{scorer}\n")

            made = framework.BM25Reranker.from_config(tmp_path / "r.toml")

            assert made.reranker.scorers["bm25"].k1 == 2.0

    def test_nothing_named_is_hybrid(self, framework: Any, tmp_path: Path) -> None:
        """As it is for `Reranker`."""
        Reranker(top_n=7).to_config(tmp_path / "r.toml")

        assert framework.HybridReranker.from_config(tmp_path / "r.toml").reranker.top_n == 7

    @pytest.mark.parametrize(
        ("preset", "scorer"),
        [
            ("LLMReranker", "bm25"),
            ("BM25Reranker", None),
            ("HybridReranker", "bm25"),
            ("BM25Reranker", {"mine": "bm25"}),
        ],
    )
    def test_another_kind_of_scorer_is_refused(
        self, framework: Any, preset: str, scorer: Any, tmp_path: Path
    ) -> None:
        """A preset is what its name says; the class that takes any reranker loads the file."""
        Reranker(scorer).to_config(tmp_path / "r.toml")

        any_kind = wrapper(framework)
        said = rf"r\.toml holds the scorer .*: {any_kind.__name__}\.from_config takes any"
        with pytest.raises(ConfigurationError, match=said):
            getattr(framework, preset).from_config(tmp_path / "r.toml")
        assert any_kind.from_config(tmp_path / "r.toml").reranker.top_n == 10

    def test_a_mistyped_option_is_refused(self, framework: Any, tmp_path: Path) -> None:
        """And so is a scorer beside the preset's own."""
        Reranker("bm25").to_config(tmp_path / "r.toml")

        with pytest.raises(ConfigurationError, match=r"'top_k': did you mean top_n\?"):
            framework.BM25Reranker.from_config(tmp_path / "r.toml", top_k=3)
        with pytest.raises(ConfigurationError, match="scorer= is not taken"):
            framework.BM25Reranker.from_config(tmp_path / "r.toml", scorer="llm")


@both
def test_what_a_scorer_cannot_do_without_is_named(framework: Any) -> None:
    """A rerank server has no default."""
    with pytest.raises(ConfigurationError, match="api needs url="):
        framework.RerankAPIReranker(top_n=3)


def test_the_fields_of_a_request_are_options_in_both() -> None:
    """`options=` of `RerankAPIScorer` goes to the server, and into what is stored."""
    for framework in FRAMEWORKS:
        made = framework.RerankAPIReranker("http://localhost/rerank", options={"truncate": True})
        assert made.reranker.scorers["api"].options == {"truncate": True}

    again = type(made).from_dict(made.to_dict())
    assert again.reranker.scorers["api"].options == {"truncate": True}


@both
@pytest.mark.parametrize("name", KINDS)
def test_help_shows_the_options(framework: Any, name: str) -> None:
    """Each of the reranker's with what it is for; where the scorer's are told, which is there."""
    preset = getattr(framework, f"{name}Reranker")

    told = pydoc.render_doc(preset, renderer=pydoc.plaintext)
    before = told[: told.index("Method resolution order")]

    assert all(f"`{option}`: " in before for option in NAMES)
    assert all(f"{option}: " in before for option in scorers(KINDS[name]))
    if KINDS[name] != HYBRID:
        scorer = scorer_class(KINDS[name]).__name__
        assert f"help(rerank_core.scorers.{scorer})" in before
        assert hasattr(import_module("rerank_core.scorers"), scorer)
    assert "Create a new model" not in told[told.index("__init__(") :][:300]
