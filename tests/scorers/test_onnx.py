"""Cross-encoders in onnxruntime, without torch."""

from __future__ import annotations

import asyncio
import pickle
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from rerank_core import ConfigurationError, MissingExtraError
from rerank_core.runtime.numbers import sigmoid
from rerank_core.scorers.local import local_model, onnx, processor
from rerank_core.scorers.local.onnx import OnnxCrossEncoderScorer

pytest.importorskip("onnxruntime")
models = pytest.importorskip("models")

QUERY = "what is the capital of france"
TEXTS = ["paris is a city in france", "rome", "berlin is a city. " * 40, "", "paris"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("torch")
    folder: Path = models.tiny_cross_encoder(tmp_path_factory.mktemp("tiny"))
    models.add_onnx(folder)
    return folder


def score(scorer: Any, texts: Sequence[str] = TEXTS) -> Any:
    return asyncio.run(scorer.score(QUERY, texts))


def reference(folder: Path) -> list[float]:
    """What transformers itself computes, one pair at a time."""
    import torch
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    model = AutoModelForSequenceClassification.from_pretrained(folder).eval()
    tokenizer = AutoTokenizer.from_pretrained(folder)
    with torch.inference_mode():
        return [
            model(**tokenizer([[QUERY, text]], truncation=True, return_tensors="pt")).logits.item()
            for text in TEXTS
        ]


def test_logits_are_those_of_the_model(folder: Path) -> None:
    """The raw score is the logit that torch gives, also where the pair is cut."""
    scores = score(OnnxCrossEncoderScorer(folder))

    assert scores.raw == pytest.approx(reference(folder), abs=1e-4)


def test_scores_are_the_sigmoid_of_logits(folder: Path) -> None:
    """Scores leave on 0..1, in the order of the logits."""
    scores = score(OnnxCrossEncoderScorer(folder))

    assert list(scores) == [sigmoid(logit) for logit in scores.raw]


@pytest.mark.parametrize("precision", ["fp32", "int8"])
def test_a_score_depends_on_no_neighbour(folder: Path, precision: Any) -> None:
    """Alone or among others, in fp32 and in int8, a text has the same score to the last bit."""
    scorer = OnnxCrossEncoderScorer(folder, precision=precision)

    alone = [score(scorer, [text])[0] for text in TEXTS]

    assert alone == score(scorer)


def test_int8_is_made_where_there_is_none(folder: Path) -> None:
    """Without an int8 file the full one is quantised; its scores are near, and not the same."""
    exact, rounded = (
        score(OnnxCrossEncoderScorer(folder, precision=precision)) for precision in ("fp32", "int8")
    )

    assert rounded.raw == pytest.approx(exact.raw, abs=0.5)
    assert rounded.raw != exact.raw


def test_int8_is_never_the_silent_default(folder: Path) -> None:
    """An int8 file that lies there is not taken unless asked for."""
    before = score(OnnxCrossEncoderScorer(folder)).raw
    target = models.add_int8(folder)
    try:
        after = score(OnnxCrossEncoderScorer(f"{folder}/")).raw
    finally:
        target.unlink()

    assert after == before


@pytest.mark.parametrize(
    ("machine", "flags", "best"),
    [
        ("x86_64", {"avx2", "avx512f", "avx512_vnni"}, "onnx/model_qint8_avx512_vnni.onnx"),
        ("x86_64", {"avx2", "avx_vnni"}, "onnx/model_qint8_avx512_vnni.onnx"),
        ("x86_64", {"avx2"}, "onnx/model_quint8_avx2.onnx"),
        ("AMD64", set(), "onnx/model_quint8_avx2.onnx"),
        ("aarch64", {"asimddp"}, "onnx/model_qint8_arm64.onnx"),
        ("arm64", set(), "onnx/model_qint8_arm64.onnx"),
    ],
)
def test_the_int8_file_suits_the_processor(
    machine: str, flags: set[str], best: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """VNNI, plain AVX2 and Arm each have a file of their own."""
    monkeypatch.setattr("platform.machine", lambda: machine)
    monkeypatch.setattr(processor, "_flags", lambda: frozenset(flags))

    assert processor.int8_names()[0] == best


def test_batches_cover_all_texts_in_order(folder: Path) -> None:
    """Every position once, in retrieval order, single texts at both ends."""
    scorer = OnnxCrossEncoderScorer(folder, threads=2)

    groups = scorer.groups(QUERY, ["text"] * 100)

    assert [place for group in groups for place in group] == list(range(100))
    assert [len(groups[0]), max(map(len, groups)), len(groups[-1])] == [1, 4, 1]


def test_one_model_is_loaded_for_all_who_ask(folder: Path) -> None:
    """Scorers with the same arguments share a session, even when they start together."""
    scorers = [OnnxCrossEncoderScorer(folder, max_length=32) for _ in range(8)]

    async def together() -> None:
        await asyncio.gather(*(scorer.warm_up() for scorer in scorers))

    asyncio.run(together())

    assert len({id(scorer._shared.model) for scorer in scorers}) == 1


def test_two_lengths_are_two_models(folder: Path) -> None:
    """Scorers that cut at different lengths do not disturb each other, even at once."""
    long, short = OnnxCrossEncoderScorer(folder), OnnxCrossEncoderScorer(folder, max_length=12)
    alone = score(long), score(short)

    async def together() -> Any:
        return await asyncio.gather(
            *(scorer.score(QUERY, TEXTS) for scorer in (long, short) for _ in range(10))
        )

    found = asyncio.run(together())

    assert alone[0] != alone[1]
    assert found == [alone[0]] * 10 + [alone[1]] * 10


def test_a_very_long_text_is_cut_as_any_other(folder: Path) -> None:
    """A megabyte of words has the score of its beginning; so has a query of that size."""
    scorer = OnnxCrossEncoderScorer(folder)

    whole, beginning = score(scorer, ["rome is a city " * 70_000, "rome is a city " * 40])

    assert whole == beginning
    assert asyncio.run(scorer.score("rome is " * 100_000, ["paris"]))[0] is not None


def test_half_a_surrogate_pair_is_no_reason_to_fail(folder: Path) -> None:
    """A text that no UTF-8 can carry is scored all the same."""
    assert score(OnnxCrossEncoderScorer(folder), ["x \ud83d y"])[0] is not None


def test_two_labels_are_no_and_yes(tmp_path: Path) -> None:
    """The logit of a model with two labels is the log-odds of the second."""
    pytest.importorskip("torch")
    models.add_onnx(models.tiny_cross_encoder(tmp_path, labels=2))

    assert len(score(OnnxCrossEncoderScorer(tmp_path)).raw) == len(TEXTS)
    assert local_model.one_logit([1.0, 3.0], "m") == 2.0


def test_a_classifier_is_refused(tmp_path: Path) -> None:
    """Three labels are no relevance, and it says so when it loads."""
    pytest.importorskip("torch")
    models.add_onnx(models.tiny_cross_encoder(tmp_path, labels=3))

    with pytest.raises(ConfigurationError, match="gives 3 labels a pair"):
        asyncio.run(OnnxCrossEncoderScorer(tmp_path).warm_up())


def test_a_folder_without_onnx_says_how_to_get_one(tmp_path: Path) -> None:
    """The message names the file that is missing and two ways out."""
    (tmp_path / "config.json").write_text("{}")

    with pytest.raises(ConfigurationError, match=r"carries no ONNX file.*optimum-cli"):
        asyncio.run(OnnxCrossEncoderScorer(tmp_path).warm_up())


def test_a_broken_file_says_which(folder: Path, tmp_path: Path) -> None:
    """What onnxruntime refuses is named."""
    (tmp_path / "model.onnx").write_bytes(b"not a model")
    (tmp_path / "tokenizer.json").write_bytes((folder / "tokenizer.json").read_bytes())

    with pytest.raises(ConfigurationError, match=r"onnxruntime cannot load model\.onnx"):
        asyncio.run(OnnxCrossEncoderScorer(tmp_path).warm_up())


def test_a_file_may_be_named(folder: Path) -> None:
    """By `file`, or as the model itself."""
    named = OnnxCrossEncoderScorer(folder, file="model.onnx")
    itself = OnnxCrossEncoderScorer(folder / "onnx" / "model.onnx")

    assert score(named) == score(itself)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        ("LocalEntryNotFoundError", "cannot be reached and it is not in the local cache"),
        ("RepositoryNotFoundError", "no such model on the hub"),
        ("GatedRepoError", "it is gated"),
    ],
)
def test_what_cannot_be_fetched_says_why(
    error: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Offline, mistyped and gated each have their own way out."""
    import huggingface_hub
    from huggingface_hub import errors

    def refuse(*args: object, **kwargs: object) -> str:
        kind = getattr(errors, error)
        raise kind.__new__(kind)

    monkeypatch.setattr(huggingface_hub, "hf_hub_download", refuse)

    with pytest.raises(ConfigurationError, match=said):
        asyncio.run(OnnxCrossEncoderScorer("nobody/no-such-model").warm_up())


@pytest.mark.parametrize(
    ("precision", "there", "taken"),
    [
        ("fp32", {"onnx/model.onnx", "model.onnx"}, "onnx/model.onnx"),
        ("fp32", {"model.onnx", "model.onnx_data"}, "model.onnx"),
        ("int8", {"onnx/model.onnx", "onnx/model_quantized.onnx"}, "onnx/model_quantized.onnx"),
    ],
)
def test_a_repository_on_the_hub(
    precision: Any, there: set[str], taken: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file is looked for where repositories have it, and its external data beside it."""
    import huggingface_hub
    from huggingface_hub.errors import EntryNotFoundError

    fetched: list[str] = []

    def fetch(repository: str, name: str, *, revision: str | None) -> str:
        if name in there or name.endswith(".json"):
            fetched.append(name)
            return str(folder / ("onnx/model.onnx" if "onnx" in name else name))
        raise EntryNotFoundError.__new__(EntryNotFoundError)

    monkeypatch.setattr(huggingface_hub, "hf_hub_download", fetch)
    scorer = OnnxCrossEncoderScorer(
        f"nobody/has-{len(there)}-{Path(taken).stem}", precision=precision
    )

    scores = score(scorer)

    assert scores == score(OnnxCrossEncoderScorer(folder))
    assert next(name for name in fetched if "onnx" in name) == taken
    assert "model.onnx_data" not in there or "model.onnx_data" in fetched


@pytest.mark.parametrize(
    ("config", "tokenizer", "length"),
    [
        ({"max_position_embeddings": 512}, {"model_max_length": 128}, 128),
        ({"max_position_embeddings": 512}, {"model_max_length": 10**30}, 512),
        ({"max_position_embeddings": 514, "model_type": "xlm-roberta", "pad_token_id": 1}, {}, 512),
        ({}, {}, 512),
    ],
)
def test_the_models_own_length(
    config: dict[str, Any], tokenizer: dict[str, Any], length: int
) -> None:
    """What the tokenizer says, within the places that the model has."""
    assert onnx._own_length(config, tokenizer) == length


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"precision": "int4"}, "precision is"),
        ({"threads": 0}, "threads is at least 1"),
        ({"max_length": 2}, "max_length is at least 8"),
    ],
)
def test_wrong_options_are_refused_at_once(options: dict[str, Any], said: str) -> None:
    """Nothing is loaded to find out."""
    with pytest.raises(ConfigurationError, match=said):
        OnnxCrossEncoderScorer("m", **options)


