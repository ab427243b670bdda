"""The scores of real vector stores: whatever they are, higher is better behind `scored`."""

from __future__ import annotations

import asyncio
import importlib
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

pytest.importorskip("langchain_core")

from langchain_core.documents import Document
from langchain_core.vectorstores import InMemoryVectorStore, VectorStore, VectorStoreRetriever
from letters import Letters

from langchain_rerank import HybridReranker, RerankCompressor, RerankRetriever, scored
from langchain_rerank.store_scores import similarities
from rerank_core import ConfigurationError, Ranking, Reranker

TEXTS = ["Rome is the capital of Italy", "Oslo", "capital gains", "Italian ice cream", "zzzz"]
QUERY = "capital of Italy"


def make(name: str, folder: Path) -> VectorStore:
    """The store with the texts in it; skipped where its package is not installed."""
    kind, _, metric = name.partition(" ")
    if kind == "memory":
        return InMemoryVectorStore.from_texts(TEXTS, Letters())
    if kind == "faiss":
        pytest.importorskip("faiss")
        community = pytest.importorskip("langchain_community.vectorstores")
        strategies = importlib.import_module("langchain_community.vectorstores.utils")
        strategy = strategies.DistanceStrategy[metric]
        return community.FAISS.from_texts(TEXTS, Letters(), distance_strategy=strategy)  # type: ignore[no-any-return]
    if kind == "chroma":
        chroma = pytest.importorskip("langchain_chroma")
        return chroma.Chroma.from_texts(  # type: ignore[no-any-return]
            TEXTS,
            Letters(),
            collection_name=f"of-{metric}-{uuid4().hex}",
            collection_configuration={"hnsw": {"space": metric}},
        )
    if kind == "lancedb":
        pytest.importorskip("lancedb")
        community = pytest.importorskip("langchain_community.vectorstores")
        return community.LanceDB.from_texts(TEXTS, Letters(), uri=str(folder))  # type: ignore[no-any-return]
    qdrant = pytest.importorskip("langchain_qdrant")
    models = importlib.import_module("qdrant_client.models")
    return qdrant.QdrantVectorStore.from_texts(  # type: ignore[no-any-return]
        TEXTS,
        Letters(),
        location=":memory:",
        collection_name=f"of-{metric}",
        distance=models.Distance[metric],
    )


@pytest.fixture(
    params=[
        "memory",
        "faiss EUCLIDEAN_DISTANCE",
        "faiss MAX_INNER_PRODUCT",
        "chroma l2",
        "chroma ip",
        "chroma cosine",
        "lancedb",
        "qdrant COSINE",
        "qdrant EUCLID",
    ]
)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> VectorStore:
    return make(request.param, tmp_path)


pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")


class TestEveryStore:
    def test_the_nearest_has_the_highest_score(self, store: VectorStore) -> None:
        """The store's order stays, and the scores fall along it; they are floats."""
        expected = [document.page_content for document in store.similarity_search(QUERY, k=5)]

        found = scored(store).invoke(QUERY)

        assert [document.page_content for document in found] == expected
        scores = [document.metadata["retrieval_score"] for document in found]
        assert scores == sorted(scores, reverse=True)
        assert len(set(scores)) == 5
        assert {type(score) for score in scores} == {float}

    def test_awaited(self, store: VectorStore) -> None:
        """The same."""
        assert asyncio.run(scored(store).ainvoke(QUERY)) == scored(store).invoke(QUERY)

    def test_two_are_enough(self, store: VectorStore) -> None:
        """Where the core, which knows nothing of a store, must see three to believe it."""
        found = scored(store, k=2).invoke(QUERY)

        assert len(found) == 2
        first, second = (document.metadata["retrieval_score"] for document in found)
        assert first > second

    def test_the_default_goes_by_them(self, store: VectorStore) -> None:
        """Through `RerankRetriever`: as over scores that were handed over by hand."""
        told: list[Ranking] = []
        retriever = RerankRetriever(store, HybridReranker(on_ranking=told.append))

        found = retriever.invoke(QUERY)

        assert found[0].page_content == TEXTS[0]
        expected = [document.page_content for document in store.similarity_search(QUERY, k=5)]
        by_rank = sorted(told[0].all, key=lambda hit: hit.retrieved)
        assert [hit.text for hit in by_rank] == expected
        assert all(0 <= hit.components["retrieval"] <= 1 for hit in told[0].all)
        assert "score" not in told[0].report.why

    def test_the_stores_documents_stay_as_they_are(self, store: VectorStore) -> None:
        """No score is left in it."""
        scored(store).invoke(QUERY)

        assert all(
            "retrieval_score" not in document.metadata
            for document in store.similarity_search(QUERY, k=5)
        )


