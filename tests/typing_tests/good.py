"""A user's file: every preset of both frameworks, and `Reranker`, with every option once.

It is read by type checkers and never run.
"""

from __future__ import annotations

import math
from datetime import timedelta
from pathlib import Path
from typing import assert_type

from llama_index.core.callbacks import CallbackManager
from llama_index.core.schema import MetadataMode

import langchain_rerank as langchain
import llamaindex_rerank as llama_index
from rerank_core import Ranking, Reranker
from rerank_core.combine import ReciprocalRankFusion, WeightedSum
from rerank_core.llm.prompts import Prompt
from rerank_core.options import RerankerOptions


def note(ranking: Ranking) -> None:
    """Counts."""


def by_length(query: str, texts: list[str]) -> list[float]:
    """Scores."""
    return [float(len(text)) for text in texts]


r = Reranker(
    "llm:gpt-4o-mini",
    top_n=10,
    timeout=timedelta(seconds=2),
    combine=WeightedSum({"retrieval": 0.3, "llm": 0.7}, normalize="z-score"),
    instruction="Only what is in force counts.",
    fallback=["bm25", by_length],
    cache=Path("scores.sqlite"),
    on_error="raise",
    max_concurrency=4,
    on_ranking=note,
    depth=50,
    retrieval_score="distance",
    duplicates="drop",
    max_per=("parent_id", 2),
    threshold=0.5,
    shadow=0.1,
    hedge_after=1.0,
    requests_per_minute=60,
    tokens_per_minute=1e5,
)
assert_type(r.top_n, int | None)
assert_type(r.replace(top_n=3, scorer=by_length), Reranker)
assert_type(r.rank("q", ["a", {"text": "b"}]), Ranking)


class Mine(Reranker):
    """A user's own class."""


class MyCompressor(langchain.RerankCompressor):
    """A user's own class."""


assert_type(Mine.from_config("r.toml", top_n=3), Mine)
assert_type(Mine.from_config("r.toml", scorer=by_length).replace(depth=1), Mine)
assert_type(MyCompressor.from_config("r.toml", score_field="similarity"), MyCompressor)
assert_type(langchain.LLMReranker.from_config("r.toml", top_n=3), langchain.LLMReranker)
assert_type(
    llama_index.RerankPostprocessor.from_config(Path("r.toml"), top_n=3),
    llama_index.RerankPostprocessor,
)
assert_type(llama_index.BM25Reranker.from_config("r.toml"), llama_index.BM25Reranker)

common: RerankerOptions = {
    "top_n": None,
    "timeout": 5,
    "combine": ReciprocalRankFusion(),
    "instruction": None,
    "fallback": "bm25",
    "cache": "memory",
    "on_error": "degrade",
    "max_concurrency": None,
    "on_ranking": None,
    "depth": None,
    "retrieval_score": "similarity",
    "duplicates": "keep",
    "max_per": ("parent_id", 2),
    "threshold": None,
    "shadow": None,
    "hedge_after": None,
    "requests_per_minute": None,
    "tokens_per_minute": None,
}

langchain.RerankCompressor(reranker=r, metadata_fields=("title",), score_field="similarity")
llama_index.RerankPostprocessor(reranker=r, callback_manager=CallbackManager())
langchain.RerankCompressor("hybrid", top_n=3)
langchain.RerankCompressor(by_length, score_field=None)
llama_index.RerankPostprocessor("hybrid", top_n=3)
llama_index.RerankPostprocessor(r, keep_retrieval_score=True)

langchain.LLMReranker(
    "gpt-4o-mini",
    llm=None,
    strategy="listwise",
    group_size=10,
    algorithm="blocks",
    window=20,
    algorithm_options={"replicas": 2},
    passes=1,
    prompt=Prompt(),
    scale=(0, 10),
    max_chars=300,
    document_tokens=None,
    group_tokens=8000,
    long_documents="best-passage",
    count_tokens=len,
    max_calls=5,
    max_tokens=10_000,
    max_cost=0.01,
    base_url="http://h/v1",
    api_key="k",
    metadata_fields=["title"],
    score_field="similarity",
    **common,
)
langchain.LLMReranker(model="gpt-4o-mini", top_n=3)

langchain.CrossEncoderReranker(
    "BAAI/bge-reranker-base",
    device="cpu",
    backend="onnx",
    dtype="bfloat16",
    max_length=512,
    batch_size=8,
    activation=math.tanh,
    trust_remote_code=False,
    revision="main",
    metadata_fields=["title"],
    score_field="similarity",
    **common,
)
langchain.CrossEncoderReranker(model=Path("m"), top_n=3)

langchain.OnnxReranker(
    Path("folder"),
    file="model.onnx",
    precision="int8",
    max_length=512,
    threads=2,
    activation=math.tanh,
    revision=None,
    metadata_fields=["title"],
    score_field="similarity",
    **common,
)
langchain.OnnxReranker(model="m", top_n=3)