def test_the_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without onnxruntime the message is the command."""
    monkeypatch.setattr("rerank_core.errors.find_spec", lambda name: None)

    with pytest.raises(MissingExtraError, match=r"the extra 'onnx' .*pip install"):
        OnnxCrossEncoderScorer()


def test_it_pickles_without_its_session(folder: Path) -> None:
    """On the other side it loads again."""
    scorer = OnnxCrossEncoderScorer(folder)
    before = score(scorer)

    assert score(pickle.loads(pickle.dumps(scorer))) == before


def test_the_fingerprint_names_what_scores_depend_on(folder: Path) -> None:
    """Model, precision and length; a function without a name leaves none."""
    fingerprint = OnnxCrossEncoderScorer(folder).fingerprint
    others = [
        OnnxCrossEncoderScorer(folder, precision="int8").fingerprint,
        OnnxCrossEncoderScorer(folder, max_length=32).fingerprint,
        OnnxCrossEncoderScorer(folder, activation=abs).fingerprint,
    ]

    assert len({fingerprint, *others}) == 4
    assert OnnxCrossEncoderScorer(folder, activation=lambda x: x).fingerprint is None


def test_cancelling_stops_the_work(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The caller is free at once, and the thread stops at the next text."""
    scorer = OnnxCrossEncoderScorer(folder)
    seen: list[int] = []
    one_logit = local_model.one_logit

    def count(logits: list[float], name: str) -> float:
        seen.append(1)
        return one_logit(logits, name)

    monkeypatch.setattr(onnx, "one_logit", count)

    async def cancelled() -> int:
        await scorer.warm_up()
        task = asyncio.create_task(scorer.score(QUERY, ["paris"] * 100_000))
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.sleep(0.05)
        return len(seen)

    stopped_at = asyncio.run(cancelled())

    assert 0 < stopped_at < 100_000
    assert len(seen) == stopped_at


@pytest.mark.slow
def test_no_torch_is_imported(folder: Path) -> None:
    """Neither torch nor transformers nor sentence-transformers stand behind it."""
    code = (
        "import asyncio, sys; from rerank_core.scorers.local.onnx import OnnxCrossEncoderScorer; "
        f"asyncio.run(OnnxCrossEncoderScorer({str(folder)!r}).score('a', ['b'])); "
        "print(sorted({'torch', 'transformers', 'sentence_transformers'} & set(sys.modules)))"
    )

    ran = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": str(Path(onnx.__file__).parents[3])},
    )

    assert ran.stdout.strip() == "[]"
