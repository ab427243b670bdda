"""Two models that could answer differently never share scores in a cache."""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from rerank_core import ConfigurationError, Reranker
from rerank_core.chat import chat_model
from rerank_core.protocols import ChatRequest, Reply
from rerank_core.remote.identity import name_of, named_model
from rerank_core.scorers import EmbeddingScorer, FunctionScorer, LLMScorer
from rerank_core.stores.memory import MemoryStore

pytest.importorskip("langchain_core")
pytest.importorskip("openai")


@pytest.fixture(autouse=True)
def _keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "any")
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)


def chat(**options: Any) -> Any:
    module = pytest.importorskip("langchain_openai")
    return module.ChatOpenAI(**{"model": "m", **options})


def llama(**options: Any) -> Any:
    module = pytest.importorskip("llama_index.llms.openai_like")
    return module.OpenAILike(**{"model": "m", "api_base": "http://a/v1", "api_key": "k", **options})


def parsed(**options: Any) -> Any:
    from langchain_core.output_parsers import StrOutputParser

    return chat(**options) | StrOutputParser()


def sdk(**options: Any) -> Any:
    import openai

    return openai.AsyncOpenAI(**{"api_key": "k", "base_url": "http://a/v1", **options})


def bound(**more: Any) -> Any:
    return chat().bind(**more)


#: Each gives a model for options; any two sets of them are two models.
MODELS: dict[str, tuple[Callable[..., Any], list[dict[str, Any]]]] = {
    "LangChain": (
        chat,
        [
            {},
            {"model": "n"},
            {"base_url": "http://a/v1"},
            {"base_url": "http://b/v1"},
            {"temperature": 0.5},
            {"extra_body": {"seed": 1}},
            {"default_query": {"api-version": "2"}},
        ],
    ),
    "with retry": (lambda **o: chat(**o).with_retry(), [{}, {"model": "n"}, {"temperature": 1}]),
    "with a parser": (parsed, [{}, {"model": "n"}, {"base_url": "http://a/v1"}]),
    "bound": (bound, [{}, {"model": "n"}, {"stop": ["x"]}]),
    "LlamaIndex": (
        llama,
        [{}, {"model": "n"}, {"api_base": "http://b/v1"}, {"temperature": 0.7}],
    ),
    "by name": (
        lambda **o: chat_model("m", **o),
        [
            {"base_url": "http://a/v1"},
            {"base_url": "http://b/v1"},
            {"base_url": "http://a/v1?api-version=2"},
            {"base_url": "http://a/v1", "headers": {"x-route": "large"}},
        ],
    ),
    "SDK client": (
        sdk,
        [{}, {"base_url": "http://b/v1"}, {"default_query": {"api-version": "2"}}],
    ),
}


@pytest.mark.parametrize("kind", MODELS)
def test_models_that_differ_have_names_that_differ(kind: str) -> None:
    """By server, parameters and model; made again, each is called the same."""
    make, options = MODELS[kind]

    prints = [LLMScorer(make(**one)).fingerprint for one in options]

    assert None not in prints
    assert len(set(prints)) == len(prints)
    assert prints == [LLMScorer(make(**one)).fingerprint for one in options]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (lambda: chat(api_key="sk-1"), lambda: chat(api_key="sk-2")),
        (lambda: llama(api_key="sk-1"), lambda: llama(api_key="sk-2")),
        (lambda: sdk(api_key="sk-1"), lambda: sdk(api_key="sk-2")),
        (lambda: chat(max_retries=0), lambda: chat(timeout=3)),
        (lambda: chat(tags=["a"]), lambda: chat(verbose=True)),
    ],
    ids=["key", "LlamaIndex key", "client key", "patience", "tags"],
)
def test_what_changes_no_answer_is_no_part_of_a_name(
    one: Callable[[], Any], other: Callable[[], Any]
) -> None:
    """Keys above all, which are in no name either."""
    first, second = LLMScorer(one()).fingerprint, LLMScorer(other()).fingerprint

    assert first == second
    assert "sk-" not in str(first)


