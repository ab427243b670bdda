"""Names of a package whose modules are imported when they are asked for (PEP 562)."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any


def on_demand(
    package: str, homes: Mapping[str, str]
) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """The `__getattr__` and `__dir__` of a package, whose names are in these modules of it.

    Beside it the package has the same names imported under `TYPE_CHECKING`, for editors and mypy.

    >>> get, names = on_demand("rerank_core.runtime", {"sigmoid": "numbers"})
    >>> get("sigmoid")(0.0), "sigmoid" in names()
    (0.5, True)
    """

    def get(name: str) -> Any:
        if (home := homes.get(name)) is None:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return getattr(import_module(f"{package}.{home}"), name)

    def names() -> list[str]:
        return sorted({*vars(sys.modules[package]), *homes})

    return get, names
