"""Any rerank server over HTTP: Jina, Voyage, Mixedbread, Together, Pinecone, Cohere, vLLM, TEI,
Infinity, llama.cpp, LiteLLM, and what is shaped like them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, get_args
from urllib.parse import SplitResult, urlsplit

from ...errors import ConfigurationError, MissingExtraError, MissingKeyError, ScorerError
from ...remote.body_limit import TooLongAnswer, refuse_too_long
from ...remote.foreign_errors import foreign_errors
from ...remote.http_errors import from_garbage, from_status
from ...remote.secret import Secret
from ...runtime.checks import one_of
from ...runtime.per_loop import PerLoop
from ...runtime.usage import record
from .providers import LISTWISE_MODELS, PROVIDERS, ScoreScale, provider_at
from .replies import explanation, pairs_in, results_in, tokens_in
from .service import ServiceScorer

if TYPE_CHECKING:
    import httpx

#: How long to wait for a connection, in seconds.
CONNECT_TIMEOUT = 5.0
#: What a server answers that expected another request.
_MISFITS = (400, 404, 405, 415, 422)


class RerankAPIScorer(ServiceScorer):
    """Scores by a rerank server, 0..1.

    `url`: where it is; the vendor's path is added where there is none. `provider`: a name in
    `providers.PROVIDERS`; None: by the host, else the shape most servers share ("common"). Both
    and the model fit into one string: `tei+http://host/rerank`, `https://host/v1/rerank#model`.
    `api_key`: None for the provider's variable in the environment (`RERANK_API_KEY` for a server
    nobody knows); a server of your own may do without. `options`: more fields of the request, as
    the server names them. `batch_size`: None for as many texts as the provider takes.
    `scale`: what its scores are, "unit" (0..1) or "logit"; None: as the provider documents it, or
    as seen. `independent`: whether a score is unaffected by the texts beside it; None: yes, but
    for models known to look at all at once. `request_timeout`: the longest silence in seconds; the
    deadline of a ranking cuts in earlier.

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
        scale: ScoreScale | None = None,
        independent: bool | None = None,
        request_timeout: float = 60.0,
    ) -> None:
        if find_spec("httpx") is None:
            raise MissingExtraError("RerankAPIScorer", "api")
        parts, provider, fragment = _taken_apart(url, provider)
        self.model = model or fragment
        self.provider = PROVIDERS[provider] if provider else provider_at(parts.hostname or "")
        self._guessed = provider is None
        row = self.provider
        if self.model is None and row.model_example is not None:
            raise ConfigurationError(
                f"{row.name} needs a model: pass model=, for instance {row.model_example!r}"
            )
        if batch_size is not None and batch_size < 1:
            raise ConfigurationError(f"batch_size is {batch_size}: at least 1")
        one_of("scale", scale, (*get_args(ScoreScale), None))
        if parts.path in ("", "/"):
            parts = parts._replace(path=row.path)
        self._url = parts.geturl()
        #: The address without what may be secret in it.
        self.url = f"{parts.scheme}://{parts.netloc}{parts.path}"
        self.options = dict(options or {})
        self.batch_size = batch_size or row.cap
        self.scale = scale or row.scale
        self.independent = (
            not any(name in (self.model or "") for name in LISTWISE_MODELS)
            if independent is None
            else independent
        )
        self.request_timeout = request_timeout
        private = hashlib.blake2b(self._url.encode(), digest_size=8).hexdigest()
        more = json.dumps({**row.fields, **self.options}, sort_keys=True, default=repr)
        self.fingerprint = (
            f"rerank-api/1 url={self.url} {private} provider={row.name} model={self.model} "
            f"scale={self.scale} options={more}"
        )
        key = Secret(api_key, row.key_variables, f"{row.name} at {parts.netloc}")
        super().__init__(key, keyed=_has(key, row.needs_key))

    @staticmethod
    def _load() -> None:
        import httpx  # noqa: F401

    def _clients(self) -> PerLoop[httpx.AsyncClient]:
        return PerLoop(self._make, lambda client: client.aclose())

    def _make(self) -> httpx.AsyncClient:
        import httpx

        row, key = self.provider, self._key_or_none()
        headers = dict(row.headers)
        if key is not None:
            headers[row.key_header] = row.key_prefix + key
        # Redirects are not followed: they would take the key along.
        timeout = httpx.Timeout(self.request_timeout, connect=CONNECT_TIMEOUT)
        hooks = {"response": [refuse_too_long]}
        return httpx.AsyncClient(headers=headers, timeout=timeout, event_hooks=hooks)

    def _body(self, query: str, texts: Sequence[str]) -> dict[str, Any]:
        row = self.provider
        documents = [{"text": text} for text in texts] if row.wrapped else list(texts)
        body: dict[str, Any] = {"query": query, row.documents: documents}
        if self.model is not None:
            body["model"] = self.model
        if row.top is not None:
            body[row.top] = len(texts)
        return body | dict(row.fields) | self.options

    async def _ask(self, query: str, texts: Sequence[str]) -> Iterable[tuple[object, object]]:
        record(calls=1)
        client: httpx.AsyncClient = self._client.get()
        with foreign_errors(self._as_ours):
            answer = await client.post(self._url, json=self._body(query, texts))
        if not answer.is_success:
            message = self._concealed(self._explained(answer))
            raise from_status(answer.status_code, message, answer.headers)
        reply = _json(answer)
        results = results_in(reply)
        if results is None:
            said = self._concealed(explanation(reply))
            raise from_garbage(f"the server's answer holds no results {said}".rstrip())
        record(prompt_tokens=tokens_in(reply), cost=None)
        return pairs_in(results)

    def _as_ours(self, error: Exception) -> ScorerError | None:
        import httpx

        return self._lost(error) if isinstance(error, (httpx.HTTPError, TooLongAnswer)) else None

    def _explained(self, answer: httpx.Response) -> str:
        said = explanation(_json(answer)) or answer.text[:300]
        if self._guessed and self.provider.name == "common" and answer.status_code in _MISFITS:
            others = ", ".join(name for name in PROVIDERS if name != "common")
            said = (
                f"{said[:100]} (taken for a common rerank server; else say provider=, of {others})"
            )
        return said

    def __repr__(self) -> str:
        model = "" if self.model is None else f", {self.model!r}"
        return f"RerankAPIScorer({self.url!r}{model}, provider={self.provider.name!r})"


