"""Twelve texts in an index of LlamaIndex', of which one is the answer."""

from __future__ import annotations

from collections.abc import Sequence

from llama_index.core import MockEmbedding, VectorStoreIndex
from llama_index.core.schema import NodeWithScore, TextNode

QUERY = "capital of Italy"
TEXTS = {f"f{n}": f"filler number {n} about nothing" for n in range(11)}
TEXTS["rome"] = "Rome is the capital of Italy"


def index() -> VectorStoreIndex:
    """A real index, whose embeddings say nothing."""
    nodes = [TextNode(text=text, id_=name) for name, text in TEXTS.items()]
    return VectorStoreIndex(nodes, embed_model=MockEmbedding(embed_dim=4))


def names(nodes: Sequence[NodeWithScore]) -> list[str]:
    """Their ids."""
    return [node.node.node_id for node in nodes]
