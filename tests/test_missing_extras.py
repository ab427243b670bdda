"""What is not installed is missed by name, with the command that installs it."""

from __future__ import annotations

import subprocess
import sys

import pytest

from rerank_core import MissingExtraError
from rerank_core.errors import require


def test_what_is_there_is_not_missed() -> None:
    """Nothing is said, for a module inside a package too."""
    require("this test", "any", "json", "importlib.util")


@pytest.mark.parametrize("module", ["no_such_package", "no_such_package.inside", "json.no_such"])
def test_what_is_not_there_is_missed_by_its_command(module: str) -> None:
    """One module of several is enough; the error is an ImportError too."""
    with pytest.raises(ImportError, match=r"pip install 'dropin-rerank\[any\]'") as caught:
        require("this test", "any", "json", module)

    assert isinstance(caught.value, MissingExtraError)
    assert (caught.value.feature, caught.value.extra) == ("this test", "any")


@pytest.mark.parametrize(
    ("package", "framework", "extra"),
    [
        ("langchain_rerank", "langchain_core", "langchain"),
        ("llamaindex_rerank", "llama_index", "llamaindex"),
    ],
)
def test_a_framework_that_is_not_there_is_missed_at_the_import(
    package: str, framework: str, extra: str
) -> None:
    """By the command, and by no other package's name."""
    code = (
        "import sys\n"
        "class Absent:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        f"        if name.split('.')[0] == {framework!r}: raise ModuleNotFoundError(name=name)\n"
        f"sys.path[:0] = {sys.path!r}\n"
        "sys.meta_path.insert(0, Absent())\n"
        f"import {package}\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)

    last = done.stderr.strip().splitlines()[-1]
    assert last == (
        "rerank_core.errors.MissingExtraError: "
        f"{package} needs more packages: pip install 'dropin-rerank[{extra}]'"
    )
