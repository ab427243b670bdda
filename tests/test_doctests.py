"""Every example in a docstring does what it says."""

from __future__ import annotations

import doctest
import pkgutil
from importlib import import_module

import pytest

import rerank_core

MODULES = [module.name for module in pkgutil.walk_packages(rerank_core.__path__, "rerank_core.")]


@pytest.mark.parametrize("name", MODULES)
def test_docstrings(name: str) -> None:
    """A module whose optional packages are missing is left out."""
    try:
        module = import_module(name)
    except ImportError as error:
        pytest.skip(f"{name} needs {error.name}")

    failed = doctest.testmod(module, optionflags=doctest.ELLIPSIS).failed
    assert failed == 0
