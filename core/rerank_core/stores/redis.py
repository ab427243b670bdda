"""Scores in Redis, which several machines may share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote, urlsplit

from ..errors import ConfigurationError, MissingExtraError, RerankError
from ..protocols import StoredScore
from ..remote.secret import Secret, holds_secret, is_secret_name, redact, without_secrets
from ..runtime.deadline import Timeout, seconds
from ..runtime.per_loop import PerLoop
from .packing import pack, unpack

if TYPE_CHECKING:
    from redis.asyncio import Redis

SCHEMES = ("redis://", "rediss://", "unix://")
#: How long a connection, or an answer, may take in seconds. A ranking waits for much less.
SOCKET_TIMEOUT = 5.0
#: Where the password is looked for on the other side of a pickle.
VARIABLE = "REDIS_PASSWORD"


class RedisStore:
    """Keeps scores in Redis for `ttl` (seconds or a timedelta; None: for good), under `prefix`.

    `url` is "redis://user:password@host:port/database", "rediss://…" for TLS, or "unix://path".
    The password is shown nowhere and does not pickle: on the other side it is read from
    `REDIS_PASSWORD`. How much is kept is for the server to say (maxmemory, with an eviction
    policy); about 0.2 kB a score.

    Raises `MissingExtraError` without the `redis` package, `ConfigurationError` for another URL.
    """

    def __init__(
        self, url: str, *, ttl: Timeout = 30 * 24 * 3600.0, prefix: str = "rerank:"
    ) -> None:
        try:
            import redis.asyncio  # noqa: F401 - half a second that the first ranking need not wait
        except ImportError as error:
            raise MissingExtraError("a score cache in Redis", "redis") from error
        if not url.startswith(SCHEMES):
            raise ConfigurationError(f"a Redis URL begins with {', '.join(SCHEMES)}")
        self.url, password = _without_password(url)
        self._password = _secret(password) if password else None
        self.ttl, self.prefix = seconds("ttl", ttl), prefix
        self._clients = self._per_loop()

    def _per_loop(self) -> PerLoop[Redis]:
        return PerLoop(self._connect, lambda client: client.aclose())

    def _connect(self) -> Redis:
        from redis.asyncio import Redis
        from redis.asyncio.retry import Retry
        from redis.backoff import NoBackoff

        client: Redis = Redis.from_url(
            self.url,
            password=self._password.reveal() if self._password else None,
            socket_timeout=SOCKET_TIMEOUT,
            socket_connect_timeout=SOCKET_TIMEOUT,
            # once, for a connection that the server has closed since; the rest is the cache's part
            retry=Retry(NoBackoff(), 1),
        )
        return client

    async def get_many(self, keys: Sequence[str]) -> Mapping[str, StoredScore]:
        """Those it has, in one round trip."""
        names = [self.prefix + key for key in keys]
        if not names:
            return {}
        packed = await self._answer(self._clients.get().mget(names))
        return {
            key: value
            for key, one in zip(keys, packed, strict=True)
            if (value := unpack(key.encode(), one)) is not None
        }

    async def set_many(self, scores: Mapping[str, StoredScore]) -> None:
        """Keep them, in one round trip."""
        lifetime = None if self.ttl is None else max(1, round(self.ttl * 1000))
        async with self._clients.get().pipeline(transaction=False) as pipe:
            for key, value in scores.items():
                pipe.set(self.prefix + key, pack(key.encode(), value), px=lifetime)
            await self._answer(pipe.execute())

    async def aclose(self) -> None:
        """Close the connections. The next call opens new ones."""
        await self._clients.aclose()

    async def _answer(self, question: Any) -> Any:
        try:
            return await question
        except Exception as error:
            failure = RerankError(f"Redis: {type(error).__name__}: {redact(str(error))}")
        raise failure  # out here: the original's frames hold the client, and with it the password

    def __repr__(self) -> str:
        return f"RedisStore({self.url!r}, ttl={self.ttl}, prefix={self.prefix!r})"

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "_clients"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._clients = self._per_loop()


def _secret(password: str) -> Secret:
    return Secret(password, [VARIABLE], "Redis", option="password", in_header=False)


def _without_password(url: str) -> tuple[str, str | None]:
    """The URL as it may be shown, and the password that was in it."""
    parts = urlsplit(url)
    options = dict(parse_qsl(parts.query))
    password = options.pop("password", None)
    if parts.password is not None:
        password = unquote(parts.password)
    shown = without_secrets(url)
    if unknown := sorted(name for name in options if is_secret_name(name)):
        raise ConfigurationError(
            f"{', '.join(unknown)} in a Redis URL would show: give a client with it to a store of "
            "your own"
        )
    if holds_secret(shown):
        raise ConfigurationError(
            "the password in a Redis URL must be percent-encoded: urllib.parse.quote(password, '')"
        )
    return (url if password is None else shown), password
