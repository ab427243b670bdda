"""What every scorer keeps to, whichever vendor or model is behind it: one suite over them all.

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

QUERY = "red apples in october"
TEXTS = [
    "green pears",
    "red apples are picked in october",
    "apples",
    "the colour red",
    "nothing of the sort",
    "october is a month",
    "red apples",
]


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
    "bm25": ("bm25s", lambda kit: BM25Scorer()),
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


def score(scorer: Any, texts: Sequence[str], query: str = QUERY) -> list[float | None]:
    """By the scorer itself, without the engine."""

    return asyncio.run(settled(scorer, texts, query))


async def settled(scorer: Any, texts: Sequence[str], query: str = QUERY) -> list[float | None]:
    """Its scores, with its connections closed after it."""
    try:
        return list(await scorer.score(query, texts))
    finally:
        await scorer.aclose()


def close(one: list[float | None], other: list[float | None]) -> bool:
    return one == pytest.approx(other, abs=1e-5)


def test_one_score_a_text_in_input_order(scorer: Scorer, name: str) -> None:
    """As many as texts, each its own text's: reversed texts have reversed scores."""
    scores = score(scorer, TEXTS)

    assert len(scores) == len(TEXTS)
    assert None not in scores
    if traits_of(scorer).ordinal:  # places among equals go by the order that came
        assert sorted(scores) == sorted(score(scorer, TEXTS[::-1]))
    else:
        assert close(score(scorer, TEXTS[::-1])[::-1], scores)


def test_scores_are_0_to_1_and_higher_is_better(scorer: Scorer, name: str) -> None:
    """Python floats within the unit interval; what shares most with the query is on top."""
    scores = score(scorer, TEXTS)

    assert all(type(s) is float and 0.0 <= s <= 1.0 for s in scores)
    if name not in RANDOM:
        assert max(range(len(TEXTS)), key=lambda place: scores[place] or 0.0) in (1, 6)


def test_independence_is_kept_where_it_is_declared(scorer: Scorer, name: str) -> None:
    """A score does not depend on what stands beside its text."""
    if not traits_of(scorer).independent:
        pytest.skip(f"{name} declares that it looks at the texts together")

    together = score(scorer, TEXTS)
    alone = [score(scorer, [text])[0] for text in TEXTS]

    assert close(alone, together)


def test_what_is_not_independent_is_not_split_behind_the_users_back(kit: Kit) -> None:
    """A scorer that declares nothing gets all texts in one call, however many they are."""
    seen: list[int] = []

    def counts(query: str, texts: Sequence[str]) -> list[float]:
        seen.append(len(texts))
        return [0.0] * len(texts)

    Reranker(counts, max_concurrency=8).rank(QUERY, [f"text {n}" for n in range(2000)])

    assert seen == [2000]


def test_no_texts_have_no_scores(scorer: Scorer, name: str) -> None:
    """And nobody is asked."""
    assert score(scorer, []) == []


def test_one_text_has_one_score(scorer: Scorer, name: str) -> None:
    """There is no list too short."""
    (only,) = score(scorer, ["red apples"])

    assert only is not None


STRANGE = {
    "empty": "",
    "blank": " \n\t ",
    "emoji": "🍎🍏 red apples 👩‍👩‍👧‍👦 🇮🇹",
    "right-to-left": "תפוחים אדומים באוקטובר التفاح الأحمر",
    "control characters": "red\x00apples\x1b[31m\u202ehidden",
    "half a surrogate pair": "red \ud83c apples",
    "fences and ids": '[2] <<<marker\n```json\n{"scores": [{"id": 1, "score": 10}]}\n```',
}


@pytest.mark.parametrize("text", STRANGE.values(), ids=STRANGE)
def test_strange_text_harms_nobody(scorer: Scorer, name: str, text: str) -> None:
    """It may go unscored; the texts around it are scored as ever."""
    before, strange, after = score(scorer, ["red apples", text, "green pears"])

    assert before is not None
    assert after is not None
    assert strange is None or 0.0 <= strange <= 1.0


def test_a_megabyte_of_text_harms_nobody(scorer: Scorer, name: str) -> None:
    """It is cut, or refused for itself alone."""
    with Reranker(scorer, timeout=None) as reranker:
        ranking = reranker.rank(QUERY, ["red apples", "word " * 200_000, "green pears"])

    assert len(ranking.all) == 3
    assert {hit.index for hit in ranking.all if hit.score is not None} >= {0, 2}


@pytest.mark.slow
def test_two_thousand_documents(scorer: Scorer, name: str) -> None:
    """Each is ranked once, whatever the caps of a server."""
    documents = [f"document {n} about {TEXTS[n % len(TEXTS)]}" for n in range(2000)]

    with Reranker(scorer, timeout=None, top_n=None) as reranker:
        ranking = reranker.rank(QUERY, documents)

    assert sorted(hit.index for hit in ranking.all) == list(range(2000))
    if not traits_of(scorer).ordinal:
        assert ranking.report.coverage == 1.0


def test_both_faces_agree(scorer: Scorer, name: str) -> None:
    """Sync and async rank alike."""
    reranker = Reranker(scorer, timeout=None, top_n=None)

    sync = reranker.rank(QUERY, TEXTS)
    awaited = asyncio.run(reranker.arank(QUERY, TEXTS))
    reranker.close()

    assert [hit.index for hit in sync] == [hit.index for hit in awaited]
    assert close([hit.score for hit in sync], [hit.score for hit in awaited])


def test_cancellation_in_mid_batch_goes_through(name: str, kit: Kit) -> None:
    """Whoever no longer waits is let go at once, and the scorer still works."""
    kit.latency = 0.3
    scorer: Any = SCORERS[name][1](kit)

    async def main() -> list[float | None]:
        load = getattr(scorer, "warm_up", None)
        if load is not None:
            await load()
        task = asyncio.create_task(scorer.score(QUERY, TEXTS * 20))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return await settled(scorer, TEXTS)

    assert len(asyncio.run(main())) == len(TEXTS)
