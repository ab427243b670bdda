"""Who makes embeddings: a server, sentence-transformers, and the user's own LangChain or LlamaIndex
objects, behind one seam."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from ..chat.prices import address_of
from ..chat.startup import StartUp
from ..errors import ConfigurationError, ScorerError
from ..remote.foreign_errors import foreign_errors
from ..remote.identity import name_of
from ..runtime.loop import call_where_it_belongs
from ..runtime.per_loop import PerLoop
from ..runtime.usage import record
from .embedder import Embedder, Vector
from .local.encoder import SentenceTransformersEmbedder
from .openai_embedder import OpenAIEmbedder

#: Query vectors that are kept, as every batch of a ranking needs the same one.
_QUERIES = 64
#: The options that a model by name takes, of OpenAI's and of sentence-transformers'.
_OF_OPENAI = ("base_url", "api_key", "batch_size", "max_chars", "headers", "client", "http_client")
_OF_LOCAL = ("device", "max_length", "batch_size", "trust_remote_code", "revision")


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
        return SentenceTransformersEmbedder(name, prompts, **options)
    kind = type(embedder).__name__
    if hasattr(embedder, "embed_query") and hasattr(embedder, "embed_documents"):
        _refuse_useless(options, (), f"set them on the {kind}")
        return _langchain(embedder, prompts)
    if hasattr(embedder, "get_query_embedding"):
        _refuse_useless(options, (), f"set them on the {kind}")
        return _llama_index(embedder, prompts)
    if hasattr(embedder, "encode"):
        _refuse_useless(options, ("batch_size",), f"set them on the {kind}")
        return SentenceTransformersEmbedder(embedder, prompts, **options)
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