class Declaring(InMemoryVectorStore):
    """A store that says what it likes."""

    found: tuple[tuple[str, Any], ...] = ()

    def _select_relevance_score_fn(self) -> Any:
        return lambda distance: 1.0 - distance

    def similarity_search_with_score(self, query: str, k: int = 4, **kwargs: Any) -> Any:
        return [(Document(text), score) for text, score in self.found]

    async def asimilarity_search_with_score(self, *args: Any, **kwargs: Any) -> Any:
        return self.similarity_search_with_score("")


class TestWhatIsToldByWhat:
    @pytest.mark.parametrize(
        ("scores", "expected"),
        [
            ([0.25, 0.5, 0.75], [0.75, 0.5, 0.25]),  # as it declares
            ([0.75, 0.5, 0.25], [0.75, 0.5, 0.25]),  # its order says otherwise
            ([0.25], [0.75]),  # no order: as it declares
            ([0.25, 0.25], [0.75, 0.75]),
            ([0.5, 0.25, 0.75], [0.5, 0.75, 0.25]),
            ([0.25, None, 0.5], [0.75, None, 0.5]),
            ([], []),
        ],
    )
    def test_a_store_that_declares_distances(self, scores: Any, expected: Any) -> None:
        """The order of its answer comes first."""
        assert similarities(Declaring(Letters()), scores) == expected

    @pytest.mark.parametrize(
        ("scores", "expected"),
        [
            ([0.25, 0.5], [-0.25, -0.5]),
            ([0.5, 0.25], [0.5, 0.25]),
            ([0.5], [0.5]),
            ([0.5, 0.25, 0.75], [0.5, 0.25, 0.75]),
        ],
    )
    def test_a_store_that_declares_nothing(self, scores: Any, expected: Any) -> None:
        """The order of its answer alone."""
        assert similarities(InMemoryVectorStore(Letters()), scores) == expected

    def test_a_relevance_function_that_keeps_no_order(self) -> None:
        """Is not believed: LangChain's for inner products gives 0 for 0, and 0.9 for 0.1."""
        store = Declaring(Letters())
        store._select_relevance_score_fn = lambda: store._max_inner_product_relevance_score_fn  # type: ignore[method-assign]

        assert similarities(store, [0.0, 0.1, 0.4]) == [0.0, -0.1, -0.4]

    def test_an_odd_score_is_missing(self) -> None:
        """The others count."""
        store = Declaring(Letters())
        store.found = (("a", 0.25), ("b", float("nan")), ("c", None), ("d", 0.5))

        found = scored(store).invoke("q")

        assert [one.metadata["retrieval_score"] for one in found] == [0.75, None, None, 0.5]


class OnlyRelevance(InMemoryVectorStore):
    """As some stores are: no scores but relevance."""

    def similarity_search_with_score(self, query: str, k: int = 4, **kwargs: Any) -> Any:
        raise NotImplementedError

    async def asimilarity_search_with_score(self, *args: Any, **kwargs: Any) -> Any:
        raise NotImplementedError

    def _similarity_search_with_relevance_scores(
        self, query: str, k: int = 4, **kwargs: Any
    ) -> Any:
        return [(Document("near"), 0.9), (Document("far"), 0.1)]

    async def _asimilarity_search_with_relevance_scores(self, *args: Any, **kwargs: Any) -> Any:
        return self._similarity_search_with_relevance_scores("")


class Mute(InMemoryVectorStore):
    """No scores at all."""

    def similarity_search_with_score(self, query: str, k: int = 4, **kwargs: Any) -> Any:
        raise NotImplementedError

    async def asimilarity_search_with_score(self, *args: Any, **kwargs: Any) -> Any:
        raise NotImplementedError

    def similarity_search(self, query: str, k: int = 4, **kwargs: Any) -> list[Document]:
        return [Document("first"), Document("second")]

    async def asimilarity_search(self, query: str, k: int = 4, **kwargs: Any) -> list[Document]:
        return self.similarity_search(query)


