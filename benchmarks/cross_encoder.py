"""How fast cross-encoders are, beside each other, in one run.

    python benchmarks/cross_encoder.py [--counts 50 100] [--rounds 7] [--only NAME ...]

One query against passages of 30 to 300 words. The model has the shape of ms-marco-MiniLM-L6: the
real MiniLM encoder under a random head. Everybody reads the same files. Rounds are interleaved
and the figure is a median, as a ratio to sentence-transformers' `CrossEncoder.predict` with its
defaults in the same rounds; "fastest" is the ratio of the fastest rounds, which other work on the
machine disturbs less. "limit" is what the arithmetic alone would take if it all ran at the
rate of a large matrix product on this machine, measured in the same rounds; "of limit" is how
much of that the fastest round reached. Rank agreement is with sentence-transformers in fp32: a
random head has near ties all over, so what it says of bf16 and int8 is the pessimistic case.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from itertools import combinations
from pathlib import Path
from typing import Any

os.environ.setdefault("HF_HUB_OFFLINE", "1")
sys.path[:0] = [
    str(Path(__file__).resolve().parents[1] / place) for place in ("core", "tests", ".")
]

from models import add_int8, add_onnx, minilm_cross_encoder  # noqa: E402
from passages import QUERY, passages  # noqa: E402

from rerank_core.scorers.local.cross_encoder import CrossEncoderScorer  # noqa: E402
from rerank_core.scorers.local.onnx import OnnxCrossEncoderScorer  # noqa: E402
from rerank_core.scorers.local.processor import has_bf16  # noqa: E402

#: One contender: texts in, (a number that ranks them) out, in input order.
Rank = Callable[[list[str]], list[float]]

LAYERS, HIDDEN, INNER = 6, 384, 1536
BASE = "sentence-transformers, defaults"


def ours(scorer: Any) -> Rank:
    from rerank_core import Reranker

    reranker = Reranker(scorer=scorer, top_n=10)
    reranker.warm_up()

    def rank(texts: list[str]) -> list[float]:
        scores = [0.0] * len(texts)
        for hit in reranker.rank(QUERY, texts).all:
            scores[hit.index] = hit.components[f"{scorer.name}:raw"]
        return scores

    return rank


def sentence_transformers(model: Path) -> Rank:
    import torch
    from sentence_transformers import CrossEncoder

    encoder = CrossEncoder(str(model), device="cpu", activation_fn=torch.nn.Identity())
    return lambda texts: encoder.predict([(QUERY, text) for text in texts]).tolist()


def langchain(model: Path) -> Rank:
    from langchain_classic.retrievers.document_compressors import CrossEncoderReranker
    from langchain_community.cross_encoders import HuggingFaceCrossEncoder
    from langchain_core.documents import Document

    encoder = HuggingFaceCrossEncoder(model_name=str(model), model_kwargs={"device": "cpu"})
    reranker = CrossEncoderReranker(model=encoder, top_n=10**6)

    def rank(texts: list[str]) -> list[float]:
        documents = [Document(text, id=str(place)) for place, text in enumerate(texts)]
        found = reranker.compress_documents(documents, QUERY)
        return by_rank([int(document.id or 0) for document in found])

    return rank


def llama_index(model: Path) -> Rank:
    from llama_index.core.schema import NodeWithScore, TextNode
    from llama_index.postprocessor.sbert_rerank import SentenceTransformerRerank

    reranker = SentenceTransformerRerank(model=str(model), top_n=10**6, device="cpu")

    def rank(texts: list[str]) -> list[float]:
        nodes = [
            NodeWithScore(node=TextNode(text=text, id_=str(place)), score=0.0)
            for place, text in enumerate(texts)
        ]
        found = reranker.postprocess_nodes(nodes, query_str=QUERY)
        return by_rank([int(node.node.node_id) for node in found])

    return rank


def rerankers(model: Path) -> Rank:
    from rerankers import Reranker

    reranker = Reranker(str(model), model_type="cross-encoder", device="cpu", verbose=0)

    def rank(texts: list[str]) -> list[float]:
        found = reranker.rank(query=QUERY, docs=texts, doc_ids=list(range(len(texts))))
        return by_rank([result.document.doc_id for result in found.results])

    return rank


def flashrank(model: Path, file: str) -> Rank:
    from flashrank import Ranker, RerankRequest
    from flashrank.Config import model_file_map

    model_file_map[model.name] = f"onnx/{file}"
    (model / "special_tokens_map.json").write_text('{"pad_token": "[PAD]"}')
    ranker = Ranker(model.name, cache_dir=str(model.parent), log_level="WARNING")

    def rank(texts: list[str]) -> list[float]:
        asked = [{"id": place, "text": text} for place, text in enumerate(texts)]
        found = ranker.rerank(RerankRequest(query=QUERY, passages=asked))
        return by_rank([passage["id"] for passage in found])

    return rank


def by_rank(order: list[int]) -> list[float]:
    scores = [0.0] * len(order)
    for rank, place in enumerate(order):
        scores[place] = -float(rank)
    return scores


def tau(scores: list[float], others: list[float]) -> float:
    """Kendall's tau (b, without ties to speak of)."""
    signs = [
        (scores[i] > scores[j]) - (scores[i] < scores[j])
        == (others[i] > others[j]) - (others[i] < others[j])
        for i, j in combinations(range(len(scores)), 2)
    ]
    return 2 * sum(signs) / len(signs) - 1


