"""What retrievers, chat engines and agents really hand over, and what stands behind a reranker:
through both frameworks, sync and async."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import pytest

pytest.importorskip("langchain_core")
pytest.importorskip("llama_index.core")

from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.documents import Document
from langchain_core.runnables import RunnableLambda
from langchain_core.tracers.context import collect_runs
from llama_index.core.instrumentation import get_dispatcher  # type: ignore[attr-defined]
from llama_index.core.instrumentation.event_handlers import BaseEventHandler
from llama_index.core.instrumentation.events.rerank import ReRankEndEvent, ReRankStartEvent
from llama_index.core.postprocessor import SimilarityPostprocessor
from llama_index.core.schema import MetadataMode, NodeWithScore, TextNode

import langchain_rerank
import llamaindex_rerank
from llamaindex_rerank.postprocessor import RankedNode
from rerank_core import ConfigurationError, InvalidInputError, Ranking, Reranker
from rerank_core.errors import Reason, UnknownOptionError

TEXTS = ["Paris", "Rome, capital of Italy", "Oslo", "Bergen"]
QUERY = "capital of Italy"


def by_italy(query: str, texts: list[str]) -> list[float]:
    return [float("Italy" in text) for text in texts]


def down(query: str, texts: list[str]) -> list[float]:
    raise ConnectionError("the model is down")


@dataclass
class Framework:
    """One framework's face, through its sync or its async half."""

    name: str
    is_async: bool

    def around(self, reranker: Reranker, **options: Any) -> Any:
        if self.name == "langchain_rerank":
            options = {"score_field": "similarity", **options}
            return langchain_rerank.RerankCompressor(reranker=reranker, **options)
        return llamaindex_rerank.RerankPostprocessor(reranker=reranker, **options)

    def documents(self, texts: Iterable[str], scores: Iterable[Any] = ()) -> list[Any]:
        scores = [*scores]
        if self.name == "langchain_rerank":
            return [
                Document(text, id=text, metadata={"similarity": scores[n]} if scores else {})
                for n, text in enumerate(texts)
            ]
        return [
            NodeWithScore(node=TextNode(text=text, id_=text), score=scores[n] if scores else None)
            for n, text in enumerate(texts)
        ]

    def rerank(self, wrapper: Any, documents: Any, query: Any = QUERY) -> list[Any]:
        if self.name == "langchain_rerank":
            if self.is_async:
                return [*asyncio.run(wrapper.acompress_documents(documents, query))]
            return [*wrapper.compress_documents(documents, query)]
        if self.is_async:
            return [*asyncio.run(wrapper.apostprocess_nodes(documents, query_str=query))]
        return [*wrapper.postprocess_nodes(documents, query_str=query)]

    def text(self, found: Any) -> str:
        return str(found.page_content if isinstance(found, Document) else found.node.get_content())

    def score(self, found: Any) -> float:
        if isinstance(found, Document):
            return float(found.metadata["relevance_score"])
        return float(found.score)

    def is_estimated(self, found: Any) -> bool:
        if isinstance(found, Document):
            return bool(found.metadata.get("relevance_score_estimated"))
        return isinstance(found, RankedNode) and found.estimated


@pytest.fixture(params=["langchain_rerank", "llamaindex_rerank"])
def framework(request: pytest.FixtureRequest, face: bool) -> Framework:
    return Framework(request.param, face)