def configurable() -> Any:
    from langchain_core.runnables import ConfigurableField

    fields = chat().configurable_fields(model_name=ConfigurableField(id="model"))
    return fields.with_config(configurable={"model": "n"})


def function() -> Any:
    from langchain_core.runnables import RunnableLambda

    return RunnableLambda(lambda messages: "7")


def local_class() -> Any:
    from langchain_core.language_models.fake_chat_models import FakeListChatModel

    class Mine(FakeListChatModel):
        pass

    return Mine(responses=["7"])


class Own:
    model = "own"

    async def complete(self, request: ChatRequest) -> Reply:
        return Reply("1:7\n2:9")


UNNAMED = {
    "chosen by config": configurable,
    "a function": function,
    "a function in a chain": lambda: function() | chat(),
    "with fallbacks": lambda: chat().with_fallbacks([chat(model="n")]),
    "a class that cannot be imported": local_class,
    "its own messages": lambda: llama(messages_to_prompt=lambda messages: "x"),
    "an object of one's own": Own,
}


@pytest.mark.parametrize("kind", UNNAMED)
def test_what_cannot_be_named_for_certain_has_no_name(kind: str) -> None:
    """So nothing of it is cached, unless the user names it."""
    assert LLMScorer(UNNAMED[kind]()).fingerprint is None
    assert LLMScorer(UNNAMED[kind](), cache_name="a").fingerprint is not None


def test_a_model_of_ones_own_may_name_itself() -> None:
    """By an attribute `identity`."""
    one, other, same = Own(), Own(), Own()
    one.identity, other.identity, same.identity = "a", "b", "a"  # type: ignore[attr-defined]

    prints = [LLMScorer(llm).fingerprint for llm in (one, other, same)]

    assert prints[0] == prints[2] != prints[1]


def embed(texts: list[str]) -> list[list[float]]:
    return [[1.0, float(len(text))] for text in texts]


class OwnEmbeddings:
    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        return embed(texts)

    def embed_query(self, text: str) -> list[float]:
        return embed([text])[0]


def fake_embeddings(size: int) -> Any:
    from langchain_core.embeddings import DeterministicFakeEmbedding

    return DeterministicFakeEmbedding(size=size)


def mock_embedding(size: int) -> Any:
    module = pytest.importorskip("llama_index.core.embeddings")
    return module.MockEmbedding(embed_dim=size)


@pytest.mark.parametrize("make", [fake_embeddings, mock_embedding])
def test_embeddings_are_named_by_their_fields(make: Callable[[int], Any]) -> None:
    """Those of either framework; the prompts are part of it."""
    prints = [
        EmbeddingScorer(make(3)).fingerprint,
        EmbeddingScorer(make(4)).fingerprint,
        EmbeddingScorer(make(3), query_prompt="q: ").fingerprint,
    ]

    assert None not in prints
    assert len(set(prints)) == 3
    assert prints[0] == EmbeddingScorer(make(3)).fingerprint


def unnamed_scorers() -> Iterator[Any]:
    yield FunctionScorer(lambda query, texts: [0.5] * len(texts))
    yield EmbeddingScorer(OwnEmbeddings())
    yield LLMScorer(Own())


def named_scorers() -> Iterator[Any]:
    yield FunctionScorer(lambda query, texts: [0.5] * len(texts), cache_name="half")
    yield EmbeddingScorer(OwnEmbeddings(), cache_name="lengths")
    yield LLMScorer(Own(), cache_name="own/1")


def test_a_ranking_that_is_not_cached_says_so_once() -> None:
    """Where there is a cache, and nowhere else; with `cache_name` it is cached instead."""
    for unnamed, named in zip(unnamed_scorers(), named_scorers(), strict=True):
        for scorer, cache, notes, hits in (
            (unnamed, MemoryStore(), 1, 0),
            (unnamed, None, 0, 0),
            (named, MemoryStore(), 0, 2),
        ):
            with Reranker(scorer, cache=cache) as reranker:
                reranker.rank("q", ["a", "bb"])
                report = reranker.rank("q", ["a", "bb"]).report
            assert sum("cache_name" in note for note in report.notes) == notes
            assert report.cache_hits == hits


