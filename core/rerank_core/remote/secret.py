"""Secrets: found at construction, shown nowhere, carried nowhere; and what looks like one.

The one rule for what looks like a secret, by its name or by its value. Config files, `to_dict`,
pickles, reports and logs all ask here.
"""

from __future__ import annotations

import os
import re
import threading
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any
from weakref import WeakSet

from ..errors import ConfigurationError, MissingKeyError
from ..runtime.patterns import pattern

#: What stands where a secret was.
REDACTED = "[redacted]"
#: A value shorter than this is a placeholder, and part of ordinary words: it is not searched for.
_SHORTEST = 6

# -- by name ---------------------------------------------------------------------------------------

#: The last word of a name that holds a secret, whatever stands before it.
_SECRET_WORD = pattern(
    r"passw(or)?d|passphrase|passcode|pwd|pass|secrets?|authorization|auth|credentials?|bearer"
    r"|cookie|signature|sig|jwt|\w*(apikey|password|(secret|access)key|(auth|access)token)"
)
#: Before "key", what makes it the name of a field; before "token", a word of a tokenizer; before
#: their plurals, which else count something, what makes them secrets.
_PLAIN_KEY = pattern(
    r"cache|column|content|dict|doc|document|field|foreign|group|id|index|json|metadata|node|order"
    r"|page|partition|primary|public|row|score|shard|sort|source|text"
)
_PLAIN_TOKEN = pattern(
    r"bos|cls|end|eos|false|first|last|mask|next|no|pad|padding|sep|special|start|stop|true|unk|yes"
)
_SECRET_PLURAL = pattern(r"access|api|auth|bearer|private|refresh|secret")
_WORD = pattern(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")


def is_secret_name(name: str) -> bool:
    """Whether what goes by this name (an option, a header, a parameter of a URL) is a secret.

    >>> [is_secret_name(name) for name in ("api_key", "X-Auth-Token", "max_tokens", "top_k")]
    [True, True, False, False]
    """
    words = [word.lower() for word in _WORD.findall(name)]
    if not words:
        return False
    *_, before, last = "", *words
    if _SECRET_WORD.fullmatch(last):
        return True
    if last in ("keys", "tokens"):
        return _SECRET_PLURAL.fullmatch(before) is not None
    plain = {"key": _PLAIN_KEY, "token": _PLAIN_TOKEN}.get(last)
    return plain is not None and not plain.fullmatch(before)


# -- by value --------------------------------------------------------------------------------------

#: Keys by the prefix that their vendor gives them, headers' values, and JSON web tokens.
_KEYS = pattern(
    r"\b(?:sk|gsk|xai|nvapi|pcsk|glpat|gh[opsu]|github_pat|tvly|pplx|lsv2|xox[abprs])"
    r"[-_](?=[\w.*-]*[\d*])[\w.*-]{6,}"
    r"|\b(?:pk|rk|key|co|pa|jina|hf|fw|r8|tgp|mxb|emb)[-_](?=[\w-]*\d)(?:[\w]+-)*?"
    r"(?=[A-Za-z]*\d)[A-Za-z\d]{16,}[\w.*-]*"
    r"|\bAIza[\w-]{20,}|\b(?:AKIA|ASIA)[A-Z\d]{12,}|\bya29\.[\w.-]{10,}"
    r"|\beyJ[\w-]{10,}\.[\w-]{6,}(?:\.[\w-]*)?"
)
_SCHEMES = pattern(
    r"\b(?:Bearer|Basic|Token|Api-?Key|Key)[ \t]+"
    r"(?=[\w.~+/*=-]*(?:\d|={1,2}(?![\w=])))[\w.~+/*=-]{6,}"
    r"|\b(Bearer|Basic)[ \t]+[\w.~+/*=-]{20,}|^\s*Bearer[ \t]+\S+\s*$"
    r"|\bBasic[ \t]+(?-i:(?=\S*[a-z][A-Z]))[\w+/=]{6,}",
    re.I,
)
#: `user:password@` in a URL: without a user, percent-encoded, or with what should have been so.
_USERINFO = pattern(
    r"(?<=://)(?:[^\s/?#@]*:[^\s/?#]+"
    r"|[^\s/?#@:\[]*:(?!\d{1,5}(?:[/?#\s]|$))\S+"
    r"|(?:(?<=http://)|(?<=https://))(?=[^\s/?#@:]*\d)[^\s/?#@:]{16,})(?=@)"
)
_NAMED = pattern(r"""([A-Za-z][\w.-]*)["']?\s{0,2}[=:]\s{0,2}(?:[bu]?(["']))?""")
_VALUE = pattern(r"""(?:(?:Bearer|Basic|Token|Api-?Key)\s+)?[^\s"'&]+""", re.I)
_QUOTED = {quote: pattern(f"[^{quote}]+") for quote in "\"'"}
#: What stands there in place of a secret.
_NOTHING = pattern(
    r"none|null|true|false|missing|required|invalid|expired|not|\*+|\[redacted\]", re.I
)
#: Names that mean other things in prose: there the value must look like a secret too.
_WEAK = frozenset(("key", "token", "auth", "pass", "secret", "signature", "sig", "cookie"))
_RANDOM = pattern(r"(?=\S*\d)\S{8,}")


def holds_secret(value: object) -> bool:
    """Whether something in the value looks like a secret: in a string, or deep in a container.

    >>> holds_secret("redis://:hunter2@host/0"), holds_secret({"headers": {"x-api-key": "abc"}})
    (True, True)
    """
    if isinstance(value, Secret):
        return True
    if isinstance(value, bytes):
        return holds_secret(value.decode("utf-8", "replace"))
    if isinstance(value, str):
        return next(_spans(value), None) is not None
    if isinstance(value, Mapping):
        return any(is_secret(str(name), one) for name, one in value.items())
    if isinstance(value, list | tuple | set | frozenset):
        return any(map(holds_secret, value))
    return False


def is_secret(name: str, value: object) -> bool:
    """Whether this option, by its name or its value, is one that nothing may show or store."""
    return (value not in (None, "") and is_secret_name(name)) or holds_secret(value)


def redact(message: str, limit: int = 300) -> str:
    """The message on one line, shortened, without anything that looks like a secret.

    Every key that this process holds is taken out as it is; all else by its look.

    >>> redact("Incorrect API key provided: sk-proj-1234567890. See redis://:hunter2@h/0")
    'Incorrect API key provided: [redacted] See redis://[redacted]@h/0'
    """
    line = " ".join(message[: 100 * limit].split())
    for value in _known_values():
        line = line.replace(value, REDACTED)
    kept, at = [], 0
    for start, end in sorted(_spans(line)):
        if end > at:
            kept.append(line[at : max(at, start)])
            if start >= at:
                kept.append(REDACTED)
            at = end
    return "".join([*kept, line[at:]])[:limit]


def without_secrets(url: str) -> str:
    """The URL as it may be shown: no password, and no parameter that is a secret."""
    from urllib.parse import parse_qsl, urlencode, urlsplit  # only who has a URL needs them

    parts = urlsplit(url)
    user, _, host = parts.netloc.rpartition("@")
    user = user.partition(":")[0]
    options = parse_qsl(parts.query, keep_blank_values=True)
    plain = [(name, value) for name, value in options if not is_secret(name, value)]
    query = parts.query if plain == options else urlencode(plain)
    shown = f"{parts.scheme}://{user and user + '@'}{host}{parts.path}"
    return shown + (f"?{query}" if query else "") + (f"#{parts.fragment}" if parts.fragment else "")


def _spans(text: str) -> Iterator[tuple[int, int]]:
    """Where in the text something looks like a secret."""
    for known in (_USERINFO, _KEYS, _SCHEMES):
        for match in known.finditer(text):
            yield match.span()
    at = 0
    while (named := _NAMED.search(text, at)) is not None:
        at = named.end()
        if not is_secret_name(named[1]):
            continue
        value = (_QUOTED[named[2]] if named[2] else _VALUE).match(text, at)
        if value is None or _NOTHING.fullmatch(value[0].rstrip(".,;:)]}") or "none"):
            continue
        in_url = text[named.start() - 1 : named.start()] in ("?", "&", "#", ";")
        if in_url or named[1].lower() not in _WEAK or _RANDOM.fullmatch(value[0]):
            yield value.span()


# -- kept ------------------------------------------------------------------------------------------


class Secret:
    """A key that does not show in a repr, a log or a traceback, and does not pickle.

    What is pickled is where it came from: on the other side it is read from the environment
    again, and if it is not there, `reveal` raises `MissingKeyError`. `option` is what the user
    calls it; `in_header` says whether it must fit into one.

    >>> Secret("sk-123", ["OPENAI_API_KEY"])
    Secret(***)
    """

    __slots__ = ("__weakref__", "_value", "in_header", "option", "variables", "what")

    def __init__(
        self,
        value: Any,
        variables: Sequence[str],
        what: str = "the API",
        *,
        option: str = "api_key",
        in_header: bool = True,
    ) -> None:
        if hasattr(value, "get_secret_value"):  # pydantic's SecretStr, as LangChain holds keys
            value = value.get_secret_value()
        if value is not None and not isinstance(value, str):
            raise ConfigurationError(f"{option} is a string, not {type(value).__name__}")
        self.variables, self.what = tuple(variables), what
        self.option, self.in_header = option, in_header
        self._value: str = self._checked(value or "", f"{option} for {what}")
        with _lock:
            _alive.add(self)

    @classmethod
    def required(cls, given: Any, variables: Sequence[str], what: str) -> Secret:
        """The key as given, else from the first of these environment variables that has one.

        Raises `MissingKeyError`, naming the variables, and `ConfigurationError` for a key that no
        header can carry.
        """
        secret = cls(given, variables, what)
        secret.reveal()
        return secret

    def reveal(self) -> str:
        """The key itself, for the one place that sends it.

        Space and line breaks around it are left off, as files and shells add them. Raises
        `MissingKeyError` where there is none, `ConfigurationError` for one from the environment
        that no header can carry.
        """
        if value := self._found():
            return value
        named = " or ".join(self.variables)
        fix = f"set {named} in the environment, or pass" if named else "pass"
        hint = "" if self.option != "api_key" else " (a server that asks for none takes any value)"
        noun = "key" if self.option == "api_key" else self.option
        raise MissingKeyError(f"no {noun} for {self.what}: {fix} {self.option}={hint}")

    def _found(self) -> str:
        if self._value:
            return self._value
        for name in self.variables:
            if value := os.environ.get(name):
                return self._checked(value, f"{name} in the environment")
        return ""

    def _checked(self, value: str, where: str) -> str:
        if self.in_header:
            value = value.strip()
            _check_header(value, where)
        return value

    def __deepcopy__(self, memo: object) -> Secret:
        return self  # within a process a key may be carried along

    def __copy__(self) -> Secret:
        return self

    def __repr__(self) -> str:
        return "Secret(***)"

    def __reduce__(self) -> tuple[Any, ...]:
        return _without_value, (self.variables, self.what, self.option, self.in_header)


def held(values: Mapping[str, Any], option: str) -> dict[str, str | Secret]:
    """The same by name, each that looks like a secret in a `Secret`, for headers and parameters.

    Raises `ConfigurationError` for a value that is no string or that no header can carry.
    """
    kept: dict[str, str | Secret] = {}
    for name, value in values.items():
        where = f"{option}[{name!r}]"
        one = Secret(value, (), "the server", option=where)
        kept[str(name)] = one if is_secret(str(name), value) else value
    return kept


def revealed(values: Mapping[str, str | Secret]) -> dict[str, str]:
    """What `held` holds. Raises `MissingKeyError` for a secret that a pickle left behind."""
    return {
        name: value.reveal() if isinstance(value, Secret) else value
        for name, value in values.items()
    }


def _without_value(variables: Sequence[str], what: str, option: str, in_header: bool) -> Secret:
    return Secret(None, variables, what, option=option, in_header=in_header)


def _check_header(value: str, what: str) -> None:
    """Raise `ConfigurationError`, without the value, for what no HTTP header can carry.

    RFC 9110, 5.5: visible ASCII and spaces. What else stands in a key came in by copying it.
    """
    for place, char in enumerate(value, start=1):
        if not " " <= char <= "~":
            name = unicodedata.name(char, "a control character, such as a line break")
            raise ConfigurationError(
                f"{what} cannot be sent in a header: its character {place} of {len(value)} is "
                f"U+{ord(char):04X} ({name}), which came in by copying; copy it again as plain text"
            )


# Every key of this process, so that none can show whatever it looks like.
_alive: WeakSet[Secret] = WeakSet()
_lock = threading.Lock()


def _known_values() -> Iterable[str]:
    """All that are held, as they are and as a URL writes them; the longest first."""
    with _lock:
        secrets = list(_alive)
    values = {value for secret in secrets for value in _forms(secret)}
    return sorted(values, key=len, reverse=True)


def _forms(secret: Secret) -> Iterator[str]:
    from urllib.parse import quote

    given = [secret._value, *(os.environ.get(name) for name in secret.variables)]
    for value in given:
        if value and len(stripped := value.strip()) >= _SHORTEST:
            yield " ".join(stripped.split())  # as it reads on one line
            yield quote(stripped, safe="")
            yield repr(stripped)[1:-1]
