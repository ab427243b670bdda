"""One table: what every HTTP status means for a ranking.

Vendors' SDKs raise errors of their own; their scorers hand over the status (or the lost
connection) and get back a `ScorerError` that carries the decision. Nothing else in the library
looks at a status, and nothing at all at message text, but for what no status tells apart: a request
that is too large (see `size_limits`), and a parameter that the server refuses.

Sources: RFC 9110 and RFC 6585 for the codes, OpenAI's and Cohere's error pages for 402 and 400,
Anthropic's for 529 (overloaded).
"""

from __future__ import annotations

import re
import socket
import ssl
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

from ..errors import Reason, ScorerError
from ..runtime.patterns import pattern
from .secret import redact, without_secrets
from .size_limits import size_limit


@dataclass(frozen=True, slots=True)
class Verdict:
    """What to do about a status."""

    reason: Reason
    retryable: bool = False
    splittable: bool = False
    fatal: bool = False


VERDICTS: Mapping[int, Verdict] = {
    400: Verdict(Reason.REQUEST),
    401: Verdict(Reason.AUTH, fatal=True),
    402: Verdict(Reason.PAYMENT),
    403: Verdict(Reason.AUTH, fatal=True),
    404: Verdict(Reason.MODEL, fatal=True),
    408: Verdict(Reason.TIMEOUT, retryable=True),
    409: Verdict(Reason.SERVER, retryable=True),
    413: Verdict(Reason.TOO_LARGE, splittable=True),
    422: Verdict(Reason.REQUEST),
    425: Verdict(Reason.SERVER, retryable=True),
    429: Verdict(Reason.RATE_LIMIT, retryable=True),
    503: Verdict(Reason.OVERLOADED, retryable=True),
    529: Verdict(Reason.OVERLOADED, retryable=True),
}

#: Statuses that gateways answer with where a 401 or a 404 was due, and the words for it.
_OF_ANY = (400, 422, 500)
_WRONG_MODEL = pattern(
    r"\bmodel\b[^;\n]{0,80}?\b(?:not found|not exist|unknown|not recogni[sz]ed"
    r"|is (?:invalid|not (?:valid|available|supported|loaded|served)))"
    r"|\b(?:unknown|invalid|unsupported|unrecogni[sz]ed|no such|not a valid|cannot find|not find)"
    r"(?: the)? model\b|model_not_found|no (?:healthy )?deployments?",
    re.I,
)
_WRONG_KEY = pattern(
    r"(?:api[ _-]?key|credentials?|access token)\b[^;\n]{0,40}?\b(?:invalid|incorrect|not valid"
    r"|missing|expired|revoked|required|denied|not found|not provided)"
    r"|\b(?:invalid|incorrect|missing|no|bad|wrong|expired) "
    r"(?:api[ _-]?key|credentials|access token)"
    r"|\bunauthori[sz]ed|\bauthentication (?:error|failed|required)|authenticationerror"
    r"|permission denied",
    re.I,
)
#: Statuses that servers refuse a request with that is too large for them.
_OF_SIZE = (400, 413, 422, 500)


def from_status(
    status: int,
    message: str = "",
    headers: Mapping[str, str] | None = None,
    url: str | None = None,
) -> ScorerError:
    """The error for an HTTP status, with the decision on it.

    `message` is the server's own explanation; it is shortened, and anything that looks like a
    key is taken out of it (servers like to quote the key they refuse). Where the address is likely
    to be what is wrong, a 404 or a redirect, it is named: `url`, without its parameters.
    """
    verdict = VERDICTS.get(status) or Verdict(
        Reason.SERVER if status >= 500 else Reason.REQUEST, retryable=status >= 500
    )
    limit = size_limit(message) if status in _OF_SIZE else None
    likely = None
    if limit is not None:
        verdict = VERDICTS[413]
    elif status in _OF_ANY and _WRONG_KEY.search(message):
        likely = Reason.AUTH
    elif status in _OF_ANY and _WRONG_MODEL.search(message):
        likely = Reason.MODEL
    if status == 429 and "insufficient_quota" in message:
        verdict = VERDICTS[402]
    said = f"HTTP {status}"
    if url and (status == 404 or 300 <= status < 400):
        said += f" at {redact(url)}"
    if 300 <= status < 400:
        target = {k.lower(): v for k, v in (headers or {}).items()}.get("location")
        message = f"a redirect to {without_secrets(target)}" if target else "a redirect"
    error = ScorerError(
        f"{said}: {redact(message)}" if message else said,
        reason=likely or verdict.reason,
        status=status,
        retryable=verdict.retryable and likely is None,
        retry_after=_retry_after(headers or {}),
        splittable=verdict.splittable,
        fatal=verdict.fatal,
        limit=limit,
    )
    error.likely_fatal = likely is not None
    return error