def _taken_apart(url: str, provider: str | None) -> tuple[SplitResult, str | None, str | None]:
    """The URL itself, the provider and the model that may be written into it."""
    try:
        parts = urlsplit(url)
        _ = parts.port  # raises where it is no number
    except ValueError as error:
        raise ConfigurationError(f"the url of a rerank server cannot be read: {error}") from None
    prefix, plus, scheme = parts.scheme.rpartition("+")
    if scheme not in ("http", "https") or not parts.hostname:
        raise ConfigurationError(
            'the url of a rerank server looks like "http://host:8080/rerank", not '
            f"{parts.scheme}:{parts.path}"
        )
    if "@" in parts.netloc:
        raise ConfigurationError(
            "a name or password in a URL shows in every log: pass the key as api_key="
        )
    provider = provider or (prefix if plus else None)
    if provider is not None and provider not in PROVIDERS:
        raise ConfigurationError(
            f"provider={provider!r} is not known; there are {', '.join(PROVIDERS)}"
        )
    return parts._replace(scheme=scheme, fragment=""), provider, parts.fragment or None


def _has(key: Secret, needed: bool) -> bool:
    """Whether there is a key. Raises `MissingKeyError` if one is needed and there is none."""
    try:
        key.reveal()
    except MissingKeyError:
        if needed:
            raise
        return False
    return True


def _json(answer: httpx.Response) -> object:
    try:
        return answer.json()
    except ValueError:
        return None
