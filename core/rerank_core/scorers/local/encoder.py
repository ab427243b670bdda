"""Encoders of sentence-transformers, on this machine."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from copy import copy
from typing import Any
from uuid import uuid4

from ...errors import ConfigurationError, require
from ...remote.identity import named_model
from ...runtime.threads import Stop, native, run
from ...text.utf8 import as_utf8
from ..embedder import Embedder, Vector
from .limit import Limit, record_cut
from .local_model import Shared, interruptible, torch_in_this_thread
from .model_files import fetching
from .passes import Together, growing

#: Texts in one pass: on a processor few, as for cross-encoders, but more of them where they are
#: short.
_TEXTS_ON_CPU, _TEXTS_ELSEWHERE = 4, 64
_TOGETHER = Together(most=_TEXTS_ELSEWHERE, characters=2400, padding=300, free=_TEXTS_ON_CPU)
#: Query vectors that are kept, as every batch of a ranking needs the same one.
_QUERIES = 64
#: Parts of a model that do the same with a query and a text. A Router does not, and of a part that
#: came with the model nobody knows.
_LIBRARY = "sentence_transformers."
_OF_NO_KIND = ("Transformer", "Pooling", "Normalize", "Dense")
#: What older sentence-transformers and PyLate, then sentence-transformers 6.2 call the kind.
_LATE_INTERACTION = ("ColBERT", "MultiVectorEncoder")


class SentenceTransformersEmbedder(Embedder):
    """A model of sentence-transformers, by name or as an object; run in threads of ours."""

    def __init__(
        self,
        model: Any,
        prompts: tuple[str | None, str | None],
        *,
        device: str | None = None,
        max_length: int | None = None,
        batch_size: int | None = None,
        trust_remote_code: bool = False,
        revision: str | None = None,
    ) -> None:
        require("EmbeddingScorer", "cross-encoder", "sentence_transformers")
        self.prompts, self.pairs = prompts, batch_size
        self.takes_gpu = device != "cpu"
        options = {"device": device, "trust_remote_code": trust_remote_code, "revision": revision}
        load: Callable[[], _Model] = _Loaded(model)
        key: tuple[Any, ...] = ("embedding", uuid4().hex)  # an id would not survive pickling
        if isinstance(model, str):
            self.identity = f"{named_model(model)} {revision} {max_length}"
            load = _Loader(model, options, max_length)
            key = ("embedding", model, max_length, *options.values())
        self._shared: Shared[_Model] = Shared(key, load)

    def with_instruction(self, instruction: str) -> Embedder:
        """Another one whose model is told so before the query."""
        # as the models that were trained with instructions have it, by their cards: E5-instruct,
        # GTE-Qwen2-instruct, Qwen3-Embedding (https://huggingface.co/Qwen/Qwen3-Embedding-0.6B);
        # prompts in general: https://sbert.net/docs/package_reference/sentence_transformer, 2026-11
        if self.prompts[0] is not None:
            raise ConfigurationError("query_prompt= says already what stands before the query")
        other = copy(self)
        other._shared = copy(self._shared)  # the model goes with the last of them
        other.prompts = (f"Instruct: {instruction}\nQuery: ", self.prompts[1])
        return other

    async def warm_up(self) -> None:
        """Fetch and load the model."""
        await self._shared.get()

    def groups(self, texts: Sequence[str]) -> list[Sequence[int]]:
        """One pass through the model, then two, then a few at a time: see `growing`."""
        model = self._shared.model
        usual = _TEXTS_ELSEWHERE if model is None else model.texts
        return growing(len(texts), self.pairs or usual)

    async def embed(self, query: str, texts: Sequence[str]) -> tuple[Vector, Sequence[Vector]]:
        """The query's vector and those of the texts; None of what a deadline left."""
        model = await self._shared.get()
        return await run(model.embed, query, texts, self.prompts, self.pairs)

    async def aclose(self) -> None:
        """Let go of the model; it goes when no other scorer uses it."""
        self._shared.drop()


