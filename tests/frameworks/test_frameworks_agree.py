"""The same query and documents: the same order and scores, whichever way they come."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from loopback import Fault, OpenAIAPI, Server, scoring

from rerank_core import Candidate, Reranker

pytest.importorskip("langchain_core")
pytest.importorskip("llama_index.core")

from langchain_core.documents import Document
from llama_index.core.schema import (
    NodeRelationship,
    NodeWithScore,
    RelatedNodeInfo,
    TextNode,
)

import langchain_rerank
import llamaindex_rerank

QUERY = "which river runs through Rome"
#: Text, title, the retriever's score: best retrieved first, two of them alike.
FOUND = [
    ("The Danube runs through four capitals.", "Danube", 0.92),
    ("It is the third longest river in Italy and runs through its capital.", "Tiber", 0.90),
    ("The Seine runs through Paris.", "Seine", 0.90),
    ("The Tiber is the river of Rome.", "Rome", 0.74),
    ("Hadrian built a bridge in Rome.", "Hadrian", 0.61),
    ("Nothing of the kind.", "Nothing", 0.60),
] + [(f"River number {n} runs through a town.", f"River {n}", 0.5 - n / 100) for n in range(20)]

Hits = list[tuple[str | None, float | None]]


def through_core(reranker: Reranker) -> Hits:
    candidates = [
        Candidate(f"title: {title}\n\n{text}", id=title, score=score)
        for text, title, score in FOUND
    ]
    return [(hit.id, hit.score) for hit in reranker.rank(QUERY, candidates)]


def documents() -> list[Document]:
    return [
        Document(text, id=title, metadata={"title": title, "similarity": score})
        for text, title, score in FOUND
    ]


def compressor(reranker: Reranker) -> langchain_rerank.RerankCompressor:
    return langchain_rerank.RerankCompressor(
        reranker=reranker, metadata_fields=("title",), score_field="similarity"
    )


def through_langchain(reranker: Reranker) -> Hits:
    found = compressor(reranker).compress_documents(documents(), QUERY)
    return [(document.id, document.metadata["relevance_score"]) for document in found]


def through_langchain_async(reranker: Reranker) -> Hits:
    found = asyncio.run(compressor(reranker).acompress_documents(documents(), QUERY))
    return [(document.id, document.metadata["relevance_score"]) for document in found]


def nodes() -> list[NodeWithScore]:
    return [
        NodeWithScore(node=TextNode(text=text, id_=title, metadata={"title": title}), score=score)
        for text, title, score in FOUND
    ]


def through_llama_index(reranker: Reranker) -> Hits:
    postprocessor = llamaindex_rerank.RerankPostprocessor(reranker=reranker)
    found = postprocessor.postprocess_nodes(nodes(), query_str=QUERY)
    return [(node.node.node_id, node.score) for node in found]


def through_llama_index_async(reranker: Reranker) -> Hits:
    postprocessor = llamaindex_rerank.RerankPostprocessor(reranker=reranker)
    found = asyncio.run(postprocessor.apostprocess_nodes(nodes(), query_str=QUERY))
    return [(node.node.node_id, node.score) for node in found]


@pytest.fixture(autouse=True)
def _server(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A model for those who ask one."""
    hang_up = Fault("hang-up", headers={"connection": "close"})
    with Server(OpenAIAPI(scoring()), faults=[hang_up]) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", f"{server.url}/v1")
        monkeypatch.setenv("OPENAI_API_KEY", "any")
        yield


@pytest.mark.parametrize("scorer", ["bm25", "hybrid", "llm:any-model"])
@pytest.mark.parametrize(
    "through",
    [
        through_langchain,
        through_langchain_async,
        through_llama_index,
        through_llama_index_async,
    ],
)
def test_the_same_order_and_scores(scorer: str, through: Callable[[Reranker], Hits]) -> None:
    """To the last digit, and not those that the retriever came with."""
    with Reranker(scorer, top_n=12) as reranker:
        expected = through_core(reranker)

        assert through(reranker) == expected
        assert [identity for identity, _ in expected] != [title for _, title, _ in FOUND[:12]]


@pytest.mark.parametrize("name", [n for n in langchain_rerank.__all__ if n.endswith("Reranker")])
def test_presets_are_mirror_images(name: str) -> None:
    """The same names, the same scorers, for both."""
    ours, theirs = getattr(langchain_rerank, name), getattr(llamaindex_rerank, name)

    assert ours.kind == theirs.kind
    assert ours.__name__ == theirs.__name__ == name


def test_a_tuned_file_is_loaded_by_both(tmp_path: Path) -> None:
    """What `rerank tune` writes goes into either framework as it does into the core."""
    file = tmp_path / "reranker.toml"
    Reranker("bm25", top_n=3, depth=20).to_config(file)

    compressor = langchain_rerank.RerankCompressor.from_config(file)
    postprocessor = llamaindex_rerank.RerankPostprocessor.from_config(file)

    for made in (compressor.reranker, postprocessor.reranker):
        assert (list(made.scorers), made.top_n, made.depth) == (["bm25"], 3, 20)


def test_repeats_and_too_much_of_one_source_are_dropped_in_both() -> None:
    """By metadata; in LlamaIndex by the document that a node was cut from, too."""
    texts = ["rivers of Rome", "Rivers of Rome!", "a river", "another river", "the last river"]
    sources = ["a", "b", "a", "a", "b"]
    options = {"duplicates": "drop", "top_n": None}
    documents = [
        Document(text, metadata={"source": source})
        for text, source in zip(texts, sources, strict=True)
    ]
    nodes = [
        NodeWithScore(
            node=TextNode(
                text=text,
                metadata={"source": source},
                excluded_embed_metadata_keys=["source"],
                relationships={NodeRelationship.SOURCE: RelatedNodeInfo(node_id=source)},
            )
        )
        for text, source in zip(texts, sources, strict=True)
    ]

    compressed = langchain_rerank.BM25Reranker(max_per=("source", 2), **options).compress_documents(
        documents, "river"
    )
    found = [document.page_content for document in compressed]
    assert sorted(found) == sorted([texts[2], texts[3], texts[4]])

    for field in ("source", "ref_doc_id"):
        preset = llamaindex_rerank.BM25Reranker(max_per=(field, 2), **options)
        ranked = preset.postprocess_nodes(nodes, query_str="river")
        assert [node.node.get_content() for node in ranked] == found
        again = type(preset).from_dict(preset.to_dict())
        assert again.reranker.max_per == (field, 2)
    assert all("ref_doc_id" not in node.node.metadata for node in nodes)
