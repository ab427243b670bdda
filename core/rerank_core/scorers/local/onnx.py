"""Cross-encoders without torch: onnxruntime, tokenizers, huggingface_hub, and no more."""

from __future__ import annotations

import json
import logging
import os
import tempfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import Any, Literal, get_args

from ...errors import ConfigurationError, require
from ...protocols import ScorerBase
from ...remote.identity import named_function, named_model
from ...runtime.checks import one_of
from ...runtime.numbers import sigmoid
from ...runtime.threads import Stop, cores, native, run
from ...telemetry.log import log
from ...text.utf8 import as_utf8
from .head import refuse_architecture
from .limit import record_cut
from .local_model import (
    PairScores,
    Shared,
    model_named,
    one_logit,
    scores_from,
)
from .model_files import EXTERNAL_DATA, Folder, Hub, files_of
from .onnx_graph import prune_graph
from .passes import guided
from .processor import int8_names

DEFAULT_MODEL = "cross-encoder/ms-marco-MiniLM-L6-v2"

#: Where repositories keep the model in full precision, the usual place first.
_FP32_NAMES = ("onnx/model.onnx", "model.onnx")
#: The most tokens of a pair where the model states no limit.
_USUAL_LENGTH = 512
#: A text with more characters a token than this is read in steps, not as a whole.
_CHARACTERS_A_TOKEN = 16

#: What onnxruntime fuses to its disadvantage: on a CPU the two apart are 6% of a pass faster.
_NO_GAIN = ["SkipLayerNormFusion"]

Precision = Literal["fp32", "int8"]


class OnnxCrossEncoderScorer(ScorerBase):
    """Scores with a cross-encoder in onnxruntime: a small install, a fast start, no torch.

    `model` is a repository on the hub that carries an ONNX file, a local folder in the same shape,
    or an `.onnx` file with its `tokenizer.json` and `config.json` beside it or one folder up;
    `file` names another file in it. Cached files are used without asking the hub.

    `precision="int8"` is about twice as fast and may change the order: it takes the file that the
    model's authors made for this processor, or quantises the full one while loading (this needs
    the `onnx` package). Every text is a batch of its own in one of `threads` threads (default: the
    cores at hand): no padding, and no score that depends on its neighbours, which int8 would
    otherwise bring. A pair is cut at `max_length` tokens (default: the model's own limit).
    `revision` is a branch, tag or commit of the model on the hub.

    Scores are `activation` of the logit, a sigmoid by default: 0..1; the logit is kept as raw.

    Raises `MissingExtraError` now, and `ConfigurationError` when it loads and the model cannot be
    had, carries no ONNX file, gives more than two labels, or has no classification head by its
    config.
    """

    name = "onnx"

    def __init__(
        self,
        model: str | os.PathLike[str] = DEFAULT_MODEL,
        *,
        file: str | None = None,
        precision: Precision = "fp32",
        max_length: int | None = None,
        threads: int | None = None,
        activation: Callable[[float], float] = sigmoid,
        revision: str | None = None,
    ) -> None:
        require(type(self).__name__, "onnx", "onnxruntime", "tokenizers", "huggingface_hub")
        one_of("precision", precision, get_args(Precision))
        if max_length is not None and max_length < 8:
            raise ConfigurationError(f"max_length is at least 8 tokens, not {max_length}")
        if threads is not None and threads < 1:
            raise ConfigurationError(f"threads is at least 1, not {threads}")
        self.model = model_named(model)
        #: int8 takes the scale of activations over a whole pass, so that neighbours would tell.
        self.shares_passes = precision == "fp32" and file is None
        self.activation = activation
        self.max_concurrency = threads or cores()
        key = (self.model, revision, file, precision, max_length)
        self._shared: Shared[_Model] = Shared(("onnx", *key), _Loader(*key))
        if (called := named_function(activation)) is not None:
            kernels = "/".join(int8_names()[:1]) if precision == "int8" else ""
            self.fingerprint = "onnx/2 " + " ".join(
                str(part) for part in (named_model(self.model), *key[1:], kernels, called)
            )

    def groups(self, query: str, texts: Sequence[str]) -> list[Sequence[int]]:
        """A few texts at once, fewer at both ends: see `guided`."""
        return guided(len(texts), self.max_concurrency)

    async def warm_up(self) -> None:
        """Fetch and load the model."""
        await self._shared.get()

    async def score(self, query: str, texts: Sequence[str]) -> list[float | None]:
        """One score per text, 0..1; the logits in `raw`."""
        if not texts:
            return []
        model = await self._shared.get()
        return scores_from(await run(model.logits, query, list(texts)), self.activation)

    async def score_pairs(self, pairs: Sequence[tuple[str, str]]) -> PairScores:
        """One score for each (query, text), 0..1, all in one pass; the logits in `raw`."""
        model = await self._shared.get()
        logits, truncated = await run(model.pass_through, list(pairs))
        return PairScores(scores_from(logits, self.activation), truncated)

    async def aclose(self) -> None:
        """Let go of the model; it goes when no other scorer uses it."""
        self._shared.drop()


