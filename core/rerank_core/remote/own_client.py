"""Clients of the user's own, looked at when a scorer is made: one of another kind fails every
ranking, or is not asked at all, and with it its proxy and its certificates.
"""

from __future__ import annotations

from ..errors import ConfigurationError


def check_http_client(client: object, *packages: str) -> None:
    """Raise `ConfigurationError` for what is no `AsyncClient` of one of these packages (httpx);
    None is none.
    """
    check_client(
        "http_client", client, "AsyncClient", packages or ("httpx",), asked="build_request"
    )


def check_client(
    option: str, client: object, name: str, packages: tuple[str, ...], *, asked: str
) -> None:
    """Raise `ConfigurationError` for another class of these packages than that of this name, as the
    sync clients are, and for what has not even the attribute that is asked.

    By name: nothing is imported. What wraps a client, as tracers do, is let be; so is None.
    """
    kinds = [*type(client).__mro__, *getattr(client, "__class__", object).__mro__]
    theirs = [kind.__name__ for kind in kinds if kind.__module__.partition(".")[0] in packages]
    wraps = not theirs and not isinstance(client, type) and hasattr(client, asked)
    if client is None or name in theirs or wraps:
        return
    raise ConfigurationError(
        f"{option} is of {packages[0]}.{name}, not of {type(client).__qualname__}"
    )


def check_alone(client: object, **beside: object) -> None:
    """Raise `ConfigurationError` where a client is given, and beside it what it has itself."""
    twice = [name for name, value in beside.items() if value is not None]
    if client is not None and twice:
        raise ConfigurationError(f"{', '.join(twice)}: the client has its own; set them there")
