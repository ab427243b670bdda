"""Parts of LangChain that can score, told apart by what they are; LangChain is not imported."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any

from ..errors import ConfigurationError, Reason, ScorerError
from ..protocols import Scorer, ScorerBase
from ..runtime.loop import call_where_it_belongs
from ..runtime.numbers import finite
from ..runtime.usage import record

#: Under which metadata a text's place travels through a compressor, and its score comes back.
_PLACE, _SCORE = "rerank_place", "relevance_score"
#: What compressors call the number of documents that they return.
_HOW_MANY = ("top_n", "top_k")


def is_of_langchain(thing: object) -> bool:
    """Whether it is an object of one of LangChain's classes."""
    return any(kind.__module__.partition(".")[0].startswith("langchain") for kind in _kinds(thing))


def scorer_of(thing: Any) -> Scorer | None:
    """The scorer that asks it: a cross-encoder, a compressor, embeddings, a chat model.

    None for what LangChain has no name for. Raises `ConfigurationError` for another part of
    LangChain, which would score nothing.
    """
    names = {kind.__name__ for kind in _kinds(thing)}
    if "BaseCrossEncoder" in names:
        from .local.cross_encoder import CrossEncoderScorer

        return CrossEncoderScorer(thing)
    if "BaseDocumentCompressor" in names:
        return CompressorScorer(thing)
    if "Embeddings" in names:
        from .embedding import EmbeddingScorer

        return EmbeddingScorer(thing)
    if "BaseLanguageModel" in names:
        from .llm import LLMScorer

        return LLMScorer(thing)
    if "Runnable" in names:
        raise ConfigurationError(
            f"a {type(thing).__name__} is no scorer: a chain that ends in a chat model goes into "
            "LLMScorer(llm=…)"
        )
    return None


class CompressorScorer(ScorerBase):
    """Scores with a document compressor of LangChain's: CohereRerank, FlashrankRerank, any.

    It gets all texts at once, and is asked for all of them, whatever its own `top_n`. A score is
    what it leaves in `metadata["relevance_score"]`; one that leaves none (LLMListwiseRerank,
    CrossEncoderReranker) tells an order, from 1 down to 0. A text that it drops has no score. It
    brings its own retries.

    Raises `ConfigurationError` for a class, and for one that is a whole reranker of this library.
    """

    independent = False
    max_attempts = 1
    calibrated = False

    def __init__(self, compressor: Any) -> None:
        if hasattr(compressor, "reranker") and hasattr(compressor.reranker, "arank"):
            raise ConfigurationError(
                f"{type(compressor).__name__} is a reranker, and no scorer: name what scores in it"
            )
        self.compressor = compressor
        self.name = type(compressor).__name__
        self.model = str(getattr(compressor, "model", None) or self.name)

    async def score(self, query: str, texts: Sequence[str]) -> list[float | None]:
        """A score for each text that the compressor returns."""
        if not texts:
            return []
        from langchain_core.documents import Document

        from ..remote.foreign_errors import foreign_errors  # few score with a compressor

        asked = self._for(len(texts))
        documents = [Document(text, metadata={_PLACE: at}) for at, text in enumerate(texts)]
        callbacks = _unstreamed()
        native = type(asked).acompress_documents
        inherited = native.__module__.startswith("langchain_core.")
        record(calls=1, cost=None)  # a service may stand behind it
        with foreign_errors():
            found = await call_where_it_belongs(
                lambda: asked.compress_documents(documents, query, callbacks),
                # the inherited one runs the sync one in asyncio's executor, which an exit waits for
                None
                if inherited
                else lambda: asked.acompress_documents(documents, query, callbacks),
            )
        return _scores(found, len(texts), self.name)

    def _for(self, many: int) -> Any:
        fields = type(self.compressor).model_fields
        limits = {name: many for name in _HOW_MANY if name in fields}
        return self.compressor.model_copy(update=limits) if limits else self.compressor

    def __repr__(self) -> str:
        return f"CompressorScorer({self.name})"


def _scores(found: Sequence[Any], many: int, name: str) -> list[float | None]:
    places: list[Any] = [getattr(document, "metadata", {}).get(_PLACE) for document in found]
    if any(not isinstance(place, int) or not 0 <= place < many for place in places):
        raise ScorerError(
            f"{name} returned documents without the metadata they came with: it cannot be told "
            "which they are",
            reason=Reason.UNPARSEABLE,
        )
    told = [document.metadata.get(_SCORE) for document in found]
    if all(score is None for score in told):
        told = [1.0 - rank / max(1, many - 1) for rank in range(len(found))]
    scores: list[float | None] = [None] * many
    for place, score in zip(places, told, strict=True):
        scores[place] = None if score is None else finite(score)
    return scores


def _unstreamed() -> Any:
    """The callbacks of the run at hand; LangGraph is not to stream what a model says below it."""
    from langchain_core.runnables.config import ensure_config, get_callback_manager_for_config

    config = ensure_config()
    if not config.get("callbacks"):
        return None
    return get_callback_manager_for_config({**config, "tags": [*config["tags"], "nostream"]})


def _kinds(thing: object) -> tuple[type, ...]:
    return () if inspect.isclass(thing) else type(thing).__mro__
