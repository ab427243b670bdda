"""Cosine similarity of embeddings, whoever makes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import copy
from typing import TYPE_CHECKING, Any, Self

from ..errors import ConfigurationError
from ..protocols import ScorerBase, Scores
from ..remote.identity import checked_cache_name
from ..runtime.numbers import finite
from .embedders import embedder_for

if TYPE_CHECKING:
    import httpx

DEFAULT_MODEL = "text-embedding-3-large"


class EmbeddingScorer(ScorerBase):
    """Scores by the cosine of the query's embedding and the text's, mapped to 0..1 by (1+c)/2.

    `embedder`, or `model`, is an OpenAI model (`"text-embedding-3-large"`, which it is without
    either, or `"openai:NAME"` for whatever a compatible server calls it), a sentence-transformers
    model by name or folder, or an object: a LangChain `Embeddings`, a LlamaIndex `BaseEmbedding`, a
    `SentenceTransformer`. Objects are called where they belong: on the caller's loop, or in a
    thread.

    A late-interaction model (sentence-transformers' `MultiVectorEncoder`) gives a vector a token:
    then it is the mean, over the query's, of the highest cosine with any of the text's (MaxSim,
    ColBERT, Khattab and Zaharia 2020).

    `query_prompt` and `document_prompt` stand in front of query and text ("query: "); without
    them a sentence-transformers model uses its own. `vectors` are embeddings of texts that are
    there already, by text, made by the same model. The cosine is kept as raw; a text whose
    vector is zero has no score, and neither has one that is empty where the server takes none.

    `base_url` and `api_key` are for OpenAI (else `OPENAI_BASE_URL`, `OPENAI_API_KEY`), and so are
    `headers` (more of every request), `client` (an `AsyncOpenAI` or `AsyncAzureOpenAI` of your own,
    which nothing else uses) and `http_client` (an `httpx.AsyncClient`); `device`, `max_length`,
    `trust_remote_code` and `revision` are for sentence-transformers; `batch_size`, the texts in one
    request or pass, for both. `max_chars`: where OpenAI's texts are cut.

    The cache knows a model by its name, its server and its parameters, an object of your own by its
    fields. Where these cannot be told for certain, or with `vectors`, nothing is cached, unless
    `cache_name` says what they are.

    Raises `MissingExtraError`, `MissingKeyError` or `ConfigurationError` (an option that this kind
    of embedder has no use for, a client that cannot be used) now, and `ConfigurationError` when a
    model cannot be loaded.
    """

    name = "embedding"

    def __init__(
        self,
        embedder: Any = None,
        *,
        model: Any = None,
        query_prompt: str | None = None,
        document_prompt: str | None = None,
        vectors: Mapping[str, Sequence[float]] | None = None,
        base_url: str | None = None,
        api_key: str | None = None,
        device: str | None = None,
        max_length: int | None = None,
        batch_size: int | None = None,
        max_chars: int | None = None,
        headers: Mapping[str, str] | None = None,
        client: Any = None,
        http_client: httpx.AsyncClient | None = None,
        trust_remote_code: bool = False,
        revision: str | None = None,
        cache_name: str | None = None,
    ) -> None:
        if embedder is not None and model is not None:
            raise ConfigurationError("give embedder= or model=, not both")
        embedder = next((one for one in (embedder, model) if one is not None), DEFAULT_MODEL)
        self.vectors = vectors or {}
        options = {
            "base_url": base_url,
            "api_key": api_key,
            "device": device,
            "max_length": max_length,
            "batch_size": batch_size,
            "max_chars": max_chars,
            "headers": headers,
            "client": client,
            "http_client": http_client,
            "trust_remote_code": trust_remote_code or None,
            "revision": revision,
        }
        given = {name: value for name, value in options.items() if value is not None}
        self._embedder = embedder_for(embedder, query_prompt, document_prompt, given)
        #: As it was made, before any instruction.
        self._plain = self._embedder
        self.batch_size = self._embedder.batch_size
        self.max_concurrency = self._embedder.max_concurrency
        self.max_attempts = self._embedder.max_attempts
        self.adaptive_batches = self._embedder.adaptive_batches
        self.default_timeout = self._embedder.default_timeout
        self.takes_gpu = self._embedder.takes_gpu
        named = self._embedder.identity if vectors is None else None
        if cache_name is not None:
            named = f"cache_name {checked_cache_name(cache_name)}"
        if named is not None:
            self.fingerprint = f"embedding/1 {named} {query_prompt!r} {document_prompt!r}"
        self._unsaid = self.fingerprint

    def with_instruction(self, instruction: str) -> Self:
        """Another scorer whose sentence-transformers model is told so before the query.

        As models trained with instructions have it: "Instruct: …", a new line, "Query: ". Raises
        `ConfigurationError` for any other embedder, which takes it in `query_prompt`, and beside a
        `query_prompt`.
        """
        other = copy(self)
        other._embedder = self._plain.with_instruction(instruction)
        if self._unsaid is not None:
            other.fingerprint = f"{self._unsaid} instruction={instruction!r}"
        return other

    async def warm_up(self) -> None:
        """Load the model, or import the SDK."""
        await self._embedder.warm_up()

    def groups(self, query: str, texts: Sequence[str]) -> list[Sequence[int]]:
        """Batches that keep to what the embedder is known to take."""
        return self._embedder.groups(texts)

    async def score(self, query: str, texts: Sequence[str]) -> list[float | None]:
        """(1 + cosine) / 2 for each text; the cosine in `raw`."""
        if not texts:
            return []
        asked = list(dict.fromkeys(text for text in texts if text not in self.vectors))
        wanted, found = await self._embedder.embed(query, asked)
        vectors = {**self.vectors, **dict(zip(asked, found, strict=True))}
        cosines = [similarity(wanted, vectors[text]) for text in texts]
        return Scores([None if c is None else (1.0 + c) / 2.0 for c in cosines], cosines)

    async def aclose(self) -> None:
        """Let go of the model, or close the client."""
        await self._embedder.aclose()


def similarity(query: Any, text: Any) -> float | None:
    """The cosine of two vectors; of two matrices, a vector a row, the mean of MaxSim.

    None where a vector is missing, zero or not finite. Never beyond -1..1.

    >>> similarity([1.0, 0.0], [2.0, 0.0]), similarity([1.0, 0.0], [0.0, 0.0])
    (1.0, None)
    """
    import numpy as np

    if query is None or text is None:
        return None
    rows = [np.atleast_2d(np.asarray(vector, dtype=np.float64)) for vector in (query, text)]
    units = []
    for matrix in rows:
        lengths = np.linalg.norm(matrix, axis=-1, keepdims=True)
        kept = (lengths > 0) & np.isfinite(lengths)
        units.append(matrix[kept[:, 0]] / lengths[kept[:, 0]])
    if not all(len(matrix) for matrix in units):
        return None
    cosine = finite((units[0] @ units[1].T).max(axis=1).mean())
    return None if cosine is None else min(1.0, max(-1.0, cosine))
