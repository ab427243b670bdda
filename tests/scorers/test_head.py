"""What loads without complaint and ranks at random is refused when it loads, with the fix."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

pytest.importorskip("sentence_transformers")

import models

from rerank_core import Reranker
from rerank_core.errors import ConfigurationError
from rerank_core.scorers import CrossEncoderScorer, OnnxCrossEncoderScorer


@pytest.fixture(scope="module")
def reranker(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return models.tiny_cross_encoder(tmp_path_factory.mktemp("head"))


@pytest.fixture
def encoder(reranker: Path, tmp_path: Path) -> Path:
    """The same without its head, as a model for embeddings is saved."""
    from transformers import BertModel

    folder = tmp_path / "encoder"
    shutil.copytree(reranker, folder)
    BertModel.from_pretrained(reranker).save_pretrained(folder)
    return folder


def load(scorer: object) -> None:
    with Reranker(scorer) as holder:  # type: ignore[arg-type]
        holder.warm_up()


def test_an_encoder_is_no_cross_encoder(encoder: Path) -> None:
    """By its weights, whatever its config says; what it is good for is said."""
    config = json.loads((encoder / "config.json").read_text())
    config["architectures"] = ["BertForSequenceClassification"]
    (encoder / "config.json").write_text(json.dumps(config))

    with pytest.raises(ConfigurationError, match=r"without a classification head.*embedding:"):
        load(CrossEncoderScorer(encoder, device="cpu"))


def test_by_its_config_where_its_weights_cannot_be_read(encoder: Path) -> None:
    """As those of PyTorch's own format."""
    import torch
    from safetensors.torch import load_file

    torch.save(load_file(encoder / "model.safetensors"), encoder / "pytorch_model.bin")
    (encoder / "model.safetensors").unlink()

    with pytest.raises(ConfigurationError, match=r"without a classification head \(BertModel\)"):
        load(CrossEncoderScorer(encoder, device="cpu"))


def test_a_head_under_another_architectures_name_is_a_head(reranker: Path, tmp_path: Path) -> None:
    """The weights are believed and not the config."""
    folder = tmp_path / "renamed"
    shutil.copytree(reranker, folder)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "architectures": ["BertModel"]}))

    load(CrossEncoderScorer(folder, device="cpu"))


def test_a_model_without_its_tokenizer(reranker: Path, tmp_path: Path) -> None:
    """To which all words are the same."""
    folder = tmp_path / "mute"
    shutil.copytree(reranker, folder)
    for file in folder.iterdir():
        if file.name not in ("config.json", "model.safetensors"):
            file.unlink()

    with pytest.raises(ConfigurationError, match="tokenizer"):
        load(CrossEncoderScorer(folder, device="cpu"))


def test_an_exported_encoder(reranker: Path, tmp_path: Path) -> None:
    """In ONNX the config tells."""
    pytest.importorskip("onnxruntime")
    pytest.importorskip("onnx")
    folder = tmp_path / "exported"
    shutil.copytree(reranker, folder)
    models.add_onnx(folder)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "architectures": ["BertModel"]}))

    with pytest.raises(ConfigurationError, match="without a classification head"):
        load(OnnxCrossEncoderScorer(folder))
