"""A taught model as files: sentence-transformers' own, ONNX, and ONNX in int8."""

from __future__ import annotations

import os
import warnings
from pathlib import Path
from typing import Any

from ..scorers.local.onnx import quantise

ONNX, INT8 = "onnx/model.onnx", "onnx/model_int8.onnx"


def save(model: Any, folder: Path) -> None:
    """Write a `CrossEncoder` in the shape of a repository on the hub, ONNX files and all."""
    model.save_pretrained(str(folder), create_model_card=False)
    export_onnx(folder)
    # under another name until it is whole: a file that is there is one to be loaded
    part = folder / f"{INT8}.part"
    quantise(folder / ONNX, part)
    os.replace(part, folder / INT8)


def export_onnx(folder: Path, attention: str = "sdpa") -> Path:
    """Put the ONNX file of a saved cross-encoder where repositories have it: `onnx/model.onnx`.

    By torch's tracing exporter, which needs no package more. `attention`: the implementation that
    is traced, by transformers' name.
    """
    import torch
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    model = AutoModelForSequenceClassification.from_pretrained(
        folder, attn_implementation=attention
    ).eval()
    known = ("input_ids", "attention_mask", "token_type_ids")
    taken = AutoTokenizer.from_pretrained(folder).model_input_names
    names = [name for name in known if name in taken]

    class Logits(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, *columns: Any) -> Any:
            return self.model(**dict(zip(names, columns, strict=True))).logits

    target = folder / ONNX
    target.parent.mkdir(exist_ok=True)
    part = target.with_suffix(".part")
    free = {0: "batch", 1: "sequence"}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it says that it is old
        torch.onnx.export(
            Logits(),
            tuple(torch.ones(2, 16, dtype=torch.long) for _ in names),
            str(part),
            input_names=names,
            output_names=["logits"],
            dynamic_axes={**dict.fromkeys(names, free), "logits": {0: "batch"}},
            dynamo=False,
        )
    os.replace(part, target)
    return target
