"""`RerankRetriever`: a store or a retriever, and a reranker behind it, on langchain-core alone."""

from __future__ import annotations

import asyncio
import json
import pickle
import re
from collections.abc import Callable
from typing import Any

import pytest

pytest.importorskip("langchain_core")

from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.documents import Document
from langchain_core.load import dumpd, dumps
from langchain_core.retrievers import BaseRetriever
from langchain_core.runnables import ConfigurableField, RunnableLambda
from langchain_core.tracers.context import collect_runs
from langchain_core.vectorstores import InMemoryVectorStore, VectorStoreRetriever
from letters import Letters

from langchain_rerank import (
    BM25Reranker,
    HybridReranker,
    RerankCompressor,
    RerankRetriever,
    rerank_tool,
)
from rerank_core import ConfigurationError, InvalidInputError, Ranking, Reranker
from rerank_core.errors import UnknownOptionError

QUERY = "capital of Italy"
TEXTS = [f"filler number {n} about nothing" for n in range(9)]
TEXTS.insert(4, "Rome is the capital of Italy")

Retrieve = Callable[..., list[Document]]


class Kept(BaseRetriever):
    """A retriever that always finds the same."""

    documents: list[Document]

    def _get_relevant_documents(self, query: str, *, run_manager: Any) -> list[Document]:
        return self.documents


@pytest.fixture
def store() -> InMemoryVectorStore:
    documents = [Document(text, id=str(n), metadata={"n": n}) for n, text in enumerate(TEXTS)]
    store = InMemoryVectorStore(Letters())
    store.add_documents(documents)
    return store


@pytest.fixture(params=["sync", "async"])
def retrieve(request: pytest.FixtureRequest) -> Retrieve:
    def call(retriever: Any, query: str = QUERY, *args: Any, **options: Any) -> list[Document]:
        if request.param == "sync":
            return list(retriever.invoke(query, *args, **options))
        return list(asyncio.run(retriever.ainvoke(query, *args, **options)))

    return call


def texts(documents: list[Document]) -> list[str]:
    return [document.page_content for document in documents]


