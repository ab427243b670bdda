"""The embedded default: whose word counts for how much."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from rerank_core import Candidate, Ranking, Reranker
from rerank_core.ranking.candidate import Document
from rerank_core.ranking.given import Retrieved

RECIPES = [f"Recipe number {n}: bake at 100 degrees." for n in range(29)]
ANSWER = "To cancel a task, call task.cancel()."
QUERY = "how do I cancel a task?"


def hybrid(query: str, documents: Sequence[Document]) -> Ranking:
    return Reranker(top_n=3).rank(query, documents)


def test_a_plain_list_is_in_no_order() -> None:
    """The last of thirty comes first, by its words alone, and the report says by what."""
    ranking = hybrid(QUERY, [*RECIPES, ANSWER])

    assert ranking[0].text == ANSWER
    assert "no candidate has a retriever's score: BM25 alone decides" in ranking.report.why
    assert "retrieval" not in ranking[0].components


@pytest.mark.parametrize("kind", [list, Retrieved])
def test_position_never_beats_the_only_one_that_holds_the_words(kind: type) -> None:
    """Neither in a plain list nor where a retriever put it."""
    assert hybrid("cancel a task", kind(map(Candidate, ["tea", "cancel a task"])))[0].index == 1
    assert hybrid(QUERY, kind(map(Candidate, [*RECIPES, ANSWER])))[0].text == ANSWER


def test_a_retrievers_order_counts_for_less_than_bm25() -> None:
    """Between two that hold the word alike, it decides; the report says that it counted."""
    texts = ["tea", "a task", "green tea", "the tasks of the day", "black tea"]
    ranking = hybrid("task", Retrieved(map(Candidate, texts)))

    assert {hit.index for hit in ranking[:2]} == {1, 3}
    assert "its order counts" in ranking.report.why


def test_ties_stay_as_given() -> None:
    """Where no document holds a word, nothing moves."""
    ranking = Reranker().rank("zebra", ["one", "two", "three"])

    assert [hit.index for hit in ranking] == [0, 1, 2]


def test_scores_of_some_cannot_place_the_others() -> None:
    """One candidate without a score, and the retriever's scores are none for the list."""
    documents = [Candidate("tea", score=0.9), Candidate("a task", score=None)]

    ranking = hybrid("task", documents)

    assert ranking[0].index == 1
    assert "not every candidate has a retriever's score" in ranking.report.why


def test_scores_count_half() -> None:
    """A document that the retriever is sure of stays above one with a word more."""
    documents = [
        Candidate("Felines sleep most of the day", score=0.9),
        Candidate("The cat sat on the mat", score=0.85),
        Candidate("Dogs bark", score=0.1),
    ]

    ranking = hybrid("how long does a cat sleep", documents)

    assert ranking[2].text == "Dogs bark"
    assert ranking[0].components["retrieval"] is not None


def test_the_frameworks_hand_over_an_order() -> None:
    """A LangChain compressor and a LlamaIndex postprocessor stand behind a retriever."""
    documents = pytest.importorskip("langchain_core.documents")
    schema = pytest.importorskip("llama_index.core.schema")
    from langchain_rerank import HybridReranker as Compressor
    from llamaindex_rerank import HybridReranker as Postprocessor

    heard: list[Ranking] = []
    texts = ["tea", "a task", "coffee"]
    Compressor(on_ranking=heard.append).compress_documents(
        [documents.Document(text) for text in texts], "task"
    )
    Postprocessor(on_ranking=heard.append).postprocess_nodes(
        [schema.NodeWithScore(node=schema.TextNode(text=text)) for text in texts], query_str="task"
    )

    assert ["its order counts" in ranking.report.why for ranking in heard] == [True, True]
    assert [ranking[0].text for ranking in heard] == ["a task", "a task"]
