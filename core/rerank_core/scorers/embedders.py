"""Who makes embeddings: a server, sentence-transformers, and the user's own LangChain or LlamaIndex
objects, behind one seam."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Awaitable, Callable, Mapping, Sequence
from copy import copy
from typing import Any
from uuid import uuid4

from ..chat.prices import address_of
from ..chat.startup import StartUp
from ..errors import ConfigurationError, ScorerError, require
from ..remote.foreign_errors import foreign_errors
from ..remote.identity import name_of, named_model
from ..runtime.loop import call_where_it_belongs
from ..runtime.per_loop import PerLoop
from ..runtime.threads import Stop, native, run
from ..runtime.usage import record
from ..text.utf8 import as_utf8
from .embedder import Embedder, Vector
from .local.limit import Limit, record_cut
from .local.local_model import Shared, growing, interruptible, torch_in_this_thread
from .local.model_files import fetching
from .openai_embedder import OpenAIEmbedder

#: Texts in one pass through a local model: on a processor few, as for cross-encoders.
_TEXTS_ON_CPU, _TEXTS_ELSEWHERE = 4, 64
#: Query vectors that are kept, as every batch of a ranking needs the same one.
_QUERIES = 64
#: The options that a model by name takes, of OpenAI's and of sentence-transformers'.
_OF_OPENAI = ("base_url", "api_key", "batch_size", "max_chars", "headers", "client", "http_client")
_OF_LOCAL = ("device", "max_length", "batch_size", "trust_remote_code", "revision")
#: What older sentence-transformers and PyLate, then sentence-transformers 6.2 call the kind.
_LATE_INTERACTION = ("ColBERT", "MultiVectorEncoder")


def embedder_for(
    embedder: Any, query_prompt: str | None, document_prompt: str | None, options: dict[str, Any]
) -> Embedder:
    """The embedder that a name or an object stands for.

    Raises `ConfigurationError` for an object of no known kind, or an option it has no use for.
    """
    prompts = (query_prompt, document_prompt)
    if isinstance(embedder, str | os.PathLike):
        name = os.fspath(embedder)
        if name.startswith(("openai:", "text-embedding-")):
            _refuse_useless(options, _OF_OPENAI, f"{name} is asked of OpenAI, or a server like it")
            return OpenAIEmbedder(name.removeprefix("openai:"), prompts, **options)
        _refuse_useless(options, _OF_LOCAL, f"{name} is taken for sentence-transformers'")
        return _SentenceTransformers(name, prompts, **options)
    kind = type(embedder).__name__
    if hasattr(embedder, "embed_query") and hasattr(embedder, "embed_documents"):
        _refuse_useless(options, (), f"set them on the {kind}")
        return _langchain(embedder, prompts)
    if hasattr(embedder, "get_query_embedding"):
        _refuse_useless(options, (), f"set them on the {kind}")
        return _llama_index(embedder, prompts)
    if hasattr(embedder, "encode"):
        _refuse_useless(options, ("batch_size",), f"set them on the {kind}")
        return _SentenceTransformers(embedder, prompts, **options)
    raise ConfigurationError(
        "an embedder is the name of a model, a LangChain Embeddings, a LlamaIndex BaseEmbedding "
        f"or a SentenceTransformer, not {type(embedder).__name__}"
    )


def _refuse_useless(options: Mapping[str, Any], known: Sequence[str], why: str) -> None:
    if useless := [name for name in options if name not in known]:
        taken = f", which takes {', '.join(known)}" if known else ""
        raise ConfigurationError(f"EmbeddingScorer: no use for {', '.join(useless)}: {why}{taken}")


#: A method of the user's object, sync and, where it has one of its own, async.
_Pair = tuple[Callable[[Any], Any], Callable[[Any], Awaitable[Any]] | None]


class _UsersOwn(Embedder):
    """The user's own object. It brings its own retries."""

    max_concurrency = 4

    def __init__(
        self,
        embedder: Any,
        prompts: tuple[str | None, str | None],
        of_query: _Pair,
        of_texts: _Pair,
    ) -> None:
        if (named := name_of(embedder)) is not None:
            self.identity = f"own {named} {address_of(embedder) or ''}"
        self.prompts = [prompt or "" for prompt in prompts]
        self.of_query, self.of_texts = of_query, of_texts
        self._queries: dict[str, Vector] = {}
        self._turn = PerLoop(asyncio.Lock)
        self._start_up = StartUp(embedder)

    async def warm_up(self) -> None:
        await self._start_up()

    async def embed(self, query: str, texts: Sequence[str]) -> tuple[Vector, Sequence[Vector]]:
        wanted, marked = self.prompts[0] + query, [self.prompts[1] + text for text in texts]
        async with self._turn.get():  # the batches of a ranking start together
            if wanted not in self._queries:
                if len(self._queries) >= _QUERIES:
                    self._queries.pop(next(iter(self._queries)))
                self._queries[wanted] = await _call(self.of_query, wanted)
            vector = self._queries[wanted]
        vectors = list(await _call(self.of_texts, marked)) if marked else []
        if len(vectors) != len(marked):
            raise ScorerError(f"the embedder gave {len(vectors)} vectors for {len(marked)} texts")
        return vector, vectors

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_queries": {}}