class TestOverAStore:
    def test_the_best_comes_first(self, store: Any, retrieve: Retrieve) -> None:
        """By the embedded default; ids are kept, and metadata but for the score."""
        found = retrieve(RerankRetriever(store, k=3))

        assert texts(found)[0] == "Rome is the capital of Italy"
        assert len(found) == 3
        assert found[0].id == "4"
        assert isinstance(found[0].metadata.pop("relevance_score"), float)
        assert found[0].metadata == {"n": 4}

    def test_its_scores_count(self, store: Any, retrieve: Retrieve) -> None:
        """They are asked for, and shown to the reranker."""
        told: list[Ranking] = []
        retriever = RerankRetriever(store, HybridReranker(on_ranking=told.append))

        retrieve(retriever)

        expected = {
            document.page_content: score
            for document, score in store.similarity_search_with_score(QUERY, k=50)
        }
        seen = {hit.text: hit.components["retrieval:raw"] for hit in told[0].all}
        assert seen == pytest.approx(expected)
        assert "score" not in told[0].report.why

    def test_they_are_kept_where_that_is_asked_for(self, store: Any, retrieve: Retrieve) -> None:
        """Beside the reranker's."""
        found = retrieve(RerankRetriever(store, keep_retrieval_score=True))

        expected = {
            document.id: score
            for document, score in store.similarity_search_with_score(QUERY, k=50)
        }
        assert {one.id: one.metadata["retrieval_score"] for one in found} == pytest.approx(expected)

    def test_nothing_of_the_stores_changes(self, store: Any, retrieve: Retrieve) -> None:
        """Copies are returned."""
        before = json.dumps(store.store, sort_keys=True)

        retrieve(RerankRetriever(store, keep_retrieval_score=True))

        assert json.dumps(store.store, sort_keys=True) == before

    @pytest.mark.parametrize("said", ["no field", "no scores", "a search of its own"])
    def test_a_score_that_the_user_left_there_stays(self, retrieve: Retrieve, said: str) -> None:
        """Where the store's is not written, it is not taken away either."""

        class Own(VectorStoreRetriever):
            def _get_relevant_documents(self, query: str, **kwargs: Any) -> list[Document]:
                return [Document("a", metadata={"retrieval_score": 7.0})]

            async def _aget_relevant_documents(self, query: str, **kwargs: Any) -> list[Document]:
                return self._get_relevant_documents(query)

        store = InMemoryVectorStore(Letters())
        store.add_documents([Document("a", metadata={"retrieval_score": 7.0})])
        source = Own(vectorstore=store) if said == "a search of its own" else store
        reranker = RerankCompressor(
            reranker=Reranker("bm25", retrieval_score="none" if said == "no scores" else None),
            score_field=None if said == "no field" else "retrieval_score",
        )

        (found,) = retrieve(RerankRetriever(source, reranker), "a")

        assert found.metadata["retrieval_score"] == 7.0

    def test_how_many_are_fetched(self, store: Any, retrieve: Retrieve) -> None:
        """50, or `fetch_k`, or what the store's retriever says; never the store's own four."""
        for source, options, expected in (
            (store, {}, 10),
            (store, {"fetch_k": 7}, 7),
            (store.as_retriever(), {}, 10),
            (store.as_retriever(search_kwargs={"k": 6}), {}, 6),
            (store.as_retriever(search_kwargs={"k": 6}), {"fetch_k": 8}, 8),
        ):
            told: list[Ranking] = []
            reranker = Reranker(on_ranking=told.append)

            retrieve(RerankRetriever(source, reranker, **options))

            assert len(told[0].all) == expected
            assert "score" not in told[0].report.why

    def test_a_filter_reaches_the_store(self, store: Any, retrieve: Retrieve) -> None:
        """At construction, and by call."""

        def few(document: Document) -> bool:
            return bool(document.metadata["n"] < 3)

        by_option = RerankRetriever(store, search_kwargs={"filter": few})
        assert {one.metadata["n"] for one in retrieve(by_option)} == {0, 1, 2}
        assert {one.metadata["n"] for one in retrieve(RerankRetriever(store), filter=few)} == {
            0,
            1,
            2,
        }

    def test_a_search_for_diversity_has_no_scores(self, store: Any, retrieve: Retrieve) -> None:
        """The order stands in, and the report says so."""
        told: list[Ranking] = []
        source = store.as_retriever(search_type="mmr", search_kwargs={"k": 5})

        found = retrieve(RerankRetriever(source, Reranker(on_ranking=told.append)))

        assert len(found) == 5
        assert "no candidate has a retriever's score" in told[0].report.why

    @pytest.mark.parametrize("said", ["similarity", "distance", "none"])
    def test_what_the_user_says_of_the_scores_rules(
        self, store: Any, retrieve: Retrieve, said: Any
    ) -> None:
        """They reach the reranker as the store has them, or not at all."""
        told: list[Ranking] = []
        reranker = Reranker(retrieval_score=said, on_ranking=told.append)

        retrieve(RerankRetriever(store, reranker))

        first = store.similarity_search_with_score(QUERY, k=1)[0]
        retrieved = {hit.text: hit.retrieved for hit in told[0].all}
        if said == "none":
            assert all("retrieval:raw" not in hit.components for hit in told[0].all)
        else:
            expected = 1 if said == "similarity" else len(TEXTS)
            assert retrieved[first[0].page_content] == expected


class TestOverARetriever:
    def test_any_will_do(self, retrieve: Retrieve) -> None:
        """A retriever, or another Runnable that finds documents."""
        documents = [Document(text) for text in TEXTS]
        for source in (Kept(documents=documents), RunnableLambda(lambda query: documents)):
            found = retrieve(RerankRetriever(source, "bm25", k=1))
            assert texts(found) == ["Rome is the capital of Italy"]

    def test_its_own_scores_count(self, retrieve: Retrieve) -> None:
        """By the field that is named; they stay in the documents."""
        documents = [Document(text, metadata={"s": -n}) for n, text in enumerate("abc")]
        told: list[Ranking] = []
        reranker = RerankCompressor(
            reranker=Reranker("bm25", on_ranking=told.append), score_field="s"
        )

        found = retrieve(RerankRetriever(Kept(documents=documents), reranker), "a")

        assert [hit.components["retrieval"] for hit in told[0].all] == [0, -1, -2]
        assert [one.metadata["s"] for one in found] == [0, -1, -2]

    def test_nothing_found_is_nothing_returned(self, retrieve: Retrieve) -> None:
        """And no error."""
        assert retrieve(RerankRetriever(Kept(documents=[]))) == []