def from_connection(error: BaseException, url: str | None = None) -> ScorerError:
    """The error for a connection that was refused, lost, or never answered.

    It names the cause, which clients hide beneath several layers ("Connection error."), and where
    it was, `url`. A certificate that is not trusted will not be the next time either: that is not
    tried again.
    """
    causes = list(_chain(error))
    at = f" at {redact(urlsplit(url).netloc)}" if url else ""
    retryable, why = True, ""
    for cause in causes:
        name = type(cause).__name__
        if isinstance(cause, ssl.SSLCertVerificationError):
            why = f"the certificate{at} is not trusted: {_told(cause)}"
            retryable = False
        elif name == "ProxyError":
            why = f"the proxy in the environment did not let it through: {cause}"
        elif isinstance(cause, socket.gaierror):
            why = f"no such host{at}: {cause.strerror}"
        elif isinstance(cause, ConnectionRefusedError):
            why = f"connection refused{at}"
        elif isinstance(cause, ssl.SSLError):
            why = f"no TLS{at}: {cause.reason or cause}"
        if why:
            break
    if not why:
        inner = next((one for one in reversed(causes) if str(one)), error)
        why = f"{str(inner) or 'no answer'}{at}"
    return ScorerError(
        f"{type(error).__name__}: {redact(why)}", reason=Reason.CONNECTION, retryable=retryable
    )


def _told(error: ssl.SSLCertVerificationError) -> str:
    return getattr(error, "verify_message", "") or str(error)


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error and what caused it, the outermost first; of a group, its members too."""
    seen: set[int] = set()
    waiting = [error]
    while waiting:
        one = waiting.pop(0)
        if id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        if isinstance(one, BaseExceptionGroup):
            waiting.extend(one.exceptions)
        if (cause := one.__cause__ or one.__context__) is not None:
            waiting.append(cause)


def from_garbage(what: str) -> ScorerError:
    """The error for an answer with status 200 that is not what the protocol says."""
    return ScorerError(redact(what), reason=Reason.CONNECTION, retryable=True)


def from_foreign(error: Exception) -> ScorerError:
    """The error for whatever the user's own client raised, by its status if it carries one."""
    status = getattr(error, "status_code", None) or getattr(error, "code", None)
    if isinstance(status, int) and 400 <= status < 600:
        return from_status(status, str(error))
    return ScorerError(f"{type(error).__name__}: {redact(str(error))}".rstrip(": "))


def explanation(body: object) -> str:
    """What a server says about an error, whatever shape it puts that into.

    >>> explanation({"error": {"message": "no credit", "code": "quota"}})
    'no credit (quota)'
    >>> explanation({"detail": [{"msg": "too many"}]})
    'too many'
    """
    if isinstance(body, Mapping):
        for name in ("error", "message", "detail", "msg"):
            if body.get(name):
                code = body.get("code") or body.get("error_type")
                said = explanation(body[name])
                return f"{said} ({code})" if isinstance(code, str) else said
        return ""
    if isinstance(body, list):
        return "; ".join(filter(None, map(explanation, body[:3])))
    return body if isinstance(body, str) else ""


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds to wait, from Retry-After (RFC 9110: seconds or a date) or retry-after-ms."""
    lower = {key.lower(): value for key, value in headers.items()}
    for name, unit in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        try:
            return max(0.0, float(lower[name]) * unit)
        except (KeyError, ValueError):
            continue
    try:
        return max(0.0, parsedate_to_datetime(lower["retry-after"]).timestamp() - time.time())
    except (KeyError, ValueError, TypeError):
        return None
