"""Any rerank server over HTTP: Jina, Voyage, Mixedbread, Together, Pinecone, Cohere, vLLM, TEI,
Infinity, llama.cpp, LiteLLM, and what is shaped like them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatch
from typing import TYPE_CHECKING, Any, NamedTuple, Self, get_args
from urllib.parse import urlsplit

from ...errors import ConfigurationError, MissingKeyError, ScorerError, require
from ...remote.address import Address
from ...remote.body_limit import TooLongAnswer, plausible_length, read_within
from ...remote.foreign_errors import foreign_errors
from ...remote.http_errors import explanation, from_connection, from_garbage, from_status
from ...remote.own_client import check_http_client
from ...remote.secret import Secret, holds_secret, revealed
from ...remote.size_limits import checked_batch_size
from ...remote.tls import tls_context
from ...runtime.checks import one_of
from ...runtime.per_loop import PerLoop
from ...runtime.usage import record
from .prices import Price, RerankTariff, checked_price
from .providers import LISTWISE_MODELS, PROVIDERS, ScoreScale, provider_at
from .replies import pairs_in, results_in, spent_in
from .service import ServiceScorer, digest

if TYPE_CHECKING:
    import httpx

#: How long to wait for a connection, in seconds.
CONNECT_TIMEOUT = 5.0
#: What a server answers that expected another request.
_MISFITS = (400, 404, 405, 415, 422)


class _Answer(NamedTuple):
    status: int
    headers: Mapping[str, str]
    body: bytes


class RerankAPIScorer(ServiceScorer):
    """Scores by a rerank server, 0..1.

    `url`: where it is; the vendor's path is added where there is none. `model`: its name, as the
    server has it; None: the server's only one, or its default. `provider`: a name in
    `providers.PROVIDERS`; None: by the host, else the shape most servers share ("common"). Both
    and the model fit into one string: `tei+http://host/rerank`, `https://host/v1/rerank#model`.
    `api_key`: None for the provider's variable in the environment (`RERANK_API_KEY` for a server
    nobody knows); a server of your own may do without. `options`: more fields of the request, as
    the server names them. `batch_size`: None for as many texts as the provider takes; what the
    server refuses as too many, or too long, is learned, and a server of your own (no vendor's, no
    gateway) that is slow gets only as many at once as it can do by the deadline. `max_chars`: where
    a text is cut; None for nowhere, but where it is too long for the server on its own.
    `scale`: what its scores are, "unit" (0..1), "cosine", "logit", or "logit/5" where the
    probability is the sigmoid of a fifth; None: as the provider documents it, or as seen. It is
    settled once a ranking, from all its scores, so that no ranking holds two; where they contradict
    it a note in the report says so. `independent`: whether a score is unaffected by the texts
    beside it; None: yes, but for models known to look at all at once. `request_timeout`: the
    longest silence in seconds; the deadline of a ranking cuts in earlier. `headers`: more headers
    of every request. `http_client`: an `httpx.AsyncClient` of your own, which nothing else uses,
    for its proxies, certificates or way to sign a request. `price`: in US dollars,
    `{"search": 0.002}` or `{"million_tokens": 0.05}`; None: by the table in `prices` at a vendor's
    own address, else unknown.

    Raises `MissingKeyError`, `MissingExtraError` or `ConfigurationError` here.
    """

    name = "api"

    def __init__(
        self,
        url: str,
        model: str | None = None,
        *,
        provider: str | None = None,
        api_key: str | None = None,
        options: Mapping[str, Any] | None = None,
        batch_size: int | None = None,
        max_chars: int | None = None,
        scale: ScoreScale | None = None,
        independent: bool | None = None,
        headers: Mapping[str, str] | None = None,
        http_client: httpx.AsyncClient | None = None,
        request_timeout: float = 60.0,
        price: Price | None = None,
    ) -> None:
        require("RerankAPIScorer", "api", "httpx")
        check_http_client(http_client)
        address, provider, fragment = _taken_apart(url, provider)
        parts = urlsplit(address.base)
        self.model = model or fragment
        self.provider = PROVIDERS[provider] if provider else provider_at(parts.hostname or "")
        self._guessed = provider is None
        row = self.provider
        if self.model is None and row.model_example is not None:
            raise ConfigurationError(
                f"{row.name} needs a model: pass model=, for instance {row.model_example!r}"
            )
        if holds_secret(options):
            raise ConfigurationError(
                "options holds what looks like a secret, and would show it: pass a key as api_key= "
                "or in headers="
            )
        one_of("scale", scale, (*get_args(ScoreScale), None))
        if parts.path in ("", "/"):
            parts = parts._replace(path=row.path)
        #: The address without its parameters, which may be secret.
        self.url = parts.geturl()
        self._query = {**row.parameters, **address.query}
        self.options = dict(options or {})
        self.batch_size = row.cap if batch_size is None else checked_batch_size(batch_size)
        vendor = provider_at(parts.hostname or "").name != "common"
        self.adaptive_batches = not (vendor or row.billed)
        self.scale = scale or row.scale
        self.independent = (
            not any(name in (self.model or "") for name in LISTWISE_MODELS)
            if independent is None
            else independent
        )
        given = checked_price(price)
        self._tariff = (
            RerankTariff.at(parts.hostname or "", self.model)
            if given is None
            else RerankTariff(given)
        )
        self.request_timeout = request_timeout
        key = Secret(api_key, row.key_variables, f"{row.name} at {parts.netloc}")
        super().__init__(
            key,
            keyed=_has(key, row.needs_key),
            headers=headers,
            given=http_client,
            max_chars=max_chars,
        )
        sent = json.dumps({**row.fields, **self.options}, sort_keys=True, default=repr)
        #: What is said beside the query; see `with_instruction`.
        self.instruction: str | None = None
        self.fingerprint = self._identity = (
            f"rerank-api/2 url={self.url} {digest(self._query, self.headers)} "
            f"provider={row.name} model={self.model} max_chars={max_chars} options={sent}"
        )

    def with_instruction(self, instruction: str) -> Self:
        """Another scorer, which tells the server so; this one stays as it is.

        Raises `ConfigurationError` where the provider, as documented, takes none for this model.
        """
        row, model = self.provider, self.model or ""
        if row.instruction is None and row.instructed is None:
            raise ConfigurationError(
                f"{row.name}'s rerank API documents no instruction (options= sends any field)"
            )
        if not any(fnmatch(model, known) for known in row.instruction_models):
            raise ConfigurationError(
                f"{row.name}'s {model!r} follows no instruction; "
                f"{' and '.join(row.instruction_models)} do"
            )
        other = self._twin()
        other.instruction = instruction
        other.fingerprint = f"{self._identity} instruction={instruction!r}"
        return other

    @staticmethod
    def _load() -> None:
        import httpx  # noqa: F401

    def _clients(self) -> PerLoop[httpx.AsyncClient]:
        return PerLoop(self._make, self._close)

    async def _close(self, client: httpx.AsyncClient) -> None:
        if client is not self._given:
            await client.aclose()

    def _make(self) -> httpx.AsyncClient:
        import httpx

        if isinstance(self._given, httpx.AsyncClient):
            return self._given
        timeout = httpx.Timeout(self.request_timeout, connect=CONNECT_TIMEOUT)
        return httpx.AsyncClient(timeout=timeout, verify=tls_context())

    def _headers(self) -> dict[str, str]:
        row, key = self.provider, self._key_or_none()
        headers = dict(row.headers)
        if key is not None:
            headers[row.key_header] = row.key_prefix + key
        return headers | revealed(self.headers)

    def _body(self, query: str, texts: Sequence[str]) -> dict[str, Any]:
        row = self.provider
        body: dict[str, Any] = {}
        if self.instruction is not None and row.instructed is not None:
            query = row.instructed(self.instruction, query)
        if self.instruction is not None and row.instruction is not None:
            _put(body, row.instruction, self.instruction)
        _put(body, row.query, row.as_query(query))
        _put(body, row.documents, [row.as_document(at, text) for at, text in enumerate(texts)])
        if self.model is not None:
            _put(body, row.model, self.model)
        if row.top is not None:
            _put(body, row.top, len(texts))
        for path, value in row.fields.items():
            _put(body, path, value)
        return _merged(body, self.options)

    async def _ask(self, query: str, texts: Sequence[str]) -> Iterable[tuple[object, object]]:
        answer = await self._send(self._body(query, texts))
        reply = _json(answer.body)
        if not 200 <= answer.status < 300:
            said = self._explained(answer, reply)
            raise from_status(answer.status, said, answer.headers, url=self.url)
        results = results_in(reply)
        if results is None:
            raise from_garbage(
                f"the server's answer holds no results {explanation(reply)}".rstrip()
            )
        tokens, units = spent_in(reply)
        record(
            prompt_tokens=tokens,
            search_units=units,
            cost=self._tariff.cost(tokens, units, len(texts)),
        )
        return pairs_in(results)

    async def _send(self, body: Mapping[str, Any]) -> _Answer:
        record(calls=1)
        client: httpx.AsyncClient = self._client.get()
        with foreign_errors(self._as_ours):
            request = client.build_request(
                "POST",
                self.url,
                json=body,
                params=revealed(self._query) or None,
                headers=self._headers(),
            )
            # Redirects are not followed: they would take the key along.
            answer = await client.send(request, stream=True, follow_redirects=False)
            read = await read_within(answer, plausible_length(len(request.content)))
            return _Answer(answer.status_code, answer.headers, read)

    def _as_ours(self, error: Exception) -> ScorerError | None:
        import httpx

        if isinstance(error, (httpx.HTTPError, TooLongAnswer)):
            return from_connection(error, url=self.url)
        return None

    def _explained(self, answer: _Answer, reply: object) -> str:
        said = explanation(reply) or answer.body[:1000].decode("utf-8", "replace")
        if self._guessed and self.provider.name == "common" and answer.status in _MISFITS:
            others = ", ".join(name for name in PROVIDERS if name != "common")
            said = (
                f"{said[:200]} (taken for a common rerank server; else say provider=, of {others})"
            )
        return said

    def __repr__(self) -> str:
        model = "" if self.model is None else f", {self.model!r}"
        return f"RerankAPIScorer({self.url!r}{model}, provider={self.provider.name!r})"


def _taken_apart(url: str, provider: str | None) -> tuple[Address, str | None, str | None]:
    """The address itself, the provider and the model that may be written into it."""
    prefix, plus, rest = url.partition("+") if isinstance(url, str) else ("", "", url)
    written = bool(plus) and prefix.isalnum() and rest.startswith(("http://", "https://"))
    address = Address.of(rest if written else url, "the url of a rerank server")
    provider = provider or (prefix if written else None)
    if provider is not None and provider not in PROVIDERS:
        raise ConfigurationError(
            f"provider={provider!r} is not known; there are {', '.join(PROVIDERS)}"
        )
    return address, provider, urlsplit(url).fragment or None


def _put(body: dict[str, Any], path: str, value: object) -> None:
    """Set what stands at "a.b.c" in nested objects."""
    *outer, last = path.split(".")
    for name in outer:
        body = body.setdefault(name, {})
    body[last] = value


def _merged(body: Mapping[str, Any], more: Mapping[str, Any]) -> dict[str, Any]:
    """The body with the user's own fields, which go first, into its objects too."""
    merged = dict(body)
    for name, value in more.items():
        inside = merged.get(name)
        both = isinstance(value, Mapping) and isinstance(inside, Mapping)
        merged[name] = _merged(inside, value) if both else value  # type: ignore[arg-type]
    return merged


def _has(key: Secret, needed: bool) -> bool:
    """Whether there is a key. Raises `MissingKeyError` if one is needed and there is none."""
    try:
        key.reveal()
    except MissingKeyError:
        if needed:
            raise
        return False
    return True


def _json(body: bytes) -> object:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None
