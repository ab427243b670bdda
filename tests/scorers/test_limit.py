"""What a model on this machine does not read to its end is counted, and said with the fix."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from rerank_core import Reranker
from rerank_core.protocols import ScorerBase
from rerank_core.scorers import CrossEncoderScorer, EmbeddingScorer, OnnxCrossEncoderScorer
from rerank_core.scorers.local.limit import Limit
from rerank_core.scorers.local.local_model import SharesPasses

pytest.importorskip("sentence_transformers")
pytest.importorskip("onnxruntime")
models = pytest.importorskip("models")

QUERY = "what moves the tides"
#: Of 60 tokens a model reads the first and the third to the end; the third is longer in characters.
FITS, LONG = "the moon moves the tides", "the moon and the tides " * 40
WIDE = "the incomprehensibilities of intergalactic counterrevolutionaries internationally"
MOST = 60

Make = Callable[[], ScorerBase]


@pytest.fixture(scope="module")
def make(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Make]:
    folder = models.minilm_cross_encoder(tmp_path_factory.mktemp("head"))
    models.add_onnx(folder)
    causal = models.tiny_causal_reranker(tmp_path_factory.mktemp("causal"))
    encoder = str(models.minilm_folder())
    return {
        "torch": lambda: CrossEncoderScorer(folder, device="cpu", max_length=MOST),
        "batches": lambda: CrossEncoderScorer(folder, device="cpu", max_length=MOST, batch_size=2),
        "causal": lambda: CrossEncoderScorer(causal, device="cpu", max_length=MOST),
        "onnx": lambda: OnnxCrossEncoderScorer(folder, max_length=MOST),
        "encoder": lambda: EmbeddingScorer(encoder, device="cpu", max_length=MOST),
        "prompted": lambda: EmbeddingScorer(
            encoder, device="cpu", max_length=MOST, document_prompt="a passage: "
        ),
    }


KINDS = ("torch", "batches", "causal", "onnx", "encoder", "prompted")


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_cut_is_counted(make: Mapping[str, Make], kind: str) -> None:
    with Reranker(make[kind]()) as reranker:
        reranker.warm_up()
        whole = reranker.rank(QUERY, [FITS, WIDE, ""])
        some = reranker.rank(QUERY, [LONG, FITS, WIDE, LONG + "once more"])

    assert (whole.report.truncated, whole.report.notes) == (0, ())
    assert some.report.truncated == 2
    (note,) = some.report.notes
    assert "longer than the model reads" in note
    assert "max_length" in note


@pytest.mark.parametrize("kind", ["torch", "onnx"])
def test_of_pairs_in_one_pass_each_is_told(make: Mapping[str, Make], kind: str) -> None:
    scorer: Any = make[kind]()
    assert isinstance(scorer, SharesPasses)
    pairs = [(QUERY, LONG), (QUERY, FITS), ("tides", WIDE), ("moon", LONG)]

    found = asyncio.run(scorer.score_pairs(pairs))

    assert list(found.truncated) == [True, False, False, True]


def test_a_model_of_ones_own_too() -> None:
    from sentence_transformers import SentenceTransformer

    encoder = SentenceTransformer(str(models.minilm_folder()), device="cpu")
    encoder.max_seq_length = MOST
    with Reranker(EmbeddingScorer(encoder)) as reranker:
        assert reranker.rank(QUERY, [FITS, LONG]).report.truncated == 1


def test_a_cross_encoder_of_ones_own_too(tmp_path: Path) -> None:
    """Itself, and as LangChain's `HuggingFaceCrossEncoder` holds it."""
    from sentence_transformers import CrossEncoder

    encoder = CrossEncoder(
        str(models.minilm_cross_encoder(tmp_path)), device="cpu", max_length=MOST
    )

    class Held:
        client = encoder

        def score(self, pairs: list[tuple[str, str]]) -> Sequence[float]:
            return list(self.client.predict(pairs))

    for model in (encoder, Held()):
        with Reranker(CrossEncoderScorer(model, batch_size=2)) as reranker:
            report = reranker.rank(QUERY, [LONG, FITS, WIDE, LONG + "once more"]).report

        assert report.truncated == 2
        assert "longer than the model reads" in report.why


def test_what_is_not_read_by_a_deadline_is_a_few_passes() -> None:
    """On a processor an encoder, and a cross-encoder that is an object, take four texts a pass: the
    batches begin with one pass, and none is more than four.
    """

    class Encoder:
        device = type("Device", (), {"type": "cpu"})()
        tokenizer = None
        encode = predict = None

        def score(self, pairs: list[tuple[str, str]]) -> Sequence[float]:
            return [0.5] * len(pairs)

    async def sizes(scorer: Any) -> list[int]:
        await scorer.warm_up()
        return [len(group) for group in scorer.groups(QUERY, [FITS] * 40)]

    for scorer in (EmbeddingScorer(Encoder()), CrossEncoderScorer(Encoder())):
        assert asyncio.run(sizes(scorer)) == [4, 8, 16, 12]
    assert asyncio.run(sizes(EmbeddingScorer(Encoder(), batch_size=64))) == [40]


def test_what_cannot_tell_is_not_asked() -> None:
    """An object with `encode` alone has no tokenizer that is known."""

    class Encoder:
        device = type("Device", (), {"type": "cpu"})()

        def encode_query(self, texts: list[str], **options: object) -> list[list[float]]:
            return [[1.0, float(len(text))] for text in texts]

        encode = encode_document = encode_query

    with Reranker(EmbeddingScorer(Encoder())) as reranker:
        assert reranker.rank(QUERY, [FITS, LONG]).report.truncated == 0


def test_a_model_without_a_limit_cuts_nothing() -> None:
    """And is not asked by the old name of it, which warns."""

    class Endless:
        max_seq_length = None

        @property
        def max_length(self) -> int:
            raise AssertionError("asked by its old name")

    assert Limit(Endless()).cut(QUERY, [LONG]) == [False]