def top(scores: list[float], count: int = 10) -> set[int]:
    return set(sorted(range(len(scores)), key=lambda place: -scores[place])[:count])


def work(model: Path, texts: list[str]) -> float:
    """Multiply-adds, twice, of all pairs at their own lengths."""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(model / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.enable_truncation(512)
    lengths = [len(tokenizer.encode(QUERY, text).ids) for text in texts]
    print(f"{statistics.mean(lengths):.0f} tokens a pair on average, {max(lengths)} at most")
    weights = LAYERS * (4 * HIDDEN * HIDDEN + 2 * HIDDEN * INNER)
    return sum(2 * n * weights + LAYERS * 4 * n * n * HIDDEN for n in lengths)


def product_rates() -> dict[str, Callable[[], float]]:
    """Operations a second of a large matrix product, in each precision, on all cores."""
    import numpy as np
    import onnx
    import onnxruntime
    import torch

    size = 1024

    def of(kind: Any) -> Callable[[], float]:
        left, right = torch.rand(size, size).to(kind), torch.rand(size, size).to(kind)
        return lambda: rate(lambda: left @ right)

    helper, types = onnx.helper, onnx.TensorProto
    weights = np.random.default_rng(0).integers(-99, 99, (size, size)).astype(np.int8)
    graph = helper.make_graph(
        [helper.make_node("MatMulInteger", ["a", "b"], ["c"])],
        "product",
        [helper.make_tensor_value_info("a", types.UINT8, [size, size])],
        [helper.make_tensor_value_info("c", types.INT32, [size, size])],
        [onnx.numpy_helper.from_array(weights, "b")],
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    session = onnxruntime.InferenceSession(made.SerializeToString())
    feed = {"a": np.random.default_rng(1).integers(0, 255, (size, size)).astype(np.uint8)}

    def rate(product: Callable[[], Any]) -> float:
        best = float("inf")
        for _ in range(5):
            start = time.perf_counter()
            product()
            best = min(best, time.perf_counter() - start)
        return 2 * size**3 / best

    rates = {"fp32": of(torch.float32), "int8": lambda: rate(lambda: session.run(None, feed))}
    return rates | ({"bf16": of(torch.bfloat16)} if has_bf16() else {})


def contenders(model: Path) -> dict[str, tuple[Callable[[], Rank], str]]:
    found: dict[str, tuple[Callable[[], Rank], str]] = {
        BASE: (lambda: sentence_transformers(model), "fp32"),
        "LangChain CrossEncoderReranker": (lambda: langchain(model), "fp32"),
        "LlamaIndex SentenceTransformerRerank": (lambda: llama_index(model), "fp32"),
        "rerankers": (lambda: rerankers(model), "fp32"),
        "FlashRank": (lambda: flashrank(model, "model.onnx"), "fp32"),
        "CrossEncoderScorer": (lambda: ours(CrossEncoderScorer(str(model), device="cpu")), "fp32"),
        "CrossEncoderScorer bf16": (
            lambda: ours(CrossEncoderScorer(str(model), device="cpu", dtype="bfloat16")),
            "bf16",
        ),
        "OnnxCrossEncoderScorer": (lambda: ours(OnnxCrossEncoderScorer(str(model))), "fp32"),
        "OnnxCrossEncoderScorer int8": (
            lambda: ours(OnnxCrossEncoderScorer(str(model), precision="int8")),
            "int8",
        ),
    }
    if not has_bf16():
        del found["CrossEncoderScorer bf16"]
    return found


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--counts", type=int, nargs="+", default=[50, 100])
    asked.add_argument("--rounds", type=int, default=7)
    asked.add_argument("--only", nargs="+", default=[], help="parts of names")
    options = asked.parse_args()
    logging.disable(logging.WARNING)
    with tempfile.TemporaryDirectory() as folder:
        model = minilm_cross_encoder(Path(folder) / "minilm")
        add_onnx(model)
        add_int8(model)
        chosen = {
            name: (make(), precision)
            for name, (make, precision) in contenders(model).items()
            if not options.only or name == BASE or any(part in name for part in options.only)
        }
        for count in options.counts:
            compare(model, chosen, passages(count), options.rounds)


def compare(
    model: Path, chosen: dict[str, tuple[Rank, str]], texts: list[str], rounds: int
) -> None:
    print(f"\n## {len(texts)} passages, {rounds} rounds")
    operations = work(model, texts)
    rates = product_rates()
    scores = {name: rank(texts) for name, (rank, _) in chosen.items()}  # and warm-up
    seconds: dict[str, list[float]] = {name: [] for name in chosen}
    limits: dict[str, list[float]] = {name: [] for name in rates}
    for _ in range(rounds):
        for name, rate in rates.items():
            limits[name].append(operations / rate())
        for name, (rank, _) in chosen.items():
            start = time.perf_counter()
            rank(texts)
            seconds[name].append(time.perf_counter() - start)
    base = min(seconds[BASE])
    print("\n| cross-encoder | in | ms | ratio | fastest | of limit | Kendall tau | top 10 kept |")
    print("|---|---|---|---|---|---|---|---|")
    for name, (_, precision) in chosen.items():
        took = statistics.median(seconds[name])
        ratio = statistics.median(a / b for a, b in zip(seconds[BASE], seconds[name], strict=True))
        fastest = min(seconds[BASE]) / min(seconds[name])
        limit = min(limits[precision])
        same = len(top(scores[name]) & top(scores[BASE]))
        print(
            f"| {name} | {precision} | {took * 1000:.0f} | {ratio:.2f} | {fastest:.2f} | "
            f"{limit / min(seconds[name]):.0%} | {tau(scores[name], scores[BASE]):.3f} | {same} |"
        )
    said = ", ".join(f"{name} {base / min(times):.1f}" for name, times in limits.items())
    print(f"\nlimits by arithmetic, as ratios: {said}")
    if "OnnxCrossEncoderScorer int8" in chosen:
        print(f"int8 alone and among others, largest difference: {invariance(model, texts):.1e}")


def invariance(model: Path, texts: list[str]) -> float:
    scorer = OnnxCrossEncoderScorer(str(model), precision="int8")

    async def differences() -> float:
        together = await scorer.score(QUERY, texts[:12])
        alone = [(await scorer.score(QUERY, [text]))[0] for text in texts[:12]]
        return max(abs((a or 0) - (b or 0)) for a, b in zip(together, alone, strict=True))

    return asyncio.run(differences())


if __name__ == "__main__":
    main()