class _Model:
    """A session and its tokenizer. Both may be used from any number of threads."""

    def __init__(
        self, name: str, session: Any, tokenizer: Any, max_length: int, pad: int = 0
    ) -> None:
        self.name, self.session, self.tokenizer, self.pad = name, session, tokenizer, pad
        inputs = session.get_inputs()
        self.inputs = {put.name: put.type for put in inputs}
        #: Whether it was exported for batches of any size.
        self.any_batch = not any(isinstance(put.shape[0], int) for put in inputs)
        self.longest = _CHARACTERS_A_TOKEN * max_length

    def logits(self, query: str, texts: Sequence[str], *, stop: Stop) -> list[float]:
        logits: list[float] = []
        truncated = 0
        with native():
            query = self._shortened(query)
            for text in texts:
                if stop():
                    break
                pair = self.tokenizer.encode(query, self._shortened(text))
                truncated += bool(pair.overflowing)
                output = self.session.run(None, self._feed(pair))[0]
                logits.append(one_logit(output.reshape(-1).tolist(), self.name))
        record_cut(truncated)
        return logits

    def pass_through(
        self, pairs: list[tuple[str, str]], *, stop: Stop
    ) -> tuple[list[float], list[bool]]:
        """The logits of pairs of any queries, and which were cut: one run, padded."""
        with native():
            read = [
                self.tokenizer.encode(self._shortened(query), self._shortened(text))
                for query, text in pairs
            ]
            together = [read] if self.any_batch else [[pair] for pair in read]
            rows = [
                row.reshape(-1).tolist()
                for batch in together
                for row in self.session.run(None, self._feed(*batch))[0]
            ]
        logits = [one_logit(row, self.name) for row in rows]
        return logits, [bool(pair.overflowing) for pair in read]

    def _feed(self, *pairs: Any) -> dict[str, Any]:
        import numpy as np

        longest = max(len(pair.ids) for pair in pairs)
        columns: dict[str, tuple[list[Any], int]] = {
            "input_ids": ([pair.ids for pair in pairs], self.pad),
            "attention_mask": ([pair.attention_mask for pair in pairs], 0),
            "token_type_ids": ([pair.type_ids for pair in pairs], 0),
        }
        fed = {}
        for name, kind in self.inputs.items():
            rows, padding = columns[name]
            whole = [row + [padding] * (longest - len(row)) for row in rows]
            fed[name] = np.array(whole, np.int32 if "int32" in kind else np.int64)
        return fed

    def _shortened(self, text: str) -> str:
        """As much of a very long text as fills the model: the rest is not worth tokenising."""
        text = as_utf8(text)
        size = self.longest
        while size < len(text):
            if self.tokenizer.encode(text[:size]).overflowing:
                return text[:size]
            size *= 4
        return text


@dataclass(frozen=True)
class _Loader:
    """Finds the files and makes a session of them. Runs in a thread."""

    model: str
    revision: str | None
    file: str | None
    precision: Precision
    max_length: int | None

    def __call__(self) -> _Model:
        files = files_of(self.model, self.revision)
        weights = files.first(self._names())
        if weights is None and self.precision == "int8" and self.file is None:
            weights = files.first(_FP32_NAMES)
            if weights is not None:
                return self._model(files, lambda: _quantised_session(weights))
        if weights is None:
            wanted = self.file or " or ".join(_FP32_NAMES)
            raise ConfigurationError(
                f"{self.model} carries no ONNX file ({wanted}): name another one by file=, use "
                "CrossEncoderScorer, or export it: optimum-cli export onnx --model … FOLDER"
            )
        return self._model(files, lambda: _session(weights))

    def _names(self) -> Sequence[str]:
        if self.file is not None:
            return (self.file, f"onnx/{self.file}")
        return int8_names() if self.precision == "int8" else _FP32_NAMES

    def _model(self, files: Folder | Hub, session: Callable[[], Any]) -> _Model:
        from tokenizers import Tokenizer

        description = files.first(("tokenizer.json",))
        if description is None:
            raise ConfigurationError(
                f"{self.model} has no tokenizer.json, which a fast tokenizer is made of: "
                "use CrossEncoderScorer"
            )
        tokenizer = Tokenizer.from_file(str(description))
        config = _json(files.first(("config.json",)))
        refuse_architecture(self.model, config.get("architectures"))
        length = self.max_length or _own_length(
            config, _json(files.first(("tokenizer_config.json",)))
        )
        tokenizer.no_padding()
        tokenizer.enable_truncation(length)
        pad = config.get("pad_token_id") or 0
        model = _Model(self.model, session(), tokenizer, length, int(pad))
        unknown = model.inputs.keys() - {"input_ids", "attention_mask", "token_type_ids"}
        if unknown:
            raise ConfigurationError(
                f"{self.model} wants {', '.join(sorted(unknown))}, which a cross-encoder does "
                "not: use CrossEncoderScorer"
            )
        model.logits("a", ["b"], stop=lambda: False)  # what is wrong with it shows now
        return model


