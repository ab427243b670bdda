"""Scores in Redis, which several machines may share."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

from ..errors import ConfigurationError, MissingExtraError, RerankError
from ..protocols import StoredScore
from ..remote.secret import Secret, holds_secret, is_secret_name, redact, without_secrets
from ..runtime.deadline import Timeout, seconds
from ..runtime.per_loop import PerLoop
from ..runtime.threads import run
from .packing import pack, unpack
from .redis_clients import close, connect, is_client, kind_of, target_of, target_of_client

#: Where passwords are looked for on the other side of a pickle, and of a configuration file.
VARIABLE, SENTINEL_VARIABLE = "REDIS_PASSWORD", "REDIS_SENTINEL_PASSWORD"


class RedisStore:
    """Keeps scores in Redis for `ttl` (seconds or a timedelta; None: for good), under `prefix`.

    `where` is a URL, with "rediss" for "redis" where it speaks TLS, or a client of your own:

    - `redis://user:password@host:port/database`, `unix:///path/to/socket`: one server;
    - `redis+cluster://user:password@host:port,host:port`: a cluster, by any of its nodes;
    - `redis+sentinel://user:password@host:port,host:port/service/database`: the primary that
      Sentinel names, followed through a failover; Sentinel's own password as `?sentinel_password=`;
    - a `Redis` or `RedisCluster` of redis-py, sync or async, also from `Sentinel.master_for`. It is
      asked where it connects to, and never used or closed: the connections are the store's own.

    Options of redis-py go into the query (`?ssl_ca_certs=…`). Passwords are shown nowhere and do
    not pickle: on the other side they are read from `REDIS_PASSWORD` and `REDIS_SENTINEL_PASSWORD`,
    and so they are for a URL in a configuration file, which holds none.
    How much is kept is for the server to say (maxmemory, with an eviction policy); about 0.2 kB a
    score.

    Raises `MissingExtraError` without the `redis` package, `ConfigurationError` for another URL.
    """

    def __init__(
        self, where: Any, *, ttl: Timeout = 30 * 24 * 3600.0, prefix: str = "rerank:"
    ) -> None:
        try:
            import redis.asyncio  # noqa: F401 - half a second that the first ranking need not wait
        except ImportError as error:
            raise MissingExtraError("a score cache in Redis", "redis") from error
        self._given = where if is_client(where) else None
        self._password = self._sentinel_password = None
        if self._given is None:
            self.kind = kind_of(where)
            self.url, password, of_sentinel = _without_passwords(where)
            self._password = _secret(password, VARIABLE)
            self._sentinel_password = _secret(of_sentinel, SENTINEL_VARIABLE)
            self._target = target_of(self.url)
        else:
            target = target_of_client(self._given)
            self.kind = "server" if target is None else target.kind
            self.url = f"a {type(self._given).__name__} of your own"
        self.ttl, self.prefix = seconds("ttl", ttl), prefix
        self._clients = self._per_loop()

    def _per_loop(self) -> PerLoop[Any]:
        return PerLoop(self._connect, self._close)

    def _connect(self) -> Any:
        target = self._target if self._given is None else target_of_client(self._given)
        if target is None:
            return self._given
        secrets = (self._password, self._sentinel_password)
        return connect(target, *(one.reveal() if one else None for one in secrets))

    async def _close(self, client: Any) -> None:
        if client is not self._given:
            await close(client)

    async def get_many(self, keys: Sequence[str]) -> Mapping[str, StoredScore]:
        """Those it has, in one round trip."""
        names = [self.prefix + key for key in keys]
        if not names:
            return {}
        packed = await self._answer(lambda client: self._read(client, names))
        return {
            key: value
            for key, one in zip(keys, packed, strict=True)
            if (value := unpack(key.encode(), one)) is not None
        }

    async def set_many(self, scores: Mapping[str, StoredScore]) -> None:
        """Keep them, in one round trip."""
        lifetime = None if self.ttl is None else max(1, round(self.ttl * 1000))
        packed = [(self.prefix + key, pack(key.encode(), one)) for key, one in scores.items()]
        if packed:
            await self._answer(
                lambda client: _each(
                    client, lambda pipe: [pipe.set(*one, px=lifetime) for one in packed]
                )
            )

    async def _read(self, client: Any, names: Sequence[str]) -> Sequence[Any]:
        if self.kind == "cluster":  # one command may not ask several of its nodes
            return await _each(client, lambda pipe: [pipe.get(name) for name in names])
        found: Sequence[Any] = await _called(client, lambda: client.mget(names))
        return found

    async def aclose(self) -> None:
        """Close the connections. The next call opens new ones."""
        await self._clients.aclose()

    async def _answer(self, ask: Callable[[Any], Awaitable[Any]]) -> Any:
        from redis.exceptions import ClusterCrossSlotError, MovedError, ReadOnlyError

        try:
            client = self._clients.get()
            return await ask(client)
        except Exception as error:
            said = f"Redis: {type(error).__name__}: {redact(str(error))}"
            if isinstance(error, ClusterCrossSlotError | MovedError) and self.kind == "server":
                said += " (it is part of a cluster: say redis+cluster://…)"
            if isinstance(error, ReadOnlyError) and self.kind == "server" and self._given is None:
                await client.connection_pool.disconnect()  # the name may lead to another by now
            failure = RerankError(said)
        raise failure  # out here: the original's frames hold the client, and with it the password

    def __repr__(self) -> str:
        return f"RedisStore({self.url!r}, ttl={self.ttl}, prefix={self.prefix!r})"

    def __getstate__(self) -> dict[str, Any]:
        state = {name: value for name, value in self.__dict__.items() if name != "_clients"}
        return state | {"_given": None if self._given is None else "left behind"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        if self._given is not None:
            raise ConfigurationError(
                "RedisStore: a client of your own cannot be pickled: make it again here"
            )
        self._clients = self._per_loop()


async def _each(client: Any, commands: Callable[[Any], object]) -> Sequence[Any]:
    """What each command of one round trip brought. Raises the first of its errors.

    Without the words of redis-py, which repeat the command, and with it the value.
    """
    pipe = client.pipeline(transaction=False)
    commands(pipe)
    found: Sequence[Any] = await _called(client, lambda: pipe.execute(raise_on_error=False))
    for one in found:
        if isinstance(one, Exception):
            raise one
    return found


async def _called(client: Any, ask: Callable[[], Any]) -> Any:
    """What a method of the client answers; of a sync one, in a thread."""
    import redis

    if isinstance(client, redis.Redis | redis.RedisCluster):
        return await run(lambda stop: ask())
    return await ask()


def of_a_file(url: str) -> str:
    """The URL of a configuration file, with the passwords that the environment has for it."""
    options = {"password": VARIABLE}
    if "+sentinel" in url.partition("://")[0]:
        options["sentinel_password"] = SENTINEL_VARIABLE
    given = {name: os.environ.get(variable) for name, variable in options.items()}
    query = urlencode({name: value for name, value in given.items() if value}, quote_via=quote)
    return url + (query and ("&" if "?" in url else "?") + query)


def _secret(password: str | None, variable: str) -> Secret | None:
    if not password:
        return None
    return Secret(password, [variable], "Redis", option="password", in_header=False)


def _without_passwords(url: str) -> tuple[str, str | None, str | None]:
    """The URL as it may be shown, and the passwords that were in it: Redis's and Sentinel's."""
    parts = urlsplit(url)
    options = dict(parse_qsl(parts.query))
    password = options.pop("password", None)
    of_sentinel = options.pop("sentinel_password", None)
    if parts.password is not None:
        password = unquote(parts.password)
    shown = without_secrets(url)
    if unknown := sorted(name for name in options if is_secret_name(name)):
        raise ConfigurationError(
            f"{', '.join(unknown)} in a Redis URL would show: give a client with it instead"
        )
    if holds_secret(shown):
        raise ConfigurationError(
            "the password in a Redis URL must be percent-encoded: urllib.parse.quote(password, '')"
        )
    return (url if password is None and of_sentinel is None else shown), password, of_sentinel