class _Model:
    """A loaded model. One pass at a time: it takes all cores, and one tokenizer."""

    def __init__(self, encoder: Any) -> None:
        self.encoder = encoder
        self.lock = threading.Lock()
        self.queries: dict[tuple[str, str | None], Vector] = {}
        self.limit = Limit(encoder)
        if hasattr(encoder, "modules"):
            interruptible(encoder)

    @property
    def texts(self) -> int:
        """In one pass, where nobody says how many."""
        return _TEXTS_ON_CPU if self.encoder.device.type == "cpu" else _TEXTS_ELSEWHERE

    def embed(
        self,
        query: str,
        texts: Sequence[str],
        prompts: tuple[str | None, str | None],
        size: int | None,
        *,
        stop: Stop,
    ) -> tuple[Vector, Sequence[Vector]]:
        torch_in_this_thread(share=1)  # a cross-encoder may have had it for its share
        wanted = self.queries.get((query, prompts[0]))
        if wanted is None and not (prompts == (None, None) and _reads_alike(self.encoder)):
            wanted = self._keep(query, prompts[0], self._pass("encode_query", [query], prompts[0]))
        joins = wanted is None
        vectors = self._passes([*texts, query] if joins else texts, prompts[1], size, stop)
        if joins:
            wanted = self._keep(query, prompts[0], [vectors.pop()])
        before = prompts[1] or ""
        known = [text for text, one in zip(texts, vectors, strict=True) if one is not None]
        record_cut(sum(self.limit.cut("", [before + as_utf8(text) for text in known])))
        return wanted, vectors

    def _passes(
        self, texts: Sequence[str], prompt: str | None, size: int | None, stop: Stop
    ) -> list[Vector]:
        # Texts of like length go together, so that little is padding.
        order = sorted(range(len(texts)), key=lambda position: len(texts[position]))
        lengths = [len(texts[position]) for position in order]
        if size is None and self.texts != _TEXTS_ON_CPU:
            size = self.texts
        vectors: list[Vector] = [None] * len(texts)
        start = 0
        while start < len(order) and not stop():
            end = start + (size or _TOGETHER.first(lengths[start:]))
            positions, start = order[start:end], end
            passed = self._pass("encode_document", [texts[i] for i in positions], prompt)
            for position, vector in zip(positions, passed, strict=True):
                vectors[position] = vector
        return vectors

    def _keep(self, query: str, prompt: str | None, passed: Sequence[Vector]) -> Vector:
        while len(self.queries) >= _QUERIES:
            self.queries.pop(next(iter(self.queries)), None)
        if passed[0] is not None:  # None: nobody waits for it any more
            self.queries[query, prompt] = passed[0]
        return passed[0]

    def _pass(self, method: str, texts: list[str], prompt: str | None) -> Sequence[Vector]:
        with self.lock, native():
            passed = getattr(self.encoder, method)(
                [as_utf8(text) for text in texts],
                prompt=prompt,
                batch_size=len(texts),
                show_progress_bar=False,
            )
        return [
            vector.float().cpu().numpy() if hasattr(vector, "cpu") else vector for vector in passed
        ]


def _reads_alike(encoder: Any) -> bool:
    """Whether a query is encoded as a text is, so that it may go in one pass with them: by a model
    without prompts, of parts that are known to treat both alike.
    """
    return (
        type(encoder).__name__ == "SentenceTransformer"
        and not any((encoder.prompts or {}).values())
        and all(type(part).__name__ in _OF_NO_KIND for part in encoder.children())
        and all(type(part).__module__.startswith(_LIBRARY) for part in encoder.children())
    )


class _Loaded:
    def __init__(self, encoder: Any) -> None:
        self.encoder = encoder

    def __call__(self) -> _Model:
        return _Model(self.encoder)


class _Loader:
    """Fetches and loads a model by name, as the kind that it says it is. Runs in a thread."""

    def __init__(self, model: str, options: Mapping[str, Any], max_length: int | None) -> None:
        self.model, self.options, self.max_length = model, options, max_length

    def __call__(self) -> _Model:
        with fetching(self.model, self.options["revision"]):
            encoder = self._kind()(self.model, **self.options)
        if self.max_length is not None:
            encoder.max_seq_length = self.max_length
        return _Model(encoder)

    def _kind(self) -> Any:
        import json
        from pathlib import Path

        import sentence_transformers
        from sentence_transformers.util import load_file_path

        said = load_file_path(
            self.model, "config_sentence_transformers.json", revision=self.options["revision"]
        )
        config = json.loads(Path(said).read_text(encoding="utf-8")) if said else {}
        if config.get("model_type") not in _LATE_INTERACTION:
            return sentence_transformers.SentenceTransformer
        if not hasattr(sentence_transformers, "MultiVectorEncoder"):
            raise ConfigurationError(
                f"{self.model} is a late-interaction model, which needs sentence-transformers "
                "6.2 or newer: pip install -U sentence-transformers"
            )
        return sentence_transformers.MultiVectorEncoder
