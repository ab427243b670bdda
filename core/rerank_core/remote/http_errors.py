"""One table: what every HTTP status means for a ranking.

Vendors' SDKs raise errors of their own; their scorers hand over the status (or the lost
connection) and get back a `ScorerError` that carries the decision. Nothing else in the library
looks at a status, and nothing at all at message text, but for the two 400s that no status tells
apart: a context that is too long, and a parameter that the server refuses.

Sources: RFC 9110 and RFC 6585 for the codes, OpenAI's and Cohere's error pages for 402 and 400,
Anthropic's for 529 (overloaded).
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

from ..errors import Reason, ScorerError


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

_TOO_LONG = re.compile(
    r"context[ _-]?(length|window)|maximum context|too many tokens|too long|token limit", re.I
)
# a digit in it tells a key from "key provided"
_SECRET = re.compile(r"\b(sk|pk|key|co|pa|jina|Bearer)[-_ ](?=\S*\d)[\w.*-]{6,}", re.I)


def from_status(
    status: int, message: str = "", headers: Mapping[str, str] | None = None
) -> ScorerError:
    """The error for an HTTP status, with the decision on it.

    `message` is the server's own explanation; it is shortened, and anything that looks like a
    key is taken out of it (servers like to quote the key they refuse).
    """
    verdict = VERDICTS.get(status) or Verdict(
        Reason.SERVER if status >= 500 else Reason.REQUEST, retryable=status >= 500
    )
    if status == 400 and _TOO_LONG.search(message):
        verdict = VERDICTS[413]
    if status == 429 and "insufficient_quota" in message:
        verdict = VERDICTS[402]
    return ScorerError(
        f"HTTP {status}: {redact(message)}" if message else f"HTTP {status}",
        reason=verdict.reason,
        status=status,
        retryable=verdict.retryable,
        retry_after=_retry_after(headers or {}),
        splittable=verdict.splittable,
        fatal=verdict.fatal,
    )


def from_connection(error: BaseException) -> ScorerError:
    """The error for a connection that was refused, lost, or never answered."""
    return ScorerError(
        f"{type(error).__name__}: {redact(str(error))}".rstrip(": "),
        reason=Reason.CONNECTION,
        retryable=True,
    )


def from_garbage(what: str) -> ScorerError:
    """The error for an answer with status 200 that is not what the protocol says."""
    return ScorerError(what, reason=Reason.CONNECTION, retryable=True)


def from_foreign(error: Exception) -> ScorerError:
    """The error for whatever the user's own client raised, by its status if it carries one."""
    status = getattr(error, "status_code", None) or getattr(error, "code", None)
    if isinstance(status, int) and 400 <= status < 600:
        return from_status(status, str(error))
    return ScorerError(f"{type(error).__name__}: {redact(str(error))}".rstrip(": "))


def redact(message: str, limit: int = 300) -> str:
    """The message on one line, shortened, without anything that looks like a key."""
    return _SECRET.sub(r"\1-[redacted]", " ".join(message[: 4 * limit].split()))[:limit]


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
