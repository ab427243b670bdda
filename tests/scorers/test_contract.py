"""What every scorer keeps to, whichever vendor or model is behind it: one contract over them all.

Servers are real sockets on loopback; models are tiny, with random weights and real tokenizers.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import models
import pytest
from llm_prompts import read_prompt
from loopback import Latency, OpenAIAPI, RerankAPI, Server, ordering, scoring

from rerank_core import Reranker
from rerank_core.protocols import Scorer, traits_of
from rerank_core.scorers import (
    BM25Scorer,
    CohereScorer,
    CrossEncoderScorer,
    EmbeddingScorer,
    FunctionScorer,
    LLMScorer,
    OnnxCrossEncoderScorer,
    RerankAPIScorer,
)
from rerank_core.testing import (
    CONTRACT,
    QUERY,
    TEXTS,
    cancelling_goes_through,
    what_is_meant_scores_best,
)


@dataclass
class Kit:
    """What the scorers need: a folder of models, and servers that live as long as the test."""

    folders: dict[str, Path]
    stack: ExitStack
    latency: float = 0.0

    def openai(self, judge: Any) -> str:
        api = OpenAIAPI(judge, reader=read_prompt, latency=Latency(call=self.latency))
        return f"{self.stack.enter_context(Server(api)).url}/v1"

    def rerank(self, dialect: str) -> str:
        api = RerankAPI(dialect, latency=Latency(call=self.latency))
        return self.stack.enter_context(Server(api)).url


def llm(kit: Kit, strategy: str, judge: Any) -> LLMScorer:
    return LLMScorer(model="any", api_key="any", base_url=kit.openai(judge), strategy=strategy)


def shared_words(query: str, texts: Sequence[str]) -> list[float]:
    wanted = set(query.split())
    return [len(wanted & set(text.split())) / len(wanted) for text in texts]


#: Every scorer, and the module it cannot do without.
SCORERS: dict[str, tuple[str, Callable[[Kit], Scorer]]] = {
    "bm25": ("Stemmer", lambda kit: BM25Scorer()),
    "function": ("math", lambda kit: FunctionScorer(shared_words, scale=(0, 1), independent=True)),
    "llm-batch": ("openai", lambda kit: llm(kit, "batch", scoring(reader=read_prompt))),
    "llm-pointwise": ("openai", lambda kit: llm(kit, "pointwise", scoring(reader=read_prompt))),
    "llm-listwise": ("openai", lambda kit: llm(kit, "listwise", ordering(reader=read_prompt))),
    "cohere": ("cohere", lambda kit: CohereScorer(base_url=kit.rerank("cohere"), api_key="any")),
    "api-jina": (
        "httpx",
        lambda kit: RerankAPIScorer(kit.rerank("jina"), "m", provider="jina", api_key="any"),
    ),
    "api-tei": ("httpx", lambda kit: RerankAPIScorer(kit.rerank("tei"), provider="tei")),
    "cross-encoder": (
        "sentence_transformers",
        lambda kit: CrossEncoderScorer(str(kit.folders["cross-encoder"]), device="cpu"),
    ),
    "onnx": ("onnxruntime", lambda kit: OnnxCrossEncoderScorer(str(kit.folders["cross-encoder"]))),
    "embedding-openai": (
        "openai",
        lambda kit: EmbeddingScorer(
            "openai:text-embedding-3-large", api_key="any", base_url=kit.openai(None)
        ),
    ),
}
#: Scorers that understand nothing, having random weights: their order means nothing.
RANDOM = {"cross-encoder", "onnx"}


@pytest.fixture(scope="session")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    if find_spec("torch") is None or find_spec("transformers") is None:
        return {}
    folder = models.tiny_cross_encoder(tmp_path_factory.mktemp("contract"))
    if find_spec("onnx") is not None:
        models.add_onnx(folder)
    return {"cross-encoder": folder}


@pytest.fixture
def kit(folders: dict[str, Path]) -> Iterator[Kit]:
    with ExitStack() as stack:
        yield Kit(folders, stack)


@pytest.fixture(params=SCORERS)
def name(request: pytest.FixtureRequest, folders: dict[str, Path]) -> str:
    module, _ = SCORERS[request.param]
    pytest.importorskip(module)
    if request.param in RANDOM and not folders:
        pytest.skip("its model is made with torch and transformers")
    return str(request.param)


@pytest.fixture
def scorer(name: str, kit: Kit) -> Scorer:
    return SCORERS[name][1](kit)


@pytest.mark.parametrize("promise", CONTRACT, ids=lambda promise: promise.__name__)
def test_the_contract(promise: Any, scorer: Scorer, name: str, kit: Kit) -> None:
    """Every scorer keeps every promise of `rerank_core.testing`."""
    if promise is what_is_meant_scores_best and name in RANDOM:
        pytest.skip("random weights understand nothing")
    kit.latency = 0.3 if promise is cancelling_goes_through else 0.0

    asyncio.run(promise(scorer))


def test_what_is_not_independent_is_not_split_behind_the_users_back(kit: Kit) -> None:
    """A scorer that declares nothing gets all texts in one call, however many they are."""
    seen: list[int] = []

    def counts(query: str, texts: Sequence[str]) -> list[float]:
        seen.append(len(texts))
        return [0.0] * len(texts)

    Reranker(counts, max_concurrency=8).rank(QUERY, [f"text {n}" for n in range(2000)])

    assert seen == [2000]


@pytest.mark.slow
def test_two_thousand_documents(scorer: Scorer, name: str) -> None:
    """Each is ranked once, whatever the caps of a server. (Where each is a call, 200 of them.)"""
    count = 200 if traits_of(scorer).batch_size == 1 else 2000
    documents = [f"document {n} about {TEXTS[n % len(TEXTS)]}" for n in range(count)]

    with Reranker(scorer, timeout=None, top_n=None) as reranker:
        ranking = reranker.rank(QUERY, documents)

    assert sorted(hit.index for hit in ranking.all) == list(range(count))
    if not traits_of(scorer).ordinal:
        assert ranking.report.coverage == 1.0
