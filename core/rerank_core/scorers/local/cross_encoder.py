"""Cross-encoders in sentence-transformers."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from copy import copy
from dataclasses import dataclass
from typing import Any, Literal, Protocol, Self, get_args
from uuid import uuid4

from ...errors import ConfigurationError, require
from ...protocols import ScorerBase
from ...remote.identity import name_of, named_function, named_model
from ...runtime.checks import one_of
from ...runtime.numbers import sigmoid
from ...runtime.threads import Stop, cores, native, run
from ...telemetry.log import log
from ...text.utf8 import as_utf8
from .head import refuse_architecture, refuse_without_head, refuse_without_tokenizer
from .limit import Limit, record_cut
from .local_model import (
    PairScores,
    Shared,
    interruptible,
    model_named,
    one_logit,
    scores_from,
    torch_in_this_thread,
)
from .model_files import fetching
from .own_cross_encoder import OwnCrossEncoder, own_cross_encoder
from .passes import Together, growing, guided
from .processor import has_bf16

DEFAULT_MODEL = "cross-encoder/ms-marco-MiniLM-L6-v2"

#: Pairs in one pass through the model where it has all the machine. (In torch on a processor a long
#: pair is a pass of its own in one of several threads: padding costs more than company brings.)
_PAIRS = 32
#: … and short ones go a few together, as each pass reads all weights anew: the most pairs, the most
#: characters with padding (no longer than one long pair takes), and what a pass costs besides its
#: pairs, in characters: less padding than this is worth it. MiniLM-L6 on two cores takes half the
#: time for texts of 10 and 20 words.
_FEW = 4
_TOGETHER = Together(most=_FEW, characters=1200, padding=150)
#: What `_Model.logits` takes for this.
_AS_THEY_ARE = 0
#: The most passes at once. Between two layers each wants the interpreter, which there is one of.
_MOST_WORKERS = 8

Backend = Literal["torch", "onnx", "openvino"]


class PairScorer(Protocol):
    """A cross-encoder of the user's own, as LangChain's `BaseCrossEncoder` is one."""

    def score(self, text_pairs: list[tuple[str, str]]) -> Sequence[float]:
        """A number for each pair of query and text."""
        ...


class CrossEncoderScorer(ScorerBase):
    """Scores with a cross-encoder: the model reads query and text together, and gives a logit.

    `model` is a name on the hub or a local folder: rerankers with one label (or two: no and yes),
    and causal language models that answer yes or no (Qwen3-Reranker), whose logit is the log-odds
    of yes. `instruction` is the prompt of models that take one. Or it is an object that scores
    pairs, LangChain's `BaseCrossEncoder` or sentence-transformers' `CrossEncoder`: its scores stay
    as they are, and of the options `batch_size` and `activation` alone are for it.

    `device` (default: the best there is), `backend`, `dtype` ("bfloat16": about 1.5 times as fast
    where the processor has it, and near ties may swap) and `trust_remote_code` are those of
    sentence-transformers; `revision` is a branch, tag or commit of the model on the hub;
    `max_length` cuts a pair at so many tokens (default: the model's own limit); `batch_size` pairs
    go through the model at once. By default on a CPU each pair goes by itself, in one of several
    threads (short ones up to four together, in float32, where padding moves a score by no more than
    rounding does), in an object's case four together; elsewhere 32. The model is loaded on first
    use, in a thread, and shared by all scorers with these arguments.

    Scores are `activation` of the logit, whatever the model saved; None is a sigmoid: 0..1, and for
    an object none. The logit is kept as raw.

    Raises `MissingExtraError` now, and `ConfigurationError` when it loads and the model cannot be
    had, gives more than two labels, or has no classification head (an encoder) or no tokenizer.
    """

    name = "cross-encoder"
    _shared: Shared[_Model | OwnCrossEncoder]
    _unsaid: tuple[object, ...]
    _own = False

    def __init__(
        self,
        model: str | os.PathLike[str] | PairScorer = DEFAULT_MODEL,
        *,
        device: str | None = None,
        backend: Backend = "torch",
        dtype: str | None = None,
        max_length: int | None = None,
        batch_size: int | None = None,
        activation: Callable[[float], float] | None = None,
        instruction: str | None = None,
        trust_remote_code: bool = False,
        revision: str | None = None,
    ) -> None:
        one_of("backend", backend, get_args(Backend))
        if batch_size is not None and batch_size < 1:
            raise ConfigurationError(f"batch_size is at least 1, not {batch_size}")
        if max_length is not None and max_length < 8:
            raise ConfigurationError(f"max_length is at least 8 tokens, not {max_length}")
        self.batch_size = batch_size
        self.takes_gpu = device != "cpu"
        self.instruction = instruction
        if not isinstance(model, str | os.PathLike):
            self._take(
                model,
                activation,
                device=device,
                backend=backend != "torch",
                dtype=dtype,
                max_length=max_length,
                instruction=instruction,
                trust_remote_code=trust_remote_code,
                revision=revision,
            )
            return
        require(type(self).__name__, "cross-encoder", "sentence_transformers")
        self.model = model_named(model)
        self.max_concurrency = _workers() if backend == "torch" else 1
        self.activation = activation or sigmoid
        loader = _Loader(
            self.model, device, backend, dtype, max_length, trust_remote_code, revision
        )
        self._shared = Shared(("cross-encoder", loader), loader)
        self._unsaid = (named_model(self.model), revision, backend, dtype, max_length)
        self._sign()

    def _take(
        self, model: Any, activation: Callable[[float], float] | None, **options: Any
    ) -> None:
        """Score by an object of the user's own."""
        own = own_cross_encoder(model, options)
        self.model = str(getattr(model, "model_name", None) or type(model).__name__)
        self.max_concurrency, self.max_attempts = 1, 1
        self.activation = activation or as_it_is
        self._shared = Shared(("cross-encoder", uuid4().hex), own)
        self._own = True
        if (named := name_of(model)) is not None:
            self._unsaid = (named,)
            self._sign()

    def with_instruction(self, instruction: str) -> Self:
        """Another scorer with the same model and this prompt; this one stays as it is.

        Raises `ConfigurationError` where the model is an object, which knows of none.
        """
        if self._own:
            raise ConfigurationError(f"{self.model} takes no instruction: it is an object")
        other = copy(self)
        other._shared = copy(self._shared)  # the model goes with the last of them
        other.instruction = instruction
        other._sign()
        return other

    def _sign(self) -> None:
        if (called := named_function(self.activation)) is not None:
            said = (*self._unsaid, self.instruction)
            self.fingerprint = f"cross-encoder/1 {' '.join(map(repr, said))} {called}"

    def groups(self, query: str, texts: Sequence[str]) -> list[Sequence[int]]:
        """A few texts at once, fewer at both ends (see `guided`), where each is a pass by itself.

        Else one pass through the model, then two, then a few at a time: see `growing`.
        """
        size = self._pairs()
        if size in (1, _AS_THEY_ARE):
            return guided(len(texts), self.max_concurrency)
        return growing(len(texts), size)

    async def warm_up(self) -> None:
        """Fetch and load the model."""
        await self._shared.get()

    async def score(self, query: str, texts: Sequence[str]) -> list[float | None]:
        """One score per text, 0..1; the logits in `raw`."""
        if not texts:
            return []
        model = await self._shared.get()
        logits = await run(model.logits, query, list(texts), self.instruction, self._pairs())
        return scores_from(logits, self.activation)

    @property
    def shares_passes(self) -> bool:
        """Whether pairs of several queries may go through the model together: but for an object
        of the caller's, they may.
        """
        return not self._own

    async def score_pairs(self, pairs: Sequence[tuple[str, str]]) -> PairScores:
        """One score for each (query, text), 0..1, all in one pass; the logits in `raw`."""
        model = await self._shared.get()
        if not isinstance(model, _Model):
            raise TypeError("an object of the caller's takes one query at a time")
        logits, truncated = await run(model.pass_through, list(pairs), self.instruction)
        return PairScores(scores_from(logits, self.activation), truncated)

    async def aclose(self) -> None:
        """Let go of the model; it goes when no other scorer uses it."""
        self._shared.drop()

    def _pairs(self) -> int:
        if self.batch_size is not None:
            return self.batch_size
        model = self._shared.model
        if isinstance(model, OwnCrossEncoder) and model.on_cpu:
            return _FEW
        if model is None or not model.in_threads:
            return _PAIRS
        return _AS_THEY_ARE if isinstance(model, _Model) and model.pads_freely else 1


class _Model:
    """A loaded cross-encoder. Torch on a processor is used from several threads, each with its
    share of the cores; anything else by one at a time, which takes all there is.
    """

    def __init__(
        self, name: str, encoder: Any, backend: Backend, *, pads_freely: bool = False
    ) -> None:
        import torch

        #: Whether a score is the same beside others: in half precision padding moves it, and
        #: code of the model's own may not heed the mask.
        self.pads_freely = pads_freely

        self.name, self.encoder = name, encoder
        self.on_cpu = encoder.device.type == "cpu"
        self.in_threads = self.on_cpu and backend == "torch"
        self.identity = torch.nn.Identity()
        self.lock = threading.Lock()
        self.limit = Limit(encoder)
        interruptible(encoder)

    def logits(
        self, query: str, texts: Sequence[str], instruction: str | None, pairs: int, *, stop: Stop
    ) -> list[float]:
        # Texts of like length go together, so that little is padding.
        query = as_utf8(query)
        order = sorted(range(len(texts)), key=lambda position: len(texts[position]))
        logits = [0.0] * len(texts)
        lengths = [len(query) + len(texts[position]) for position in order]
        start = cut = 0
        while start < len(order) and not stop():
            end = start + (pairs or _TOGETHER.first(lengths[start : start + _FEW]))
            positions, start = order[start:end], end
            read = [as_utf8(texts[position]) for position in positions]
            found = self._pass([(query, text) for text in read], instruction)
            for position, row in zip(positions, found, strict=True):
                logits[position] = one_logit(row, self.name)
            cut += sum(self.limit.cut(query, read))
        record_cut(cut)
        return logits

    def pass_through(
        self, pairs: list[tuple[str, str]], instruction: str | None, *, stop: Stop
    ) -> tuple[list[float], list[bool]]:
        clean = [(as_utf8(query), as_utf8(text)) for query, text in pairs]
        logits = [one_logit(row, self.name) for row in self._pass(clean, instruction)]
        return logits, [self.limit.cut(query, [text])[0] for query, text in clean]

    def _pass(self, pairs: list[tuple[str, str]], instruction: str | None) -> list[list[float]]:
        if self.in_threads:
            torch_in_this_thread(share=_workers())
        with nullcontext() if self.in_threads else self.lock, native():
            found = self.encoder.predict(
                pairs,
                batch_size=len(pairs),
                prompt=instruction,
                activation_fn=self.identity,
                show_progress_bar=False,
            )
        rows: list[list[float]] = found.reshape(len(pairs), -1).tolist()
        return rows


def as_it_is(score: float) -> float:
    """The activation of a score that needs none."""
    return score


def _workers() -> int:
    return min(cores(), _MOST_WORKERS)


@dataclass(frozen=True)
class _Loader:
    """What a loaded model depends on. Loading runs in a thread."""

    model: str
    device: str | None
    backend: Backend
    dtype: str | None
    max_length: int | None
    trust_remote_code: bool
    revision: str | None

    def __call__(self) -> _Model:
        from sentence_transformers import CrossEncoder

        with fetching(self.model, self.revision):
            encoder = CrossEncoder(
                self.model,
                device=self.device,
                backend=self.backend,
                max_length=self.max_length,
                trust_remote_code=self.trust_remote_code,
                revision=self.revision,
                model_kwargs=self._model_arguments(),
            )
        tokenizer = encoder.tokenizer
        if tokenizer is not None and tokenizer.pad_token is None:
            tokenizer.pad_token = tokenizer.eos_token  # causal models are often saved without
        if self.backend == "torch":
            refuse_without_head(encoder, self.model, self.revision)
        else:
            refuse_architecture(self.model, getattr(encoder.config, "architectures", None))
        refuse_without_tokenizer(tokenizer, self.model)
        exact = self.dtype in (None, "float32") and not self.trust_remote_code
        model = _Model(self.model, encoder, self.backend, pads_freely=exact)
        if model.on_cpu and self.dtype == "bfloat16" and not has_bf16():
            log.warning("this processor has no bfloat16: %s will be slower, not faster", self.model)
        if encoder.num_labels > 2:
            one_logit([0.0] * encoder.num_labels, self.model)
        return model

    def _model_arguments(self) -> dict[str, Any]:
        if self.backend == "openvino":
            # Left to itself OpenVINO computes in bf16 where it can, which changes the order.
            precision = {None: "f32", "float32": "f32", "bfloat16": "bf16", "float16": "f16"}
            hint = precision.get(self.dtype, self.dtype)
            return {"ov_config": {"INFERENCE_PRECISION_HINT": hint}}
        # Some models are saved in half precision and would be computed in it: only when asked.
        return {"dtype": self.dtype or "float32"} if self.backend == "torch" else {}
