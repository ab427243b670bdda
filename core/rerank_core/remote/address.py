"""Where a server is, and whether the environment lets a client reach it: checked at the door.

HTTP clients say such things late, or as an `UnsupportedProtocol` out of the middle of a ranking.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit

from ..errors import ConfigurationError
from .secret import Secret, held, redact, revealed
from .tls import check_certificates

#: Where clients find their proxies.
_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")


@dataclass(frozen=True, slots=True)
class Address:
    """A server's URL, taken apart: `base` with scheme, host and path; the parameters of its query.

    A parameter that looks like a secret is held as one. `base` may be shown, and so may the repr.
    """

    base: str
    query: Mapping[str, str | Secret]

    @classmethod
    def of(cls, url: object, option: str = "base_url") -> Address:
        """The address in a URL. `option` is what the user calls it, for the error's sake.

        Raises `ConfigurationError` for one that no client can use, and for a name or password in
        it, which would show in every log.
        """
        if not isinstance(url, str):
            raise ConfigurationError(f"{option} is a URL as a string, not {type(url).__name__}")
        if odd := next((char for char in url if not char.isprintable()), None):
            raise ConfigurationError(
                f"{option} holds a line break or another character that no URL can "
                f"(U+{ord(odd):04X} at {url.index(odd) + 1} of {len(url)}): take it out"
            )
        url = url.strip()
        try:
            parts = urlsplit(url)
            _ = parts.port  # raises where it is no number
        except ValueError as error:
            why = "its port is no number" if "Port" in str(error) else redact(str(error))
            raise ConfigurationError(f"{option} cannot be read: {why}") from None
        if "@" in parts.netloc:
            raise ConfigurationError(
                f"a name or password in {option} shows in every log: pass a key as api_key=, or "
                'headers={"Authorization": …}'
            )
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ConfigurationError(
                f'{option} begins with http:// or https://, as in "http://localhost:8080/v1"; '
                f"{_shape(url)}"
            )
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        return cls(f"{parts.scheme}://{parts.netloc}{parts.path}", held(query, option))

    def parameters(self) -> dict[str, str]:
        """The query's parameters, for the one place that sends them. Raises `MissingKeyError`."""
        return revealed(self.query)


def _shape(url: str) -> str:
    """What is wrong with a URL without its scheme, without showing what may be secret in it."""
    if url[:1] in "\"'“”‘’" and url:
        return "this one is in quotes"
    return (
        "this one has no scheme" if "://" not in url else "this one has another scheme or no host"
    )


def check_environment() -> None:
    """Raise `ConfigurationError`, naming the variable, where no HTTP client can use what it says.

    Proxies of a kind that is not there, exceptions from them that cannot be read, files of
    certificates that are missing. What looks right is not looked at, so that nothing is imported.
    """
    for name, check in _CHECKS.items():
        if value := os.environ.get(name):
            try:
                check(value)
            except (ImportError, OSError, ValueError) as error:
                raise ConfigurationError(
                    f"{name}={redact(value)} in the environment cannot be used: "
                    f"{redact(str(error))}; set it right, or unset it"
                ) from None


def _check_proxy(value: str) -> None:
    scheme, found, _ = value.partition("://")
    if found and scheme.lower() in ("http", "https") and value.isascii() and value.isprintable():
        _ = urlsplit(value).port
        return
    import httpx

    try:
        httpx.HTTPTransport(proxy=value if found else f"http://{value}", verify=False).close()
    except httpx.InvalidURL as error:
        raise ValueError(str(error)) from None


def _check_exceptions(value: str) -> None:
    if not any(char in value for char in "[]:") and value.isprintable():
        return
    import httpx

    try:
        httpx.Client(verify=False).close()
    except httpx.InvalidURL as error:
        raise ValueError(f"{error}, where the HTTP client reads it") from None


def _check_directory(value: str) -> None:
    if not any(map(os.path.isdir, value.split(os.pathsep))):
        raise FileNotFoundError("there is no such directory")


def _check_key_log(value: str) -> None:
    with open(value, "a", encoding="utf-8"):  # as every TLS context does
        pass


#: In this order: what is wrong with a proxy is not said of the exceptions from it. Proxies are read
#: in lower case too, as curl does.
_CHECKS: Mapping[str, Callable[[str], None]] = {
    **{spelled: _check_proxy for name in _PROXIES for spelled in (name.lower(), name)},
    "SSL_CERT_FILE": check_certificates,
    "SSL_CERT_DIR": _check_directory,
    "SSLKEYLOGFILE": _check_key_log,
    "no_proxy": _check_exceptions,
    "NO_PROXY": _check_exceptions,
}