def _session(weights: Path) -> Any:
    if (model := _pruned(weights)) is not None:
        with suppress(Exception):  # it was worth a try: the file itself says what is wrong with it
            return _session_of(model)
    try:
        return _session_of(str(weights))
    except Exception as error:  # onnxruntime's errors share no base of their own
        raise ConfigurationError(f"onnxruntime cannot load {weights.name}: {error}") from error


def _session_of(model: str | bytes) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    # One thread a run and several runs at once: handing parts of one run around costs more.
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(
        model,
        options,
        providers=["CPUExecutionProvider"],
        disabled_optimizers=_NO_GAIN,
    )


def _pruned(weights: Path) -> bytes | None:
    """The model with less to compute; None if there is nothing to leave out.

    One whose weights stand in files of their own is large: so many layers that the last of them
    counts for little, and too much to be copied for it.
    """
    if any(weights.with_name(weights.name + ending).exists() for ending in EXTERNAL_DATA):
        return None
    try:
        with weights.open("rb") as file:
            return prune_graph(mmap(file.fileno(), 0, access=ACCESS_READ))
    except ImportError as error:
        _say_unpruned(str(error))
    except Exception as error:  # if it is no model, onnxruntime will tell
        log.debug("%s is run as it stands in the file", weights.name, exc_info=error)
    return None


@cache
def _say_unpruned(why: str) -> None:
    log.warning(
        "ONNX models are run as they stand in their files, which takes up to an eighth longer "
        "(%s): pip install protobuf",
        why,
    )


def _quantised_session(weights: Path) -> Any:
    with tempfile.TemporaryDirectory(prefix="rerank-") as folder:
        target = Path(folder) / "model_int8.onnx"
        log.info("no int8 file for this processor: quantising %s, for this process", weights.name)
        quantise(weights, target)
        return _session(target)


def quantise(source: Path, target: Path) -> None:
    """Write an int8 version of an ONNX model: weights signed, activations unsigned and measured
    as they come (dynamic quantisation).

    Signed activations would be an order of magnitude slower in onnxruntime on x86. Name the target
    `model_int8.onnx` in the model's folder, and `precision="int8"` takes it. Needs `onnx`. Raises
    `ConfigurationError` without it.
    """
    try:
        from onnxruntime.quantization import QuantType, quantize_dynamic
    except ImportError as error:
        raise ConfigurationError(
            "there is no int8 file for this processor, and making one needs the onnx package: "
            'pip install onnx, or use precision="fp32"'
        ) from error
    from .processor import saturates

    root = logging.getLogger()
    level = root.level
    root.setLevel(logging.ERROR)  # it advises on the root logger, about images
    try:
        quantize_dynamic(source, target, weight_type=QuantType.QInt8, reduce_range=saturates())
    finally:
        root.setLevel(level)


def _json(path: Path | None) -> dict[str, Any]:
    if path is None:
        return {}
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content


def _own_length(config: dict[str, Any], tokenizer: dict[str, Any]) -> int:
    """The most tokens of a pair, by the tokenizer, within the positions that the model has."""
    positions = config.get("max_position_embeddings", _USUAL_LENGTH)
    # RoBERTa and its kin count positions from the one after the padding token's.
    if "roberta" in config.get("model_type", "") or config.get("model_type") == "camembert":
        positions -= config.get("pad_token_id", 1) + 1
    return int(min(positions, tokenizer.get("model_max_length", positions)))