langchain.CohereReranker(
    "rerank-v5.0-fast",
    api_key="k",
    base_url=None,
    max_tokens_per_doc=512,
    request_timeout=9.5,
    price={"search": 0.002},
    metadata_fields=["title"],
    score_field="similarity",
    **common,
)
langchain.CohereReranker(model="m", top_n=3)

langchain.RerankAPIReranker(
    "http://h/rerank",
    model="m",
    provider="tei",
    api_key=None,
    options={"truncate": True},
    batch_size=32,
    scale="logit",
    independent=True,
    request_timeout=10,
    price={"million_tokens": 0.05},
    metadata_fields=["title"],
    score_field="similarity",
    **common,
)
langchain.RerankAPIReranker(url="http://h", top_n=3)

langchain.EmbeddingReranker(
    "text-embedding-3-small",
    query_prompt="query: ",
    document_prompt="passage: ",
    vectors={"text": [0.1, 0.2]},
    base_url=None,
    api_key="k",
    device=None,
    max_length=256,
    batch_size=8,
    trust_remote_code=True,
    revision=None,
    metadata_fields=["title"],
    score_field="similarity",
    **common,
)
langchain.EmbeddingReranker(embedder=object(), top_n=3)

langchain.BM25Reranker(
    k1=1.2,
    b=0.5,
    metadata_fields=["title"],
    score_field="similarity",
    **common,
)

langchain.HybridReranker(
    metadata_fields=["title"],
    score_field="similarity",
    **common,
)

llama_index.LLMReranker(
    "gpt-4o-mini",
    llm=None,
    strategy="listwise",
    group_size=10,
    algorithm="blocks",
    window=20,
    algorithm_options={"replicas": 2},
    passes=1,
    prompt=Prompt(),
    scale=(0, 10),
    max_chars=300,
    document_tokens=None,
    group_tokens=8000,
    long_documents="best-passage",
    count_tokens=len,
    max_calls=5,
    max_tokens=10_000,
    max_cost=0.01,
    base_url="http://h/v1",
    api_key="k",
    callback_manager=CallbackManager(),
    metadata_mode=MetadataMode.ALL,
    keep_retrieval_score=True,
    **common,
)
llama_index.LLMReranker(model="gpt-4o-mini", top_n=3)

llama_index.CrossEncoderReranker(
    "BAAI/bge-reranker-base",
    device="cpu",
    backend="onnx",
    dtype="bfloat16",
    max_length=512,
    batch_size=8,
    activation=math.tanh,
    trust_remote_code=False,
    revision="main",
    callback_manager=CallbackManager(),
    metadata_mode=MetadataMode.ALL,
    keep_retrieval_score=True,
    **common,
)
llama_index.CrossEncoderReranker(model=Path("m"), top_n=3)

llama_index.OnnxReranker(
    Path("folder"),
    file="model.onnx",
    precision="int8",
    max_length=512,
    threads=2,
    activation=math.tanh,
    revision=None,
    callback_manager=CallbackManager(),
    metadata_mode=MetadataMode.ALL,
    keep_retrieval_score=True,
    **common,
)
llama_index.OnnxReranker(model="m", top_n=3)

llama_index.CohereReranker(
    "rerank-v5.0-fast",
    api_key="k",
    base_url=None,
    max_tokens_per_doc=512,
    request_timeout=9.5,
    price={"search": 0.002},
    callback_manager=CallbackManager(),
    metadata_mode=MetadataMode.ALL,
    keep_retrieval_score=True,
    **common,
)
llama_index.CohereReranker(model="m", top_n=3)

llama_index.RerankAPIReranker(
    "http://h/rerank",
    model="m",
    provider="tei",
    api_key=None,
    options={"truncate": True},
    batch_size=32,
    scale="logit",
    independent=True,
    request_timeout=10,
    price={"million_tokens": 0.05},
    callback_manager=CallbackManager(),
    metadata_mode=MetadataMode.ALL,
    keep_retrieval_score=True,
    **common,
)
llama_index.RerankAPIReranker(url="http://h", top_n=3)

llama_index.EmbeddingReranker(
    "text-embedding-3-small",
    query_prompt="query: ",
    document_prompt="passage: ",
    vectors={"text": [0.1, 0.2]},
    base_url=None,
    api_key="k",
    device=None,
    max_length=256,
    batch_size=8,
    trust_remote_code=True,
    revision=None,
    callback_manager=CallbackManager(),
    metadata_mode=MetadataMode.ALL,
    keep_retrieval_score=True,
    **common,
)
llama_index.EmbeddingReranker(embedder=object(), top_n=3)

llama_index.BM25Reranker(
    k1=1.2,
    b=0.5,
    callback_manager=CallbackManager(),
    metadata_mode=MetadataMode.ALL,
    keep_retrieval_score=True,
    **common,
)

llama_index.HybridReranker(
    callback_manager=CallbackManager(),
    metadata_mode=MetadataMode.ALL,
    keep_retrieval_score=True,
    **common,
)
