"""Clients of Redis: one server, a cluster, or a primary that Sentinel names.

Made from a URL, or from where a client of the user's own connects to: its connections belong to the
user's event loop and decode what they read, so that ours are others to the same place.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlencode, urlsplit

from ..errors import ConfigurationError

#: How a URL begins, for each kind.
SCHEMES = {
    "server": ("redis://", "rediss://", "unix://"),
    "cluster": ("redis+cluster://", "rediss+cluster://"),
    "sentinel": ("redis+sentinel://", "rediss+sentinel://"),
}
#: How long a connection, or an answer, may take in seconds. A ranking waits for much less.
SOCKET_TIMEOUT = 5.0
SENTINEL_PORT = 26379
#: What of a client's own settings says where it connects to, and as whom.
_WHERE = frozenset(
    ("host", "port", "path", "db", "username", "password", "credential_provider", "protocol")
)
#: Connections that these settings describe in full.
_PLAIN = frozenset(
    {
        "Connection",
        "SSLConnection",
        "UnixDomainSocketConnection",
        "SentinelManagedConnection",
        "SentinelManagedSSLConnection",
    }
)


class Target(NamedTuple):
    """Where to connect to: one place, or several that know each other."""

    kind: str
    nodes: tuple[tuple[str, int], ...]
    #: Settings of a connection, as redis-py names them.
    settings: Mapping[str, Any]
    #: What Sentinel calls the primary, and settings of a connection to Sentinel itself.
    service: str = ""
    of_sentinel: Mapping[str, Any] = {}


def kind_of(url: str) -> str:
    """ "server", "cluster" or "sentinel". Raises `ConfigurationError` for another URL."""
    for kind, schemes in SCHEMES.items():
        if url.startswith(schemes):
            return kind
    known = ", ".join(scheme for schemes in SCHEMES.values() for scheme in schemes)
    raise ConfigurationError(f"a Redis URL begins with {known}")


def target_of(url: str) -> Target:
    """Where that URL leads. Raises `ConfigurationError` for one that names no service or port."""
    from redis.asyncio.connection import parse_url

    kind, parts = kind_of(url), urlsplit(url)
    if kind == "server":
        return Target(kind, (), {"url": url})
    user, at, hosts = parts.netloc.rpartition("@")
    service, _, database = parts.path.strip("/").partition("/")
    if kind == "cluster":
        service, database = "", service
        if database not in ("", "0"):
            raise ConfigurationError("a Redis cluster has one database: leave it out of the URL")
    elif not service:
        raise ConfigurationError(
            "a Sentinel URL names the service: redis+sentinel://host:26379/mymaster/0"
        )
    if database and not database.isdecimal():
        raise ConfigurationError(f"a database of Redis is a number, not {database!r}")
    options = dict(parse_qsl(parts.query))
    of_sentinel = {
        name: options.pop(f"sentinel_{name}")
        for name in ("username", "password")
        if f"sentinel_{name}" in options
    }
    nodes = tuple(_node(host, SENTINEL_PORT if service else 6379) for host in hosts.split(","))
    one = f"{parts.scheme.partition('+')[0]}://{user}{at}node/{database}?{urlencode(options)}"
    try:
        settings = dict(parse_url(one))
    except ValueError as error:
        raise ConfigurationError(f"a Redis URL that cannot be read: {error}") from None
    settings.pop("host", None)
    if settings.pop("connection_class", None) is not None:
        settings["ssl"] = True
    return Target(kind, nodes, settings, service, of_sentinel)


def is_client(thing: object) -> bool:
    """Whether it is a client of Redis, sync or async, of one server, a cluster or Sentinel."""
    return callable(getattr(thing, "execute_command", None)) and (
        hasattr(thing, "connection_pool") or hasattr(thing, "nodes_manager")
    )


def target_of_client(client: Any) -> Target | None:
    """Where a client connects to; None where only the client itself knows how."""
    pool = getattr(client, "connection_pool", None)
    if pool is None:
        manager = client.nodes_manager
        nodes = getattr(manager, "startup_nodes", None) or client.startup_nodes
        found = nodes.values() if isinstance(nodes, Mapping) else nodes
        given = getattr(client, "connection_kwargs", None) or manager.connection_kwargs
        return Target("cluster", tuple((n.host, int(n.port)) for n in found), _settings(given))
    if pool.connection_class.__name__ not in _PLAIN:
        return None
    settings = _settings(pool.connection_kwargs)
    if "SSL" in pool.connection_class.__name__:
        settings["ssl"] = True
    manager = getattr(pool, "sentinel_manager", None)
    if manager is None:
        return Target("server", (), settings)
    places = [one.connection_pool.connection_kwargs for one in manager.sentinels]
    return Target(
        "sentinel",
        tuple((place["host"], int(place["port"])) for place in places),
        settings,
        pool.service_name,
        _settings(manager.sentinel_kwargs),
    )


def connect(target: Target, password: str | None, sentinel_password: str | None) -> Any:
    """A client on the running loop, whose answers are bytes. Nothing is sent yet."""
    from redis.asyncio import Redis, RedisCluster
    from redis.asyncio.cluster import ClusterNode
    from redis.asyncio.retry import Retry
    from redis.asyncio.sentinel import Sentinel
    from redis.backoff import NoBackoff

    limits = {"socket_timeout": SOCKET_TIMEOUT, "socket_connect_timeout": SOCKET_TIMEOUT}
    settings = {**limits, **target.settings}
    if password is not None:
        settings["password"] = password
    if target.kind == "cluster":
        return RedisCluster(startup_nodes=[ClusterNode(*node) for node in target.nodes], **settings)
    # once, for a connection that the server has closed since; the rest is the cache's part
    settings["retry"] = Retry(NoBackoff(), 1)
    if target.kind == "server":
        url = settings.pop("url", None)
        if url is not None:
            return Redis.from_url(url, **settings)
        if "path" in settings:
            settings["unix_socket_path"] = settings.pop("path")
        return Redis(**settings)
    of_sentinel = {**limits, **target.of_sentinel}
    if sentinel_password is not None:
        of_sentinel["password"] = sentinel_password
    manager: Any = Sentinel(  # type: ignore[no-untyped-call]
        list(target.nodes), sentinel_kwargs=of_sentinel
    )
    return manager.master_for(target.service, **settings)


def _node(host: str, port: int) -> tuple[str, int]:
    try:
        parts = urlsplit(f"//{host}")
        return parts.hostname or "localhost", parts.port or port
    except ValueError:
        raise ConfigurationError(f"{host!r} in a Redis URL is no host:port") from None


def _settings(given: Mapping[str, Any] | Iterable[Any] | None) -> dict[str, Any]:
    return {
        name: value
        for name, value in dict(given or {}).items()
        if value is not None and (name in _WHERE or (name == "ssl" or name.startswith("ssl_")))
    }


async def close(client: Any) -> None:
    """Close what `connect` made, connections to Sentinel too."""
    pool = getattr(client, "connection_pool", None)
    await client.aclose()
    if pool is not None:
        await pool.disconnect()  # one that was handed over is not closed with the client
    for one in getattr(getattr(pool, "sentinel_manager", None), "sentinels", ()):
        await one.aclose()
