"""OpenAI's embeddings, and every server that speaks them, through the official SDK.

https://platform.openai.com/docs/api-reference/embeddings
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any
from urllib.parse import urlsplit

from ..chat.prices import OPENAI, Tariff
from ..errors import ConfigurationError, require
from ..remote.address import Address, check_environment
from ..remote.foreign_errors import foreign_errors
from ..remote.http_errors import explanation, from_garbage
from ..remote.openai_errors import from_openai
from ..remote.own_client import check_alone, check_client, check_http_client
from ..remote.secret import Secret, held, revealed
from ..remote.size_limits import checked_batch_size, checked_max_chars
from ..remote.tls import tls_context
from ..runtime.per_loop import PerLoop
from ..runtime.threads import run
from ..runtime.usage import record
from ..text.utf8 import as_utf8
from .embedder import Embedder, Vector
from .fitting import Fitting

#: What the SDK and its transport import with the first request.
_LATE_IMPORTS = ("openai.resources.embeddings", "anyio._backends._asyncio")
#: OpenAI takes 8,192 tokens a text and refuses longer ones; this is within it in most languages.
_MOST_CHARACTERS = 24_000

#: Whose servers are no one's own.
VENDORS = (".openai.com", ".azure.com")


class OpenAIEmbedder(Embedder):
    """Asks an OpenAI-compatible server for embeddings. See `EmbeddingScorer` for its options."""

    max_concurrency = 8
    max_attempts = 3
    default_timeout = 5.0

    def __init__(
        self,
        model: str,
        prompts: tuple[str | None, str | None],
        *,
        base_url: str | None = None,
        api_key: str | None = None,
        batch_size: int | None = None,
        max_chars: int | None = None,
        headers: Mapping[str, str] | None = None,
        client: Any = None,
        http_client: Any = None,
    ) -> None:
        require("EmbeddingScorer with a model of OpenAI", "openai", "openai")
        # Azure's is one, too
        check_client("client", client, "AsyncOpenAI", ("openai",), asked="embeddings")
        check_http_client(http_client, "httpx", "httpx2")  # the SDK's of the one it was made for
        check_alone(
            client, base_url=base_url, api_key=api_key, headers=headers, http_client=http_client
        )
        self.model = model
        self.prompts = [prompt or "" for prompt in prompts]
        if batch_size is not None:
            self.batch_size = checked_batch_size(batch_size)
        # the query goes along with every batch
        self._fitting = Fitting(checked_max_chars(max_chars) or _MOST_CHARACTERS, beside=1)
        self._given, self._http = client, http_client
        self.headers = held(headers or {}, "headers")
        url = base_url or os.environ.get("OPENAI_BASE_URL")
        option = "base_url" if base_url else "OPENAI_BASE_URL in the environment"
        if client is not None:
            url, self.max_attempts = str(client.base_url), 1  # it brings retries of its own
        self._address = Address.of(url, option) if url else None
        self.base_url = self._address.base if self._address else None
        self._tariff = Tariff(model, address=self.base_url or OPENAI)
        # a vendor is fast, whatever it is sent; a server of one's own may not be
        host = urlsplit(self.base_url or "").hostname
        self.adaptive_batches = host is not None and not host.endswith(VENDORS)
        sent = _shown(self._address.query if self._address else {}) | _shown(self.headers)
        self.identity = f"openai {model} {self.base_url or ''} {self._fitting.max_chars} {sent}"
        self._key = Secret(api_key, ("OPENAI_API_KEY",), "OpenAI")
        if client is None:
            self._key.reveal()
            if http_client is None:
                check_environment()
        self._client = self._clients()

    def _clients(self) -> PerLoop[Any]:
        return PerLoop(self._make, self._close)

    def _make(self) -> Any:
        import openai

        if self._given is not None:
            return self._given
        # retries and the deadline are the engine's, once for all scorers
        return openai.AsyncOpenAI(
            api_key=self._key.reveal(),
            base_url=self.base_url,
            default_headers=revealed(self.headers),
            default_query=self._address.parameters() if self._address else None,
            max_retries=0,
            http_client=self._http or openai.DefaultAsyncHttpxClient(verify=tls_context()),
        )

    async def _close(self, client: Any) -> None:
        if self._given is None and self._http is None:
            await client.close()

    async def embed(self, query: str, texts: Sequence[str]) -> tuple[Vector, Sequence[Vector]]:
        """See `Embedder`."""
        # The query goes along with every batch: a few tokens, where a call of its own is a wait.
        of_query, of_text = self.prompts
        (asked,) = self._fitting.cut([as_utf8(of_query + query)]) if query.strip() else [""]
        places = [place for place, text in enumerate(texts) if text.strip()]  # it refuses others
        if len(places) < len(texts):
            record(note="blank texts are not sent for embedding, and have no score")
        vectors: list[Vector] = [None] * len(texts)

        async def ask(shortened: list[str]) -> list[Vector]:
            return await self._all([asked, *shortened] if asked else shortened)

        sent = [as_utf8(of_text + texts[place]) for place in places]
        found = await self._fitting.ask(ask, sent) if sent or asked else []
        of_asked = found.pop(0) if asked else None
        for place, vector in zip(places, found, strict=True):
            vectors[place] = vector
        return of_asked, vectors

    def groups(self, texts: Sequence[str]) -> list[Sequence[int]]:
        """Batches that keep to what the server is known to take."""
        return self._fitting.groups(texts, self.batch_size)

    async def _all(self, texts: list[str]) -> list[Vector]:
        if not self._fitting.alone:
            return await self._send(texts)
        return [vector for text in texts for vector in await self._send([text])]

    async def _send(self, texts: list[str]) -> list[Vector]:
        record(calls=1)
        with foreign_errors(from_openai):
            asking = self._client.get().embeddings.with_raw_response
            answer = await asking.create(model=self.model, input=texts)
            try:
                found = answer.parse()
            except ValueError:  # no JSON, or no data in it; a gateway may have put an error there
                said = explanation(_json(answer.http_response.text))
                raise from_garbage(f"the server's answer has no embeddings {said}") from None
        try:
            vectors = {row.index: row.embedding for row in found.data}
            ordered = [vectors[position] for position in range(len(texts))]
        except (AttributeError, KeyError, TypeError):
            raise from_garbage("the server's answer has not one embedding for each text") from None
        read = getattr(found.usage, "prompt_tokens", 0) or 0
        record(prompt_tokens=read, cost=self._tariff.cost(read, 0) if read else None)
        return ordered

    async def warm_up(self) -> None:
        """Import the SDK, and make the client."""
        for late in _LATE_IMPORTS:  # a second that must not hold up the loop
            if late not in sys.modules:
                await run(lambda stop, late=late: import_module(late))
        if not self._tariff.loaded:
            await run(lambda stop: self._tariff.warm_up())
        await self._client.warm_up()

    async def aclose(self) -> None:
        """Close the connections that are ours."""
        await self._client.aclose()

    def __getstate__(self) -> dict[str, Any]:
        state = {name: value for name, value in self.__dict__.items() if name != "_client"}
        return state | {name: state[name] and "left behind" for name in ("_given", "_http")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        if self._given or self._http:
            raise ConfigurationError(
                "EmbeddingScorer: a client of your own cannot be pickled: make it again here"
            )
        self._client = self._clients()


def _json(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _shown(values: Mapping[str, str | Secret]) -> dict[str, str]:
    return {name: value for name, value in values.items() if isinstance(value, str)}