def test_what_is_not_worth_caching_needs_no_word() -> None:
    """BM25 is quicker to compute than to look up."""
    with Reranker("hybrid", cache=MemoryStore()) as reranker:
        assert not any("cache" in note for note in reranker.rank("a", ["a", "b"]).report.notes)


def test_two_functions_of_one_name_differ_by_their_scale() -> None:
    """What is kept are scores that were mapped already."""
    prints = {
        FunctionScorer(len, cache_name="n", scale=scale).fingerprint
        for scale in (None, (0, 1), (0, 2))
    }

    assert len(prints) == 3


@pytest.mark.parametrize("wrong", ["", "  ", 3, ["a"]])
def test_a_cache_name_that_names_nothing_is_refused(wrong: Any) -> None:
    """At construction, by every scorer that takes one."""
    for make in (
        lambda: LLMScorer(Own(), cache_name=wrong),
        lambda: EmbeddingScorer(OwnEmbeddings(), cache_name=wrong),
        lambda: FunctionScorer(len, cache_name=wrong),
    ):
        with pytest.raises(ConfigurationError, match="cache_name"):
            make()


class TestFolders:
    def test_a_folder_is_named_by_what_is_in_it(self, tmp_path: Path) -> None:
        """Size and time of every file; also where the newest file stays the newest."""
        (tmp_path / "config.json").write_text("{}")
        (tmp_path / "weights").write_bytes(b"1")
        os.utime(tmp_path / "config.json", ns=(10**18, 2 * 10**18))
        names = [named_model(str(tmp_path))]
        (tmp_path / "weights").write_bytes(b"12")
        names.append(named_model(str(tmp_path)))
        os.utime(tmp_path / "weights", ns=(10**18, 10**18))
        names.append(named_model(str(tmp_path)))
        (tmp_path / "adapter").write_bytes(b"")
        names.append(named_model(str(tmp_path)))

        assert len(set(names)) == len(names)
        assert named_model(str(tmp_path)) == names[-1]

    def test_a_model_objects_folder_counts(self, tmp_path: Path) -> None:
        """A field that says where a model is stands for what is there."""
        name_before = name_of({"model_path": str(tmp_path), "prompt": "x"})
        (tmp_path / "weights").write_bytes(b"1")

        assert name_of({"model_path": str(tmp_path), "prompt": "x"}) != name_before

    @pytest.mark.parametrize("name", ["org/model", "gpt-4o-mini", "a" * 5000, "a\0b"])
    def test_what_is_no_place_is_itself(self, name: str) -> None:
        """However odd."""
        assert name_of({"model": name}) == name_of({"model": name})


class TestNames:
    def test_values_that_differ_have_names_that_differ(self) -> None:
        """By type as well; what reads alike is not the same."""
        values = [1, "1", 1.0, True, None, [1], (1, 2), {1}, {"a": 1}, {"a": "1"}, b"1", ["1, 1"]]

        for one, other in itertools.combinations(values, 2):
            assert name_of(one) != name_of(other)

    def test_a_function_is_named_where_it_can_be_imported(self) -> None:
        """A lambda, a method and a local function say nothing of what they do."""

        def local() -> None: ...

        assert name_of(json.dumps) != name_of(json.loads)
        assert [name_of(one) for one in (local, lambda: 0, [].append)] == [None] * 3

    @pytest.mark.slow
    def test_names_outlive_the_process(self) -> None:
        """Nothing in one depends on where things lie in memory, or on the seed of hashes."""
        code = "from llm.test_cache_names import lasting; print(lasting())"

        found = [
            subprocess.run(
                [sys.executable, "-c", code],
                env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(sys.path)},
                capture_output=True,
                check=True,
                text=True,
            ).stdout.strip()
            for seed in ("1", "2")
        ]

        assert found == [lasting()] * 2


def lasting() -> str:
    from langchain_core.language_models.fake_chat_models import FakeListChatModel

    llm = FakeListChatModel(responses=["7"]).bind(stop=["a", "b"], kinds={"x", "y", "z"})
    return str(LLMScorer(llm, count_tokens=lambda text: sum(1 for _ in text)).fingerprint)