class TestTheReranker:
    @pytest.mark.parametrize(
        "reranker",
        [
            "bm25",
            "hybrid > bm25@5",
            None,
            Reranker("bm25"),
            BM25Reranker(),
            lambda query, texts: [float("Rome" in text) for text in texts],
        ],
        ids=["name", "cascade", "nothing", "core", "preset", "function"],
    )
    def test_it_is_anything_of_ours(self, store: Any, retrieve: Retrieve, reranker: Any) -> None:
        """And what `Reranker` takes for a scorer."""
        found = retrieve(RerankRetriever(retriever=store, reranker=reranker))

        assert texts(found)[0] == "Rome is the capital of Italy"

    def test_how_many_are_returned(self, store: Any, retrieve: Retrieve) -> None:
        """By call, by `k`, or by the reranker's `top_n`, in this order."""
        assert len(retrieve(RerankRetriever(store, BM25Reranker(top_n=4)))) == 4
        assert len(retrieve(RerankRetriever(store, BM25Reranker(top_n=4), k=5))) == 5
        assert len(retrieve(RerankRetriever(store, BM25Reranker(top_n=4), k=5), k=6)) == 6

    def test_what_a_call_may_not_ask_for(self, store: Any, retrieve: Retrieve) -> None:
        """Is said by the name that it has here."""
        with pytest.raises(InvalidInputError, match=r"^k is 0"):
            retrieve(RerankRetriever(store, "bm25"), k=0)

    def test_a_call_for_fewer_shares_its_limits(self, store: Any) -> None:
        """One reranker serves them all."""
        retriever = RerankRetriever(store, "bm25", k=5)

        assert retriever._for(2)[0].reranker is retriever.reranker.reranker

    def test_as_many_are_fetched_as_are_to_be_returned(self, retrieve: Retrieve) -> None:
        """By option and by call; where it is said how many are fetched, a call cannot ask more."""
        store = InMemoryVectorStore(Letters())
        store.add_texts([f"text {n}" for n in range(70)])

        assert len(retrieve(RerankRetriever(store, "bm25", k=60))) == 60
        assert len(retrieve(RerankRetriever(store, "bm25"), k=60)) == 60
        with pytest.raises(InvalidInputError, match="k is 60, but only 55 are fetched"):
            retrieve(RerankRetriever(store, "bm25", fetch_k=55), k=60)


