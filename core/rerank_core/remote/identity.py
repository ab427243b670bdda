"""Names what a score depends on, for the cache: models, servers, functions, files, or nothing.

A name that two different things share would serve the scores of the one for the other, so what
cannot be named for certain has none: then nothing is cached, and the report says so. Names are
hashes. What looks like a secret is left out of them: another key gives the same scores.
"""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Iterable, Mapping
from enum import Enum
from hashlib import blake2b
from pathlib import Path, PurePath
from types import ModuleType
from typing import Any

from ..errors import ConfigurationError
from .secret import is_secret_name

#: Attributes that change how a call is made, watched or repeated, not what comes of it.
_INCIDENTAL = frozenset(
    (
        "cache",
        "callback_manager",
        "callbacks",
        "custom_get_token_ids",
        "max_retries",
        "metadata",
        "name",
        "num_workers",
        "rate_limiter",
        "request_timeout",
        "show_progress",
        "show_progress_bar",
        "stream_usage",
        "streaming",
        "tags",
        "timeout",
        "verbose",
    )
)
#: In an attribute by such a name a string may be a file or a folder.
_PLACES = ("model", "path", "file", "folder", "dir", "name_or_path", "adapter", "lora", "repo")
#: Whose objects keep clients and loaded models beside the fields that say what these are.
_FRAMEWORKS = ("langchain", "llama_index", "pydantic")
#: How deep models may hold models.
_DEPTH = 12


class _Unnamed(Exception):
    """Something in it cannot be named for certain."""


def name_of(thing: Any) -> str | None:
    """A name for a value, a function, or an object that declares its fields; None without one.

    An object has a name if it is one of pydantic's (as the models of LangChain and LlamaIndex
    are), of a class that can be imported, and all its fields have names.

    >>> name_of({"temperature": 0, "model": "m"}) == name_of({"model": "m", "temperature": 0})
    True
    >>> print(name_of(lambda text: text))
    None
    """
    try:
        told = _told("", thing, 0)
    except _Unnamed:
        return None
    return blake2b(told.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def checked_cache_name(name: object) -> str:
    """A name that the user vouches for. Raises `ConfigurationError` for what names nothing."""
    if not isinstance(name, str) or not name.strip():
        raise ConfigurationError(
            "cache_name is a string that names the model with all that its scores depend on "
            f'(server, version, parameters), such as "judge-7b@2026-10, T=0", not {name!r:.80}'
        )
    return name


def named_function(function: Callable[..., Any]) -> str | None:
    """The function by module and name; None where its name does not say what it does."""
    owner = getattr(function, "__self__", None)
    if owner is not None and not isinstance(owner, ModuleType):
        return None  # a method: what it does depends on its object
    return _importable(function)


def named_model(model: str) -> str:
    """A model by name; a folder or file by its place, and the size and time of what is in it."""
    path = Path(model)
    if not path.exists():
        return model
    files = [path] if path.is_file() else sorted(file for file in path.rglob("*") if file.is_file())
    digest = blake2b(digest_size=16)
    for file in files:
        found = file.stat()
        digest.update(f"{file.relative_to(path)}\0{found.st_size}\0{found.st_mtime_ns}\0".encode())
    return f"{path.resolve()}@{digest.hexdigest()}"


def _importable(thing: Any) -> str | None:
    name, module = getattr(thing, "__qualname__", None), getattr(thing, "__module__", None)
    if not name or "<" in name or not module or module in ("__main__", "__mp_main__"):
        return None
    return f"{module}.{name}"


def _told(name: str, value: Any, depth: int) -> str:
    """The value in full, under a name that may say how to take it."""
    if depth > _DEPTH:
        raise _Unnamed
    if value is None or isinstance(value, bool | int | float | complex | bytes):
        return repr(value)
    if isinstance(value, str | PurePath):
        return repr(_place(name, os.fspath(value)))
    if isinstance(value, Enum):
        return f"{_sure(_importable(type(value)))}.{value.name}"
    if isinstance(value, Mapping):
        return _mapping(value.items(), depth)
    if isinstance(value, list | tuple):
        return f"[{', '.join(_told(name, one, depth + 1) for one in value)}]"
    if isinstance(value, set | frozenset):
        return f"{{{', '.join(sorted(_told(name, one, depth + 1) for one in value))}}}"
    if isinstance(value, type):
        return _sure(_importable(value))
    if hasattr(type(value), "model_fields"):
        return _object(value, depth)
    if callable(value) and hasattr(value, "__qualname__"):
        return _sure(named_function(value))
    raise _Unnamed


def _mapping(items: Iterable[tuple[Any, Any]], depth: int) -> str:
    told = sorted(
        f"{_told('', name, depth + 1)}: {_told(str(name), value, depth + 1)}"
        for name, value in items
        if not _secret(str(name), value)
    )
    return f"{{{', '.join(told)}}}"


def _object(value: Any, depth: int) -> str:
    """A pydantic object by its class, its fields, and what it keeps beside them."""
    kind = type(value)
    fields = {
        name: getattr(value, name)
        for name, field in kind.model_fields.items()
        if name not in _INCIDENTAL and not (field.exclude and _framework_keeps(value, name))
    }
    fields |= getattr(value, "__pydantic_extra__", None) or {}
    for name, kept in (getattr(value, "__pydantic_private__", None) or {}).items():
        if not _framework_keeps(value, name, kept):
            fields[name] = kept
    return _sure(_importable(kind)) + _mapping(fields.items(), depth)


def _framework_keeps(value: Any, name: str, kept: Any = None) -> bool:
    """Whether this is a client or a loaded model, which a framework's class makes of the fields."""
    kept = getattr(value, name, None) if kept is None else kept
    if kept is None or isinstance(kept, str | int | float | bool | list | tuple | Mapping):
        return False
    if callable(kept) and hasattr(kept, "__qualname__"):
        return False
    declaring = [
        kind
        for kind in type(value).__mro__
        if name in inspect.get_annotations(kind)
        or name in kind.__dict__.get("__private_attributes__", {})
    ]
    return bool(declaring) and declaring[-1].__module__.startswith(_FRAMEWORKS)


def _secret(name: str, value: Any) -> bool:
    if hasattr(value, "get_secret_value"):
        return True
    return (isinstance(value, str) or callable(value)) and is_secret_name(name)


def _place(name: str, value: str) -> str:
    last = name.lower().rstrip("s")
    if len(value) < 1024 and "\0" not in value and any(part in last for part in _PLACES):
        try:
            return named_model(value)
        except OSError:
            raise _Unnamed from None
    return value


def _sure(name: str | None) -> str:
    if name is None:
        raise _Unnamed
    return name
