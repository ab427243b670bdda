"""Cohere's rerank models, by the official SDK (v2 API).

https://docs.cohere.com/v2/reference/rerank
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from ...errors import ConfigurationError, MissingExtraError, ScorerError
from ...remote.foreign_errors import foreign_errors
from ...remote.http_errors import from_garbage, from_status
from ...remote.secret import Secret
from ...runtime.per_loop import PerLoop
from ...runtime.usage import record
from .replies import explanation
from .service import ServiceScorer

if TYPE_CHECKING:
    import cohere
    import httpx

DEFAULT_MODEL = "rerank-v3.5"
KEY_VARIABLES = ("CO_API_KEY", "COHERE_API_KEY")
#: A request may hold 10,000 documents; Cohere advises no more than these.
ADVISED = 1000


class CohereScorer(ServiceScorer):
    """Scores by a rerank model of Cohere's, 0..1.

    `max_tokens_per_doc`: where Cohere cuts a document (None: its default, 4096). `base_url`: None
    for `CO_API_URL`, else Cohere itself. `api_key`: None for `CO_API_KEY` or `COHERE_API_KEY`.
    `request_timeout`: the longest silence in seconds; the deadline of a ranking cuts in earlier.

    Raises `MissingKeyError`, `MissingExtraError` or `ConfigurationError` here.
    """

    name = "cohere"
    batch_size = ADVISED

    def __init__(
        self,
        model: str = DEFAULT_MODEL,
        *,
        api_key: str | None = None,
        base_url: str | None = None,
        max_tokens_per_doc: int | None = None,
        request_timeout: float = 60.0,
    ) -> None:
        if find_spec("cohere") is None:
            raise MissingExtraError("CohereScorer", "cohere")
        if max_tokens_per_doc is not None and max_tokens_per_doc < 1:
            raise ConfigurationError(f"max_tokens_per_doc is {max_tokens_per_doc}: at least 1")
        self.model = model
        self.base_url = base_url or os.environ.get("CO_API_URL") or None
        self.max_tokens_per_doc = max_tokens_per_doc
        self.request_timeout = request_timeout
        self.fingerprint = (
            f"cohere/1 model={model} max_tokens_per_doc={max_tokens_per_doc} url={self.base_url}"
        )
        super().__init__(Secret.required(api_key, KEY_VARIABLES, "Cohere"), keyed=True)

    @staticmethod
    def _load() -> None:
        import cohere

        _ = cohere.AsyncClientV2  # the SDK imports its parts when they are first named

    def _clients(self) -> PerLoop[tuple[cohere.AsyncClientV2, httpx.AsyncClient]]:
        return PerLoop(self._make, lambda pair: pair[1].aclose())

    def _make(self) -> tuple[cohere.AsyncClientV2, httpx.AsyncClient]:
        import cohere
        import httpx

        # The SDK cannot close what it opens, so the connections are ours.
        connections = httpx.AsyncClient(timeout=self.request_timeout)
        client = cohere.AsyncClientV2(
            self._key_or_none(),
            base_url=self.base_url,
            timeout=self.request_timeout,
            httpx_client=connections,
            log_warning_experimental_features=False,
        )
        return client, connections

    async def _ask(self, query: str, texts: Sequence[str]) -> Iterable[tuple[object, object]]:
        options: dict[str, Any] = {}
        if self.max_tokens_per_doc is not None:
            options["max_tokens_per_doc"] = self.max_tokens_per_doc
        record(calls=1)
        client, _ = self._client.get()
        with foreign_errors(self._as_ours):
            answer = await client.rerank(
                model=self.model,
                query=query,
                documents=list(texts),
                # retries are the engine's, once for all scorers
                request_options={"max_retries": 0},
                **options,
            )
        results = getattr(answer, "results", None)
        if not isinstance(results, list):
            raise from_garbage("Cohere's answer holds no results")
        tokens = getattr(getattr(answer, "meta", None), "tokens", None)
        record(prompt_tokens=int(getattr(tokens, "input_tokens", None) or 0), cost=None)
        return [
            (getattr(hit, "index", None), getattr(hit, "relevance_score", None)) for hit in results
        ]

    def _as_ours(self, error: Exception) -> ScorerError | None:
        import httpx
        from cohere.core.api_error import ApiError

        if isinstance(error, ApiError):
            status = error.status_code
            if status is None or status < 300:
                return from_garbage("Cohere's answer is not JSON")
            said = self._concealed(explanation(error.body))
            return from_status(status, said, getattr(error, "headers", None))  # new in 5.16
        if isinstance(error, httpx.HTTPError):
            return self._lost(error)
        if isinstance(error, (TypeError, ValueError)):  # raised over JSON of another shape
            return from_garbage(f"Cohere's answer cannot be read: {type(error).__name__}")
        return None

    def __repr__(self) -> str:
        return f"CohereScorer({self.model!r})"