@pytest.fixture(params=[False, True], ids=["sync", "async"])
def face(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


@pytest.mark.parametrize("scores", [[0.1, 0.4, 2.0, 9.0], [-3.0, -2.0, -1.0, 0.0], [0, 1, 1, 2]])
@pytest.mark.parametrize("scorer", ["hybrid", down])
def test_distances_do_not_turn_the_order_round(
    framework: Framework, scores: list[float], scorer: Any
) -> None:
    """Where nothing else speaks for one of them, the nearest stays first, and a note says why."""
    told: list[Ranking] = []
    wrapper = framework.around(Reranker(scorer, top_n=2, on_ranking=told.append))

    found = framework.rerank(wrapper, framework.documents(TEXTS, scores), "xyzzy")

    assert [framework.text(one) for one in found] == TEXTS[:2]
    assert "distances" in told[0].report.why


@pytest.mark.parametrize(
    "given", [iter, lambda them: (one for one in them), lambda them: dict(enumerate(them)).values()]
)
def test_documents_that_can_be_iterated_once(
    framework: Framework, given: Callable[[Any], Any]
) -> None:
    """A retriever that yields loses nothing."""
    wrapper = framework.around(Reranker(by_italy))

    found = framework.rerank(wrapper, given(framework.documents(TEXTS)))

    assert sorted(map(framework.text, found)) == sorted(TEXTS)
    assert framework.text(found[0]) == TEXTS[1]


def test_a_retriever_as_it_comes_finds_too_few(framework: Framework) -> None:
    """Two or four, whatever `top_n` says: the report has how it finds more. A short list is none of
    these, nor one that is all that was wanted."""
    told: list[Ranking] = []
    wrapper = framework.around(Reranker(by_italy, on_ranking=told.append))
    for many in (4, 5, 0):
        framework.rerank(wrapper, framework.documents([f"text {n}" for n in range(many)]))
    framework.rerank(
        framework.around(wrapper.reranker.replace(top_n=4)), framework.documents(TEXTS)
    )

    said = [ranking.report.why for ranking in told]
    assert "4 candidates for top_n=10: " in said[0]
    assert any(name in said[0] for name in ('search_kwargs={"k": 50}', "similarity_top_k=50"))
    assert not any("top_n=" in later for later in said[1:])


@pytest.mark.parametrize("blank", ["", "  ", "\n"])
def test_a_blank_query_ends_no_turn(framework: Framework, blank: str) -> None:
    """The retriever's order, as many as were asked for, and the reason in the report."""
    told: list[Ranking] = []
    wrapper = framework.around(Reranker(by_italy, top_n=3, on_ranking=told.append))

    found = framework.rerank(wrapper, framework.documents(TEXTS), blank)

    assert [framework.text(one) for one in found] == TEXTS[:3]
    assert told[0].report.reasons == (Reason.QUERY,)


@pytest.mark.parametrize("odd", ["high", None, 3])
def test_one_that_is_no_document_ends_no_retrieval(framework: Framework, odd: Any) -> None:
    """It comes back as it is, where the others' scores suggest, and the report names it."""
    told: list[Ranking] = []
    documents = framework.documents(TEXTS)
    documents[2] = odd

    found = framework.rerank(
        framework.around(Reranker(by_italy, on_ranking=told.append)), documents
    )

    assert sum(one is odd for one in found) == 1
    assert framework.text(found[0]) == TEXTS[1]
    assert told[0].report.reasons == (Reason.DOCUMENT,)
    assert "document 2 (" in told[0].report.why


def test_nor_does_one_without_text(framework: Framework) -> None:
    """It is placed by an estimate, which is marked."""
    documents = framework.documents(TEXTS)
    if framework.name == "langchain_rerank":
        documents[0] = documents[0].model_copy(update={"page_content": None})
    else:
        documents[0].node = Unreadable(text="x", id_="x")

    found = framework.rerank(framework.around(Reranker(by_italy)), documents)

    assert [framework.is_estimated(one) for one in found].count(True) == 1
    assert len(found) == len(TEXTS)


class Unreadable(TextNode):
    """A node whose text raises."""

    def get_content(self, metadata_mode: MetadataMode = MetadataMode.NONE) -> str:
        raise KeyError("template")


def test_not_one_document_is_a_mistake(framework: Framework) -> None:
    """Somebody passed texts."""
    with pytest.raises(InvalidInputError, match=r"is a (LangChain|LlamaIndex) "):
        framework.rerank(framework.around(Reranker(by_italy)), TEXTS)


@pytest.mark.parametrize("scores", [(), (0.9, 0.8, 0.7, 0.6), (0.016, 0.015, 0.01, 0.01)])
@pytest.mark.parametrize("cutoff", [0.0, 0.3, 0.5])
def test_an_outage_does_not_empty_the_answer(
    framework: Framework, scores: Any, cutoff: float
) -> None:
    """A cut-off behind the reranker, chosen for its scores, keeps what the retriever brought."""
    wrapper = framework.around(Reranker(down))

    found = framework.rerank(wrapper, framework.documents(TEXTS, scores))

    assert [framework.text(one) for one in found] == TEXTS
    assert all(framework.is_estimated(one) for one in found)
    assert all(framework.score(one) > cutoff for one in found)
    if framework.name == "llamaindex_rerank":
        behind = SimilarityPostprocessor(similarity_cutoff=cutoff)
        assert len(behind.postprocess_nodes(found)) == len(TEXTS)


@pytest.mark.parametrize("missing", [{0}, {1, 2}, {0, 2, 3}])
def test_half_an_outage_has_scores_that_fall(framework: Framework, missing: set[int]) -> None:
    """Scores and estimates are on one scale, and only the estimates are marked."""

    def half(query: str, texts: list[str]) -> list[float | None]:
        return [None if n in missing else 0.9 - n / 10 for n in range(len(texts))]

    found = framework.rerank(framework.around(Reranker(half)), framework.documents(TEXTS))

    scores = [framework.score(one) for one in found]
    assert scores == sorted(scores, reverse=True)
    assert {framework.text(one) for one in found if framework.is_estimated(one)} == {
        TEXTS[n] for n in missing
    }


class TestTopN:
    """A field, as the frameworks' own rerankers have it."""

    def test_it_can_be_read(self, framework: Framework) -> None:
        assert framework.around(Reranker("bm25", top_n=3)).top_n == 3
        assert import_module(framework.name).BM25Reranker(top_n=None).top_n is None
        assert import_module(framework.name).HybridReranker().top_n == 10

    def test_it_can_be_set(self, framework: Framework) -> None:
        """On the wrapper, at construction, and in a copy."""
        reranker = Reranker(by_italy, top_n=3)
        wrapper, documents = framework.around(reranker), framework.documents(TEXTS)
        given = framework.around(reranker, top_n=1)
        copied = wrapper.model_copy(update={"top_n": 2})
        wrapper.top_n = 4

        assert [len(framework.rerank(one, documents)) for one in (given, copied, wrapper)] == [
            1,
            2,
            4,
        ]
        assert (reranker.top_n, copied.top_n) == (3, 2)

    def test_what_it_cannot_be_is_refused(self, framework: Framework) -> None:
        wrapper = framework.around(Reranker(by_italy))
        with pytest.raises(ValueError, match="top_n is 0"):
            framework.around(Reranker(by_italy), top_n=0)
        with pytest.raises(ConfigurationError, match="top_n is -1"):
            wrapper.model_copy(update={"top_n": -1})


def test_a_copy_may_have_other_options(framework: Framework) -> None:
    """Those of the reranker, too; what is no option is refused, and nothing is ignored."""
    preset = import_module(framework.name).BM25Reranker(top_n=3, timeout=1)

    copied = preset.model_copy(update={"timeout": 2, "depth": 5})

    assert (copied.reranker.timeout, copied.reranker.depth, copied.top_n) == (2, 5, 3)
    assert (preset.reranker.timeout, preset.reranker.depth) == (1, None)
    with pytest.raises(UnknownOptionError, match="did you mean top_n"):
        preset.model_copy(update={"top_k": 2})


class TestLangChainTraces:
    """A failed rerank does not look like a good one."""

    @pytest.fixture
    def run(self, face: bool) -> Callable[..., Any]:
        """The reranker's run, in a node that passes no callbacks on."""

        def ask(compressor: Any, documents: Any, query: str = QUERY) -> Any:
            async def anode(_: Any) -> Any:
                return await compressor.acompress_documents(documents, query)

            def node(_: Any) -> Any:
                return compressor.compress_documents(documents, query)

            with collect_runs() as collected:
                if face:
                    asyncio.run(RunnableLambda(anode, name="node").ainvoke({}))
                else:
                    RunnableLambda(node, name="node").invoke({})
            (root,) = collected.traced_runs
            (run,) = root.child_runs
            assert "rerank_coverage" not in (root.extra or {}).get("metadata", {})
            return run

        return ask

    @pytest.mark.parametrize(
        ("scorer", "query", "coverage", "reasons"),
        [(by_italy, QUERY, 1.0, []), (down, QUERY, 0.0, ["scorer"]), ("bm25", " ", 0.0, ["query"])],
    )
    def test_a_run_says_how_it_went(
        self, run: Any, scorer: Any, query: str, coverage: float, reasons: list[str]
    ) -> None:
        """Below the run at hand, with coverage, reasons and cost, in outputs and metadata."""
        compressor = langchain_rerank.RerankCompressor(reranker=Reranker(scorer))

        found = run(compressor, [Document(text) for text in TEXTS], query)

        assert found.name == "RerankCompressor"
        assert found.extra["metadata"]["rerank_coverage"] == coverage
        assert found.extra["metadata"]["rerank_degraded"] is bool(reasons)
        assert found.extra["metadata"]["rerank_reasons"] == reasons
        assert found.extra["metadata"]["rerank_cost"] == 0.0
        assert found.outputs["report"]["reasons"] == reasons
        assert len(found.outputs["documents"]) == len(TEXTS)

    def test_it_says_what_scored(self, run: Any) -> None:
        """By its name, and not that of a part."""
        found = run(langchain_rerank.HybridReranker(), [Document(text) for text in TEXTS])

        assert found.extra["metadata"]["rerank_scorer"] == "hybrid"

    def test_where_nobody_listens_there_is_no_run(self) -> None:
        """And nothing to pay for one."""
        made: list[Any] = []

        class Handler(BaseCallbackHandler):
            def on_chain_start(self, *args: Any, **kwargs: Any) -> None:
                made.append(kwargs["name"])

        compressor = langchain_rerank.BM25Reranker()
        compressor.compress_documents([Document("a")], QUERY)
        compressor.compress_documents([Document("a")], QUERY, callbacks=[Handler()])

        assert made == ["BM25Reranker"]


class Events(BaseEventHandler):
    """Notes every event."""

    seen: list[Any] = []  # noqa: RUF012

    def handle(self, event: Any, **kwargs: Any) -> None:
        self.seen.append(event)


@pytest.fixture
def events() -> Iterator[list[Any]]:
    handler, dispatcher = Events(seen=[]), get_dispatcher()
    dispatcher.add_event_handler(handler)
    yield handler.seen
    dispatcher.event_handlers.remove(handler)


class TestLlamaIndex:
    @pytest.mark.parametrize(
        ("scorer", "name", "coverage"),
        [("hybrid", "hybrid", 1.0), ("bm25", "bm25", 1.0), (down, "down", 0.0)],
    )
    def test_events_say_how_it_went(
        self, face: bool, events: list[Any], scorer: Any, name: str, coverage: float
    ) -> None:
        """The start what scores, the end how far it did."""
        llama_index = Framework("llamaindex_rerank", face)

        llama_index.rerank(llama_index.around(Reranker(scorer)), llama_index.documents(TEXTS))

        (start,) = [one for one in events if isinstance(one, ReRankStartEvent)]
        (end,) = [one for one in events if isinstance(one, ReRankEndEvent)]
        assert start.model_name == name
        assert (end.tags["coverage"], end.tags["degraded"]) == (coverage, coverage < 1)
        assert {"reasons", "cost", "notes"} <= set(end.tags)

    @pytest.mark.parametrize("scores", [(0.4, 0.3, 0.2, 0.1), (9, 8, 7, 6), ()])
    def test_the_retrievers_score_can_be_kept(self, face: bool, scores: Any) -> None:
        """Beside the new one, and nowhere that a prompt or a hash would see it."""
        llama_index = Framework("llamaindex_rerank", face)
        nodes = llama_index.documents(TEXTS, scores)
        wrapper = llama_index.around(Reranker(by_italy), keep_retrieval_score=True)

        found = llama_index.rerank(wrapper, nodes)

        kept = {node.node.get_content(): node.retrieval_score for node in found}
        assert kept == {text: n.score for text, n in zip(TEXTS, nodes, strict=True)}
        assert all(node.node.metadata == {} for node in found)
        assert found[0].score == 1.0

    @pytest.mark.parametrize(
        ("mode", "shown"),
        [
            (MetadataMode.NONE, "text"),
            ("llm", "for: llm\n\ntext"),
            (MetadataMode.ALL, "for: llm\nown: embed\n\ntext"),
        ],
    )
    def test_how_much_of_a_node_is_scored(self, face: bool, mode: Any, shown: str) -> None:
        """`metadata_mode`, as it is elsewhere in LlamaIndex."""
        seen: list[str] = []

        def scorer(query: str, texts: list[str]) -> list[float]:
            seen.extend(texts)
            return [1.0]

        node = TextNode(
            text="text",
            metadata={"for": "llm", "own": "embed"},
            excluded_llm_metadata_keys=["own"],
        )
        llama_index = Framework("llamaindex_rerank", face)
        wrapper = llama_index.around(Reranker(scorer), metadata_mode=mode)

        llama_index.rerank(wrapper, [NodeWithScore(node=node)])

        assert seen == [shown]

    def test_a_copy_is_stored_as_it_is(self) -> None:
        """Not as what it was copied from."""
        copied = llamaindex_rerank.BM25Reranker(top_n=3).model_copy(update={"timeout": 2.0})

        again = llamaindex_rerank.BM25Reranker.from_dict(copied.to_dict())

        assert (again.reranker.timeout, again.top_n) == (2.0, 3)