class TestWhatCannotBe:
    def test_is_refused_at_construction(self, store: Any) -> None:
        """With what to do instead."""
        kept, few = Kept(documents=[]), store.as_retriever(search_kwargs={"k": 4})
        for make, said in (
            (lambda: RerankRetriever("faiss"), "retriever is a vector store"),
            (lambda: RerankRetriever(InMemoryVectorStore), "retriever is a vector store"),
            (lambda: RerankRetriever(kept, fetch_k=9), "fetch_k= is for a vector store"),
            (lambda: RerankRetriever(kept, search_kwargs={"k": 9}), "search_kwargs= is for"),
            (lambda: RerankRetriever(store, search_kwargs={"k": 9}), "fetch_k= says how many"),
            (lambda: RerankRetriever(store, k=0), "k is 0: ask for at least 1"),
            (lambda: RerankRetriever(store, fetch_k=1.5), "fetch_k is a whole number"),
            (lambda: RerankRetriever(store, "nonesuch"), "no scorer is called 'nonesuch'"),
            (lambda: RerankRetriever(store, HybridReranker), "a scorer is a name"),
            (lambda: RerankRetriever(store, k=10, fetch_k=5), "only 5 are fetched: fetch_k=50"),
            (lambda: RerankRetriever(few, k=10), "only 4 are fetched: fetch_k=50"),
            (lambda: RerankRetriever(store, "r.toml"), r"Reranker\.from_config\('r\.toml'\)"),
            (lambda: RerankRetriever(store, search_kwargs=3), "search_kwargs: Input should be"),
        ):
            with pytest.raises(ConfigurationError, match=said):
                make()  # type: ignore[no-untyped-call]

    def test_the_nearest_option_is_told(self, store: Any) -> None:
        """For one that there is not; `top_n` goes by another name here."""
        with pytest.raises(UnknownOptionError, match="did you mean fetch_k"):
            RerankRetriever(store, fetchk=9)  # type: ignore[call-arg]
        with pytest.raises(UnknownOptionError, match="top_n is the reranker's: here k= says how"):
            RerankRetriever(store, top_n=9)  # type: ignore[call-arg]
        with pytest.raises(UnknownOptionError, match="no option is 'top_k': here k= says how"):
            RerankRetriever(store, top_k=9)  # type: ignore[call-arg]

    @pytest.mark.parametrize(
        ("reranker", "written"),
        [
            (None, "Reranker({}=…)"),
            ("hybrid", 'Reranker("hybrid", {}=…)'),
            (Reranker("bm25"), "Reranker(…, {}=…)"),
            (BM25Reranker(), "BM25Reranker(…, {}=…)"),
            (len, "Reranker(…, {}=…)"),
        ],
        ids=["default", "name", "reranker", "preset", "function"],
    )
    def test_an_option_of_the_rerankers_is_said_to_be_so(
        self, store: Any, reranker: Any, written: str
    ) -> None:
        """With how to write it, by the retriever and by the tool."""
        for option in ("timeout", "fallback", "on_ranking", "threshold"):
            said = re.escape(written.format(option))
            with pytest.raises(UnknownOptionError, match=rf"RerankRetriever\(store, {said}\)$"):
                RerankRetriever(store, reranker, **{option: None})  # type: ignore[misc]
            with pytest.raises(UnknownOptionError, match=rf"rerank_tool\(store, {said}\)$"):
                rerank_tool(store, reranker, name="s", description="d", **{option: None})  # type: ignore[misc]

    def test_a_source_that_finds_no_documents(self) -> None:
        """Is told what it found instead."""
        with pytest.raises(InvalidInputError, match="a document is a LangChain Document"):
            RerankRetriever(RunnableLambda(lambda query: ["text"])).invoke(QUERY)


class Runs(BaseCallbackHandler):
    """Notes runs by name, and under which they are."""

    def __init__(self) -> None:
        self.names: dict[Any, str] = {}
        self.under: dict[str, str | None] = {}
        self.tags: dict[str, list[str]] = {}
        self.metadata: dict[str, Any] = {}

    def _start(self, serialized: Any, inputs: Any, **kwargs: Any) -> None:
        name, parent = kwargs["name"], kwargs.get("parent_run_id")
        self.names[kwargs["run_id"]] = name
        self.under[name] = self.names[parent] if parent else None
        self.tags[name] = kwargs["tags"]
        self.metadata[name] = kwargs["metadata"]

    on_chain_start = on_retriever_start = _start


