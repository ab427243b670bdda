"""How an OpenAI-compatible server is reached: by clients of ours, or by one of the user's own."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..errors import ConfigurationError, require
from ..remote.address import Address, check_environment
from ..remote.body_limit import refuse_too_long
from ..remote.identity import name_of
from ..remote.secret import Secret, held, is_secret, revealed
from ..remote.tls import tls_context
from ..runtime.loop import call_where_it_belongs
from .clients import Clients

if TYPE_CHECKING:
    import openai

KEY_VARIABLES = ("OPENAI_API_KEY",)


def is_sdk_client(thing: object) -> bool:
    """Whether it is a client of the official SDK, or derived from one, sync or async."""
    return any(
        kind.__module__.partition(".")[0] == "openai" and kind.__name__ in ("OpenAI", "AsyncOpenAI")
        for kind in type(thing).__mro__
    )


class Connection:
    """Posts to a server; retries and the deadline are the engine's, once for all scorers.

    What is the user's own (`client`, `http_client`) is called on the caller's loop, a sync one in a
    thread, and is not ours to close. Raises `MissingExtraError`, `MissingKeyError` or
    `ConfigurationError` for what cannot be used, or is said twice.
    """

    def __init__(
        self,
        *,
        base_url: str | None = None,
        api_key: str | None = None,
        headers: Mapping[str, str] | None = None,
        client: Any = None,
        http_client: Any = None,
    ) -> None:
        require("a model by name", "openai", "openai")
        self._client, self._http_client = client, http_client
        #: What calls for the user: the client without retries, or one around the HTTP client.
        self._theirs: Any = None
        if client is not None:
            given = {
                "base_url": base_url,
                "api_key": api_key,
                "headers": headers,
                "http_client": http_client,
            }
            self._take(client, [name for name, value in given.items() if value is not None])
            return
        url = base_url or os.environ.get("OPENAI_BASE_URL") or None
        option = "base_url" if base_url else "OPENAI_BASE_URL in the environment"
        at = None if url is None else Address.of(url, option)
        self._base = None if at is None else at.base
        self._query: Mapping[str, str | Secret] = {} if at is None else at.query
        self._headers = held(headers or {}, "headers")
        #: Of whom it is asked, as it may be shown; None: OpenAI itself.
        self.address = None if at is None else _shown(at.base, at.query)
        self._key = Secret(api_key, KEY_VARIABLES, "OpenAI")
        if not any(name.lower() in ("authorization", "api-key") for name in self._headers):
            self._key.reveal()
        if http_client is None:
            check_environment()
        elif not hasattr(http_client, "send") or isinstance(http_client, type):
            raise ConfigurationError(
                "http_client is an httpx.AsyncClient or an httpx.Client, not "
                f"{type(http_client).__name__}"
            )
        #: Names it in the cache; None where that cannot be told for certain.
        self.identity: str | None = f"{self.address or ''} {name_of(_plain(self._headers))}"
        self._connect()

    def _take(self, client: Any, twice: list[str]) -> None:
        if not is_sdk_client(client):
            raise ConfigurationError(
                "client is one of the official SDK (AsyncOpenAI, OpenAI, AsyncAzureOpenAI, "
                f"AzureOpenAI), not {type(client).__name__}"
            )
        if twice:
            raise ConfigurationError(f"{', '.join(twice)}: the client has its own; set them there")
        base = str(client.base_url)
        query = {str(name): value for name, value in client._custom_query.items()}
        self.address = _shown(base, query)
        sent = {name: value for name, value in client._custom_headers.items() if value}
        known = type(client).__module__.partition(".")[0] == "openai"
        self.identity = f"{self.address} {name_of(_plain(sent))}" if known else None
        self._theirs = client.with_options(max_retries=0)

    def _connect(self) -> None:
        self._clients: Clients[openai.AsyncOpenAI] = Clients(self._make, lambda one: one.close())
        self._theirs = None

    def _options(self) -> dict[str, Any]:
        headers = revealed(self._headers)
        by_header = any(name.lower() in ("authorization", "api-key") for name in headers)
        return {
            "api_key": "in the headers" if by_header else self._key.reveal(),
            "base_url": self._base,
            "default_headers": headers,
            "default_query": revealed(self._query),
            "max_retries": 0,
        }

    def _make(self) -> openai.AsyncOpenAI:
        import openai

        return openai.AsyncOpenAI(
            **self._options(),
            http_client=openai.DefaultAsyncHttpxClient(
                event_hooks={"response": [refuse_too_long]}, verify=tls_context()
            ),
        )

    async def post(self, path: str, body: Mapping[str, Any]) -> Any:
        """The answer, read where the server said that it is JSON, else as text."""
        if self._client is None and self._http_client is None:
            # by path: `chat.completions.create` spends twice the time, on types we do not use
            async with self._clients.one() as client:
                return await client.post(path, cast_to=object, body=body)
        theirs = self._own()

        def send() -> Any:
            return theirs.post(path, cast_to=object, body=body)

        if hasattr(theirs, "__aenter__"):
            return await call_where_it_belongs(None, send)
        return await call_where_it_belongs(send, None)

    def _own(self) -> Any:
        """The user's client, or an SDK's client around the user's HTTP client."""
        if self._theirs is None:
            import openai

            native = hasattr(self._http_client, "aclose")
            kind: Any = openai.AsyncOpenAI if native else openai.OpenAI
            self._theirs = kind(**self._options(), http_client=self._http_client)
        return self._theirs

    async def warm_up(self) -> None:
        """Make the first client now, in a thread."""
        if self._client is None and self._http_client is None:
            await self._clients.warm_up()

    async def aclose(self) -> None:
        """Close the clients that are ours."""
        if self._client is None and self._http_client is None:
            await self._clients.aclose()

    def __getstate__(self) -> dict[str, Any]:
        if self._client is not None or self._http_client is not None:
            raise ConfigurationError(
                "a client of your own does not pickle: make the scorer where it is used, or give "
                "base_url, headers and a key from the environment in its place"
            )
        bound = ("_clients", "_theirs")
        return {name: value for name, value in self.__dict__.items() if name not in bound}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._connect()


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: value
        for name, value in values.items()
        if not isinstance(value, Secret) and not is_secret(name, value)
    }


def _shown(base: str, query: Mapping[str, Any]) -> str:
    """The URL with the parameters that are no secrets."""
    plain = "&".join(f"{name}={value}" for name, value in sorted(_plain(query).items()))
    return f"{base}?{plain}" if plain else base
