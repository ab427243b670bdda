"""The packages of the extra `eval`, imported when first needed."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from ..errors import MissingExtraError


def package(name: str) -> Any:
    """The module of that name; `MissingExtraError`, with the command, where it is not there."""
    try:
        return import_module(name)
    except ImportError as error:
        raise MissingExtraError(f"evaluation ({name})", "eval") from error
