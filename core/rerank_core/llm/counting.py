"""A tokenizer of the user's own, whatever it makes of a document."""

from __future__ import annotations

import inspect
from hashlib import blake2b
from operator import index

from ..errors import ConfigurationError
from ..remote.secret import redact
from ..runtime.usage import record
from ..text.truncation import Count, estimate_tokens


class CheckedCount:
    """Counts by `count`; where it raises, or gives what is no count, the estimate stands in.

    A tokenizer may refuse a text that holds one of its special tokens. Raises
    `ConfigurationError` for what cannot be called, or would have to be awaited.
    """

    def __init__(self, count: Count) -> None:
        if not callable(count) or inspect.iscoroutinefunction(count):
            raise ConfigurationError(
                f"count_tokens is a function from a text to its number of tokens, not {count!r:.80}"
            )
        self._count = count

    def __call__(self, text: str) -> int:
        """How many tokens the text has; at least 1 where it is not blank."""
        try:
            counted = self._count(text)
        except Exception as error:
            record(note=f"count_tokens raised {type(error).__name__}: {_ESTIMATED}")
            return estimate_tokens(text)
        try:
            tokens = -1 if isinstance(counted, bool) else index(counted)
        except TypeError:
            tokens = -1
        if tokens < (1 if text.strip() else 0):
            record(note=f"count_tokens gave {redact(repr(counted), 40)}: {_ESTIMATED}")
            return estimate_tokens(text)
        return tokens


_ESTIMATED = "the tokens of such texts are estimated"


def count_name(count: Count) -> str:
    """Names a tokenizer in fingerprints, as far as a function tells: by its name and its code."""
    code = getattr(count, "__code__", None)
    told = (
        getattr(count, "__module__", ""),
        getattr(count, "__qualname__", type(count).__qualname__),
        None if code is None else (code.co_code, code.co_names, _plain(code.co_consts)),
    )
    return "/" + blake2b(repr(told).encode(), digest_size=8).hexdigest()


def _plain(constants: tuple[object, ...]) -> list[object]:
    return [one for one in constants if one is None or isinstance(one, str | bytes | int | float)]
