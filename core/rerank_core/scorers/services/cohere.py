"""Cohere's rerank models, by the official SDK (v2 API).

https://docs.cohere.com/v2/reference/rerank
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from ...errors import ConfigurationError, ScorerError, require
from ...remote.address import Address
from ...remote.foreign_errors import foreign_errors
from ...remote.http_errors import explanation, from_connection, from_garbage, from_status
from ...remote.own_client import check_alone, check_client, check_http_client
from ...remote.secret import Secret, revealed
from ...remote.size_limits import checked_batch_size
from ...remote.tls import tls_context
from ...runtime.per_loop import PerLoop
from ...runtime.usage import record
from .prices import Price, RerankTariff, checked_price
from .service import ServiceScorer, digest

if TYPE_CHECKING:
    import cohere
    import httpx

#: Of the generation that Cohere announced in November 2026 the faster one, which is said to outdo
#: Rerank 4 Pro: https://docs.cohere.com/changelog/rerank-v5, 2026-11.
DEFAULT_MODEL = "rerank-v5.0-fast"
#: Where it is, unless told otherwise.
HOST = "api.cohere.com"
KEY_VARIABLES = ("CO_API_KEY", "COHERE_API_KEY")
#: A request may hold 10,000 documents; Cohere advises no more than these.
ADVISED = 1000


class CohereScorer(ServiceScorer):
    """Scores by a rerank model of Cohere's, 0..1.

    `model`: its name, as Cohere has it. `max_tokens_per_doc`: where Cohere cuts a document (None:
    its default, 4096). `base_url`: None for `CO_API_URL`, else Cohere itself. `api_key`: None for
    `CO_API_KEY` or `COHERE_API_KEY`. `request_timeout`: the longest silence in seconds; the
    deadline of a ranking cuts in earlier. `headers`: more headers of every request. `batch_size`:
    documents in one request. `max_chars`: where a document is cut before it is sent. `client`: a
    `cohere.AsyncClientV2` of your own, which nothing else uses; it brings its key, address and
    retries. `http_client`: an `httpx.AsyncClient` of your own, for its proxies or certificates.
    `price`: in US dollars, `{"search": 0.002}` or `{"million_tokens": 0.05}`; None: by the table in
    `prices` where Cohere itself is asked, else unknown.

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
        batch_size: int = ADVISED,
        max_chars: int | None = None,
        headers: Mapping[str, str] | None = None,
        client: cohere.AsyncClientV2 | None = None,
        http_client: httpx.AsyncClient | None = None,
        request_timeout: float = 60.0,
        price: Price | None = None,
    ) -> None:
        require("CohereScorer", "cohere", "cohere")
        check_client("client", client, "AsyncClientV2", ("cohere",), asked="rerank")
        check_http_client(http_client)
        check_alone(client, api_key=api_key, base_url=base_url, http_client=http_client)
        if max_tokens_per_doc is not None and max_tokens_per_doc < 1:
            raise ConfigurationError(f"max_tokens_per_doc is {max_tokens_per_doc}: at least 1")
        self.model = model
        self.batch_size = checked_batch_size(batch_size)
        url = base_url or os.environ.get("CO_API_URL")
        if client is not None:
            url = client._client_wrapper.get_base_url()
        option = "base_url" if base_url else "CO_API_URL in the environment"
        self._address = Address.of(url, option) if url else None
        #: Where it is asked; None: Cohere itself.
        self.base_url = self._address.base if self._address else None
        given = checked_price(price)
        host = HOST if self.base_url is None else urlsplit(self.base_url).hostname or ""
        self._tariff = RerankTariff.at(host, model) if given is None else RerankTariff(given)
        self.max_tokens_per_doc = max_tokens_per_doc
        self.request_timeout = request_timeout
        if client is not None:
            self.max_attempts = 1
        key = Secret(api_key, KEY_VARIABLES, "Cohere")
        super().__init__(
            key,
            keyed=client is None,
            headers=headers,
            max_chars=max_chars,
            given=client if client is not None else http_client,
        )
        self._key_or_none()
        # a gateway may go by them
        query = self._address.query if self._address else {}
        self.fingerprint = (
            f"cohere/3 model={model} max_tokens_per_doc={max_tokens_per_doc} max_chars={max_chars} "
            f"url={self.base_url} {digest(query, self.headers)}"
        )

    @staticmethod
    def _load() -> None:
        import cohere

        _ = cohere.AsyncClientV2  # the SDK imports its parts when they are first named

    def _clients(self) -> PerLoop[tuple[cohere.AsyncClientV2, httpx.AsyncClient | None]]:
        return PerLoop(self._make, _close)

    def _make(self) -> tuple[cohere.AsyncClientV2, httpx.AsyncClient | None]:
        import cohere
        import httpx

        if isinstance(self._given, cohere.AsyncClientV2):
            return self._given, None
        # The SDK cannot close what it opens, so the connections are ours.
        ours = None
        if self._given is None:
            ours = httpx.AsyncClient(timeout=self.request_timeout, verify=tls_context())
        connections: Any = ours or self._given
        client = cohere.AsyncClientV2(
            self._key_or_none(),
            base_url=self.base_url,
            timeout=self.request_timeout,
            httpx_client=connections,
            log_warning_experimental_features=False,
        )
        return client, ours

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
                request_options=self._request_options(),
                **options,
            )
        results = getattr(answer, "results", None)
        if not isinstance(results, list):
            raise from_garbage("Cohere's answer holds no results")
        meta = getattr(answer, "meta", None)
        tokens, units = getattr(meta, "tokens", None), getattr(meta, "billed_units", None)
        read = int(
            getattr(tokens, "input_tokens", None) or getattr(units, "input_tokens", None) or 0
        )
        searches = int(getattr(units, "search_units", None) or 0)
        record(
            prompt_tokens=read,
            search_units=searches,
            cost=self._tariff.cost(read, searches, len(texts)),
        )
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
            headers = getattr(error, "headers", None)  # new in 5.16
            return from_status(status, explanation(error.body), headers, url=self.base_url)
        if isinstance(error, httpx.HTTPError):
            return from_connection(error, url=self.base_url)
        if isinstance(error, (TypeError, ValueError)):  # raised over JSON of another shape
            return from_garbage(f"Cohere's answer cannot be read: {type(error).__name__}")
        return None

    def _request_options(self) -> Any:
        options: dict[str, Any] = {}
        if self._keyed:
            options["max_retries"] = 0  # retries are the engine's, once for all scorers
        if self.headers:
            options["additional_headers"] = revealed(self.headers)
        if self._address is not None and self._address.query:
            options["additional_query_parameters"] = self._address.parameters()
        return options

    def __repr__(self) -> str:
        return f"CohereScorer({self.model!r})"


async def _close(made: tuple[cohere.AsyncClientV2, httpx.AsyncClient | None]) -> None:
    if made[1] is not None:
        await made[1].aclose()