@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
class TestAStoreThatHasLess:
    def test_relevance_will_do(self, is_async: bool) -> None:
        """Where there is no other score."""
        retriever = scored(OnlyRelevance(Letters()))
        found = asyncio.run(retriever.ainvoke("q")) if is_async else retriever.invoke("q")

        assert [one.metadata["retrieval_score"] for one in found] == [0.9, 0.1]

    def test_none_at_all_is_said(self, is_async: bool) -> None:
        """The documents come, and the report says that their order stands in."""
        told: list[Ranking] = []
        retriever = RerankRetriever(Mute(Letters()), Reranker(on_ranking=told.append))
        found = asyncio.run(retriever.ainvoke("q")) if is_async else retriever.invoke("q")

        assert [one.page_content for one in found] == ["first", "second"]
        assert "no candidate has a retriever's score" in told[0].report.why


class TestScored:
    def test_with_a_compressor_of_ours(self) -> None:
        """It looks where the scores are, without being told."""
        told: list[Ranking] = []
        compressor = HybridReranker(on_ranking=told.append)

        compressor.compress_documents(scored(make("memory", Path())).invoke(QUERY), QUERY)

        assert all(hit.components["retrieval:raw"] is not None for hit in told[0].all)

    def test_with_a_threshold(self) -> None:
        """As the store's retriever was set up."""
        store = make("faiss EUCLIDEAN_DISTANCE", Path())
        source = store.as_retriever(
            search_type="similarity_score_threshold", search_kwargs={"score_threshold": 0.5, "k": 5}
        )

        expected = source.invoke(QUERY)
        found = scored(source).invoke(QUERY)

        assert [one.page_content for one in found] == [one.page_content for one in expected]
        assert all(one.metadata["retrieval_score"] >= 0.5 for one in found)

    @pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
    def test_a_threshold_that_leaves_one(self, is_async: bool) -> None:
        """Its relevance is no distance, though a store with a relevance function has those."""
        store = Declaring(Letters())
        store.found = (("near", 0.25), ("far", 0.75))
        source = store.as_retriever(
            search_type="similarity_score_threshold", search_kwargs={"score_threshold": 0.5}
        )
        retriever = scored(source)

        (found,) = asyncio.run(retriever.ainvoke("q")) if is_async else retriever.invoke("q")

        assert (found.page_content, found.metadata["retrieval_score"]) == ("near", 0.75)

    def test_another_field(self) -> None:
        """A field of the user's own name that is filled already stays as it is."""
        store = InMemoryVectorStore(Letters())
        store.add_documents([Document("a", metadata={"mine": 7.0}), Document("b")])

        found = scored(store, score_field="mine").invoke("a")

        assert found[0].metadata["mine"] == 7.0
        assert 0 < found[1].metadata["mine"] < 1

    def test_what_says_no_scores_is_refused(self) -> None:
        """And what is no store."""

        class Own(VectorStoreRetriever):
            def _get_relevant_documents(self, query: str, **kwargs: Any) -> list[Document]:
                return []

        store = InMemoryVectorStore(Letters())
        with pytest.raises(ConfigurationError, match="Own searches in a way of its own"):
            scored(Own(vectorstore=store))
        with pytest.raises(ConfigurationError, match="not of 'faiss'"):
            scored("faiss")  # type: ignore[arg-type]


class TestAFieldThatIsNowhere:
    def test_is_said_with_the_nearest(self, caplog: pytest.LogCaptureFixture) -> None:
        """In every report, and once in the log."""
        told: list[Ranking] = []
        compressor = RerankCompressor(
            reranker=Reranker(on_ranking=told.append), score_field="similarty"
        )
        documents = [Document(text, metadata={"similarity": 0.5}) for text in TEXTS]

        for _ in range(2):
            compressor.compress_documents(documents, QUERY)

        assert not told[0].report.degraded
        assert "'similarty' in its metadata: did you mean 'similarity'?" in told[1].report.why
        assert caplog.text.count("'similarty' in its metadata") == 1