class TestAsARunnable:
    def test_the_tree_of_its_runs(self, store: Any, retrieve: Retrieve) -> None:
        """The search and the reranking are under it, by their names; tags go with the config."""
        runs = Runs()
        retriever = RerankRetriever(store, "bm25", tags=["mine"], metadata={"own": 1})

        retrieve(retriever, QUERY, {"callbacks": [runs], "tags": ["theirs"]})

        assert runs.under == {
            "RerankRetriever": None,
            "VectorStoreRetriever": "RerankRetriever",
            "RerankCompressor": "RerankRetriever",
        }
        assert set(runs.tags["RerankRetriever"]) == {"mine", "theirs"}
        metadata = runs.metadata["RerankRetriever"]
        assert metadata["own"] == 1
        assert metadata["ls_retriever_name"] == "rerank"
        assert metadata["ls_vector_store_provider"] == "InMemoryVectorStore"
        assert metadata["rerank_scorer"] == "bm25"

    def test_a_name_of_its_own(self, store: Any, retrieve: Retrieve) -> None:
        """By option, or for a run."""
        runs = Runs()

        retrieve(RerankRetriever(store, "bm25", name="search"), QUERY, {"callbacks": [runs]})
        retrieve(
            RerankRetriever(store, "bm25"), QUERY, {"callbacks": [runs], "run_name": "this one"}
        )

        assert {"search", "this one"} <= set(runs.under)

    def test_the_report_is_in_the_trace(self, store: Any, retrieve: Retrieve) -> None:
        """Of the reranking below it."""
        with collect_runs() as collected:
            retrieve(RerankRetriever(store, "bm25"))

        (run,) = collected.traced_runs
        below = next(one for one in run.child_runs if one.name == "RerankCompressor")
        assert below.extra["metadata"]["rerank_coverage"] == 1.0

    def test_many_at_once(self, store: Any) -> None:
        """`batch`, `abatch`, and both streams."""
        retriever = RerankRetriever(store, "bm25", k=1)

        async def both() -> tuple[Any, Any]:
            streamed = [one async for one in retriever.astream(QUERY)]
            return await retriever.abatch([QUERY] * 5), streamed

        batched, streamed = asyncio.run(both())
        assert retriever.batch([QUERY] * 5) == batched
        assert [texts(one) for one in batched] == [["Rome is the capital of Italy"]] * 5
        assert list(retriever.stream(QUERY)) == streamed == [batched[0]]

    def test_in_a_chain(self, store: Any, retrieve: Retrieve) -> None:
        """Fields may be configured, and kwargs bound."""
        chain = RerankRetriever(store, "bm25") | RunnableLambda(lambda found: found[:1])
        assert texts(retrieve(chain)) == ["Rome is the capital of Italy"]

        open_ = RerankRetriever(store, "bm25", k=5).configurable_fields(k=ConfigurableField("k"))
        assert len(retrieve(open_, QUERY, {"configurable": {"k": 2}})) == 2
        assert len(retrieve(RerankRetriever(store, "bm25").bind(k=3))) == 3

    def test_an_agents_tool(self, store: Any) -> None:
        """Text for the model, the documents with their scores beside it."""
        tool = rerank_tool(store, "bm25", k=1, name="search", description="finds things")

        message = tool.invoke(
            {"name": "search", "args": {"query": QUERY}, "id": "1", "type": "tool_call"}
        )

        assert message.content == "Rome is the capital of Italy"
        assert message.artifact[0].metadata["relevance_score"] > 0
        assert list(tool.args) == ["query"]
        with pytest.raises(TypeError, match="k: the RerankRetriever says that"):
            rerank_tool(RerankRetriever(store), name="s", description="d", k=3)

    def test_a_blank_query_ends_no_run(self, store: Any, retrieve: Retrieve) -> None:
        """As a model may ask it."""
        assert len(retrieve(RerankRetriever(store, "bm25"), " ")) == 10


class TestAsAValue:
    def test_schema_dump_and_pickle(self) -> None:
        """What can be said of it is; it survives pickling, and holds no key in what is dumped."""
        source = Kept(documents=[Document(text) for text in TEXTS])
        retriever = RerankRetriever(source, "bm25", k=2)

        properties = retriever.model_json_schema()["properties"]
        assert {"retriever", "reranker", "k", "fetch_k"} <= set(properties)
        assert dumpd(retriever)["id"][-1] == "RerankRetriever"
        assert "RerankRetriever" in dumps(retriever)
        again = pickle.loads(pickle.dumps(retriever))
        assert again.invoke(QUERY) == retriever.invoke(QUERY)

    def test_a_copy_takes_fields(self, store: Any) -> None:
        """As every model of pydantic's."""
        copied = RerankRetriever(store, "bm25").model_copy(update={"k": 2, "fetch_k": 5})

        assert len(copied.invoke(QUERY)) == 2