async def _call(methods: _Pair, argument: Any) -> Any:
    sync, native = methods
    record(calls=1, cost=None)  # who bills for it, and how much, is the object's own affair
    with foreign_errors():
        return await call_where_it_belongs(
            lambda: sync(argument), None if native is None else lambda: native(argument)
        )


def _langchain(embedder: Any, prompts: tuple[str | None, str | None]) -> Embedder:
    # The inherited async methods run the sync ones in asyncio's executor, which the exit waits for.
    inherited = "langchain_core.embeddings.embeddings"
    return _UsersOwn(
        embedder,
        prompts,
        (embedder.embed_query, _own(embedder, "aembed_query", "aembed_query", inherited)),
        (
            embedder.embed_documents,
            _own(embedder, "aembed_documents", "aembed_documents", inherited),
        ),
    )


def _llama_index(embedder: Any, prompts: tuple[str | None, str | None]) -> Embedder:
    # The inherited async hook calls the sync one on the loop itself, which then stands still.
    inherited = "llama_index.core.base.embeddings.base"
    return _UsersOwn(
        embedder,
        prompts,
        (
            embedder.get_query_embedding,
            _own(embedder, "aget_query_embedding", "_aget_text_embedding", inherited),
        ),
        (
            embedder.get_text_embedding_batch,
            _own(embedder, "aget_text_embedding_batch", "_aget_text_embedding", inherited),
        ),
    )


def _own(embedder: Any, name: str, hook: str, inherited: str) -> Any:
    """The async method, if the hook behind it is the object's own and not the framework's."""
    defined = getattr(type(embedder), hook, None)
    if getattr(defined, "__module__", None) == inherited:
        return None
    return getattr(embedder, name, None)


class _SentenceTransformers(Embedder):
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
        load: Callable[[], _Local] = _LoadedAlready(model)
        key: tuple[Any, ...] = ("embedding", uuid4().hex)  # an id would not survive pickling
        if isinstance(model, str):
            self.identity = f"{named_model(model)} {revision} {max_length}"
            load = _Load(model, options, max_length)
            key = ("embedding", model, max_length, *options.values())
        self._shared: Shared[_Local] = Shared(key, load)

    def with_instruction(self, instruction: str) -> Embedder:
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
        await self._shared.get()

    def groups(self, texts: Sequence[str]) -> list[Sequence[int]]:
        model = self._shared.model
        usual = _TEXTS_ELSEWHERE if model is None else model.texts
        return growing(len(texts), self.pairs or usual)

    async def embed(self, query: str, texts: Sequence[str]) -> tuple[Vector, Sequence[Vector]]:
        model = await self._shared.get()
        return await run(model.embed, query, texts, self.prompts, self.pairs)

    async def aclose(self) -> None:
        self._shared.drop()


class _Local:
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
        wanted = self._query(query, prompts[0])
        size = size or self.texts
        # Texts of like length go together, so that little is padding.
        order = sorted(range(len(texts)), key=lambda position: len(texts[position]))
        vectors: list[Vector] = [None] * len(texts)
        before, cut = prompts[1] or "", 0
        for start in range(0, len(order), size):
            if stop():
                break
            positions = order[start : start + size]
            read = [as_utf8(texts[position]) for position in positions]
            passed = self._pass("encode_document", read, prompts[1])
            for position, vector in zip(positions, passed, strict=True):
                vectors[position] = vector
            cut += sum(self.limit.cut("", [before + text for text in read]))
        record_cut(cut)
        return wanted, vectors

    def _query(self, query: str, prompt: str | None) -> Vector:
        if (query, prompt) not in self.queries:
            vector = self._pass("encode_query", [as_utf8(query)], prompt)[0]
            while len(self.queries) >= _QUERIES:
                self.queries.pop(next(iter(self.queries)), None)
            self.queries[query, prompt] = vector
            return vector
        return self.queries[query, prompt]

    def _pass(self, method: str, texts: list[str], prompt: str | None) -> Sequence[Vector]:
        with self.lock, native():
            passed = getattr(self.encoder, method)(
                texts,
                prompt=prompt,
                batch_size=len(texts),
                show_progress_bar=False,
            )
        return [
            vector.float().cpu().numpy() if hasattr(vector, "cpu") else vector for vector in passed
        ]


class _LoadedAlready:
    def __init__(self, encoder: Any) -> None:
        self.encoder = encoder

    def __call__(self) -> _Local:
        return _Local(self.encoder)


class _Load:
    """Fetches and loads a model by name, as the kind that it says it is. Runs in a thread."""

    def __init__(self, model: str, options: Mapping[str, Any], max_length: int | None) -> None:
        self.model, self.options, self.max_length = model, options, max_length

    def __call__(self) -> _Local:
        with fetching(self.model, self.options["revision"]):
            encoder = self._kind()(self.model, **self.options)
        if self.max_length is not None:
            encoder.max_seq_length = self.max_length
        return _Local(encoder)

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
