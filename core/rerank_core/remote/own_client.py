"""Clients of the user's own, looked at when a scorer is made: one of another kind fails every
ranking, or is not asked at all, and with it its proxy and its certificates.
"""

from __future__ import annotations

from ..errors import ConfigurationError


def check_http_client(client: object, *packages: str) -> None:
    """Raise `ConfigurationError` for what is no `AsyncClient` of one of these packages (httpx);
    None is none.
    """
    check_client("http_client", client, ("AsyncClient",), packages or ("httpx",))


def check_client(
    option: str, client: object, classes: tuple[str, ...], packages: tuple[str, ...]
) -> None:
    """Raise `ConfigurationError` for what is of none of these classes, by name: nothing is
    imported. None is none.
    """
    if client is None or any(
        kind.__name__ in classes and kind.__module__.partition(".")[0] in packages
        for kind in type(client).__mro__
    ):
        return
    wanted = " or ".join(f"{packages[0]}.{name}" for name in classes)
    raise ConfigurationError(f"{option} is of {wanted}, not of {type(client).__qualname__}")


def check_alone(client: object, **beside: object) -> None:
    """Raise `ConfigurationError` where a client is given, and beside it what it has itself."""
    twice = [name for name, value in beside.items() if value is not None]
    if client is not None and twice:
        raise ConfigurationError(f"{', '.join(twice)}: the client has its own; set them there")
