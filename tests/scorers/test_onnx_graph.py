"""A cross-encoder's graph is relieved of what it computes for nothing, and says the same."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")
pytest.importorskip("torch")

import onnx
import onnxruntime
from models import add_int8, add_onnx, tiny_cross_encoder

from rerank_core.scorers.local import onnx as scorer
from rerank_core.scorers.local import onnx_format
from rerank_core.scorers.local.onnx_graph import prune_graph

INPUTS = ("input_ids", "attention_mask", "token_type_ids")


def run(model: bytes, length: int) -> list[Any]:
    """The outputs for one text of so many tokens, alone in its batch."""
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    ids = np.arange(length)[None] % 20 + 5
    columns = (ids, np.ones_like(ids), np.zeros_like(ids))
    return list(session.run(None, dict(zip(INPUTS, columns, strict=True))))


def logits(model: bytes, lengths: Sequence[int] = (1, 2, 7, 40)) -> list[float]:
    return [float(run(model, length)[0].ravel()[0]) for length in lengths]


def operators(model: bytes) -> Counter[str]:
    return Counter(node.op_type for node in onnx.load_from_string(model).graph.node)


@pytest.fixture(scope="module", params=["sdpa", "eager"])
def exported(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tiny_cross_encoder(tmp_path_factory.mktemp(request.param))
    return add_onnx(folder, request.param)


def test_the_logits_stay(exported: Path) -> None:
    """Of the same weights in the same precision: what is left out had no part in them."""
    whole = exported.read_bytes()
    found = prune_graph(whole)

    assert found is not None
    assert logits(found) == pytest.approx(logits(whole), abs=1e-6)


def test_the_last_layer_is_computed_for_one_token(exported: Path) -> None:
    """All that follows the last attention is as long as one token, whatever the text."""
    found = prune_graph(exported.read_bytes())
    assert found is not None
    model = onnx.load_from_string(found)
    products = [node for node in model.graph.node if node.op_type == "MatMul"]
    model.graph.output.extend(
        onnx.helper.make_empty_tensor_value_info(node.output[0]) for node in products[-3:]
    )

    made = run(model.SerializeToString(), length=20)[1:]

    assert [one.shape[:2] for one in made] == [(1, 1)] * 3


def test_guards_against_nothing_but_padding_go(tmp_path: Path) -> None:
    """A text that is a batch of its own has none."""
    whole = add_onnx(tiny_cross_encoder(tmp_path), "sdpa").read_bytes()
    found = prune_graph(whole)

    assert found is not None
    assert operators(whole)["IsNaN"] == 2  # one a layer
    assert operators(found)["IsNaN"] == 0


def test_int8_stays_as_near_to_fp32(exported: Path) -> None:
    """The one row that counts is measured by itself, which is no coarser."""
    whole = add_int8(exported.parent.parent).read_bytes()
    found = prune_graph(whole)
    exact = logits(exported.read_bytes())

    def furthest(model: bytes) -> float:
        return max(abs(a - b) for a, b in zip(logits(model), exact, strict=True))

    assert found is not None
    assert furthest(found) < max(2 * furthest(whole), 0.02)


def test_a_second_time_there_is_nothing_left(exported: Path) -> None:
    """It is done, or it is not."""
    once = prune_graph(exported.read_bytes())

    assert once is not None
    assert prune_graph(once) is None


def test_what_somebody_else_reads_stays_whole(tmp_path: Path) -> None:
    """Where the last layer is an output of its own, every token of it is wanted."""
    model: Any = onnx.load(add_onnx(tiny_cross_encoder(tmp_path), "eager"))
    (pooled,) = (n for n in model.graph.node if n.op_type == "Gather" and "pooler" in n.name)
    model.graph.output.append(onnx.helper.make_empty_tensor_value_info(pooled.input[0]))

    assert prune_graph(model.SerializeToString()) is None


def test_another_token_than_the_first_is_left_alone(tmp_path: Path) -> None:
    """Only the first is looked for."""
    model: Any = onnx.load(add_onnx(tiny_cross_encoder(tmp_path), "eager"))
    (pooled,) = (n for n in model.graph.node if n.op_type == "Gather" and "pooler" in n.name)
    model.graph.initializer.append(onnx.numpy_helper.from_array(np.array(1), "second"))
    pooled.input[1] = "second"

    assert prune_graph(model.SerializeToString()) is None


def test_without_protobuf_it_is_run_as_it_stands(
    exported: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """It costs speed alone; once, the log says so and what to install."""
    monkeypatch.setitem(sys.modules, "google.protobuf", None)
    for remembered in (onnx_format._messages, scorer._say_unpruned):
        remembered.cache_clear()

    assert [scorer._pruned(exported), scorer._pruned(exported)] == [None, None]
    assert caplog.text.count("pip install protobuf") == 1
