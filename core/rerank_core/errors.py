"""What can go wrong, by what the caller can do about it.

    RerankError
    ├── InvalidInputError (ValueError)      a query, document or option that cannot be right
    ├── ConfigurationError (ValueError)     a reranker that cannot work as set up
    │   ├── MissingKeyError                 … for want of an API key
    │   └── UnknownOptionError (TypeError)  … by an option that there is not
    ├── MissingExtraError (ImportError)     … for want of a package; the message has the command
    ├── ScorerError                         the world: a server, a network, a model
    └── DegradedError (in `ranking`)        on_error="raise", and the answer was degraded

Everything above `ScorerError` is raised before any call is made. A `ScorerError` reaches the
caller only where the contract says so; elsewhere it becomes a reason in `ranking.report`.
"""

from __future__ import annotations

import re
from enum import StrEnum
from importlib.util import find_spec
from typing import NamedTuple

#: What this library is installed as.
DISTRIBUTION = "dropin-rerank"


class Reason(StrEnum):
    """Why a ranking is not all that it could be. A string, so `"timeout" in report.reasons`."""

    TIMEOUT = "timeout"  # the deadline struck
    LOADING = "loading"  # a scorer was not loaded by the deadline; it goes on loading
    AUTH = "auth"  # 401, 403: the key is wrong or may not do this
    MODEL = "model"  # the server does not know the model
    PAYMENT = "payment"  # 402: no credit
    RATE_LIMIT = "rate_limit"  # 429, and it did not clear in time
    OVERLOADED = "overloaded"  # 503, 529
    SERVER = "server"  # other 5xx
    CONNECTION = "connection"  # nothing, or half an answer, came back
    REQUEST = "request"  # 4xx: the server refused what was asked
    TOO_LARGE = "too_large"  # 413 or context length, and it cannot be split further
    UNPARSEABLE = "unparseable"  # a reply came, but no score could be read from it
    INCOMPLETE = "incomplete"  # a reply left documents out
    SCORER = "scorer"  # the scorer raised something else
    QUERY = "query"  # the query of an agent or a chat engine was blank, and nothing was asked
    DOCUMENT = "document"  # a document that a framework handed over could not be read
    SIGNAL = "signal"  # a signal such as a date could not be read for some; it counts as missing
    FALLBACK = "fallback"  # a fallback scorer answered
    BUDGET = "budget"  # max_calls, max_tokens or max_cost was reached
    CIRCUIT_OPEN = "circuit_open"  # it failed too often lately and was not asked
    CACHE = "cache"  # the cache did not work; the ranking is unharmed


#: What a report names although the ranking is the one that was asked for.
HARMLESS = frozenset({Reason.CACHE, Reason.SIGNAL})


class RerankError(Exception):
    """The root of everything this library raises on its own account."""


class InvalidInputError(RerankError, ValueError):
    """A query, a document or an option that cannot be right. Nothing was sent anywhere."""


class ConfigurationError(RerankError, ValueError):
    """The reranker cannot work as it is set up. Raised at construction, with the fix."""


class MissingKeyError(ConfigurationError):
    """No API key: neither given nor in the environment. The message names the variable."""


class UnknownOptionError(ConfigurationError, TypeError):
    """No option has this name. A `TypeError`, as Python has it; the message has the nearest one."""


class MissingExtraError(RerankError, ImportError):
    """An optional package is not installed. The message has the extra, and a command for it.

    The command names the packages of the extra, as this library's own metadata has them: it holds
    for a release, a wheel and a checkout alike, and leaves the library itself as it is.
    """

    def __init__(self, feature: str, extra: str) -> None:
        self.feature, self.extra = feature, extra
        super().__init__(f"{feature} needs the extra {extra!r} of {DISTRIBUTION}: {install(extra)}")

    def __reduce__(self) -> tuple[type[MissingExtraError], tuple[str, str]]:
        return type(self), (self.feature, self.extra)


def install(extra: str) -> str:
    """The command that brings what an extra of this library brings."""
    import shlex  # these two for this sentence only
    from importlib.metadata import PackageNotFoundError, requires

    try:
        listed = [one.partition(";") for one in requires(DISTRIBUTION) or ()]
    except PackageNotFoundError:  # a source tree that was never installed
        listed = []
    named = re.compile(rf"""\bextra\s*==\s*['"]{re.escape(extra)}['"]""")
    packages = [name.strip() for name, _, when in listed if named.search(when)]
    if not packages:
        return f"pip install '{DISTRIBUTION}[{extra}]'"
    return f"pip install {' '.join(map(shlex.quote, packages))}"


class SizeLimit(NamedTuple):
    """What a server said that it takes: so many "texts", "characters", "tokens" or "bytes".

    `most` is None where it gave no number; `asked` is what it said it was asked, where it did.
    """

    unit: str
    most: int | None
    asked: int | None


def require(feature: str, extra: str, *modules: str) -> None:
    """Raise `MissingExtraError` unless they are installed; only a module's parents are imported."""
    if not all(map(_is_installed, modules)):
        raise MissingExtraError(feature, extra)


def _is_installed(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:  # not even its parent
        return False


class ScorerError(RerankError):
    """A scorer could not score. Carries the decision, so that nobody reads message text.

    `reason` says what happened; `retryable` whether the same call may succeed later;
    `retry_after` (seconds) when the server said so; `splittable` whether a smaller batch may, and
    `at_most` how many texts then, where that is known; `limit` what the server said of its size.
    """

    def __init__(
        self,
        message: str,
        *,
        reason: Reason = Reason.SCORER,
        status: int | None = None,
        retryable: bool = False,
        retry_after: float | None = None,
        splittable: bool = False,
        fatal: bool = False,
        limit: SizeLimit | None = None,
    ) -> None:
        super().__init__(message)
        self.reason = reason
        self.status = status
        self.retryable = retryable
        self.retry_after = retry_after
        self.splittable = splittable
        self.limit = limit
        self.at_most: int | None = None
        #: Wrong key or model: raised to the caller if nothing has ever succeeded.
        self.fatal = fatal
        #: By its words it is: then if every call of a ranking got such an error.
        self.likely_fatal = False
